#include "app/polyptych-cli/query_commands.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/polyptych-cli/event_printer.h"
#include "app/polyptych-cli/json_text.h"
#include "app/polyptych-cli/streams.h"
#include "core/base/utf8.h"
#include "core/checkpoint/model_folder.h"
#include "core/domain/scheduler_name.h"
#include "core/gallery/contact_sheet.h"
#include "core/models/bundled_models.h"
#include "core/models/model_description.h"
#include "core/models/model_list.h"
#include "core/picture/png.h"
#include "core/tokenizer/clip_tokenizer.h"

namespace polyptych::cli {
namespace {

ExitCode writeList(const std::vector<std::string>& values) { return answer(jsonArray(values, true) + "\n"); }

ExitCode writeJson(const QJsonDocument& json) { return answer(json.toJson(QJsonDocument::Indented).toStdString()); }

std::string gigabytes(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(bytes) / 1e9);
  return text;
}

/// A line of standard input without its LF, or its first `most` bytes; nothing at the end. Does not wait for more than the line,
/// and keeps zero bytes (which C's fgets, under QFile's readLine, loses).
std::optional<std::string> readLine(std::size_t most) {
  std::string line;
  int byte = 0;
  while (line.size() < most && (byte = std::getc(stdin)) != EOF && byte != '\n') {
    line += static_cast<char>(byte);
  }
  return byte == EOF && line.empty() ? std::nullopt : std::optional(line);
}

std::string toJson(const domain::DeviceInfo& device) {
  JsonObject json;
  json.text("id", device.id).text("kind", device.kind == domain::DeviceKind::Cpu ? "cpu" : "cuda").text("name", device.name);
  if (!device.uuid.empty()) {
    json.text("uuid", device.uuid);
  }
  json.number("total_bytes", device.totalBytes).number("free_bytes", device.freeBytes);
  if (device.cores > 0) {
    json.number("cores", device.cores);
  }
  if (device.temperatureCelsius >= 0) {
    json.number("temperature_celsius", device.temperatureCelsius);
  }
  if (device.powerWatts >= 0) {
    json.number("power_watts", device.powerWatts);
  }
  return json.done();
}

}  // namespace

ExitCode answer(const std::string& text) {
  if (writeOutput(text)) {
    return ExitCode::AllMade;
  }
  if (errno != EPIPE) {
    complainOfOutput(errno);
  }
  return ExitCode::SomeFailed;
}

void complainOfOutput(int code) {
  complain({base::ErrorCode::Io, std::string("Standard output cannot be written: ") + std::strerror(code) + ".", {}});
}

void complain(const base::Error& error) { writeError("polyptych-cli: " + printable(error.message) + "\n"); }

ExitCode showDevices(const std::vector<domain::DeviceInfo>& devices, bool json) {
  if (json) {
    std::vector<std::string> list;
    for (const auto& device : devices) {
      list.push_back(toJson(device));
    }
    return writeList(list);
  }
  std::string text;
  for (const auto& device : devices) {
    text += device.id + "  " + printable(device.name);
    if (device.cores > 0) {
      text += ", " + std::to_string(device.cores) + (device.cores == 1 ? " core" : " cores");
    }
    text += ", " + gigabytes(device.freeBytes) + " of " + gigabytes(device.totalBytes) + " free";
    if (device.temperatureCelsius >= 0) {
      text += ", " + std::to_string(device.temperatureCelsius) + " °C";
    }
    text += (device.uuid.empty() ? "" : "  " + device.uuid) + "\n";
  }
  return answer(text);
}

ExitCode showModels(bool json) {
  const auto list = models::listModels();
  if (json) {
    QJsonArray array;
    for (const auto& model : list) {
      array.append(models::toJson(model));
    }
    return writeJson(QJsonDocument(array));
  }
  if (list.isEmpty()) {
    writeError("There is no model in the Hugging Face cache. --model takes a folder in diffusers format, too.\n");
  }
  std::string text;
  for (const auto& model : list) {
    text += printable(model.reference.toStdString()) + "  ";
    if (model.isUsable) {
      text += (model.family + QStringLiteral(", ") + model.precision + QStringLiteral(", ") + models::sizeText(model.bytes))
                  .toStdString();
    } else {
      text += "cannot be used: " + printable(model.reason.toStdString());
    }
    text += "\n";
  }
  return answer(text);
}

ExitCode showModel(const std::string& reference, bool json) {
  const auto model = models::describeModel(QFile::decodeName(QByteArray::fromStdString(reference)));
  if (!model) {
    complain(model.error());
    return exitCodeOfModelError(model.error());
  }
  return json ? writeJson(QJsonDocument(models::toJson(*model))) : answer(models::toText(*model).toStdString());
}

ExitCode showSchedulers(bool json) {
  if (json) {
    std::vector<std::string> list;
    for (const auto& choice : domain::schedulerCatalogue()) {
      JsonObject settings;
      for (const auto& [key, value] : choice.overrides) {
        settings.raw(key, value);
      }
      list.push_back(JsonObject()
                         .text("name", choice.name)
                         .text("class", choice.className + "Scheduler")
                         .raw("settings", settings.done())
                         .done());
    }
    return writeList(list);
  }
  std::string text;
  for (const auto& choice : domain::schedulerCatalogue()) {
    text += choice.name + "  (" + choice.className + "Scheduler)\n";
  }
  return answer(text);
}

ExitCode tokenizeInput(const std::string& reference, bool json) {
  const auto refuse = [](const base::Error& error, ExitCode code) {
    complain(error);
    return code;
  };
  const auto spec = resolveModel(reference);
  if (!spec) {
    return refuse(spec.error(), exitCodeOfModelError(spec.error()));
  }
  const auto model = checkpoint::openModelFolder(spec->folder, spec->variant);
  if (!model) {
    return refuse(model.error(), exitCodeOfModelError(model.error()));
  }
  const auto tokenizer = tokenizer::ClipTokenizer::open(model->tokenizerFolder);
  if (!tokenizer) {
    return refuse(tokenizer.error(), exitCodeOfModelError(tokenizer.error()));
  }
  for (std::int64_t number = 1;; ++number) {
    const auto line = readLine(domain::kMaxPromptBytes + 1);
    if (!line) {
      if (std::ferror(stdin) != 0) {
        return refuse({base::ErrorCode::InvalidArgument, "Standard input cannot be read.", {}}, ExitCode::WrongUsage);
      }
      return ExitCode::AllMade;
    }
    const std::string_view text = *line;
    const std::string where = "Line " + std::to_string(number) + " of standard input ";
    if (text.size() > domain::kMaxPromptBytes) {
      return refuse(
          {base::ErrorCode::InvalidArgument, where + "is longer than " + std::to_string(domain::kMaxPromptBytes) + " bytes.", {}},
          ExitCode::WrongUsage);
    }
    if (base::firstInvalidUtf8(text)) {
      return refuse({base::ErrorCode::InvalidArgument, where + "is not UTF-8.", {}}, ExitCode::WrongUsage);
    }
    const auto encoding = tokenizer->encode(text);
    std::vector<std::string> ids;
    for (const std::int64_t id : encoding.ids) {
      ids.push_back(std::to_string(id));
    }
    std::string shown;
    if (json) {
      shown = JsonObject().raw("ids", jsonArray(ids, false)).text("dropped", encoding.dropped).done();
    } else {
      for (const std::string& id : ids) {
        shown += (shown.empty() ? "" : " ") + id;
      }
      shown += encoding.dropped.empty() ? "" : "\t" + printable(encoding.dropped);
    }
    if (const ExitCode code = answer(shown + "\n"); code != ExitCode::AllMade) {
      return code;
    }
  }
}

ExitCode makeContactSheet(const ContactSheetArguments& asked) {
  const auto refuse = [](const std::string& message, ExitCode code) {
    complain({base::ErrorCode::Io, message, {}});
    return code;
  };
  const QDir folder(QFile::decodeName(QByteArray::fromStdString(asked.folder)));
  const QString path =
      asked.out ? QFile::decodeName(QByteArray::fromStdString(*asked.out)) : folder.filePath(QStringLiteral("contact-sheet.png"));
  gallery::ContactSheetOptions options;
  options.columns = asked.columns;
  options.cell = asked.cell;
  const auto sheet = gallery::contactSheet(folder.path(), options);
  if (!sheet) {
    return refuse(sheet.error().message, ExitCode::WrongUsage);
  }
  const auto png = picture::encodePng(*sheet);
  if (!png) {
    return refuse(png.error().message, ExitCode::SomeFailed);
  }
  QFile file(path);
  if (!file.open(QIODevice::WriteOnly | QIODevice::NewOnly)) {
    return refuse("The sheet cannot be written to '" + path.toStdString() + "': " +
                      (file.exists() ? "there is a file of that name already. Name another one with --out."
                                     : file.errorString().toStdString() + "."),
                  ExitCode::WrongUsage);
  }
  const auto size = static_cast<qint64>(png->size());
  if (file.write(reinterpret_cast<const char*>(png->data()), size) != size || !file.flush()) {
    const std::string why = file.errorString().toStdString();
    file.remove();
    return refuse("The sheet could not be written: " + why + ".", ExitCode::SomeFailed);
  }
  return answer(path.toStdString() + "\n");
}

base::Result<std::string> defaultModel() {
  if (models::isBundledModel(QLatin1String(models::kDemoModelName))) {
    return std::string(models::kDemoModelName);
  }
  QStringList usable;
  for (const auto& model : models::listModels()) {
    if (model.isUsable) {
      usable.append(model.reference);
    }
  }
  if (usable.size() == 1) {
    return usable.front().toStdString();
  }
  return base::Error{base::ErrorCode::InvalidArgument,
                     usable.isEmpty()
                         ? "There is no model in the Hugging Face cache. Name a folder in diffusers format with --model."
                         : "There are several models on this machine. Choose one with --model: " +
                               usable.join(QStringLiteral(", ")).toStdString() + ".",
                     {}};
}

base::Result<domain::ModelSpec> resolveModel(const std::string& reference) {
  const QString typed = QFile::decodeName(QByteArray::fromStdString(reference));
  return checkpoint::resolveModelReference(QFile::encodeName(models::withBundledModels(typed)).toStdString());
}

}  // namespace polyptych::cli
