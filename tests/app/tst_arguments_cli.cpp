#include <QTest>
#include <limits>

#include "app/polyptych-cli/arguments.h"

using namespace polyptych;
using cli::Arguments;
using cli::Command;

namespace {

base::Result<Arguments> parse(const QByteArrayList& words) {
  std::vector<std::string> list;
  for (const QByteArray& word : words) {
    list.push_back(word.toStdString());
  }
  return cli::parseArguments(list);
}

}  // namespace

class TestArgumentsCli : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void readsEveryOptionOfGenerate();
  void hasTheDefaultsOfTheHelp();
  void takesDashedPromptsAfterTwoDashes();
  void takesEmptyPrompt();
  void takesValuesAfterEqualsSign();
  void readsOtherCommands();
  void findsHelpAnywhere_data();
  void findsHelpAnywhere();
  void refusesWithASentence_data();
  void refusesWithASentence();
  void namesEveryOptionInHelp();
};

void TestArgumentsCli::readsEveryOptionOfGenerate() {
  const auto parsed = parse({"generate",
                             "a cat",
                             "--prompts",
                             "list.txt",
                             "--negative",
                             "rain",
                             "--model",
                             "org/name",
                             "--variant",
                             "fp16",
                             "--devices",
                             "cpu:2,cuda:0",
                             "--out",
                             "here",
                             "--seed",
                             "18446744073709551615",
                             "--steps",
                             "7",
                             "--guidance",
                             "3.25",
                             "--guidance-rescale",
                             "0.5",
                             "--width",
                             "640",
                             "--height",
                             "384",
                             "--scheduler",
                             "euler a",
                             "--images-per-prompt",
                             "4",
                             "--batch",
                             "2",
                             "--dtype",
                             "bf16",
                             "--noise",
                             "model",
                             "--clip-skip",
                             "1",
                             "--threads",
                             "3",
                             "--vae-slicing",
                             "--vae-tiling",
                             "--json",
                             "--trace",
                             "t.safetensors",
                             "--initial-latents",
                             "l.safetensors",
                             "a dog"});
  QVERIFY2(parsed.isOk(), parsed.isOk() ? "" : parsed.error().message.c_str());
  QCOMPARE(parsed->command, Command::Generate);
  QVERIFY(parsed->json);
  QVERIFY(parsed->model == std::string("org/name"));
  QVERIFY(parsed->variant == std::string("fp16"));
  const auto& generate = parsed->generate;
  QVERIFY(generate.prompts == (std::vector<std::string>{"a cat", "a dog"}));
  QVERIFY(generate.promptsFile == std::string("list.txt"));
  QVERIFY(generate.negative == std::string("rain"));
  QCOMPARE(generate.devices, std::string("cpu:2,cuda:0"));
  QVERIFY(generate.out == std::string("here"));
  QVERIFY(generate.seed == std::numeric_limits<std::uint64_t>::max());
  QCOMPARE(generate.steps, 7);
  QCOMPARE(generate.guidance, 3.25);
  QCOMPARE(generate.guidanceRescale, 0.5);
  QVERIFY(generate.width == 640);
  QVERIFY(generate.height == 384);
  QVERIFY(generate.scheduler == std::string("Euler a"));
  QCOMPARE(generate.imagesPerPrompt, 4);
  QCOMPARE(generate.batch, std::optional<int>(2));
  QCOMPARE(generate.dtype, domain::ComputeType::Bf16);
  QCOMPARE(generate.noise, domain::NoiseKind::Model);
  QVERIFY(generate.clipSkip == 1);
  QVERIFY(generate.threads == 3);
  QVERIFY(generate.vaeSlicing);
  QVERIFY(generate.vaeTiling);
  QVERIFY(generate.trace == std::string("t.safetensors"));
  QVERIFY(generate.initialLatents == std::string("l.safetensors"));
}

void TestArgumentsCli::hasTheDefaultsOfTheHelp() {
  const auto parsed = parse({"generate", "a cat"});
  QVERIFY(parsed.isOk());
  const auto& generate = parsed->generate;
  QCOMPARE(generate.steps, 25);
  QCOMPARE(generate.guidance, 7.5);
  QCOMPARE(generate.guidanceRescale, 0.0);
  QVERIFY(!generate.batch);
  QCOMPARE(generate.imagesPerPrompt, 1);
  QCOMPARE(generate.dtype, domain::ComputeType::Auto);
  QCOMPARE(generate.noise, domain::NoiseKind::Float);
  QVERIFY(!generate.seed && !generate.width && !generate.height && !generate.scheduler && !generate.clipSkip &&
          !generate.threads);
  QVERIFY(!generate.negative && !generate.out && !parsed->model && !parsed->json && generate.devices.empty());
}

void TestArgumentsCli::takesDashedPromptsAfterTwoDashes() {
  const auto parsed = parse({"generate", "--steps", "3", "--", "--help", "-5 degrees", "--"});
  QVERIFY(parsed.isOk());
  QCOMPARE(parsed->command, Command::Generate);
  QVERIFY(parsed->generate.prompts == (std::vector<std::string>{"--help", "-5 degrees", "--"}));
}

void TestArgumentsCli::takesEmptyPrompt() {
  const auto parsed = parse({"generate", "", "-"});
  QVERIFY(parsed.isOk());
  QVERIFY(parsed->generate.prompts == (std::vector<std::string>{"", "-"}));
}

void TestArgumentsCli::takesValuesAfterEqualsSign() {
  const auto parsed = parse({"generate", "x", "--negative=--text=3", "--seed=5", "--prompts", "-"});
  QVERIFY(parsed.isOk());
  QVERIFY(parsed->generate.negative == std::string("--text=3"));
  QVERIFY(parsed->generate.seed == std::uint64_t{5});
  QVERIFY(parsed->generate.promptsFile == std::string("-"));
}

void TestArgumentsCli::readsOtherCommands() {
  QCOMPARE(parse({"devices", "--json"})->command, Command::Devices);
  QVERIFY(parse({"devices", "--json"})->json);
  QCOMPARE(parse({"models"})->command, Command::Models);
  QCOMPARE(parse({"schedulers"})->command, Command::Schedulers);
  QCOMPARE(parse({"show-model", "folder"})->command, Command::ShowModel);
  QVERIFY(parse({"show-model", "folder"})->model == std::string("folder"));
  QCOMPARE(parse({"tokenize", "--model", "folder"})->command, Command::Tokenize);
  const auto sheet = parse({"contact-sheet", "folder", "--columns", "4", "--cell=128", "--out", "sheet.png"});
  QCOMPARE(sheet->command, Command::ContactSheet);
  QCOMPARE(sheet->sheet.folder, std::string("folder"));
  QCOMPARE(sheet->sheet.columns, 4);
  QCOMPARE(sheet->sheet.cell, 128);
  QVERIFY(sheet->sheet.out == std::string("sheet.png"));
  QCOMPARE(parse({"--version"})->command, Command::Version);
  const auto started = parse({"launch", "--num_processes=4", "--gpu-ids", "0,2", "generate", "a_b", "--split=static"});
  QCOMPARE(started->command, Command::Launch);
  QCOMPARE(started->launch.processes, std::optional(4));
  QVERIFY(started->launch.devices == std::string("cuda:0,cuda:2"));
  QCOMPARE(started->launch.words, (std::vector<std::string>{"generate", "a_b", "--split=static"}));
  const auto merge = parse({"merge", "a", "b", "--out", "c"});
  QCOMPARE(merge->command, Command::Merge);
  QCOMPARE(merge->merge.folders.size(), std::size_t(2));
}

void TestArgumentsCli::findsHelpAnywhere_data() {
  QTest::addColumn<QByteArrayList>("words");
  QTest::newRow("alone") << QByteArrayList{"--help"};
  QTest::newRow("short") << QByteArrayList{"-h"};
  QTest::newRow("word") << QByteArrayList{"help"};
  QTest::newRow("of a command") << QByteArrayList{"generate", "--help"};
  QTest::newRow("beside nonsense") << QByteArrayList{"generate", "--steps", "x", "--help"};
}

void TestArgumentsCli::findsHelpAnywhere() {
  QFETCH(QByteArrayList, words);
  const auto parsed = parse(words);
  QVERIFY(parsed.isOk());
  QCOMPARE(parsed->command, Command::Help);
}

void TestArgumentsCli::refusesWithASentence_data() {
  QTest::addColumn<QByteArrayList>("words");
  QTest::addColumn<QByteArray>("sentence");
  const auto row = [](const char* name, const QByteArrayList& words, const char* sentence) {
    QTest::newRow(name) << words << QByteArray(sentence);
  };
  const auto option = [](const char* name, const char* value, const char* sentence) {
    QTest::addRow("%s %s", name, value) << QByteArrayList{"generate", "x", name, value} << QByteArray(sentence);
  };
  row("nothing", {}, "There is no command");
  row("launch of nothing", {"launch", "--cpu"}, "launch needs what to start");
  row("launch of something wrong", {"launch", "generate", "x", "--steps", "0"}, "--steps is '0'");
  row("machines without an address", {"launch", "--num_machines", "2", "generate", "x"}, "--main-process-ip");
  row("machine rank", {"launch", "--machine-rank=1", "generate", "x"}, "--machine-rank is 1");
  row("uneven machines",
      {"launch", "--num-processes", "3", "--num-machines", "2", "--main-process-ip", "a", "--main-process-port", "1", "generate",
       "x"},
      "a multiple of --num-machines");
  row("GPU numbers", {"launch", "--gpu_ids", "0,x", "generate", "x"}, "--gpu-ids is 'x'");
  row("CPU and devices", {"launch", "--cpu", "--devices", "cuda:0", "generate", "x"}, "Give --cpu or --devices");
  row("merge of nothing", {"merge"}, "merge needs the folder");
  row("merge of several", {"merge", "a", "b"}, "name it with --out DIR");
  row("unknown command", {"genrate", "x"}, "'genrate' is not a command. Did you mean generate?");
  row("unknown option", {"generate", "x", "--step", "3"}, "'--step' is not an option of generate. Did you mean --steps?");
  row("option of another command", {"devices", "--steps", "3"}, "'--steps' is not an option of devices");
  row("short option", {"generate", "-x"}, "'-x' is not an option");
  row("no prompt", {"generate", "--steps", "3"}, "There is no prompt");
  row("no value", {"generate", "x", "--steps"}, "--steps needs a value");
  row("option as a value", {"generate", "x", "--out", "--json"},
      "--out needs a value after it, and '--json' looks like an option");
  row("flag with a value", {"generate", "x", "--json=1"}, "--json takes no value");
  row("given twice", {"generate", "x", "--steps", "3", "--steps=4"}, "--steps is given twice");
  row("empty folder", {"generate", "x", "--out", ""}, "--out is empty");
  row("prompt in Latin-1", {"generate", "caf\xE9"}, "Prompt 1 is not UTF-8");
  row("negative in Latin-1", {"generate", "x", "--negative", "caf\xE9"}, "--negative is not UTF-8");
  row("show-model without a model", {"show-model"}, "show-model needs a model");
  row("show-model of two", {"show-model", "a", "b"}, "show-model takes no argument 'b'");
  row("tokenize without a model", {"tokenize"}, "tokenize needs --model");
  row("contact sheet of nothing", {"contact-sheet"}, "contact-sheet needs the folder of a run");
  row("library without a word", {"library"}, "library needs what to do");
  row("library and something else", {"library", "chek"}, "'chek' is nothing that library does");
  row("export to nowhere", {"library", "export"}, "library export needs a folder");
  row("check of a folder", {"library", "check", "a"}, "library takes no argument 'a'");
  row("repair of a rebuild", {"library", "rebuild", "--repair"}, "--repair goes with library check alone");
  row("search of a check", {"library", "check", "--search", "a"}, "go with library export alone");
  row("two libraries", {"pictures", "--library", "a", "--out", "b"}, "Give --library or --out, not both");
  row("six stars", {"pictures", "--stars", "6"}, "--stars is '6'");
  row("pictures of something", {"pictures", "a"}, "pictures takes no argument 'a'");
  row("contact sheet of two", {"contact-sheet", "a", "b"}, "contact-sheet takes no argument 'b'");
  row("tokenize with text", {"tokenize", "--model", "m", "text"}, "It reads its lines from standard input");
  row("version and more", {"--version", "x"}, "--version stands alone");
  const char* steps = "it must be a whole number from 1 to 1000.";
  for (const char* value : {"0", "-1", "1001", "abc", "3x", "3.5", " 3", "+3", "0x3", "99999999999999999999", ""}) {
    option("--steps", value, steps);
  }
  const char* seed = "it must be a whole number from 0 to 18446744073709551615.";
  for (const char* value : {"-1", "18446744073709551616", "1e3", "nan"}) {
    option("--seed", value, seed);
  }
  const char* guidance = "it must be a number from 0 to 1000.";
  for (const char* value : {"nan", "NaN", "inf", "-inf", "-0.5", "1001", "7.5x", "7,5", "", "1e999"}) {
    option("--guidance", value, guidance);
  }
  option("--guidance-rescale", "1.5", "it must be a number from 0 to 1.");
  for (const char* value : {"0", "-8", "513", "8200", "512.0", "512px"}) {
    option("--width", value, "--width is");
    option("--height", value, "it must be a multiple of 8 from 8 to 8192 pixels.");
  }
  option("--images-per-prompt", "0", "from 1 to 10000.");
  option("--batch", "0", "from 1 to 64.");
  option("--batch", "65", "from 1 to 64.");
  option("--threads", "0", "from 1 to 1024.");
  option("--clip-skip", "-1", "from 0 to 64.");
  option("--dtype", "fp8", "it must be auto, fp32, fp16 or bf16.");
  option("--split", "even", "it must be pull or static.");
  option("--rank-timeout", "0", "from 1 to 86400.");
  option("--weights", "guessed", "it must be files, broadcast or measured.");
  option("--noise", "gpu", "it must be float or model.");
  option("--scheduler", "Eulerr", "--scheduler: ");
}

void TestArgumentsCli::refusesWithASentence() {
  QFETCH(QByteArrayList, words);
  QFETCH(QByteArray, sentence);
  const auto parsed = parse(words);
  QVERIFY(!parsed.isOk());
  QCOMPARE(parsed.error().code, base::ErrorCode::InvalidArgument);
  QVERIFY2(QByteArray::fromStdString(parsed.error().message).contains(sentence), parsed.error().message.c_str());
}

void TestArgumentsCli::namesEveryOptionInHelp() {
  const QByteArray help = QByteArray::fromStdString(cli::helpText());
  for (const char* word : {"launch",
                           "merge",
                           "--num-processes",
                           "--num-machines",
                           "--machine-rank",
                           "--main-process-ip",
                           "--main-process-port",
                           "--gpu-ids",
                           "--cpu",
                           "--max-restarts",
                           "--split",
                           "--join-timeout",
                           "--rank-timeout",
                           "--weights",
                           "generate",
                           "devices",
                           "models",
                           "show-model",
                           "schedulers",
                           "tokenize",
                           "--help",
                           "--version",
                           "--prompts",
                           "--negative",
                           "--model",
                           "--variant",
                           "--devices",
                           "--out",
                           "--seed",
                           "--steps",
                           "--guidance",
                           "--guidance-rescale",
                           "--width",
                           "--height",
                           "--scheduler",
                           "--images-per-prompt",
                           "--batch",
                           "--dtype",
                           "--noise",
                           "--clip-skip",
                           "--threads",
                           "--vae-slicing",
                           "--vae-tiling",
                           "--json",
                           "--trace",
                           "--initial-latents",
                           "contact-sheet",
                           "--columns",
                           "--cell"}) {
    QVERIFY2(help.contains(word), word);
  }
  for (const QByteArray& line : help.split('\n')) {
    QVERIFY2(line.size() <= 120, line.constData());
  }
}

QTEST_GUILESS_MAIN(TestArgumentsCli)
#include "tst_arguments_cli.moc"
