#include "app/polyptych-cli/event_printer.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/base/utf8.h"

namespace polyptych::cli {
namespace {

using Json = nlohmann::ordered_json;
using backend::SlotState;
using backend::SlotStatus;

constexpr qint64 kRedrawMilliseconds = 100;

std::string lineOf(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string secondsText(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

std::string terminalLine(const SlotStatus& status) {
  std::string line = status.slotId.toStdString() + "  ";
  switch (status.state) {
    case SlotState::Busy:
      line += "picture " + std::to_string(status.index) + "  " + domain::toString(status.progress.stage);
      if (status.progress.steps > 0) {
        constexpr int kBar = 20;
        const int filled = kBar * status.progress.step / status.progress.steps;
        line += "  [" + std::string(static_cast<std::size_t>(filled), '#') +
                std::string(static_cast<std::size_t>(kBar - filled), '.') + "] " + std::to_string(status.progress.step) + "/" +
                std::to_string(status.progress.steps);
      }
      break;
    case SlotState::LoadingModel:
      line += "loading the model";
      if (status.totalBytes > 0) {
        line += "  " + std::to_string(100 * (status.loadedBytes / 1024) / (status.totalBytes / 1024 + 1)) + " %";
      }
      break;
    default:
      line += stateName(status.state);
      if (!status.reason.isEmpty()) {
        line += ": " + status.reason.toStdString();
      }
  }
  return line + "  (" + std::to_string(status.picturesDone) + " done)";
}

}  // namespace

std::string stateName(SlotState state) {
  switch (state) {
    case SlotState::Stopped:
      return "stopped";
    case SlotState::Starting:
      return "starting";
    case SlotState::Handshaking:
      return "handshaking";
    case SlotState::LoadingModel:
      return "loading_model";
    case SlotState::Idle:
      return "idle";
    case SlotState::Busy:
      return "busy";
    case SlotState::Stopping:
      return "stopping";
    case SlotState::Failed:
      return "failed";
  }
  return "stopped";
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool isC1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (isC1) {
      ++i;
    }
    out += isC1 || byte < 0x20 || byte == 0x7F ? ' ' : text[i];
  }
  return out;
}

EventPrinter::EventPrinter(Telling telling, Write toOutput, Write toError, int columns)
    : m_telling(telling), m_toOutput(std::move(toOutput)), m_toError(std::move(toError)), m_columns(std::max(20, columns)) {}

void EventPrinter::output(const std::string& line) {
  erase();
  m_isHeard = m_toOutput(line) && m_isHeard;
  draw(true);
}

void EventPrinter::error(const std::string& line) {
  erase();
  m_toError(line);
  draw(true);
}

void EventPrinter::erase() {
  if (m_linesDrawn > 0) {
    m_toError("\x1b[" + std::to_string(m_linesDrawn) + "F\x1b[J");
    m_linesDrawn = 0;
  }
}

void EventPrinter::draw(bool now) {
  if (m_telling != Telling::Terminal || m_slots.empty()) {
    return;
  }
  if (!now && m_sinceDrawn.isValid() && m_sinceDrawn.elapsed() < kRedrawMilliseconds) {
    return;
  }
  erase();
  std::string lines;
  for (const auto& [id, status] : m_slots) {
    const std::string line = printable(terminalLine(status));
    lines += std::string(base::utf8Prefix(line, static_cast<std::size_t>(m_columns - 1))) + "\n";
    ++m_linesDrawn;
  }
  m_toError(lines);
  m_sinceDrawn.start();
}

void EventPrinter::tellStarted(const RunFacts& facts) {
  m_total = facts.total;
  m_done = 0;
  const auto& settings = facts.settings;
  if (m_telling == Telling::Json) {
    Json devices = Json::array();
    for (const QString& id : facts.slotIds) {
      devices.push_back(id.toStdString());
    }
    output(lineOf({{"event", "started"},
                   {"total", facts.total},
                   {"already_there", facts.alreadyThere},
                   {"out", facts.folder.toStdString()},
                   {"seed", facts.seed},
                   {"seed_drawn", facts.wasSeedDrawn},
                   {"model", facts.model.name},
                   {"model_hash", facts.model.hash},
                   {"devices", devices},
                   {"scheduler", settings.scheduler},
                   {"steps", settings.steps},
                   {"guidance", settings.guidanceScale},
                   {"width", settings.width},
                   {"height", settings.height},
                   {"batch", facts.plan.batch}}));
    return;
  }
  std::string sentence = std::to_string(facts.total) + (facts.total == 1 ? " picture" : " pictures") + " with " +
                         printable(facts.model.name) + ", " + std::to_string(settings.width) + "x" +
                         std::to_string(settings.height) + ", " + settings.scheduler + ", " + std::to_string(settings.steps) +
                         " steps, on " + facts.slotIds.join(QStringLiteral(", ")).toStdString() + ".\n";
  if (facts.alreadyThere > 0) {
    sentence += std::to_string(facts.alreadyThere) + " of them are there already.\n";
  }
  sentence += "Seed " + std::to_string(facts.seed) + (facts.wasSeedDrawn ? " (drawn)" : "") + ". Folder " +
              printable(facts.folder.toStdString()) + "\n";
  error(sentence);
}

void EventPrinter::tellDevice(const SlotStatus& status) {
  const auto before = m_slots.find(status.slotId);
  const bool isNews = before == m_slots.end() || before->second.state != status.state || before->second.reason != status.reason;
  const bool isLoading = status.state == SlotState::LoadingModel;
  m_slots[status.slotId] = status;
  if (m_telling == Telling::Json) {
    if (isNews || isLoading) {
      Json json = {{"event", "device"},
                   {"device", status.slotId.toStdString()},
                   {"name", status.deviceName.toStdString()},
                   {"state", stateName(status.state)}};
      if (!status.reason.isEmpty()) {
        json["reason"] = status.reason.toStdString();
      }
      if (isLoading) {
        json["loaded_bytes"] = status.loadedBytes;
        json["total_bytes"] = status.totalBytes;
      }
      output(lineOf(json));
    }
    return;
  }
  if (m_telling == Telling::Plain && isNews && (isLoading || status.state == SlotState::Failed)) {
    error(status.slotId.toStdString() + ": " + (isLoading ? "loading the model" : "failed") +
          (status.reason.isEmpty() ? "" : ": " + printable(status.reason.toStdString())) + "\n");
  }
  draw(isNews);
}

void EventPrinter::tellStep(const SlotStatus& status) {
  m_slots[status.slotId] = status;
  if (m_telling == Telling::Json) {
    output(lineOf({{"event", "progress"},
                   {"index", status.index},
                   {"device", status.slotId.toStdString()},
                   {"stage", domain::toString(status.progress.stage)},
                   {"step", status.progress.step},
                   {"steps", status.progress.steps}}));
  } else {
    draw(false);
  }
}

void EventPrinter::tellPicture(const backend::PictureEvent& picture) {
  ++m_done;
  if (m_telling == Telling::Json) {
    output(lineOf({{"event", "picture"},
                   {"index", picture.index},
                   {"path", picture.path.toStdString()},
                   {"device", picture.slotId.toStdString()},
                   {"seconds", picture.seconds},
                   {"already_there", picture.wasAlreadyThere}}));
    return;
  }
  if (!picture.wasAlreadyThere) {
    output("[" + std::to_string(m_done) + "/" + std::to_string(m_total) + "] " + picture.path.toStdString() + "  (" +
           picture.slotId.toStdString() + ", " + secondsText(picture.seconds) + ")\n");
  }
}

void EventPrinter::tellFailure(const backend::FailureEvent& failure) {
  if (m_telling == Telling::Json) {
    output(lineOf({{"event", "failed"},
                   {"index", failure.index},
                   {"device", failure.slotId.toStdString()},
                   {"code", base::toString(failure.error.code)},
                   {"message", failure.error.message}}));
    return;
  }
  error("Picture " + std::to_string(failure.index) + " failed: " + printable(failure.error.message) + "\n");
}

void EventPrinter::tellError(const base::Error& problem) {
  if (m_telling == Telling::Json) {
    output(lineOf({{"event", "failed"}, {"code", base::toString(problem.code)}, {"message", problem.message}}));
  }
  m_slots.clear();
  tellUser(problem.message);
}

void EventPrinter::tellFinished(const backend::RunSummary& summary, ExitCode code, double seconds) {
  erase();
  m_slots.clear();
  if (m_telling == Telling::Json) {
    output(lineOf({{"event", "finished"},
                   {"total", summary.total},
                   {"made", summary.made},
                   {"already_there", summary.alreadyThere},
                   {"failed", summary.failed},
                   {"cancelled", summary.wasCancelled},
                   {"seconds", seconds},
                   {"exit_code", static_cast<int>(code)}}));
    return;
  }
  std::string sentence = std::to_string(summary.made) + " made";
  if (summary.alreadyThere > 0) {
    sentence += ", " + std::to_string(summary.alreadyThere) + " were there";
  }
  if (summary.failed > 0) {
    sentence += ", " + std::to_string(summary.failed) + " failed";
  }
  error(sentence + " of " + std::to_string(summary.total) + (summary.wasCancelled ? "; stopped" : "") + ", in " +
        secondsText(seconds) + ".\n");
}

void EventPrinter::tellUser(const std::string& sentence) { error("polyptych-cli: " + printable(sentence) + "\n"); }

}  // namespace polyptych::cli
