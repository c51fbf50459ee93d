#include "app/polyptych-cli/library_commands.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QTimeZone>
#include <cstdio>
#include <functional>

#include "app/polyptych-cli/event_printer.h"
#include "app/polyptych-cli/inputs.h"
#include "app/polyptych-cli/json_text.h"
#include "app/polyptych-cli/query_commands.h"
#include "app/polyptych-cli/streams.h"
#include "core/gallery/picture_reader.h"
#include "core/gallery/thumbnail_store.h"
#include "core/gallery/upkeep/check.h"
#include "core/gallery/upkeep/opening.h"
#include "core/gallery/upkeep/rebuild.h"
#include "core/gallery/upkeep/transfer.h"
#include "core/library/lock.h"
#include "core/queue/runs.h"

namespace polyptych::cli {
namespace {

using base::Error;
using base::ErrorCode;
using gallery::Finding;
using library::Location;

constexpr int kPage = 1000;

ExitCode refuse(const Error& error) {
  complain(error);
  switch (error.code) {
    case ErrorCode::NotFound:
    case ErrorCode::Unsupported:
    case ErrorCode::InvalidArgument:
    case ErrorCode::AlreadyExists:
      return ExitCode::WrongUsage;
    default:
      return ExitCode::SomeFailed;
  }
}

std::string shown(const QString& text) { return printable(text.toStdString()); }

QString pathOf(const std::string& typed) { return QFile::decodeName(QByteArray::fromStdString(typed)); }

/// "1 200 of 20 000 pictures" on a terminal, over itself.
std::function<void(qint64, qint64)> progressLine() {
  if (!isErrorATerminal()) {
    return {};
  }
  return [](qint64 done, qint64 total) {
    writeError("\r" + std::to_string(done) + " of " + std::to_string(total) + " pictures" + (done >= total ? "\n" : ""));
  };
}

std::string jsonOf(const Finding& finding) {
  return JsonObject()
      .text("kind", gallery::nameOf(finding.kind))
      .text("path", finding.path.toStdString())
      .flag("repaired", finding.isRepaired)
      .text("sentence", finding.sentence.toStdString())
      .done();
}

std::string jsonOf(const std::vector<Finding>& findings) {
  std::vector<std::string> list;
  for (const Finding& finding : findings) {
    list.push_back(jsonOf(finding));
  }
  return jsonArray(list, true);
}

std::string jsonOf(const std::vector<QString>& paths) {
  std::vector<std::string> list;
  for (const QString& path : paths) {
    list.push_back(jsonText(path.toStdString()));
  }
  return jsonArray(list, true);
}

std::string textOf(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += shown(finding.path) + ": " + shown(finding.sentence) + "\n";
  }
  return text;
}

std::string jsonOf(const gallery::PictureRow& picture) {
  JsonObject json;
  json.number("id", picture.id)
      .number("run", picture.runNumber)
      .number("index", picture.index)
      .text("path", picture.path.toStdString())
      .text("prompt", picture.prompt.toStdString())
      .number("seed", picture.seed)
      .number("width", picture.width)
      .number("height", picture.height)
      .number("bytes", picture.bytes)
      .text("made", QDateTime::fromMSecsSinceEpoch(picture.madeMs, QTimeZone::utc()).toString(Qt::ISODateWithMs).toStdString())
      .number("stars", picture.stars)
      .number("pick", picture.pick);
  return json.done();
}

/// What `--search`, `--run` and `--stars` mean. @return NotFound for a run that is not there
base::Result<gallery::PictureFilter> filterOf(gallery::PictureReader& reader, const PictureArguments& asked) {
  gallery::PictureFilter filter;
  filter.text = QString::fromStdString(asked.search.value_or(std::string()));
  filter.minStars = asked.stars;
  if (asked.run) {
    const base::Result<std::optional<quint64>> run = reader.findRun(*asked.run);
    if (!run) {
      return run.error();
    }
    if (!*run) {
      return Error{ErrorCode::NotFound, "There is no run " + std::to_string(*asked.run) + " in the library.", {}};
    }
    filter.runId = **run;
  }
  return filter;
}

Error noLibrary(const Location& location) {
  return {ErrorCode::NotFound,
          "There is no library in '" + location.root.toStdString() + "'. Name one with --library, or a run's folder with --out.",
          {}};
}

base::Result<library::Lock> lock(const Location& location) {
  library::Holder self;
  self.program = QStringLiteral("polyptych-cli");
  self.version = QStringLiteral(POLYPTYCH_VERSION);
  return library::Lock::acquire(location, self);
}

ExitCode checkLibrary(const Arguments& arguments, const Location& location) {
  gallery::CheckOptions options;
  options.repair = arguments.keeping.repair;
  options.insertRun = queue::insertRun;
  options.thumbnailCache = gallery::defaultThumbnailFolder();
  options.progress = progressLine();
  std::optional<library::Lock> held;
  if (options.repair) {
    base::Result<library::Lock> locked = lock(location);
    if (!locked) {
      return refuse(locked.error());
    }
    held.emplace(*std::move(locked));
  } else if (const auto holder = library::holderOf(location); holder && *holder) {
    writeError("polyptych-cli: " + shown((*holder)->program) + " (process " + std::to_string((*holder)->pid) +
               ") is using the library; what it is writing at this moment may be told of.\n");
  }
  const base::Result<std::vector<Finding>> found = gallery::check(location, options);
  if (!found) {
    return refuse(found.error());
  }
  const auto left = std::count_if(found->begin(), found->end(), [](const Finding& finding) { return !finding.isRepaired; });
  const std::string summary = found->empty()
                                  ? "The library is whole.\n"
                                  : std::to_string(found->size()) + (found->size() == 1 ? " difference" : " differences") +
                                        " found, " + std::to_string(static_cast<qint64>(found->size()) - left) + " mended." +
                                        (options.repair || left == 0 ? "\n" : " --repair mends them.\n");
  const ExitCode told = answer(arguments.json ? jsonOf(*found) + "\n" : textOf(*found) + summary);
  return told != ExitCode::AllMade ? told : left > 0 ? ExitCode::SomeFailed : ExitCode::AllMade;
}

ExitCode rebuildLibrary(const Arguments& arguments, const Location& location) {
  const base::Result<library::Lock> held = lock(location);
  if (!held) {
    return refuse(held.error());
  }
  gallery::RebuildOptions options;
  options.insertRun = queue::insertRun;
  options.progress = progressLine();
  const base::Result<gallery::Rebuilt> rebuilt = gallery::rebuild(location, options);
  if (!rebuilt) {
    return refuse(rebuilt.error());
  }
  if (arguments.json) {
    return answer(JsonObject()
                      .number("pictures", rebuilt->pictures)
                      .number("runs", rebuilt->runs)
                      .number("waiting", rebuilt->waiting)
                      .flag("queue_known", rebuilt->isQueueKnown)
                      .number("seconds", rebuilt->seconds)
                      .text("set_aside", rebuilt->setAside.toStdString())
                      .raw("findings", jsonOf(rebuilt->findings))
                      .done() +
                  "\n");
  }
  std::string text = textOf(rebuilt->findings) + "The index was made again from " + std::to_string(rebuilt->pictures) +
                     " pictures of " + std::to_string(rebuilt->runs) + (rebuilt->runs == 1 ? " run.\n" : " runs.\n");
  if (rebuilt->waiting > 0) {
    text += std::to_string(rebuilt->waiting) + " pictures of them are still to be made.\n";
  }
  if (!rebuilt->isQueueKnown && !rebuilt->setAside.isEmpty()) {
    text += "The old index could not be read whole: what had failed or been cancelled may wait again.\n";
  }
  if (!rebuilt->setAside.isEmpty()) {
    text += "The old index is " + shown(rebuilt->setAside) + "\n";
  }
  return answer(text);
}

ExitCode exportLibrary(const Arguments& arguments, const Location& location) {
  const auto reader = gallery::PictureReader::open(location);
  if (!reader) {
    return refuse(reader.error());
  }
  const base::Result<gallery::PictureFilter> filter = filterOf(**reader, arguments.pictures);
  if (!filter) {
    return refuse(filter.error());
  }
  gallery::ExportOptions options;
  options.filter = *filter;
  options.progress = progressLine();
  if (arguments.keeping.nameTemplate) {
    options.nameTemplate = QString::fromStdString(*arguments.keeping.nameTemplate);
  }
  const base::Result<gallery::Exported> exported = gallery::exportPictures(**reader, pathOf(arguments.keeping.folder), options);
  if (!exported) {
    return refuse(exported.error());
  }
  for (const QString& path : exported->missing) {
    complain({ErrorCode::NotFound, "The picture '" + path.toStdString() + "' cannot be read; it was left out.", {}});
  }
  const ExitCode told = answer(
      arguments.json ? JsonObject().number("pictures", exported->pictures).raw("missing", jsonOf(exported->missing)).done() + "\n"
                     : std::to_string(exported->pictures) + " pictures were copied.\n");
  return told != ExitCode::AllMade ? told : exported->missing.empty() ? ExitCode::AllMade : ExitCode::SomeFailed;
}

ExitCode importLibrary(const Arguments& arguments, const Location& location) {
  const base::Result<library::Lock> held = lock(location);
  if (!held) {
    return refuse(held.error());
  }
  gallery::RebuildOptions options;
  options.insertRun = queue::insertRun;
  if (const auto opened = gallery::openOrRebuild(location, options); !opened) {
    return refuse(opened.error());
  }
  const base::Result<gallery::Imported> imported =
      gallery::importPictures(location, pathOf(arguments.keeping.folder), queue::insertRun, progressLine());
  if (!imported) {
    return refuse(imported.error());
  }
  for (const QString& path : imported->refused) {
    complain(
        {ErrorCode::Corrupt, "The picture '" + path.toStdString() + "' is damaged, or of a newer version; it was left out.", {}});
  }
  const ExitCode told = answer(
      arguments.json
          ? JsonObject()
                    .number("pictures", imported->pictures)
                    .text("folder", imported->folder.toStdString())
                    .raw("doubles", jsonOf(imported->doubles))
                    .raw("refused", jsonOf(imported->refused))
                    .done() +
                "\n"
          : std::to_string(imported->pictures) + " pictures were taken in" +
                (imported->doubles.empty() ? "" : ", " + std::to_string(imported->doubles.size()) + " were there already") +
                ".\n" + (imported->folder.isEmpty() ? "" : shown(imported->folder) + "\n"));
  return told != ExitCode::AllMade ? told : imported->refused.empty() ? ExitCode::AllMade : ExitCode::SomeFailed;
}

}  // namespace

ExitCode showPictures(const Arguments& arguments) {
  const Location location = libraryOf(arguments);
  const auto reader = gallery::PictureReader::open(location);
  if (!reader) {
    return refuse(reader.error().code == ErrorCode::NotFound ? noLibrary(location) : reader.error());
  }
  const base::Result<gallery::PictureFilter> filter = filterOf(**reader, arguments.pictures);
  if (!filter) {
    return refuse(filter.error());
  }
  std::vector<std::string> lines;
  std::optional<gallery::PictureKey> after;
  int left = arguments.pictures.limit;
  while (left > 0) {
    const auto page = (*reader)->page(*filter, gallery::PictureOrder::Newest, std::min(left, kPage), after);
    if (!page) {
      return refuse(page.error());
    }
    for (const gallery::PictureRow& picture : *page) {
      lines.push_back(arguments.json ? jsonOf(picture) : shown(picture.path) + "  " + shown(picture.prompt) + "\n");
    }
    if (page->size() < static_cast<std::size_t>(std::min(left, kPage))) {
      break;
    }
    left -= static_cast<int>(page->size());
    after = page->back().key();
  }
  if (arguments.json) {
    return answer(jsonArray(lines, true) + "\n");
  }
  std::string text;
  for (const std::string& line : lines) {
    text += line;
  }
  if (left == 0) {
    const base::Result<qint64> all = (*reader)->count(*filter);
    if (all && *all > arguments.pictures.limit) {
      writeError("These are the newest " + std::to_string(lines.size()) + " of " + std::to_string(*all) +
                 "; --limit shows more of them.\n");
    }
  }
  return answer(text);
}

ExitCode keepLibrary(const Arguments& arguments) {
  const Location location = libraryOf(arguments);
  const bool isThere = QFileInfo::exists(location.databaseFile()) ||
                       (arguments.keeping.action == "rebuild" && QFileInfo(location.picturesFolder()).isDir());
  if (!isThere && arguments.keeping.action != "import") {
    return refuse(noLibrary(location));
  }
  if (arguments.keeping.action == "check") {
    return checkLibrary(arguments, location);
  }
  if (arguments.keeping.action == "rebuild") {
    return rebuildLibrary(arguments, location);
  }
  return arguments.keeping.action == "export" ? exportLibrary(arguments, location) : importLibrary(arguments, location);
}

}  // namespace polyptych::cli
