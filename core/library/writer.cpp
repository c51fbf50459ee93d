#include "core/library/writer.h"

#include <QCoreApplication>
#include <QEvent>
#include <QRandomGenerator>
#include <memory>
#include <utility>

#include "core/base/fail_point.h"

namespace polyptych::library {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

/// Works in one transaction: enough to share an fsync, few enough that nobody waits long for the others.
constexpr std::size_t kMaxWorks = 512;
constexpr std::chrono::milliseconds kRetry{1000};
constexpr char kChanges[] = "SELECT total_changes()";
constexpr char kTransactionKey[] = "transaction";

/// What may pass: the disk is full, away or locked.
bool isOfTheDisk(ErrorCode code) { return code == ErrorCode::Io || code == ErrorCode::DiskFull || code == ErrorCode::Timeout; }

}  // namespace

Writer::Writer(QString file, QObject* parent)
    : QObject(parent),
      m_file(std::move(file)),
      m_transaction(QRandomGenerator::system()->generate64() >> 16),
      m_thread([this] { loop(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(m_mutex);
    m_isEnding = true;
  }
  m_wake.notify_all();
  m_thread.join();
}

void Writer::post(Work work, Done done, Patience patience) {
  {
    const std::lock_guard lock(m_mutex);
    m_items.push_back({std::move(work), std::move(done), patience, {}});
  }
  m_wake.notify_all();
}

void Writer::flush() {
  {
    std::unique_lock lock(m_mutex);
    m_rest.wait(lock, [this] { return (m_items.empty() && m_inWork == 0) || m_isRefused; });
  }
  QCoreApplication::sendPostedEvents(this, QEvent::MetaCall);
}

int Writer::pending() const {
  const std::lock_guard lock(m_mutex);
  return static_cast<int>(m_items.size()) + m_inWork;
}

void Writer::loop() {
  bool isTroubled = false;
  std::deque<Item> items;  // kept while it is in doubt whether they were written
  for (;;) {
    if (items.empty()) {
      std::unique_lock lock(m_mutex);
      m_wake.wait(lock, [this] { return m_isEnding || !m_items.empty(); });
      if (m_items.empty()) {
        break;
      }
      while (!m_items.empty() && items.size() < kMaxWorks) {
        items.push_back(std::move(m_items.front()));
        m_items.pop_front();
      }
      m_inWork = static_cast<int>(items.size());
    }
    const Result<void> written = write(items);
    if (!written && isOfTheDisk(written.error().code)) {
      std::deque<Item> answered;
      std::unique_lock lock(m_mutex);
      if (!m_doubt || m_isEnding) {
        for (auto item = items.rbegin(); item != items.rend(); ++item) {
          if (item->patience == Patience::Forever && !m_isEnding) {
            m_items.push_front(std::move(*item));
          } else {
            item->result = written.error();
            answered.push_front(std::move(*item));
          }
        }
        items.clear();
      }
      m_inWork = static_cast<int>(items.size());
      m_isRefused = true;
      m_rest.notify_all();
      lock.unlock();
      report(std::move(answered));
      if (!std::exchange(isTroubled, true)) {
        QMetaObject::invokeMethod(
            this, [this, error = written.error()] { Q_EMIT troubled(error); }, Qt::QueuedConnection);
      }
      lock.lock();
      m_wake.wait_for(lock, kRetry, [this] { return m_isEnding; });
      continue;
    }
    if (!written) {
      for (Item& item : items) {
        item.result = written.error();
      }
      if (written.error().code == ErrorCode::Corrupt) {
        QMetaObject::invokeMethod(
            this, [this, error = written.error()] { Q_EMIT damaged(error); }, Qt::QueuedConnection);
      }
    }
    if (written && std::exchange(isTroubled, false)) {
      QMetaObject::invokeMethod(
          this, [this] { Q_EMIT recovered(); }, Qt::QueuedConnection);
    }
    report(std::exchange(items, {}));
    const std::lock_guard lock(m_mutex);
    m_inWork = 0;
    m_isRefused = false;
    m_rest.notify_all();
  }
  m_database.reset();
}

void Writer::report(std::deque<Item> items) {
  if (items.empty()) {
    return;
  }
  auto shared = std::make_shared<std::deque<Item>>(std::move(items));
  QMetaObject::invokeMethod(
      this,
      [shared] {
        for (Item& item : *shared) {
          if (item.done) {
            item.done(item.result);
          }
        }
      },
      Qt::QueuedConnection);
}

Result<void> Writer::open() {
  if (auto place = checkPlace(m_file); !place) {
    m_database.reset();  // what comes back may be another file system
    return place;
  }
  if (m_database == nullptr) {
    auto opened = Database::open(m_file, Database::Mode::ReadWrite);
    if (!opened) {
      return opened.error();
    }
    m_database = std::move(*opened);
  }
  return {};
}

Result<bool> Writer::wasCommitted() {
  if (auto opened = open(); !opened) {
    return opened.error();
  }
  const Result<QVariant> last = m_database->meta(QLatin1String(kTransactionKey));
  if (!last) {
    m_database.reset();
    return last.error();
  }
  return last->toLongLong() == std::exchange(m_doubt, std::nullopt);
}

Result<void> Writer::write(std::deque<Item>& items) {
  // After an error of the disk a connection may remember what is not there: a new one reads it all again.
  Result<void> written;
  for (int tries = 0;; ++tries) {
    if (m_doubt) {
      const Result<bool> isThere = wasCommitted();
      if (!isThere || *isThere) {
        return isThere ? Result<void>() : isThere.error();
      }
    }
    if (tries == 2) {
      break;
    }
    written = writeOnce(items);
    if (written || m_database == nullptr) {
      break;
    }
    m_database.reset();
  }
  return written;
}

Result<void> Writer::writeOnce(std::deque<Item>& items) {
  if (auto opened = open(); !opened) {
    return opened;
  }
  Database& database = *m_database;
  base::failPoint("begin");
  if (auto begun = database.change("BEGIN IMMEDIATE"); !begun) {
    return begun.error();
  }
  const Result<QVariant> before = database.value(kChanges);
  for (Item& item : items) {
    if (auto saved = database.change("SAVEPOINT work"); !saved) {
      (void)database.change("ROLLBACK");
      return saved.error();
    }
    item.result = item.work(database);
    if (!item.result) {
      const ErrorCode code = item.result.error().code;
      if (isOfTheDisk(code) || code == ErrorCode::Corrupt) {
        const Error error = item.result.error();
        database.finishAll();
        (void)database.change("ROLLBACK");
        return error;
      }
      database.finishAll();
      if (auto back = database.change("ROLLBACK TO work"); !back) {
        (void)database.change("ROLLBACK");
        return back.error();
      }
    }
    if (auto released = database.change("RELEASE work"); !released) {
      (void)database.change("ROLLBACK");
      return released.error();
    }
  }
  const Result<QVariant> after = database.value(kChanges);
  if (before && after && *before == *after) {
    (void)database.change("ROLLBACK");  // read, and nothing else
    return {};
  }
  if (auto marked = database.setMeta(QLatin1String(kTransactionKey), ++m_transaction); !marked) {
    (void)database.change("ROLLBACK");
    return marked;
  }
  base::failPoint("commit");
  if (auto committed = database.change("COMMIT"); !committed) {
    const Error error = committed.error();
    m_doubt = m_transaction;
    database.finishAll();
    (void)database.change("ROLLBACK");
    return error;
  }
  base::failPoint("committed");
  return {};
}

}  // namespace polyptych::library
