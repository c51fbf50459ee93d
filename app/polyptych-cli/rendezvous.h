#pragma once

#include <QObject>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <chrono>
#include <optional>

#include "core/base/result.h"

namespace polyptych::cli {

/// What a rank is to the others, as the store tells it.
enum class RankState { Absent, Working, Left, Lost };

struct RendezvousOptions {
  QString program;  ///< polyptych-worker
  QString host;
  quint16 port = 0;
  bool isServer = false;
  QString prefix;  ///< of the group's keys
  int rank = -1;   ///< -1: only keeps the store
  int size = 1;
  std::chrono::milliseconds joinTimeout{300'000};
  std::chrono::milliseconds deadAfter{20'000};
};

/// One rank's line to the store of its group: a process of the worker's program (core/distributed/rendezvous.h), so that this one
/// stays free of LibTorch. All calls return at once; the answers are signals.
class Rendezvous : public QObject {
  Q_OBJECT
 public:
  explicit Rendezvous(RendezvousOptions options, QObject* parent = nullptr);
  /// Ends the process.
  ~Rendezvous() override;

  void start();
  /// The first value of a key stays; published() tells which that is.
  void publish(const QString& key, const QString& value);
  /// told(), or fetchFailed().
  void fetch(const QString& key, std::chrono::milliseconds within);
  void append(const QString& list, const QString& value);
  /// itemTold() for what is in the list and what comes.
  void watch(const QString& list);
  void share(qint64 units);
  /// leased() or isOver().
  void lease();
  void finish(qint64 first, qint64 count);
  /// What is leased and not finished is for others.
  void release();
  void tellStatus(const QString& text);
  /// rankChanged() for what is new about the others, then hasLooked().
  void look();
  /// hasLeft() follows.
  void leave();

 Q_SIGNALS:
  /// @param incarnation  how often this rank has been started, from 1
  void connected(quint16 port, qint64 incarnation);
  void published(const QString& key, const QString& value);
  void told(const QString& key, const QString& value);
  void fetchFailed(const QString& key);
  void itemTold(const QString& list, const QString& value);
  void leased(qint64 first, qint64 count);
  void isOver();
  void statusTold(int rank, const QString& text);
  void rankChanged(int rank, polyptych::cli::RankState state);
  void hasLooked();
  void hasLeft();
  /// Nothing more comes.
  void failed(const polyptych::base::Error& error);

 private:
  void send(const QJsonObject& request);
  void read();
  void take(const QJsonObject& event);
  void end(base::Error error);

  const RendezvousOptions m_options;
  QProcess m_process;
  bool m_hasEnded = false;
};

/// The program that keeps the store: `asked`, or the worker beside this program. @return NotFound in a build without LibTorch
base::Result<QString> rendezvousProgram(const std::optional<std::string>& asked);

}  // namespace polyptych::cli
