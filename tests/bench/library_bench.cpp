// What a large library costs: library_bench FOLDER [PICTURES]. Makes the library in FOLDER if it is not there (100 000 pictures
// of 16x8 pixels), then measures. Times are medians of five but for rebuild and check, which run once.

#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

#include "core/gallery/manifest_row.h"
#include "core/gallery/picture_name.h"
#include "core/gallery/picture_reader.h"
#include "core/gallery/upkeep/check.h"
#include "core/gallery/upkeep/opening.h"
#include "core/gallery/upkeep/rebuild.h"
#include "core/library/run_file.h"
#include "core/picture/png.h"
#include "core/queue/runs.h"

using namespace polyptych;
using library::Location;

namespace {

constexpr int kPicturesInRun = 1000;
constexpr int kPage = 100;

double msOf(const std::function<void()>& work, int times) {
  std::vector<double> all;
  for (int i = 0; i < times; ++i) {
    QElapsedTimer timer;
    timer.start();
    work();
    all.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
  }
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "library_bench: %s\n", why.c_str());
  std::exit(1);
}

/// About eighty characters; one in a hundred has Korean in it, one in twenty thousand a word of its own, the oldest tenth
/// another.
std::string promptOf(int number, int total, std::mt19937& random) {
  static const std::vector<std::string> words = {
      "a",      "the",     "of",     "in",        "with",     "light",  "lighthouse", "oil",      "paint", "portrait", "detailed",
      "sunset", "river",   "castle", "dragon",    "cat",      "robot",  "city",       "night",    "rain",  "snow",     "forest",
      "ocean",  "digital", "art",    "cinematic", "lighting", "8k",     "photo",      "soft",     "focus", "neon",     "woman",
      "man",    "old",     "young",  "smiling",   "vintage",  "sketch", "highly",     "realistic"};
  std::string text;
  for (int i = 0; i < 14; ++i) {
    text += (i == 0 ? "" : i % 4 == 0 ? ", " : " ") + words[random() % words.size()];
  }
  text += number % 100 == 3 ? " 바닷가 등대" : "";
  text += number % 20000 == 7 ? " zeppelin" : "";
  return text + (number < total / 10 ? " firstborn" : "");
}

library::RunRecord recordOf(int number, int first, int total, std::mt19937& random) {
  library::RunRecord record;
  record.id = quint64(number);
  record.number = number;
  record.createdMs = 1700000000000 + qint64(number) * 100000;
  record.folder =
      QStringLiteral("2024-01-%1/%2-bench").arg(number % 28 + 1, 2, 10, QLatin1Char('0')).arg(number, 4, 10, QLatin1Char('0'));
  record.fingerprint = QStringLiteral("bench-%1").arg(number);
  record.plan.model = {"/models/bench", "org/bench", "00ff", ""};
  for (int i = first; i < std::min(first + kPicturesInRun, total); ++i) {
    domain::GenerationRequest request;
    request.index = i - first;
    request.promptIndex = request.index;
    request.prompt = promptOf(i, total, random);
    request.seed = random();
    request.width = 16;
    request.height = 8;
    request.scheduler = i % 3 == 0 ? "Euler a" : "DPM++ 2M";
    record.requests.push_back(std::move(request));
  }
  return record;
}

void write(const QString& path, const QByteArray& bytes) {
  QFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
    fail("cannot write " + path.toStdString());
  }
}

void makeRun(const Location& location, const library::RunRecord& record) {
  const QString folder = location.picturesFolder() + u'/' + record.folder;
  QDir().mkpath(folder);
  QByteArray manifest;
  domain::UnitOfWork unit;
  unit.plan = record.plan;
  for (const auto& request : record.requests) {
    unit.requests = {request};
    const auto metadata = domain::metadataOf(unit, 0);
    domain::Image image{request.width, request.height, {}};
    image.pixels.assign(std::size_t(3) * 16 * 8, std::uint8_t(request.seed));
    const auto png = picture::encodePng(image, metadata);
    const QString name = gallery::pictureName(request.index, request.prompt);
    write(folder + u'/' + name, QByteArray(reinterpret_cast<const char*>(png->data()), qsizetype(png->size())));
    manifest += gallery::toLine({metadata,
                                 {"cuda:0", "Card", 1.5},
                                 name,
                                 record.fingerprint,
                                 QDateTime::fromMSecsSinceEpoch(record.createdMs + request.index * 90, Qt::UTC),
                                 std::nullopt});
  }
  write(folder + QStringLiteral("/manifest.jsonl"), manifest);
  write(folder + u'/' + QLatin1String(library::kRunFileName), library::toRunFile(record));
}

void makeLibrary(const Location& location, int pictures) {
  std::mt19937 random(1);
  for (int first = 0, number = 1; first < pictures; first += kPicturesInRun, ++number) {
    const library::RunRecord record = recordOf(number, first, pictures, random);
    if (!QFile::exists(location.picturesFolder() + u'/' + record.folder + u'/' + QLatin1String(library::kRunFileName))) {
      makeRun(location, record);
    }
  }
}

void measureRebuild(const Location& location, const gallery::RebuildOptions& options) {
  const auto rebuilt = gallery::rebuild(location, options);
  if (!rebuilt) {
    fail(rebuilt.error().message + " " + rebuilt.error().detail);
  }
  if (!rebuilt->setAside.isEmpty()) {
    QFile::remove(rebuilt->setAside);
  }
  std::printf("rebuild            %8.2f s   %.0f pictures/s (%lld pictures, %lld runs)\n", rebuilt->seconds,
              static_cast<double>(rebuilt->pictures) / rebuilt->seconds, qlonglong(rebuilt->pictures), qlonglong(rebuilt->runs));
}

void measureOpen(const Location& location, const gallery::RebuildOptions& options) {
  std::printf("open, backend      %8.1f ms\n", msOf([&] { (void)gallery::openOrRebuild(location, options); }, 5));
  // What a backend does beside it where the one before it ended in the middle of its work.
  std::printf("check of the index %8.1f ms\n", msOf(
                                                   [&] {
                                                     auto database = library::Database::open(location.databaseFile(),
                                                                                             library::Database::Mode::ReadWrite);
                                                     if (!database || !(*database)->check()) {
                                                       fail("the index is damaged");
                                                     }
                                                   },
                                                   3));
  std::printf("open, first page   %8.1f ms\n", msOf(
                                                   [&] {
                                                     auto reader = gallery::PictureReader::open(location);
                                                     (void)(*reader)->page({}, gallery::PictureOrder::Newest, kPage);
                                                   },
                                                   5));
}

void measureSearches(const Location& location) {
  auto reader = gallery::PictureReader::open(location);
  if (!reader) {
    fail(reader.error().message);
  }
  const auto measure = [&](const char* name, const gallery::PictureFilter& filter, gallery::PictureOrder order) {
    std::size_t rows = 0;
    const double page = msOf([&] { rows = (*reader)->page(filter, order, kPage)->size(); }, 5);
    qint64 count = 0;
    const double counting = msOf([&] { count = *(*reader)->count(filter); }, 5);
    std::printf("search %-26s first page %6.1f ms (%zu rows)   count %6.1f ms (%lld)\n", name, page, rows, counting,
                qlonglong(count));
  };
  for (const char* text : {"light", "e", "th", "a lighthouse", "등대", "대", "zeppelin", "firstborn", "nowhere at all"}) {
    gallery::PictureFilter filter;
    filter.text = QString::fromUtf8(text);
    measure(text, filter, gallery::PictureOrder::Newest);
    if (filter.text == QLatin1String("firstborn") || filter.text == QLatin1String("light")) {
      measure((std::string(text) + ", oldest").c_str(), filter, gallery::PictureOrder::Oldest);
      measure((std::string(text) + ", by stars").c_str(), filter, gallery::PictureOrder::Stars);
    }
  }
  gallery::PictureFilter filter;
  measure("(everything)", filter, gallery::PictureOrder::Newest);
  measure("(everything), by stars", filter, gallery::PictureOrder::Stars);
  filter.minStars = 3;
  measure("(stars)", filter, gallery::PictureOrder::Newest);
  filter = {};
  filter.scheduler = QStringLiteral("Euler a");
  measure("(scheduler)", filter, gallery::PictureOrder::Newest);
  filter = {};
  filter.runId = 50;
  measure("(run)", filter, gallery::PictureOrder::Run);
}

void measureCheck(const Location& location, gallery::ReadingDepth depth, const char* name) {
  gallery::CheckOptions options;
  options.depth = depth;
  std::size_t findings = 0;
  const double ms = msOf(
      [&] {
        const auto found = gallery::check(location, options);
        findings = found ? found->size() : 999999;
      },
      1);
  std::printf("check, %-11s %8.2f s   (%zu findings)\n", name, ms / 1000, findings);
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  if (argc < 2) {
    fail("usage: library_bench FOLDER [PICTURES]");
  }
  const int pictures = argc > 2 ? std::atoi(argv[2]) : 100000;
  const Location location = library::locationAt(QFile::decodeName(argv[1]), Location::Layout::Dated);
  gallery::RebuildOptions options;
  options.insertRun = queue::insertRun;
  makeLibrary(location, pictures);
  measureRebuild(location, options);
  measureOpen(location, options);
  measureSearches(location);
  measureCheck(location, gallery::ReadingDepth::Ends, "ends");
  measureCheck(location, gallery::ReadingDepth::Whole, "whole");
  return 0;
}
