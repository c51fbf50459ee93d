#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "core/tokenizer/clip_tokenizer.h"
#include "small_vocabulary.h"

using namespace polyptych;
using tokenizer::ClipTokenizer;
using tokenizer::TokenizerFiles;
using Ids = std::vector<std::int64_t>;

namespace {

ClipTokenizer make(const TokenizerFiles& files) {
  auto made = ClipTokenizer::fromFiles(files);
  if (!made) {
    qFatal("%s", made.error().message.c_str());
  }
  return *std::move(made);
}

QByteArray spelled(const Ids& ids) {
  const auto list = small::tokens();
  QByteArrayList names;
  for (const auto id : ids) {
    const auto at = static_cast<std::size_t>(id);
    names << (at < list.size() ? QByteArray::fromStdString(list[at]) : "#" + QByteArray::number(static_cast<qlonglong>(id)));
  }
  return names.join(' ');
}

}  // namespace

class TestClipTokenizer : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void cutsAndMerges_data();
  void cutsAndMerges();
  void framesAndPads();
  void readsBothGenerationsAlike();
  void padsWithTheTokenOfTheFiles();
  void turnsEveryExclamationMarkIntoPad();
  void findsNormalizedTokensInAnyCase();
  void readsAddedTokensOfTokenizerJson();
  void reportsDroppedWords();
  void cutsAtExactlyTheLastPlace();
  void honoursSides();
  void usesUnknownTokenForMissingBytes();
  void countsBrokenUtf8AsReplacement();
  void prefersTokenizerJsonInFolder();
  void refusesBadFiles_data();
  void refusesBadFiles();
  void refusesFolders();
  void staysFastOnLongPrompts_data();
  void staysFastOnLongPrompts();
};

void TestClipTokenizer::cutsAndMerges_data() {
  QTest::addColumn<QString>("text");
  QTest::addColumn<QByteArray>("tokens");
  QTest::newRow("nothing") << "" << QByteArray();
  QTest::newRow("blanks") << " \t\n\u3000\u00a0" << QByteArray();
  QTest::newRow("words") << "cat dog" << QByteArray("cat</w> dog</w>");
  QTest::newRow("upper case") << "CAT Dog" << QByteArray("cat</w> dog</w>");
  QTest::newRow("merge inside") << "cab" << QByteArray("ca b</w>");
  QTest::newRow("merge order") << "aaaaa" << QByteArray("aaaa a</w>");
  QTest::newRow("single digits") << "42cat" << QByteArray("4</w> 2</w> cat</w>");
  QTest::newRow("number of another script") << "½" << QByteArray("Â ½</w>");
  QTest::newRow("contraction") << "cat's" << QByteArray("cat</w> 's</w>");
  QTest::newRow("contraction after a sign") << "!'s" << QByteArray("! '</w> s</w>");
  QTest::newRow("contraction inside a word") << "'sat" << QByteArray("'s</w> at</w>");
  QTest::newRow("signs stay together") << "cat,;dog" << QByteArray("cat</w> , ;</w> dog</w>");
  QTest::newRow("special token") << "<|startoftext|>cat<|endoftext|>" << QByteArray("<|startoftext|> cat</w> <|endoftext|>");
  QTest::newRow("special token in capitals") << "<|X|>" << QByteArray("< |</w> x</w> | ></w>");
  QTest::newRow("capitals make no special token") << "<|EndOfText|>" << QByteArray("< |</w> e n do f t e x t</w> | ></w>");
  QTest::newRow("composed") << QString::fromUtf8("e\u0301") << QByteArray("Ã ©</w>");
  QTest::newRow("dotted capital I") << QString::fromUtf8("\u0130") << QByteArray("i</w> Ì ĩ</w>");
  QTest::newRow("no final sigma") << QString::fromUtf8("Σ") << QByteArray("Ï ĥ</w>");
}

void TestClipTokenizer::cutsAndMerges() {
  QFETCH(QString, text);
  QFETCH(QByteArray, tokens);
  QCOMPARE(spelled(make(small::oldFiles()).encodeWhole(text.toStdString())), tokens);
}

void TestClipTokenizer::framesAndPads() {
  const auto clip = make(small::oldFiles());
  const auto encoding = clip.encode("a cat");
  QCOMPARE(encoding.ids.size(), std::size_t{77});
  QCOMPARE(encoding.tokenCount, std::int64_t{2});
  QCOMPARE(spelled(Ids(encoding.ids.begin(), encoding.ids.begin() + 4)),
           QByteArray("<|startoftext|> a</w> cat</w> <|endoftext|>"));
  for (std::size_t i = 4; i < 77; ++i) {
    QCOMPARE(encoding.ids[i], clip.eosId());
  }
  QVERIFY(encoding.dropped.empty());
  QCOMPARE(clip.idLimit(), static_cast<std::int64_t>(small::tokens().size()));
}

void TestClipTokenizer::readsBothGenerationsAlike() {
  const auto older = make(small::oldFiles());
  const auto newer = make(small::newFiles());
  for (const char* text : {"a cat's dog", "<|endoftext|>!", "밤하늘 2024", "x \xF0\x9F\x98\x80 y"}) {
    QVERIFY(older.encode(text).ids == newer.encode(text).ids);
  }
}

void TestClipTokenizer::padsWithTheTokenOfTheFiles() {
  auto files = small::oldFiles();
  QCOMPARE(make(files).padId(), small::idOf("<|endoftext|>"));
  files.specialTokensMapJson = R"({"pad_token": "!"})";
  QCOMPARE(make(files).padId(), std::int64_t{0});
  files.configJson = R"({"model_max_length": 77, "added_tokens_decoder": {}})";
  QCOMPARE(make(files).padId(), small::idOf("<|endoftext|>"));  // the map does not count beside added_tokens_decoder
  files.configJson = R"({"model_max_length": 77, "added_tokens_decoder": {}, "pad_token": {"content": "!"}})";
  QCOMPARE(make(files).padId(), std::int64_t{0});
  files.configJson = R"({"pad_token": "<pad>"})";
  files.specialTokensMapJson.reset();
  QCOMPARE(make(files).padId(), static_cast<std::int64_t>(small::tokens().size()));  // a new token takes the next id
}

void TestClipTokenizer::turnsEveryExclamationMarkIntoPad() {
  auto files = small::oldFiles();
  files.configJson = R"({"model_max_length": 77, "pad_token": "!"})";
  QCOMPARE(spelled(make(files).encodeWhole("cat!!dog!'s")), QByteArray("cat</w> ! ! dog</w> ! 's</w>"));
}

void TestClipTokenizer::findsNormalizedTokensInAnyCase() {
  auto files = small::oldFiles();
  const QString token = R"({"content": "<|endoftext|>", "normalized": true})";
  files.specialTokensMapJson = QStringLiteral(R"({"eos_token": %1, "pad_token": %1, "unk_token": %1})").arg(token).toStdString();
  QCOMPARE(spelled(make(files).encodeWhole("cat<|EndOfText|>")), QByteArray("cat</w> <|endoftext|>"));
  // A later plain spelling of the same token counts, and is looked for as written.
  files.specialTokensMapJson = QStringLiteral(R"({"eos_token": %1, "pad_token": "<|endoftext|>"})").arg(token).toStdString();
  QCOMPARE(spelled(make(files).encodeWhole("<|EndOfText|>")), QByteArray("< |</w> e n do f t e x t</w> | ></w>"));
}

void TestClipTokenizer::readsAddedTokensOfTokenizerJson() {
  auto files = small::newFiles();
  const auto next = static_cast<qlonglong>(small::tokens().size());
  const std::string added = QStringLiteral(R"("added_tokens": [
    {"id": %1, "content": "<blue cat>", "lstrip": true, "rstrip": true, "normalized": false, "special": false, "single_word": false},
    {"id": %2, "content": "dog", "lstrip": false, "rstrip": false, "normalized": true, "special": false, "single_word": true}])")
                                .arg(next)
                                .arg(next + 1)
                                .toStdString();
  const std::string plain = R"("added_tokens": [])";
  files.tokenizerJson->replace(files.tokenizerJson->find(plain), plain.size(), added);
  const QByteArray first = "#" + QByteArray::number(next);
  const QByteArray second = "#" + QByteArray::number(next + 1);
  const auto clip = make(files);
  QCOMPARE(spelled(clip.encodeWhole("a <blue cat> a")), "a</w> " + first + " a</w>");
  QCOMPARE(spelled(clip.encodeWhole("DOG dogs (dog)")), second + " do g s</w> (</w> " + second + " )</w>");
}

void TestClipTokenizer::reportsDroppedWords() {
  auto files = small::oldFiles();
  files.configJson = R"({"model_max_length": 5})";
  const auto encoding = make(files).encode("cat dog cat DOG, 밤 cat");
  QCOMPARE(encoding.ids.size(), std::size_t{5});
  QCOMPARE(spelled(encoding.ids), QByteArray("<|startoftext|> cat</w> dog</w> cat</w> <|endoftext|>"));
  QCOMPARE(QString::fromStdString(encoding.dropped), QString::fromUtf8("dog , 밤 cat"));
  QCOMPARE(encoding.tokenCount, std::int64_t{9});
}

void TestClipTokenizer::cutsAtExactlyTheLastPlace() {
  std::string text;
  for (int i = 0; i < 75; ++i) {
    text += "cat ";
  }
  const auto clip = make(small::oldFiles());
  QVERIFY(clip.encode(text).dropped.empty());
  QCOMPARE(clip.encode(text).ids.back(), clip.eosId());
  QCOMPARE(clip.encode(text + "dog").dropped, std::string("dog"));
  QCOMPARE(clip.encode(text + "dog").ids.back(), clip.eosId());
}

void TestClipTokenizer::honoursSides() {
  auto files = small::oldFiles();
  files.configJson = R"({"model_max_length": 5, "padding_side": "left", "truncation_side": "left"})";
  const auto clip = make(files);
  QCOMPARE(spelled(clip.encode("cat").ids), QByteArray("<|endoftext|> <|endoftext|> <|startoftext|> cat</w> <|endoftext|>"));
  QCOMPARE(spelled(clip.encode("cat cat dog at").ids), QByteArray("<|startoftext|> cat</w> dog</w> at</w> <|endoftext|>"));
  QCOMPARE(clip.encode("cat cat dog at").dropped, std::string("cat"));
}

void TestClipTokenizer::usesUnknownTokenForMissingBytes() {
  TokenizerFiles files;
  files.vocabJson = R"({"a": 0, "a</w>": 1, "<|startoftext|>": 2, "<|endoftext|>": 3})";
  files.mergesTxt = "";
  QVERIFY(make(files).encodeWhole("abba") == (Ids{0, 3, 3, 1}));
  files.vocabJson = R"({"a": 0, "a</w>": 1, "<|startoftext|>": 2})";
  const auto refused = ClipTokenizer::fromFiles(files);
  QVERIFY(!refused.isOk());
  QCOMPARE(refused.error().code, base::ErrorCode::Corrupt);
}

void TestClipTokenizer::countsBrokenUtf8AsReplacement() {
  const auto clip = make(small::oldFiles());
  QVERIFY(clip.encodeWhole("cat\xFF\xED\xA0") == clip.encodeWhole("cat\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
}

void TestClipTokenizer::prefersTokenizerJsonInFolder() {
  const QTemporaryDir folder;
  const auto write = [&](const char* name, const std::string& text) {
    QFile file(folder.filePath(QString::fromLatin1(name)));
    return file.open(QIODevice::WriteOnly) && file.write(QByteArray::fromStdString(text)) == static_cast<qint64>(text.size());
  };
  const std::filesystem::path path = folder.path().toStdString();
  QVERIFY(write("vocab.json", small::vocabJson()));
  QCOMPARE(ClipTokenizer::open(path).error().code, base::ErrorCode::NotFound);  // no merges.txt
  QVERIFY(write("merges.txt", *small::oldFiles().mergesTxt));
  auto opened = ClipTokenizer::open(path);
  QVERIFY(opened.isOk());
  QCOMPARE(opened->maxLength(), std::int64_t{77});
  QVERIFY(write("merges.txt", "broken"));
  QVERIFY(!ClipTokenizer::open(path).isOk());
  QVERIFY(write("tokenizer.json", *small::newFiles().tokenizerJson));
  opened = ClipTokenizer::open(path);
  QVERIFY(opened.isOk());
  QCOMPARE(spelled(opened->encodeWhole("cat")), QByteArray("cat</w>"));
}

void TestClipTokenizer::refusesBadFiles_data() {
  QTest::addColumn<QByteArray>("file");
  QTest::addColumn<QByteArray>("text");
  QTest::addColumn<QByteArray>("words");
  const auto row = [](const char* name, const char* file, const QByteArray& text, const char* words) {
    QTest::newRow(name) << QByteArray(file) << text << QByteArray(words);
  };
  row("not JSON", "vocab.json", "{", "vocab.json is not valid JSON");
  row("not UTF-8", "vocab.json", "{\"\xFF\": 1}", "vocab.json is not valid JSON");
  row("not an object", "vocab.json", "[1]", "vocab.json is not a JSON object");
  row("no tokens", "vocab.json", "{}", "vocab.json has 0 tokens");
  row("negative id", "vocab.json", R"({"a": -1})", "gives the token 'a' the id -1");
  row("fraction", "vocab.json", R"({"a": 1.5})", "the id 1.5");
  row("huge id", "vocab.json", R"({"a": 18446744073709551615})", "the id 18446744073709551615");
  row("id is text", "vocab.json", R"({"a": "b"})", "the id \"b\"");
  row("nested too deeply", "vocab.json", QByteArray(100, '[') + QByteArray(100, ']'), "nested too deeply");
  row("above the limit", "vocab.json", QByteArray((16 << 20) + 1, ' '), "larger than 16 MiB");
  row("merge of one", "merges.txt", "c a\nca\n", "two tokens in merge 2");
  row("merge of three", "merges.txt", "c a t\n", "two tokens in merge 1");
  row("empty line", "merges.txt", "c a\n\n", "two tokens in merge 2");
  row("merge of unknown tokens", "merges.txt", "c a\nzz z\n", "Merge 2 needs the token 'zz'");
  row("merge without a result", "merges.txt", "z z\n", "Merge 1 needs the token 'zz'");
  row("length zero", "tokenizer_config.json", R"({"model_max_length": 0})", "model_max_length");
  row("length as text", "tokenizer_config.json", R"({"model_max_length": "77"})", "model_max_length");
  row("length too long", "tokenizer_config.json", R"({"model_max_length": 100000})", "model_max_length");
  row("unknown side", "tokenizer_config.json", R"({"padding_side": "up"})", "padding_side");
  row("token is a number", "tokenizer_config.json", R"({"pad_token": 3})", "names a special token");
  row("flag is a number", "tokenizer_config.json", R"({"pad_token": {"content": "!", "lstrip": 3}})", "'lstrip'");
  row("bad table of added tokens", "tokenizer_config.json", R"({"added_tokens_decoder": {"x": {"content": "y"}}})",
      "added_tokens_decoder");
  row("empty pad token", "tokenizer_config.json", R"({"pad_token": ""})", "'pad_token' that the vocabulary does not have");
  row("bad map", "special_tokens_map.json", "nonsense", "special_tokens_map.json is not valid JSON");
  row("long token", "special_tokens_map.json", "{\"pad_token\": \"" + QByteArray(513, 'x') + "\"}", "more than 512 bytes");
  row("added tokens", "added_tokens.json", R"({"x": null})", "added_tokens.json gives the token 'x'");
  row("another model", "tokenizer.json", R"({"model": {"type": "Unigram", "vocab": []}})", "not a byte pair encoding");
  row("no model", "tokenizer.json", "{}", "tokenizer.json has no table of tokens");
  row("no merges", "tokenizer.json", R"({"model": {"vocab": {"a": 1}}})", "tokenizer.json has no list of merges");
  row("merge is a number", "tokenizer.json", R"({"model": {"vocab": {"a": 1}, "merges": [7]}})", "two tokens in merge 1");
}

void TestClipTokenizer::refusesBadFiles() {
  QFETCH(QByteArray, file);
  QFETCH(QByteArray, text);
  QFETCH(QByteArray, words);
  auto files = small::oldFiles();
  const std::map<QByteArray, std::optional<std::string>*> places = {{"vocab.json", &files.vocabJson},
                                                                    {"merges.txt", &files.mergesTxt},
                                                                    {"tokenizer_config.json", &files.configJson},
                                                                    {"special_tokens_map.json", &files.specialTokensMapJson},
                                                                    {"added_tokens.json", &files.addedTokensJson},
                                                                    {"tokenizer.json", &files.tokenizerJson}};
  *places.at(file) = text.toStdString();
  const auto made = ClipTokenizer::fromFiles(files);
  QVERIFY(!made.isOk());
  QVERIFY2(QByteArray::fromStdString(made.error().message).contains(words), made.error().message.c_str());
}

void TestClipTokenizer::refusesFolders() {
  const QTemporaryDir folder;
  const std::filesystem::path path = folder.path().toStdString();
  QCOMPARE(ClipTokenizer::open(path / "nothing").error().code, base::ErrorCode::NotFound);
  QCOMPARE(ClipTokenizer::open(path).error().code, base::ErrorCode::NotFound);
  std::filesystem::create_directory(path / "tokenizer.json");
  QCOMPARE(ClipTokenizer::open(path).error().code, base::ErrorCode::Corrupt);
}

void TestClipTokenizer::staysFastOnLongPrompts_data() {
  QTest::addColumn<QByteArray>("unit");
  QTest::newRow("words") << QByteArray("a cat, ");
  QTest::newRow("one word") << QByteArray("a");
  QTest::newRow("one sign") << QByteArray("!");
  QTest::newRow("marks in the wrong order") << QByteArray("\xCC\x81\xCC\xA3");           // U+0301 U+0323
  QTest::newRow("marks that come apart") << QByteArray("\xCD\x84\xCC\xA3\xE0\xBD\xB3");  // U+0344 U+0323 U+0F73
  QTest::newRow("Hangul") << QByteArray("밤");
  QTest::newRow("beginnings of special tokens") << QByteArray("<|endoftext");
}

void TestClipTokenizer::staysFastOnLongPrompts() {
  QFETCH(QByteArray, unit);
  const auto clip = make(small::oldFiles());
  const std::string text = unit.repeated((1 << 20) / static_cast<int>(unit.size())).toStdString();
  QElapsedTimer clock;
  clock.start();
  const auto encoding = clip.encode(text);
  qInfo("%lld ms, %lld tokens", static_cast<long long>(clock.elapsed()), static_cast<long long>(encoding.tokenCount));
  QVERIFY(!encoding.dropped.empty());
  QVERIFY2(clock.elapsed() < 15'000, "not in proportion to the text's length");
}

QTEST_GUILESS_MAIN(TestClipTokenizer)
#include "tst_clip_tokenizer.moc"
