#include <QDirIterator>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "core/gallery/thumbnails.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::ThumbnailOptions;
using gallery::Thumbnails;

namespace {

int filesIn(const QString& folder) {
  int files = 0;
  for (QDirIterator it(folder, QDir::Files, QDirIterator::Subdirectories); it.hasNext(); it.next()) {
    ++files;
  }
  return files;
}

}  // namespace

class TestThumbnails : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_location = library::locationAt(m_folder->filePath("library"), library::Location::Layout::Dated);
    QDir().mkpath(m_location.picturesFolder());
    m_options.folder = m_folder->filePath("cache");
  }

  void shrinksAndKeeps() {
    const QString picture = paint("a.png", 1024, 512);
    for (int i = 0; i < 2; ++i) {
      Thumbnails thumbnails(m_location, m_options);
      QSignalSpy made(&thumbnails, &Thumbnails::made);
      const quint64 ticket = thumbnails.request(picture, 256);
      QVERIFY(made.wait());
      QCOMPARE(made[0][0].toULongLong(), ticket);
      QCOMPARE(made[0][1].toString(), picture);
      QCOMPARE(made[0][2].value<QImage>().size(), QSize(256, 128));
      QCOMPARE(thumbnails.pending(), 0);
      QCOMPARE(filesIn(m_options.folder), 1);
    }
  }

  void neverMakesLarger() {
    QCOMPARE(Thumbnails::shrink(paint("a.png", 100, 60), 128)->size(), QSize(100, 60));
    QCOMPARE(Thumbnails::shrink(paint("b.png", 100, 300), 128)->size(), QSize(42, 128));
  }

  void makesAChangedPictureAgain() {
    const QString picture = paint("a.png", 600, 600);
    Thumbnails thumbnails(m_location, m_options);
    QSignalSpy made(&thumbnails, &Thumbnails::made);
    thumbnails.request(picture, 128);
    QVERIFY(made.wait());
    paint("a.png", 600, 300);
    thumbnails.request(picture, 128);
    QVERIFY(made.wait());
    QCOMPARE(made[1][2].value<QImage>().size(), QSize(128, 64));
  }

  void answersTheNewestFirst() {
    m_options.threads = 1;
    QStringList pictures;
    for (int i = 0; i < 8; ++i) {
      pictures << paint(QString::number(i) + ".png", 900, 900);
    }
    Thumbnails thumbnails(m_location, m_options);
    QSignalSpy made(&thumbnails, &Thumbnails::made);
    for (const QString& picture : pictures) {
      thumbnails.request(picture, 128);
    }
    QTRY_COMPARE(made.size(), pictures.size());
    // The first may have been begun before the others were asked for.
    QStringList order;
    for (const auto& one : made) {
      order << one[1].toString();
    }
    QVERIFY(order.indexOf(pictures[7]) < order.indexOf(pictures[4]));
    QVERIFY(order.indexOf(pictures[4]) < order.indexOf(pictures[2]));
  }

  void forgetsWhatIsCancelled() {
    m_options.threads = 1;
    const QString picture = paint("a.png", 900, 900);
    Thumbnails thumbnails(m_location, m_options);
    QSignalSpy made(&thumbnails, &Thumbnails::made);
    const quint64 first = thumbnails.request(picture, 128);
    const quint64 second = thumbnails.request(picture, 256);
    const quint64 third = thumbnails.request(picture, 512);
    thumbnails.cancel(first);
    thumbnails.cancel(third);
    QTRY_COMPARE(made.size(), 1);
    QCOMPARE(made[0][0].toULongLong(), second);
    thumbnails.request(picture, 128);
    thumbnails.cancelAll();
    QCOMPARE(thumbnails.pending(), 0);
  }

  void saysWhatCannotBeShown() {
    const QString damaged = m_location.picturesFolder() + "/damaged.png";
    QFile file(damaged);
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write("no picture") > 0);
    file.close();
    QCOMPARE(Thumbnails::shrink(damaged, 128).error().code, ErrorCode::Corrupt);
    Thumbnails thumbnails(m_location, m_options);
    QSignalSpy failed(&thumbnails, &Thumbnails::failed);
    thumbnails.request(m_location.picturesFolder() + "/gone.png", 128);
    QVERIFY(failed.wait());
    QCOMPARE(failed[0][2].value<base::Error>().code, ErrorCode::NotFound);
  }

  void worksWithoutACache() {
    m_options.folder = "/proc/nowhere";
    Thumbnails thumbnails(m_location, m_options);
    QSignalSpy made(&thumbnails, &Thumbnails::made);
    thumbnails.request(paint("a.png", 300, 300), 128);
    QVERIFY(made.wait());
  }

  void staysBelowItsBound() {
    gallery::ThumbnailStore store(m_options.folder, m_location, 10000);
    for (int i = 0; i < 40; ++i) {
      QVERIFY(store.write(QStringLiteral("%1key").arg(i, 2, 10, QLatin1Char('0')), QByteArray(1000, 'x')).isOk());
    }
    QVERIFY(filesIn(m_options.folder) <= 10);
    QVERIFY(filesIn(m_options.folder) >= 8);
    QVERIFY(!store.read("39key").isEmpty());
    QVERIFY(store.read("00key").isEmpty());
  }

 private:
  QString paint(const QString& name, int width, int height) {
    QImage image(width, height, QImage::Format_RGB888);
    image.fill(Qt::darkCyan);
    const QString path = m_location.picturesFolder() + '/' + name;
    [&] { QVERIFY(image.save(path)); }();
    return path;
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  library::Location m_location;
  ThumbnailOptions m_options;
};

QTEST_GUILESS_MAIN(TestThumbnails)
#include "tst_thumbnails.moc"
