#include <QTest>
#include <limits>

#include "core/prompt/expand.h"

using namespace polyptych;

namespace {

prompt::RunOptions twoPrompts() {
  prompt::RunOptions options;
  options.prompts = {"a cat", ""};
  options.imagesPerPrompt = 3;
  options.baseSeed = 100;
  options.settings.steps = 7;
  options.settings.scheduler = "DPM++ 2M";
  options.settings.negativePrompt = "rain";
  return options;
}

}  // namespace

class TestExpand : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void numbersPicturesPromptByPrompt();
  void wrapsSeedsAtSixtyFourBits();
  void refusesWhatCannotBeMeant_data();
  void refusesWhatCannotBeMeant();
};

void TestExpand::numbersPicturesPromptByPrompt() {
  const auto requests = prompt::expandRun(twoPrompts());
  QVERIFY(requests.isOk());
  QCOMPARE(requests->size(), std::size_t{6});
  for (std::size_t i = 0; i < 6; ++i) {
    const auto& request = (*requests)[i];
    QCOMPARE(request.index, static_cast<std::int64_t>(i));
    QCOMPARE(request.promptIndex, static_cast<std::int64_t>(i / 3));
    QCOMPARE(request.seed, std::uint64_t{100} + i);
    QCOMPARE(request.prompt, std::string(i < 3 ? "a cat" : ""));
    QCOMPARE(request.steps, 7);
    QVERIFY(request.negativePrompt == std::string("rain"));
  }
}

void TestExpand::wrapsSeedsAtSixtyFourBits() {
  auto options = twoPrompts();
  options.baseSeed = std::numeric_limits<std::uint64_t>::max() - 1;
  const auto requests = prompt::expandRun(options);
  QVERIFY(requests.isOk());
  QCOMPARE((*requests)[1].seed, std::numeric_limits<std::uint64_t>::max());
  QCOMPARE((*requests)[2].seed, std::uint64_t{0});
  QCOMPARE((*requests)[5].seed, std::uint64_t{3});
}

void TestExpand::refusesWhatCannotBeMeant_data() {
  QTest::addColumn<int>("prompts");
  QTest::addColumn<int>("imagesPerPrompt");
  QTest::addColumn<int>("steps");
  QTest::newRow("no prompts") << 0 << 1 << 25;
  QTest::newRow("no images") << 1 << 0 << 25;
  QTest::newRow("fewer than none") << 1 << -1 << 25;
  QTest::newRow("too many images of a prompt") << 1 << prompt::kMaxImagesPerPrompt + 1 << 25;
  QTest::newRow("too many pictures") << 1001 << prompt::kMaxImagesPerPrompt << 25;
  QTest::newRow("bad settings") << 1 << 1 << 0;
}

void TestExpand::refusesWhatCannotBeMeant() {
  QFETCH(int, prompts);
  QFETCH(int, imagesPerPrompt);
  QFETCH(int, steps);
  auto options = twoPrompts();
  options.prompts.assign(static_cast<std::size_t>(prompts), "a cat");
  options.imagesPerPrompt = imagesPerPrompt;
  options.settings.steps = steps;
  const auto requests = prompt::expandRun(options);
  QVERIFY(!requests.isOk());
  QCOMPARE(requests.error().code, base::ErrorCode::InvalidArgument);
  QVERIFY(!requests.error().message.empty());
}

QTEST_GUILESS_MAIN(TestExpand)
#include "tst_expand.moc"
