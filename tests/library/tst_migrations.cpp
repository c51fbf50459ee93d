#include "core/library/migrations.h"

#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <QTemporaryDir>
#include <QtTest>

#include "core/library/database.h"

using namespace polyptych;
using library::Database;

namespace {

/// A library as the program of migration `version` left it, with a run, a job and a picture.
void makeOld(const QString& file, int version) {
  {
    QSqlDatabase old = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), QStringLiteral("old"));
    old.setDatabaseName(file);
    QVERIFY(old.open());
    const auto run = [&](const QString& script) {
      QString text;
      for (const QString& line : script.split(u'\n')) {
        text += line.section(QStringLiteral("--"), 0, 0) + u'\n';
      }
      for (const QString& one : text.split(u';', Qt::SkipEmptyParts)) {
        QSqlQuery query(old);
        QVERIFY2(one.trimmed().isEmpty() || query.exec(one), qPrintable(one + ": " + query.lastError().text()));
      }
    };
    for (int i = 0; i < version; ++i) {
      run(QString::fromUtf8(library::migrations()[static_cast<std::size_t>(i)]));
    }
    run(QStringLiteral("PRAGMA application_id=%1; PRAGMA user_version=%2").arg(0x504C5054).arg(version));
    if (version > 0) {
      run(QStringLiteral(
          "INSERT INTO runs(id, number, created, title, folder, fingerprint, plan, model_folder, model_variant, wants_trace, "
          "wants_previews, has_latents, state, first_job, jobs, first_request, total) VALUES (7, 1, 2, 'a cat', 'd/r', 'f', 1, "
          "'/m', '', 0, 0, 0, 0, 1, 1, 1, 1); "
          "INSERT INTO jobs(id, run, first_request, count, state, rank) VALUES (1, 7, 1, 1, 5, 65536); "
          "INSERT INTO pictures(id, run, idx, prompt_index, file, bytes, prompt, settings, plan, seed, made, device, "
          "device_name, "
          "seconds) VALUES (1, 7, 0, 0, 'a.png', 3, 1, 1, 1, 4, 5, 'cpu:0', 'CPU', 1.5)"));
    }
  }
  QSqlDatabase::removeDatabase(QStringLiteral("old"));
}

}  // namespace

class TestMigrations : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { m_folder = std::make_unique<QTemporaryDir>(); }

  void everyOlderLibraryIsBroughtUpToDate_data() {
    QTest::addColumn<int>("version");
    for (int version = 0; version <= Database::newestVersion(); ++version) {
      QTest::addRow("version %d", version) << version;
    }
  }
  void everyOlderLibraryIsBroughtUpToDate() {
    QFETCH(const int, version);
    const QString file = m_folder->filePath("library.sqlite");
    makeOld(file, version);
    if (version > 0 && version < Database::newestVersion()) {
      // Who only reads it changes nothing.
      const auto reader = Database::open(file, Database::Mode::ReadOnly);
      QVERIFY(reader.isOk());
      QCOMPARE((*reader)->value("PRAGMA user_version")->toInt(), version);
    }
    for (int i = 0; i < 2; ++i) {
      const auto opened = Database::open(file, Database::Mode::ReadWrite);
      QVERIFY2(opened.isOk(), opened ? "" : opened.error().detail.c_str());
      Database& database = **opened;
      QCOMPARE(database.value("PRAGMA user_version")->toInt(), Database::newestVersion());
      QVERIFY(database.check().isOk());
      if (version > 0) {
        QCOMPARE(database.value("SELECT title FROM runs WHERE id = 7")->toString(), QString("a cat"));
        QCOMPARE(database.value("SELECT state FROM jobs")->toInt(), 5);
        QCOMPARE(database.value("SELECT file FROM pictures")->toString(), QString("a.png"));
      }
    }
    // The same tables as in a new one.
    const auto schemaOf = [](const QString& path) {
      const auto database = Database::open(path, Database::Mode::ReadOnly);
      auto rows = (*database)->queryOnce("SELECT name, sql FROM sqlite_master ORDER BY name");
      QStringList schema;
      while (rows && rows->next()) {
        schema << rows->value(0).toString() + ' ' + rows->value(1).toString();
      }
      return schema;
    };
    const QString fresh = m_folder->filePath("new.sqlite");
    QVERIFY(Database::open(fresh, Database::Mode::ReadWrite).isOk());
    QCOMPARE(schemaOf(file), schemaOf(fresh));
  }

  /// The last step cannot be done: everything is as it was, for the program that it is of and for a second try.
  void aMigrationThatFailsChangesNothing() {
    const QString file = m_folder->filePath("library.sqlite");
    const int before = Database::newestVersion() - 1;
    makeOld(file, before);
    {
      QSqlDatabase old = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), QStringLiteral("old"));
      old.setDatabaseName(file);
      QVERIFY(old.open());
      QSqlQuery query(old);
      QVERIFY(query.exec(QStringLiteral("CREATE TABLE undo_ranks (other INTEGER)")));
    }
    QSqlDatabase::removeDatabase(QStringLiteral("old"));
    for (int i = 0; i < 2; ++i) {
      const auto opened = Database::open(file, Database::Mode::ReadWrite);
      QVERIFY(!opened);
      QVERIFY(!opened.error().message.empty());
    }
    const auto reader = Database::open(file, Database::Mode::ReadOnly);
    QVERIFY(reader.isOk());
    QCOMPARE((*reader)->value("PRAGMA user_version")->toInt(), before);
    QCOMPARE((*reader)->value("SELECT count(*) FROM pictures")->toInt(), 1);
  }

 private:
  std::unique_ptr<QTemporaryDir> m_folder;
};

QTEST_GUILESS_MAIN(TestMigrations)
#include "tst_migrations.moc"
