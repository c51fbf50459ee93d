#include "ui/prompts/prompt_files.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>

#include "core/prompt/prompt_list.h"

namespace polyptych::ui {
namespace {

constexpr int kSaveDelayMs = 1500;

base::Result<std::string> readWhole(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) {
    return base::Error{
        base::ErrorCode::Io,
        PromptFiles::tr("%1 cannot be read. Check that it is there and that you may read it.").arg(path).toStdString(),
        file.errorString().toStdString()};
  }
  if (static_cast<std::size_t>(file.size()) > prompt::kMaxListBytes) {
    return base::Error{base::ErrorCode::InvalidArgument,
                       PromptFiles::tr("%1 is larger than %2 MiB. Split it into several lists.")
                           .arg(QFileInfo(path).fileName())
                           .arg(prompt::kMaxListBytes >> 20)
                           .toStdString(),
                       {}};
  }
  return file.readAll().toStdString();
}

base::Result<void> writeWhole(const QString& path, const std::string& text) {
  QDir().mkpath(QFileInfo(path).absolutePath());
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(text.data(), static_cast<qint64>(text.size())) < 0 || !file.commit()) {
    return base::Error{base::ErrorCode::Io,
                       PromptFiles::tr("%1 cannot be written. Choose another folder, or make room.").arg(path).toStdString(),
                       file.errorString().toStdString()};
  }
  return {};
}

bool hasEnd(const QString& path, std::initializer_list<QLatin1String> ends) {
  return std::any_of(ends.begin(), ends.end(), [&path](QLatin1String end) { return path.endsWith(end, Qt::CaseInsensitive); });
}

bool isTable(const QString& path) { return hasEnd(path, {QLatin1String(".csv"), QLatin1String(".tsv")}); }
bool isJson(const QString& path) {
  return hasEnd(path, {QLatin1String(".jsonl"), QLatin1String(".json"), QLatin1String(".ndjson")});
}

base::Result<PromptFiles::Entries> plainEntries(const std::string& text, const std::string& name) {
  const auto prompts = prompt::parsePromptList(text, name);
  if (!prompts) {
    return prompts.error();
  }
  PromptFiles::Entries entries;
  entries.reserve(prompts->size());
  for (const std::string& prompt : *prompts) {
    entries.emplace_back().prompt = prompt;
  }
  return entries;
}

}  // namespace

PromptFiles::PromptFiles(QObject* parent) : QObject(parent) { m_threads.setMaxThreadCount(1); }

PromptFiles::~PromptFiles() { m_threads.waitForDone(); }

bool PromptFiles::isList(const QString& path) { return isTable(path) || isJson(path) || hasEnd(path, {QLatin1String(".txt")}); }

void PromptFiles::open(const QString& path) {
  m_threads.start([this, path] {
    const QString name = QFileInfo(path).fileName();
    const auto tell = [this](auto event) { QMetaObject::invokeMethod(this, std::move(event), Qt::QueuedConnection); };
    const auto fail = [&](const base::Error& error) { tell([this, error] { Q_EMIT failed(error); }); };
    const auto text = readWhole(path);
    if (!text) {
      return fail(text.error());
    }
    if (isTable(path)) {
      auto table = prompt::parseCsv(*text, name.toStdString());
      return table ? tell([this, name, table = std::move(*table)] { Q_EMIT tableRead(name, table); }) : fail(table.error());
    }
    auto entries = isJson(path) ? prompt::parseJsonLines(*text, name.toStdString()) : plainEntries(*text, name.toStdString());
    if (entries) {
      tell([this, name, entries = std::move(*entries)] { Q_EMIT entriesRead(name, entries); });
    } else {
      fail(entries.error());
    }
  });
}

void PromptFiles::save(const QString& path, Entries entries) {
  m_threads.start([this, path, entries = std::move(entries)] {
    std::string text;
    if (isJson(path)) {
      text = prompt::toJsonLines(entries);
    } else {
      for (const prompt::PromptEntry& entry : entries) {
        text += entry.prompt + '\n';
      }
    }
    const auto written = writeWhole(path, text);
    QMetaObject::invokeMethod(
        this,
        [this, written, path, count = static_cast<qint64>(entries.size())] {
          written ? Q_EMIT saved(path, count) : Q_EMIT failed(written.error());
        },
        Qt::QueuedConnection);
  });
}

PromptStore::PromptStore(PromptListModel& list, QString path, QObject* parent)
    : QObject(parent), m_list(list), m_path(std::move(path)) {
  m_threads.setMaxThreadCount(1);
  m_timer.setSingleShot(true);
  m_timer.setInterval(kSaveDelayMs);
  connect(&m_timer, &QTimer::timeout, this, &PromptStore::save);
  connect(&list, &PromptListModel::edited, this, [this] {
    m_isChanged = true;
    if (m_isLoaded) {
      m_timer.start();
    }
  });
}

PromptStore::~PromptStore() { m_threads.waitForDone(); }

void PromptStore::load(Entries samples) {
  m_threads.start([this, samples = std::move(samples)]() mutable {
    base::Result<Entries> entries = Entries();
    if (!QFileInfo::exists(m_path)) {
      entries = std::move(samples);
    } else if (const auto text = readWhole(m_path); !text) {
      entries = text.error();
    } else if (!text->empty()) {
      entries = prompt::parseJsonLines(*text, QFileInfo(m_path).fileName().toStdString());
    }
    QMetaObject::invokeMethod(
        this,
        [this, entries = std::move(entries)]() mutable {
          m_isLoaded = true;
          if (!entries) {
            // What cannot be read is not written over: somebody may want to mend it.
            QFile::rename(m_path, m_path + QStringLiteral(".damaged"));
            Q_EMIT failed(entries.error());
          } else if (m_list.rowCount() == 0) {
            m_list.restore(std::move(*entries));
            m_isChanged = false;
          } else {
            m_list.insert(0, std::move(*entries));
          }
          Q_EMIT loaded();
        },
        Qt::QueuedConnection);
  });
}

void PromptStore::save() {
  m_timer.stop();
  if (!m_isLoaded || !m_isChanged) {
    return;
  }
  m_isChanged = false;
  m_threads.start([this, entries = m_list.entries()] {
    if (const auto written = writeWhole(m_path, prompt::toJsonLines(entries)); !written) {
      QMetaObject::invokeMethod(
          this, [this, error = written.error()] { Q_EMIT failed(error); }, Qt::QueuedConnection);
    }
  });
}

}  // namespace polyptych::ui
