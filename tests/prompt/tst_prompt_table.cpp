#include <QTest>
#include <numeric>

#include "core/prompt/prompt_table.h"

using namespace polyptych;
using prompt::PromptColumn;
using prompt::PromptEntry;

class TestPromptTable : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void readsQuotedFields() {
    const auto table =
        prompt::parseCsv("\xEF\xBB\xBFprompt,seed\r\n\"a \"\"red\"\" boat,\nat sea\",7\r\n\r\nhouse,\n", "list.csv");
    QVERIFY(table);
    QCOMPARE(table->rows.size(), std::size_t(3));
    QCOMPARE(table->rows[1][0], std::string("a \"red\" boat,\nat sea"));
    QCOMPARE(table->rows[1][1], std::string("7"));
    QCOMPARE(table->lines[2], std::size_t(5));
  }

  void findsTheSeparator_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<char>("separator");
    QTest::newRow("comma") << QByteArray("a,b,c;d\n") << ',';
    QTest::newRow("semicolon") << QByteArray("a;b;c,d\n") << ';';
    QTest::newRow("tab") << QByteArray("a, b\tc\td\n") << '\t';
    QTest::newRow("quoted") << QByteArray("\"a,b,c,d\";e\n") << ';';
  }
  void findsTheSeparator() {
    QFETCH(QByteArray, text);
    QFETCH(char, separator);
    const auto table = prompt::parseCsv(text.toStdString(), "list.csv");
    QVERIFY(table);
    QCOMPARE(table->separator, separator);
  }

  void guessesColumnsByName() {
    const auto table =
        prompt::parseCsv("No,Negative prompt,PROMPT,CFG Scale,num_inference_steps,Size\n1,blur,a boat,5,12,64x128\n", "l");
    QVERIFY(prompt::hasHeading(*table));
    const auto columns = prompt::guessColumns(*table);
    QCOMPARE(columns, (std::vector{PromptColumn::Ignored, PromptColumn::Negative, PromptColumn::Prompt, PromptColumn::Guidance,
                                   PromptColumn::Steps, PromptColumn::Size}));
    const auto entries = prompt::entriesOf(*table, columns, true, "l");
    QVERIFY(entries);
    PromptEntry wanted;
    wanted.prompt = "a boat";
    wanted.negativePrompt = "blur";
    wanted.guidanceScale = 5;
    wanted.steps = 12;
    wanted.width = 64;
    wanted.height = 128;
    QCOMPARE(entries->size(), std::size_t(1));
    QVERIFY((*entries)[0] == wanted);
  }

  void withoutHeadingTheLongestTextIsThePrompt() {
    const auto table = prompt::parseCsv("1;a red boat at sea;x\n2;a house;y\n", "l");
    QVERIFY(!prompt::hasHeading(*table));
    const auto columns = prompt::guessColumns(*table);
    QCOMPARE(columns[1], PromptColumn::Prompt);
    const auto entries = prompt::entriesOf(*table, columns, false, "l");
    QVERIFY(entries);
    QCOMPARE(entries->size(), std::size_t(2));
  }

  void refusesWhatCannotBeMeant_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("words");
    QTest::newRow("seed") << QByteArray("prompt,seed\na,1\nb,x\n") << QStringLiteral("Line 3 of l has 'x' in column 2");
    QTest::newRow("size") << QByteArray("prompt,size\na,huge\n") << QStringLiteral("a size such as");
    QTest::newRow("side") << QByteArray("prompt,width,height\na,100,64\n") << QStringLiteral("multiple of 8");
    QTest::newRow("width alone") << QByteArray("prompt,width\na,64\n") << QStringLiteral("width without a height");
    QTest::newRow("pictures") << QByteArray("prompt,images\na,0\n") << QStringLiteral("number of pictures");
    QTest::newRow("scheduler") << QByteArray("prompt,sampler\na,Magic\n") << QStringLiteral("a scheduler that");
    QTest::newRow("guidance") << QByteArray("prompt,cfg\na,nan\n") << QStringLiteral("guidance");
    QTest::newRow("heading alone") << QByteArray("prompt,seed\n") << QStringLiteral("no prompt");
  }
  void refusesWhatCannotBeMeant() {
    QFETCH(QByteArray, text);
    QFETCH(QString, words);
    const auto table = prompt::parseCsv(text.toStdString(), "l");
    QVERIFY(table);
    const auto entries = prompt::entriesOf(*table, prompt::guessColumns(*table), true, "l");
    QVERIFY(!entries);
    QVERIFY2(QString::fromStdString(entries.error().message).contains(words), entries.error().message.c_str());
  }

  void refusesBadFiles_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("words");
    QTest::newRow("open quote") << QByteArray("a\n\"b,c\n") << QStringLiteral("Line 2 of l has a quotation mark");
    QTest::newRow("bytes") << QByteArray("a\n\xFF\n") << QStringLiteral("Line 2 of l is not UTF-8");
    QTest::newRow("zero") << QByteArray("a\n\0b\n", 5) << QStringLiteral("zero byte");
    QTest::newRow("empty") << QByteArray("\n \n") << QStringLiteral("no prompt");
    QTest::newRow("columns") << QByteArray(300, ',') << QStringLiteral("more than 256 columns");
  }
  void refusesBadFiles() {
    QFETCH(QByteArray, text);
    QFETCH(QString, words);
    const auto table = prompt::parseCsv(text.toStdString(), "l");
    QVERIFY(!table);
    QVERIFY2(QString::fromStdString(table.error().message).contains(words), table.error().message.c_str());
  }

  void readsJsonLines() {
    const auto entries = prompt::parseJsonLines(
        "{\"prompt\": \"a boat\", \"seed\": 18446744073709551615, \"num_inference_steps\": 5, \"note\": [1]}\n\n\"등대\"\n"
        "{\"prompt\": \"b\", \"enabled\": false, \"scheduler\": \"euler a\", \"width\": 64, \"height\": 72}\n",
        "l");
    QVERIFY2(entries, entries ? "" : entries.error().message.c_str());
    QCOMPARE(entries->size(), std::size_t(3));
    QCOMPARE(*(*entries)[0].seed, ~std::uint64_t(0));
    QCOMPARE(*(*entries)[0].steps, 5);
    QCOMPARE((*entries)[1].prompt, std::string("등대"));
    QVERIFY(!(*entries)[2].isEnabled);
    QCOMPARE(*(*entries)[2].scheduler, std::string("Euler a"));
    const auto again = prompt::parseJsonLines(prompt::toJsonLines(*entries), "l");
    QVERIFY(again);
    QVERIFY(*again == *entries);
  }

  void refusesBadJsonLines_data() {
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("no json") << QByteArray("a boat");
    QTest::newRow("number") << QByteArray("7");
    QTest::newRow("no prompt") << QByteArray("{\"seed\": 1}");
    QTest::newRow("seed") << QByteArray("{\"prompt\": \"a\", \"seed\": -1}");
    QTest::newRow("steps") << QByteArray("{\"prompt\": \"a\", \"steps\": 5000000000}");
    QTest::newRow("type") << QByteArray("{\"prompt\": 1}");
    QTest::newRow("scheduler") << QByteArray("{\"prompt\": \"a\", \"scheduler\": \"Magic\"}");
    QTest::newRow("deep") << QByteArray(100000, '[');
  }
  void refusesBadJsonLines() {
    QFETCH(QByteArray, line);
    const auto entries = prompt::parseJsonLines("{\"prompt\": \"a\"}\n" + line.toStdString() + "\n", "l");
    QVERIFY(!entries);
    QVERIFY2(entries.error().message.starts_with("Line 2 of l "), entries.error().message.c_str());
  }

  void expandsWithWhatDiffers() {
    prompt::EntryRunOptions run;
    run.settings.scheduler = "Euler";
    run.imagesPerPrompt = 2;
    run.baseSeed = 100;
    run.entries.resize(4);
    run.entries[0].prompt = "a";
    run.entries[1].prompt = "b";
    run.entries[1].isEnabled = false;
    run.entries[2].prompt = "c";
    run.entries[2].seed = 7;
    run.entries[2].images = 3;
    run.entries[2].width = 64;
    run.entries[2].height = 128;
    run.entries[3].prompt = "d";
    run.entries[3].negativePrompt = "blur";
    QCOMPARE(prompt::countPictures(run.entries, 2), std::int64_t(7));
    const auto requests = prompt::expandEntries(run);
    QVERIFY(requests);
    std::vector<std::uint64_t> seeds;
    for (std::size_t i = 0; i < requests->size(); ++i) {
      QCOMPARE((*requests)[i].index, static_cast<std::int64_t>(i));
      seeds.push_back((*requests)[i].seed);
    }
    QCOMPARE(seeds, (std::vector<std::uint64_t>{100, 101, 7, 8, 9, 105, 106}));
    QCOMPARE((*requests)[2].promptIndex, std::int64_t(1));
    QCOMPARE((*requests)[4].height, 128);
    QCOMPARE((*requests)[5].height, 512);
    QCOMPARE(*(*requests)[6].negativePrompt, std::string("blur"));
    run.seedRule = prompt::SeedRule::Restart;
    QCOMPARE(prompt::expandEntries(run)->at(5).seed, std::uint64_t(100));
    run.entries[3].width = 100;
    run.entries[3].height = 100;
    const auto refused = prompt::expandEntries(run);
    QVERIFY(!refused);
    QVERIFY(refused.error().message.starts_with("Prompt 4: "));
  }

  void entriesWithoutDifferencesAreThePlainRun() {
    prompt::RunOptions plain;
    plain.prompts = {"a", "b", "c"};
    plain.imagesPerPrompt = 3;
    plain.baseSeed = ~std::uint64_t(0) - 2;
    plain.settings.scheduler = "Euler";
    prompt::EntryRunOptions run;
    run.imagesPerPrompt = plain.imagesPerPrompt;
    run.baseSeed = plain.baseSeed;
    run.settings = plain.settings;
    for (const auto& text : plain.prompts) {
      run.entries.emplace_back().prompt = text;
    }
    QVERIFY(*prompt::expandEntries(run) == *prompt::expandRun(plain));
  }

  void sizes() {
    int width = 0;
    int height = 0;
    QVERIFY(prompt::readSize("512 × 768", width, height));
    QCOMPARE(width, 512);
    QCOMPARE(height, 768);
    QVERIFY(prompt::readSize("64x72", width, height));
    QVERIFY(!prompt::readSize("512", width, height));
    QVERIFY(!prompt::readSize("5 12x768", width, height));
  }
};

QTEST_APPLESS_MAIN(TestPromptTable)
#include "tst_prompt_table.moc"
