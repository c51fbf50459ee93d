#pragma once

#include <QObject>
#include <QThread>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/queue/queue_reader.h"
#include "ui/lazy_reader.h"

namespace polyptych::ui {

/// What the queue table shows: so many of its first rows, or of those behind a place.
struct QueueQuery {
  queue::JobFilter filter;
  int limit = 200;
  std::optional<qint64> afterRank;  ///< rows alone, without counts and runs
};

/// An answer to it.
struct QueuePart {
  quint64 ticket = 0;
  std::vector<queue::JobRow> rows;
  bool isContinued = false;  ///< rows behind QueueQuery::afterRank
  bool isWhole = false;      ///< there are no more
  queue::JobCounts counts;
  std::vector<queue::RunRow> runs;  ///< newest first, not all
};

/// Reads queue and history on a thread of its own. What is asked while an older question of the same kind waits, replaces it.
class QueueLibrary : public QObject {
  Q_OBJECT
 public:
  /// @param location  nothing: there is nothing to read
  explicit QueueLibrary(std::optional<library::Location> location, QObject* parent = nullptr);
  ~QueueLibrary() override;

  /// partRead follows. @return its ticket
  quint64 read(const QueueQuery& query);
  /// attemptsRead follows. @param sinceMs  attempts that began then or later
  void readAttempts(qint64 sinceMs);
  /// Numbers of all jobs of the filter, however many. @param then  on the caller's thread
  void readJobIds(const queue::JobFilter& filter, std::function<void(base::Result<std::vector<qint64>>)> then);
  using Requests = std::vector<std::pair<queue::RunRow, std::vector<domain::GenerationRequest>>>;
  /// What the jobs were asked for and have not made, by run, oldest run first. @param then  on the caller's thread
  void readRequests(std::vector<qint64> jobIds, std::function<void(base::Result<Requests>)> then);

 Q_SIGNALS:
  void partRead(const polyptych::ui::QueuePart& part);
  void attemptsRead(const std::vector<polyptych::queue::AttemptRow>& attempts);
  void failed(const polyptych::base::Error& error);

 private:
  using Reader = LazyReader<queue::QueueReader>;
  using Reading = std::function<void(queue::QueueReader&)>;
  void onThread(Reading reading);
  template <typename Answer>
  void answer(Answer answer);

  const std::optional<library::Location> m_location;
  std::unique_ptr<Reader> m_reader;
  QThread m_thread;
  std::atomic<quint64> m_lastQuery = 0;
  std::atomic<quint64> m_lastAttempts = 0;
  std::atomic<bool> m_isEnding = false;
};

}  // namespace polyptych::ui
