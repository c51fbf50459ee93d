#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QtTest>
#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "core/base/shared_pages.h"

using polyptych::base::SharedPages;

namespace {

constexpr std::size_t kBytes = 1 << 20;

/// On the heap, with a content of its own; not at the beginning of a page.
class Block {
 public:
  explicit Block(unsigned char seed) : m_memory(static_cast<unsigned char*>(std::malloc(kBytes + 100))) {
    for (std::size_t i = 0; i < kBytes; ++i) {
      data()[i] = static_cast<unsigned char>(i * 31 / 7 + seed);
    }
  }
  ~Block() { std::free(m_memory); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  unsigned char* data() { return m_memory; }
  bool isOf(unsigned char seed) {
    for (std::size_t i = 0; i < kBytes; ++i) {
      if (data()[i] != static_cast<unsigned char>(i * 31 / 7 + seed)) {
        return false;
      }
    }
    return true;
  }

 private:
  unsigned char* m_memory;
};

/// Another process that does something with the file, and waits until it is killed or told to end. It ends with 0 if it is happy.
class Other {
 public:
  Other(int file, const std::function<bool(SharedPages&)>& work) {
    if (::pipe(m_toParent.data()) != 0 || ::pipe(m_toChild.data()) != 0) {
      qFatal("no pipe");
    }
    m_pid = ::fork();
    if (m_pid == 0) {
      char word = 'x';
      const auto pages = SharedPages::open(file);
      const bool isHappy = pages.isOk() && work(**pages);
      word = isHappy ? 'y' : 'n';
      (void)!::write(m_toParent[1], &word, 1);
      (void)!::read(m_toChild[0], &word, 1);
      ::_exit(isHappy ? 0 : 1);
    }
    char word = 0;
    m_isHappy = ::read(m_toParent[0], &word, 1) == 1 && word == 'y';
  }
  ~Other() {
    end(true);
    for (const int fd : {m_toParent[0], m_toParent[1], m_toChild[0], m_toChild[1]}) {
      ::close(fd);
    }
  }
  bool isHappy() const { return m_isHappy; }
  void end(bool byForce) {
    if (m_pid == 0) {
      return;
    }
    if (byForce) {
      ::kill(m_pid, SIGKILL);
    } else {
      (void)!::write(m_toChild[1], "e", 1);
    }
    ::waitpid(std::exchange(m_pid, 0), nullptr, 0);
  }

 private:
  pid_t m_pid = 0;
  bool m_isHappy = false;
  std::array<int, 2> m_toParent{};
  std::array<int, 2> m_toChild{};
};

}  // namespace

class TestSharedPages : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void keepsEqualContentOnce() {
    const auto pages = SharedPages::create();
    QVERIFY(pages.isOk());
    Block one(1);
    Block same(1);
    Block other(2);
    const std::size_t shared = (*pages)->share(one.data(), kBytes);
    QVERIFY(shared > kBytes - 3 * 4096 && shared <= kBytes);
    QCOMPARE((*pages)->usedBytes(), shared);
    const bool isAlike =
        reinterpret_cast<std::uintptr_t>(one.data()) % 4096 == reinterpret_cast<std::uintptr_t>(same.data()) % 4096;
    QVERIFY((*pages)->share(same.data(), kBytes) > 0);
    QVERIFY(!isAlike || (*pages)->usedBytes() == shared);
    const std::size_t before = (*pages)->usedBytes();
    QVERIFY((*pages)->share(other.data(), kBytes) > 0);
    QVERIFY((*pages)->usedBytes() > before);
    QVERIFY(one.isOf(1) && same.isOf(1) && other.isOf(2));
  }

  void leavesWritersToThemselves() {
    const auto pages = SharedPages::create();
    QVERIFY(pages.isOk());
    Block one(1);
    Block same(1);
    QVERIFY((*pages)->share(one.data(), kBytes) > 0 && (*pages)->share(same.data(), kBytes) > 0);
    std::memset(one.data(), 9, kBytes);
    QVERIFY(same.isOf(1));
  }

  void sharesBetweenProcesses() {
    const auto pages = SharedPages::create();
    QVERIFY(pages.isOk());
    Block own(7);
    const std::size_t shared = (*pages)->share(own.data(), kBytes);
    QVERIFY(shared > 0);
    // The copy of a fork lies at the same place, so that its pages are the same.
    const Other other((*pages)->fd(), [&](SharedPages& theirs) {
      Block copy(7);
      std::memcpy(own.data(), copy.data(), kBytes);
      return theirs.share(own.data(), kBytes) == shared && own.isOf(7) && theirs.usedBytes() == shared;
    });
    QVERIFY(other.isHappy());
    QCOMPARE((*pages)->usedBytes(), shared);
  }

  void keepsWhatALivingProcessUses_data() {
    QTest::addColumn<bool>("isKilled");
    QTest::newRow("it ends") << false;
    QTest::newRow("it is killed") << true;
  }
  void keepsWhatALivingProcessUses() {
    QFETCH(bool, isKilled);
    const auto pages = SharedPages::create();
    QVERIFY(pages.isOk());
    Other other((*pages)->fd(), [](SharedPages& theirs) {
      static Block block(3);
      return theirs.share(block.data(), kBytes) > 0 && block.isOf(3);
    });
    QVERIFY(other.isHappy());
    const std::size_t used = (*pages)->usedBytes();
    QVERIFY(used > 0);
    QCOMPARE((*pages)->sweep(), std::size_t(0));
    QCOMPARE((*pages)->usedBytes(), used);
    other.end(isKilled);
    QCOMPARE((*pages)->sweep(), used);
    QCOMPARE((*pages)->usedBytes(), std::size_t(0));
  }

  void givesBackWhatItFreed() {
    const auto pages = SharedPages::create();
    QVERIFY(pages.isOk());
    for (int round = 0; round < 3; ++round) {
      auto block = std::make_unique<Block>(static_cast<unsigned char>(round));
      QVERIFY((*pages)->share(block->data(), kBytes) > 0);
      QCOMPARE((*pages)->sweep(), std::size_t(0));
      block.reset();
      (*pages)->releaseAll();
      QCOMPARE((*pages)->usedBytes(), std::size_t(0));
    }
  }

  void leavesSmallMemoryAlone() {
    const auto pages = SharedPages::create();
    QVERIFY(pages.isOk());
    std::vector<char> small(10'000);
    QCOMPARE((*pages)->share(small.data(), small.size()), std::size_t(0));
    QCOMPARE((*pages)->share(nullptr, 0), std::size_t(0));
  }

  void refusesOtherFiles() {
    std::array<int, 2> ends{};
    QCOMPARE(::pipe(ends.data()), 0);
    QVERIFY(!SharedPages::open(ends[0]));
    ::close(ends[1]);
    QTemporaryFile file;
    QVERIFY(file.open() && file.resize(1 << 20));
    QVERIFY(!SharedPages::open(::dup(file.handle())));
    QVERIFY(!SharedPages::open(-1));
  }
};

QTEST_APPLESS_MAIN(TestSharedPages)
#include "tst_shared_pages.moc"
