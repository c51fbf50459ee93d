#pragma once

#include <QObject>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/result.h"
#include "core/library/database.h"

namespace polyptych::library {

/// The one thread that writes a library. Works that come while a transaction runs share the next one, and its fsync. Lives on the
/// thread that made it, where it also tells what became of works.
class Writer : public QObject {
  Q_OBJECT
 public:
  /// Runs on the writer's thread, in a transaction that is shared with other works. Is run again if that could not be written,
  /// and only if it was not: a commit that failed may be on the disk all the same, which is looked for. An error takes back what
  /// this work did and nothing else.
  using Work = std::function<base::Result<void>(Database&)>;
  /// Runs on the thread of this object, after the commit.
  using Done = std::function<void(const base::Result<void>&)>;

  enum class Patience {
    None,     ///< a disk that cannot be written is an answer, once it is sure that nothing was
    Forever,  ///< is kept and tried again until the disk can be written; finished work must not be thrown away
  };

  explicit Writer(QString file, QObject* parent = nullptr);
  /// Writes what was posted, if the disk lets it; waits for that.
  ~Writer() override;

  /// `done` may be empty. In order of the calls. Nothing is written while the file is not where it was (checkPlace()): it is not
  /// made anew.
  void post(Work work, Done done, Patience patience = Patience::Forever);
  /// Waits until everything posted is written, or the disk refused it once, and tells it all. Not in a `done`.
  void flush();
  const QString& file() const { return m_file; }
  /// Works that are not written yet.
  int pending() const;

 Q_SIGNALS:
  /// The library cannot be written, in words; what is posted waits.
  void troubled(const polyptych::base::Error& error);
  /// It can again.
  void recovered();
  /// The file is damaged: whoever opens it next makes it again.
  void damaged(const polyptych::base::Error& error);

 private:
  struct Item {
    Work work;
    Done done;
    Patience patience = Patience::Forever;
    base::Result<void> result;
  };

  void loop();
  /// @return the error that kept the transaction from the disk; each item's own result otherwise
  base::Result<void> write(std::deque<Item>& items);
  base::Result<void> writeOnce(std::deque<Item>& items);
  base::Result<void> open();
  /// Whether the transaction that is in doubt is on the disk; it is in doubt no more.
  base::Result<bool> wasCommitted();
  void report(std::deque<Item> items);

  const QString m_file;
  // Of the writer's thread:
  std::unique_ptr<Database> m_database;
  qint64 m_transaction = 0;       ///< written with each, so that it can be found
  std::optional<qint64> m_doubt;  ///< the transaction whose commit failed

  mutable std::mutex m_mutex;
  std::condition_variable m_wake;
  std::deque<Item> m_items;
  int m_inWork = 0;
  bool m_isEnding = false;
  bool m_isRefused = false;  ///< by the disk, the last time
  std::condition_variable m_rest;
  std::thread m_thread;
};

}  // namespace polyptych::library
