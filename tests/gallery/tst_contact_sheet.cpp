#include <QTemporaryDir>
#include <QtTest>

#include "core/gallery/contact_sheet.h"
#include "core/picture/png.h"
#include "tests/gallery/open_run.h"
#include "tests/picture/sample_picture.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::contactSheet;
using gallery::ContactSheetOptions;
using tests::OpenRun;

namespace {

domain::Image plain(int width, int height, std::uint8_t shade) {
  domain::Image image{width, height, {}};
  image.pixels.assign(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height), shade);
  return image;
}

int redAt(const domain::Image& image, int x, int y) {
  return image.pixels[(static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x)) * 3];
}

}  // namespace

class TestContactSheet : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { m_dir = std::make_unique<QTemporaryDir>(); }
  void laysPicturesOutByIndex();
  void makesLargePicturesSmaller();
  void leavesOutFailures();
  void refusesWhatIsNoRun();
  void refusesSheetsThatAreTooLarge();
  void tellsOfADamagedPicture();

 private:
  /// A finished run of plain pictures, the last one saved first; picture i has shade 10 * (i + 1).
  void make(int pictures, int width, int height, int failed = -1) {
    gallery::FolderRun run;
    for (int i = 0; i < pictures; ++i) {
      domain::PictureMetadata metadata = tests::sampleMetadata();
      metadata.request.index = i;
      metadata.request.width = width;
      metadata.request.height = height;
      run.pictures.push_back(metadata);
    }
    const auto pictureData = run.pictures;
    auto folder = OpenRun::open(m_dir->path(), run);
    QVERIFY(folder);
    for (int i = pictures - 1; i >= 0; --i) {
      const auto index = static_cast<std::size_t>(i);
      if (i == failed) {
        QVERIFY((*folder)->saveFailure(index, {ErrorCode::OutOfMemory, "Too large.", {}}, {"cpu:0", "CPU", 1}));
        continue;
      }
      const auto png = picture::encodePng(plain(width, height, static_cast<std::uint8_t>(10 * (i + 1))), pictureData[index]);
      QVERIFY(png);
      QVERIFY((*folder)->save(index, *png, {"cpu:0", "CPU", 1}));
    }
  }

  std::unique_ptr<QTemporaryDir> m_dir;
};

void TestContactSheet::laysPicturesOutByIndex() {
  make(5, 16, 24);
  const auto sheet = contactSheet(m_dir->path(), {3, 32, 4});
  QVERIFY2(sheet, sheet ? "" : sheet.error().message.c_str());
  QCOMPARE(sheet->width, 3 * 36 + 4);
  QCOMPARE(sheet->height, 2 * 36 + 4);
  for (int i = 0; i < 5; ++i) {
    const int left = 4 + i % 3 * 36 + 8;
    const int top = 4 + i / 3 * 36 + 4;
    QCOMPARE(redAt(*sheet, left, top), 10 * (i + 1));
    QCOMPARE(redAt(*sheet, left + 15, top + 23), 10 * (i + 1));
    QVERIFY(redAt(*sheet, left - 1, top) != 10 * (i + 1));
    QVERIFY(redAt(*sheet, left, top + 24) != 10 * (i + 1));
  }
  const auto wide = contactSheet(m_dir->path(), {});
  QVERIFY(wide);
  QCOMPARE(wide->width, 3 * 264 + 8);
  QVERIFY(picture::encodePng(*wide));
}

void TestContactSheet::makesLargePicturesSmaller() {
  make(1, 128, 64);
  const auto sheet = contactSheet(m_dir->path(), {1, 48, 0});
  QVERIFY(sheet);
  QCOMPARE(sheet->width, 48);
  QCOMPARE(sheet->height, 48);
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 48; ++x) {
      QCOMPARE(redAt(*sheet, x, y) == 10, y >= 12 && y < 36);
    }
  }
}

void TestContactSheet::leavesOutFailures() {
  make(3, 16, 16, 1);
  const auto sheet = contactSheet(m_dir->path(), {2, 16, 0});
  QVERIFY(sheet);
  QCOMPARE(sheet->height, 16);
  QCOMPARE(redAt(*sheet, 0, 0), 10);
  QCOMPARE(redAt(*sheet, 16, 0), 30);
}

void TestContactSheet::refusesWhatIsNoRun() {
  QCOMPARE(contactSheet(m_dir->path(), {}).error().code, ErrorCode::NotFound);
  make(1, 16, 16, 0);
  QCOMPARE(contactSheet(m_dir->path(), {}).error().code, ErrorCode::NotFound);
  QCOMPARE(contactSheet(m_dir->path(), {0, 8, 0}).error().code, ErrorCode::InvalidArgument);
  QCOMPARE(contactSheet(m_dir->path(), {-1, 64, 0}).error().code, ErrorCode::InvalidArgument);
}

void TestContactSheet::refusesSheetsThatAreTooLarge() {
  make(9, 16, 16);
  const auto sheet = contactSheet(m_dir->path(), {9, 1024, 0});
  QCOMPARE(sheet.error().code, ErrorCode::InvalidArgument);
  QVERIFY(sheet.error().message.find("9216x1024") != std::string::npos);
}

void TestContactSheet::tellsOfADamagedPicture() {
  make(2, 16, 16);
  const QStringList names = QDir(m_dir->path()).entryList({"*.png"}, QDir::Files, QDir::Name);
  QFile file(m_dir->filePath(names[1]));
  QVERIFY(file.resize(file.size() - 4));
  const auto damaged = contactSheet(m_dir->path(), {});
  QCOMPARE(damaged.error().code, ErrorCode::Corrupt);
  QVERIFY(damaged.error().message.find(names[1].toStdString()) != std::string::npos);
  QVERIFY(file.remove());
  QCOMPARE(contactSheet(m_dir->path(), {}).error().code, ErrorCode::Io);
}

QTEST_GUILESS_MAIN(TestContactSheet)
#include "tst_contact_sheet.moc"
