#pragma once

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMap>
#include <string>

#include "core/backend/local_backend.h"

namespace polyptych::tests {

inline domain::GenerationRequest sampleRequest(std::int64_t index) {
  domain::GenerationRequest request;
  request.index = request.promptIndex = index;
  request.prompt = "a lighthouse, " + std::to_string(index);
  request.seed = 0xFFFFFFFFFFFFFF00ULL + static_cast<std::uint64_t>(index);
  request.width = 32;
  request.height = 24;
  request.steps = 3;
  request.scheduler = "Euler";
  return request;
}

inline domain::DeviceSlot cpuSlot(int number) {
  return {"cpu:" + std::to_string(number), domain::DeviceKind::Cpu, "CPU", {}, {}};
}

/// Number of the run that run_probe asks a dated library for.
inline constexpr quint64 kProbeRun = 77;

/// A run and the folder whose flat library it goes to.
struct SampleRun : backend::RunSpec {
  QString outputFolder;
};

inline library::Location flatLibrary(const QString& folder) {
  return library::locationAt(folder, library::Location::Layout::Flat);
}

inline SampleRun sampleRun(const QString& folder, int pictures, int slots = 1, int batch = 1) {
  SampleRun spec;
  for (int i = 0; i < pictures; ++i) {
    spec.requests.push_back(sampleRequest(i));
  }
  for (int i = 0; i < slots; ++i) {
    spec.slots.push_back(cpuSlot(i));
  }
  spec.plan.model = {"/models/m", "org/m", "00ff", ""};
  spec.plan.batch = batch;
  spec.plan.threads = 1;
  spec.outputFolder = folder;
  return spec;
}

/// Quick to give up.
inline backend::LocalBackendTuning quickTuning() {
  using std::chrono::milliseconds;
  backend::LocalBackendTuning tuning;
  tuning.deadlines.terminate = milliseconds(2000);
  return tuning;
}

inline pool::SupervisionLimits quickLimits() {
  pool::SupervisionLimits limits;
  limits.restartBase = std::chrono::milliseconds(5);
  return limits;
}

/// Name -> bytes of every file of a folder.
inline QMap<QString, QByteArray> contentOf(const QString& folder, const QString& pattern = "*.png") {
  QMap<QString, QByteArray> content;
  for (const QString& name : QDir(folder).entryList({pattern}, QDir::Files | QDir::Hidden)) {
    QFile file(folder + '/' + name);
    if (file.open(QIODevice::ReadOnly)) {
      content[name] = file.readAll();
    }
  }
  return content;
}

inline QList<QJsonObject> rowsOf(const QString& folder) {
  QList<QJsonObject> rows;
  QFile file(folder + "/manifest.jsonl");
  if (file.open(QIODevice::ReadOnly)) {
    while (!file.atEnd()) {
      rows << QJsonDocument::fromJson(file.readLine()).object();
    }
  }
  return rows;
}

/// Indices of the rows with a status, sorted.
inline QList<int> indicesOf(const QString& folder, const QString& status = "done") {
  QList<int> indices;
  for (const QJsonObject& row : rowsOf(folder)) {
    if (row["status"].toString() == status) {
      indices << row["index"].toInt();
    }
  }
  std::sort(indices.begin(), indices.end());
  return indices;
}

}  // namespace polyptych::tests
