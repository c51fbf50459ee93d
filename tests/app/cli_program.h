#pragma once

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <memory>
#include <nlohmann/json.hpp>

#include "tests/app/small_model.h"

namespace polyptych::tests {

using Json = nlohmann::json;

inline constexpr int kPatienceMs = 60'000;

struct Ended {
  int code = -1;
  QByteArray output;
  QByteArray error;
  QByteArray said;  ///< the code and standard error: what a failed check shows

  std::vector<Json> events() const {
    std::vector<Json> list;
    for (const QByteArray& line : output.split('\n')) {
      if (!line.isEmpty()) {
        list.push_back(Json::parse(line.toStdString(), nullptr, false));
      }
    }
    return list;
  }
  std::vector<Json> events(const std::string& name) const {
    std::vector<Json> list;
    for (const Json& event : events()) {
      if (event.is_object() && event.value("event", "") == name) {
        list.push_back(event);
      }
    }
    return list;
  }
};

/// Starts the built program in a folder of its own that has a small model, with the fake worker in place of the real one.
class CliProgram {
 public:
  CliProgram() { small::model(QString::fromUtf8(path("모델"))); }

  Ended run(const QByteArrayList& words, const QByteArray& input = {}) {
    QProcess process;
    begin(process, words);
    process.write(input);
    process.closeWriteChannel();
    return finish(process);
  }
  void begin(QProcess& process, const QByteArrayList& words, const char* program = POLYPTYCH_CLI_PATH) {
    QStringList arguments;
    for (const QByteArray& word : words) {
      arguments.append(QFile::decodeName(word));
    }
    process.setWorkingDirectory(m_folder.path());
    process.start(QFile::decodeName(program), arguments);
    if (!process.waitForStarted(kPatienceMs)) {
      qFatal("polyptych-cli does not start: %s", qPrintable(process.errorString()));
    }
  }
  Ended finish(QProcess& process) {
    if (!process.waitForFinished(kPatienceMs)) {
      process.kill();
      process.waitForFinished();
      qFatal("polyptych-cli does not end: %s", process.readAllStandardError().constData());
    }
    Ended ended;
    ended.code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    ended.output = process.readAllStandardOutput();
    ended.error = process.readAllStandardError();
    ended.said = "code " + QByteArray::number(ended.code) + ": " + ended.error;
    return ended;
  }
  QString folder() const { return m_folder.path(); }
  QByteArray path(const char* name) const { return m_folder.filePath(QString::fromUtf8(name)).toUtf8(); }
  /// generate with the fake worker into out/, then `more`.
  QByteArrayList generate(const QByteArrayList& more, const QByteArrayList& workerArguments = {}) const {
    QByteArrayList words = {"generate", "--json", "--model", path("모델"), "--worker",  POLYPTYCH_FAKE_WORKER_PATH,
                            "--steps",  "4",      "--seed",  "7",          "--threads", "1"};
    if (!more.contains("--out")) {
      words << "--out" << path("out");
    }
    if (!more.contains("--devices")) {
      words << "--devices"
            << "cpu";
    }
    for (const QByteArray& argument : workerArguments) {
      words << "--worker-argument=" + argument;
    }
    return words + more;
  }
  QByteArrayList pictures(const char* folder) const {
    QByteArrayList names;
    for (const QString& name :
         QDir(QString::fromUtf8(path(folder))).entryList({QStringLiteral("*.png")}, QDir::Files, QDir::Name)) {
      names.append(name.toUtf8());
    }
    return names;
  }
  QByteArray read(const QByteArray& file) const {
    QFile opened(QString::fromUtf8(file));
    return opened.open(QIODevice::ReadOnly) ? opened.readAll() : QByteArray();
  }
  void write(const char* name, const QByteArray& bytes) const {
    QFile file(QString::fromUtf8(path(name)));
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
      qFatal("cannot write %s", name);
    }
  }
  std::vector<Json> manifest(const char* folder) const {
    Ended lines;
    lines.output = read(path(folder) + "/manifest.jsonl");
    return lines.events();
  }

 private:
  QTemporaryDir m_folder;
};

}  // namespace polyptych::tests
