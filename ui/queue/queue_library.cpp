#include "ui/queue/queue_library.h"

#include <QFileInfo>
#include <algorithm>
#include <limits>

namespace polyptych::ui {
namespace {

constexpr int kMostRuns = 200;
constexpr int kAttemptPage = 20'000;
constexpr std::size_t kMostAttempts = 400'000;

}  // namespace

QueueLibrary::QueueLibrary(std::optional<library::Location> location, QObject* parent)
    : QObject(parent), m_location(std::move(location)) {
  if (m_location) {
    m_reader = std::make_unique<Reader>(*m_location);
    m_reader->moveToThread(&m_thread);
    m_thread.start();
  }
}

QueueLibrary::~QueueLibrary() {
  m_isEnding = true;
  if (m_reader) {
    // Its connection belongs to its thread, which deletes it at its end.
    connect(&m_thread, &QThread::finished, m_reader.release(), &QObject::deleteLater);
    m_thread.quit();
    m_thread.wait();
  }
}

template <typename Answer>
void QueueLibrary::answer(Answer answer) {
  // It waits for its thread before it goes.
  QMetaObject::invokeMethod(this, std::move(answer), Qt::QueuedConnection);
}

void QueueLibrary::onThread(Reading reading) {
  if (!m_location) {
    return;
  }
  Reader* place = m_reader.get();
  QMetaObject::invokeMethod(
      place,
      [this, place, reading = std::move(reading)] {
        if (m_isEnding) {
          return;
        }
        std::optional<base::Error> error;
        if (queue::QueueReader* reader = place->reader(error)) {
          reading(*reader);
        } else if (error) {
          answer([this, error = *error] { Q_EMIT failed(error); });
        }
      },
      Qt::QueuedConnection);
}

quint64 QueueLibrary::read(const QueueQuery& query) {
  const quint64 ticket = ++m_lastQuery;
  onThread([this, ticket, query](queue::QueueReader& reader) {
    if (m_lastQuery != ticket) {
      return;
    }
    const auto fail = [this](const base::Error& error) { answer([this, error] { Q_EMIT failed(error); }); };
    auto rows = reader.jobs(query.filter, query.afterRank, query.limit);
    if (!rows) {
      return fail(rows.error());
    }
    QueuePart part;
    part.ticket = ticket;
    part.isContinued = query.afterRank.has_value();
    part.isWhole = static_cast<int>(rows->size()) < query.limit;
    part.rows = *std::move(rows);
    if (!part.isContinued) {
      auto counts = reader.counts(query.filter.runId);
      auto runs = reader.runs(0, kMostRuns);
      if (!counts || !runs) {
        return fail(!counts ? counts.error() : runs.error());
      }
      part.counts = *counts;
      part.runs = *std::move(runs);
    }
    answer([this, part = std::move(part)] { Q_EMIT partRead(part); });
  });
  return ticket;
}

void QueueLibrary::readAttempts(qint64 sinceMs) {
  const quint64 ticket = ++m_lastAttempts;
  onThread([this, ticket, sinceMs](queue::QueueReader& reader) {
    if (m_lastAttempts != ticket) {
      return;
    }
    std::vector<queue::AttemptRow> all;
    for (qint64 since = sinceMs; m_lastAttempts == ticket && all.size() < kMostAttempts;) {
      auto attempts = reader.attempts(since, kAttemptPage);
      if (!attempts) {
        answer([this, error = attempts.error()] { Q_EMIT failed(error); });
        return;
      }
      const bool isLast = static_cast<int>(attempts->size()) < kAttemptPage || attempts->back().startedMs == since;
      // The next page begins with those of the same millisecond again.
      const qint64 next = attempts->empty() ? since : attempts->back().startedMs;
      for (queue::AttemptRow& attempt : *attempts) {
        if (isLast || attempt.startedMs < next) {
          all.push_back(std::move(attempt));
        }
      }
      if (isLast) {
        break;
      }
      since = next;
    }
    answer([this, all = std::move(all)] { Q_EMIT attemptsRead(all); });
  });
}

void QueueLibrary::readJobIds(const queue::JobFilter& filter, std::function<void(base::Result<std::vector<qint64>>)> then) {
  onThread([this, filter, then = std::move(then)](queue::QueueReader& reader) {
    answer([then, ids = reader.jobIds(filter)] { then(ids); });
  });
}

void QueueLibrary::readRequests(std::vector<qint64> jobIds, std::function<void(base::Result<Requests>)> then) {
  onThread([this, jobIds = std::move(jobIds), then = std::move(then)](queue::QueueReader& reader) {
    using queue::JobState;
    base::Result<Requests> result = Requests();
    const auto meant = reader.byRun(jobIds);
    const auto runs = reader.runs(0, std::numeric_limits<int>::max());
    if (!meant || !runs) {
      result = !meant ? meant.error() : runs.error();
    } else {
      for (const queue::RunRow& run : *runs) {
        const auto jobs = meant->find(run.id);
        if (jobs == meant->end()) {
          continue;
        }
        auto requests = reader.requestsOf({jobs->second, run.id},
                                          {JobState::Failed, JobState::Parked, JobState::Cancelled, JobState::Waiting});
        if (!requests) {
          result = requests.error();
          break;
        }
        if (!requests->empty()) {
          result->emplace_back(run, *std::move(requests));
        }
      }
      if (result) {
        std::ranges::reverse(*result);
      }
    }
    answer([then, result = std::move(result)] { then(result); });
  });
}

}  // namespace polyptych::ui
