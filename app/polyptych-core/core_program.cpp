#include "app/polyptych-core/core_program.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QTimer>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "app/polyptych-core/core_life.h"
#include "app/polyptych-core/termination.h"
#include "core/backend/face_server.h"
#include "core/library/lock.h"
#include "core/pool/worker_process.h"

namespace polyptych::core {
namespace {

using base::Error;
using base::ErrorCode;

/// While the library is opened; faces look more often.
constexpr qint64 kBetweenTellingMs = 500;
/// At the lock: a drive that comes back brings another file.
constexpr std::chrono::milliseconds kBetweenLooks{1000};

int fail(CoreExit code, const Error& error) {
  std::fprintf(stderr, "polyptych-core: %s%s%s\n", error.message.c_str(), error.detail.empty() ? "" : " / ",
               error.detail.c_str());
  return static_cast<int>(code);
}

/// Takes the folder of this process's sockets away at the end, and once more those of the dead: the one before this was perhaps
/// still at its end when this one began, its lock free already.
class SocketFolder {
 public:
  SocketFolder() { pool::removeDeadSocketFolders(); }
  ~SocketFolder() {
    pool::removeSocketFolder();
    pool::removeDeadSocketFolders();
  }
  SocketFolder(const SocketFolder&) = delete;
  SocketFolder& operator=(const SocketFolder&) = delete;
};

int serve(const CoreArguments& arguments, const CoreSetup& setup) {
  library::Holder self;
  self.program = QStringLiteral("polyptych-core");
  self.version = QString::fromStdString(setup.version);
  self.token = pool::newToken();
  auto acquired = library::Lock::acquire(arguments.location, self);
  if (!acquired) {
    return fail(acquired.error().code == ErrorCode::AlreadyExists ? CoreExit::LibraryInUse : CoreExit::LibraryUnusable,
                acquired.error());
  }
  std::optional<library::Lock> lock(std::move(acquired).value());

  const SocketFolder sockets;
  Termination termination;
  CoreLife life(arguments.linger, setup.firstFace, arguments.endsWhenAlone);
  std::optional<Error> damage;
  CoreEvents events;
  events.onIdleChanged = [&life](bool isIdle) { life.setIdle(isIdle); };
  events.onDamaged = [&damage](const Error& error) {
    damage = error;
    QCoreApplication::quit();
  };
  QElapsedTimer sinceTold;
  events.onOpening = [&](const QString& doing, qint64 done) {
    if (doing == self.doing && sinceTold.isValid() && sinceTold.elapsed() < kBetweenTellingMs) {
      return;
    }
    self.doing = doing;
    self.done = done;
    sinceTold.start();
    if (const auto told = lock->update(self); !told) {
      fail(CoreExit::LibraryUnusable, told.error());  // a face only waits in the dark
    }
  };
  auto opened = setup.open(arguments, events);
  self.doing.clear();
  if (!opened) {
    return fail(CoreExit::LibraryUnusable, opened.error());
  }
  backend::FaceServerOptions options;
  options.token = self.token;
  options.version = self.version;
  options.libraryRoot = arguments.location.root;
  options.isIdle = opened->isIdle;
  backend::FaceServer server(*opened->backend, std::move(options));
  if (const auto listening = server.listen(pool::newSocketPath()); !listening) {
    return fail(CoreExit::LibraryUnusable, listening.error());
  }
  library::Holder listeningSelf = self;
  listeningSelf.socket = server.path();
  if (const auto told = lock->update(listeningSelf); !told) {
    return fail(CoreExit::LibraryUnusable, told.error());
  }

  std::optional<Error> lost;
  QObject::connect(&server, &backend::FaceServer::facesChanged, &life, &CoreLife::setFaces);
  QObject::connect(&server, &backend::FaceServer::endWanted, &life, &CoreLife::wantEnd);
  QObject::connect(&life, &CoreLife::ended, &life, &QCoreApplication::quit);
  QObject::connect(&termination, &Termination::asked, &life, &QCoreApplication::quit);
  QObject::connect(opened->backend.get(), &backend::Backend::lost, &life, [&lost](const Error& error) {
    lost = error;
    QCoreApplication::quit();
  });
  QTimer keeping;
  QObject::connect(&keeping, &QTimer::timeout, &life, [&lock] {
    const auto kept = lock->keep();
    const bool isRemoved = !kept && kept.error().code == ErrorCode::NotFound;
    if (isRemoved || (!kept && kept.error().code == ErrorCode::AlreadyExists)) {
      // Nothing of the library is this process's any more, not even to be left in order.
      const int code = fail(isRemoved ? CoreExit::LibraryUnusable : CoreExit::LibraryInUse, kept.error());
      pool::removeSocketFolder();
      std::_Exit(code);
    }
  });
  keeping.start(kBetweenLooks);
  life.setIdle(opened->isIdle());
  QCoreApplication::exec();
  keeping.stop();

  // A face that comes now finds no socket and waits until the lock is free. One that waits for the end hears of it last of all.
  if (const auto told = lock->update(self); !told) {
    fail(CoreExit::LibraryUnusable, told.error());
  }
  server.close();
  opened->backend.reset();
  lock.reset();
  lost = lost ? lost : damage;
  return lost ? fail(CoreExit::LibraryUnusable, *lost) : static_cast<int>(CoreExit::Ended);
}

}  // namespace

int runCore(const std::vector<std::string>& words, const CoreSetup& setup) {
  const auto arguments = parseCoreArguments(words);
  if (!arguments) {
    return fail(CoreExit::WrongUsage, arguments.error());
  }
  switch (arguments->command) {
    case CoreCommand::Help:
      std::fputs(coreHelpText().c_str(), stdout);
      return static_cast<int>(CoreExit::Ended);
    case CoreCommand::Version:
      std::printf("polyptych-core %s\n", setup.version.c_str());
      return static_cast<int>(CoreExit::Ended);
    case CoreCommand::Run:
      return serve(*arguments, setup);
  }
  return static_cast<int>(CoreExit::WrongUsage);
}

}  // namespace polyptych::core
