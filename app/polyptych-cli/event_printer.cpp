#include "app/polyptych-cli/event_printer.h"

#include <cstdio>

#include "app/polyptych-cli/json_text.h"
#include "core/base/utf8.h"

namespace polyptych::cli {
namespace {

using backend::SlotState;
using backend::SlotStatus;

constexpr qint64 kRedrawMilliseconds = 100;
constexpr qint64 kGroupLineMilliseconds = 10000;

std::string lineOf(const JsonObject& json) { return json.done() + "\n"; }

JsonObject event(std::string_view name) { return JsonObject().text("event", name); }

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
  if (!m_groupLine.empty()) {
    lines = std::string(base::utf8Prefix(m_groupLine, static_cast<std::size_t>(m_columns - 1))) + "\n";
    ++m_linesDrawn;
  }
  for (const auto& [id, status] : m_slots) {
    const std::string line = printable(terminalLine(status));
    lines += std::string(base::utf8Prefix(line, static_cast<std::size_t>(m_columns - 1))) + "\n";
    ++m_linesDrawn;
  }
  m_toError(lines);
  m_sinceDrawn.start();
}

void EventPrinter::tellStarted(const RunFacts& facts) {
  m_hasStarted = true;
  m_total = facts.total;
  m_done = 0;
  const auto& settings = facts.settings;
  if (m_telling == Telling::Json) {
    std::vector<std::string> devices;
    for (const QString& id : facts.slotIds) {
      devices.push_back(jsonText(id.toStdString()));
    }
    output(lineOf(event("started")
                      .number("total", facts.total)
                      .number("already_there", facts.alreadyThere)
                      .text("out", facts.folder.toStdString())
                      .number("seed", facts.seed)
                      .flag("seed_drawn", facts.wasSeedDrawn)
                      .text("model", facts.model.name)
                      .text("model_hash", facts.model.hash)
                      .raw("devices", jsonArray(devices, false))
                      .text("scheduler", settings.scheduler)
                      .number("steps", settings.steps)
                      .number("guidance", settings.guidanceScale)
                      .number("width", settings.width)
                      .number("height", settings.height)
                      .number("batch", facts.plan.batch)));
    return;
  }
  std::string sentence = std::to_string(facts.total) + (facts.total == 1 ? " picture" : " pictures") + " with " +
                         printable(facts.model.name) + ", " + std::to_string(settings.width) + "x" +
                         std::to_string(settings.height) + ", " + settings.scheduler + ", " + std::to_string(settings.steps) +
                         (settings.steps == 1 ? " step" : " steps") + ", on " +
                         facts.slotIds.join(QStringLiteral(", ")).toStdString() + ".\n";
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
      JsonObject json = event("device");
      json.text("device", status.slotId.toStdString())
          .text("name", status.deviceName.toStdString())
          .text("state", stateName(status.state));
      if (!status.reason.isEmpty()) {
        json.text("reason", status.reason.toStdString());
      }
      if (isLoading) {
        json.number("loaded_bytes", status.loadedBytes).number("total_bytes", status.totalBytes);
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
    output(lineOf(event("progress")
                      .number("index", status.index)
                      .text("device", status.slotId.toStdString())
                      .text("stage", domain::toString(status.progress.stage))
                      .number("step", status.progress.step)
                      .number("steps", status.progress.steps)));
  } else {
    draw(false);
  }
}

void EventPrinter::tellPicture(const backend::PictureEvent& picture) {
  ++m_done;
  if (m_telling == Telling::Json) {
    output(lineOf(event("picture")
                      .number("index", picture.index)
                      .text("path", picture.path.toStdString())
                      .text("device", picture.slotId.toStdString())
                      .number("seconds", picture.seconds)
                      .flag("already_there", picture.wasAlreadyThere)));
    return;
  }
  if (!picture.wasAlreadyThere) {
    output("[" + std::to_string(m_done) + "/" + std::to_string(m_total) + "] " + picture.path.toStdString() + "  (" +
           picture.slotId.toStdString() + ", " + secondsText(picture.seconds) + ")\n");
  }
}

void EventPrinter::tellFailure(const backend::FailureEvent& failure) {
  if (m_telling == Telling::Json) {
    output(lineOf(event("failed")
                      .number("index", failure.index)
                      .text("device", failure.slotId.toStdString())
                      .text("code", base::toString(failure.error.code))
                      .text("message", failure.error.message)));
    return;
  }
  error("Picture " + std::to_string(failure.index) + " failed: " + printable(failure.error.message) + "\n");
}

void EventPrinter::tellGroup(const GroupProgress& progress) {
  std::int64_t made = progress.alreadyThere;
  std::string ranks;
  std::vector<std::string> counts;
  for (const std::int64_t count : progress.made) {
    made += count;
    counts.push_back(std::to_string(count));
    ranks += (ranks.empty() ? "" : ", ") + counts.back();
  }
  const std::string line = std::to_string(made) + " of " + std::to_string(progress.total) + " made" +
                           (progress.failed > 0 ? ", " + std::to_string(progress.failed) + " failed" : "") +
                           (counts.size() > 1 ? " (by rank: " + ranks + ")" : "");
  if (line == m_groupLine) {
    return;
  }
  const bool isDue = !m_sinceGroup.isValid() || m_sinceGroup.elapsed() >= kGroupLineMilliseconds;
  if (m_telling == Telling::Plain && !isDue) {
    return;
  }
  m_groupLine = line;
  m_sinceGroup.start();
  switch (m_telling) {
    case Telling::Json:
      output(lineOf(event("group")
                        .number("total", progress.total)
                        .number("already_there", progress.alreadyThere)
                        .raw("made", jsonArray(counts, false))
                        .number("failed", progress.failed)));
      break;
    case Telling::Plain:
      error(line + "\n");
      break;
    case Telling::Terminal:
      draw(true);
      break;
  }
}

void EventPrinter::tellError(const base::Error& problem) {
  if (m_telling == Telling::Json) {
    output(lineOf(event("failed").text("code", base::toString(problem.code)).text("message", problem.message)));
  }
  m_slots.clear();
  tellUser(problem.message);
}

void EventPrinter::tellFinished(const backend::RunSummary& summary, ExitCode code, double seconds) {
  erase();
  m_slots.clear();
  if (m_telling == Telling::Json) {
    output(lineOf(event("finished")
                      .number("total", summary.total)
                      .number("made", summary.made)
                      .number("already_there", summary.alreadyThere)
                      .number("failed", summary.failed)
                      .flag("cancelled", summary.wasCancelled)
                      .number("seconds", seconds)
                      .number("exit_code", static_cast<int>(code))));
    return;
  }
  if (!m_hasStarted && code != ExitCode::AllMade && !summary.wasCancelled) {
    return;  // the error said all there is
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
