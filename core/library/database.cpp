#include "core/library/database.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QSqlError>
#include <QSqlRecord>
#include <atomic>

#include "core/library/migrations.h"

namespace polyptych::library {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

/// "PLPT": marks the file as ours.
constexpr int kApplicationId = 0x504C5054;
/// A reader in another process, or a check from outside, may hold the file for a moment.
constexpr int kBusyMs = 20000;
constexpr char kNoteEnd[] = ".unsound";

/// SQLite's primary result codes (sqlite.org/rescode.html).
enum class SqliteCode {
  Busy = 5,
  Locked = 6,
  ReadOnly = 8,
  IoError = 10,
  Corrupt = 11,
  Full = 13,
  CantOpen = 14,
  Constraint = 19,
  NotADatabase = 26
};

ErrorCode codeOf(const QSqlError& error) {
  switch (static_cast<SqliteCode>(error.nativeErrorCode().toInt() & 0xFF)) {
    case SqliteCode::Busy:
    case SqliteCode::Locked:
      return ErrorCode::Timeout;
    case SqliteCode::ReadOnly:
    case SqliteCode::IoError:
    case SqliteCode::CantOpen:
      return ErrorCode::Io;
    case SqliteCode::Corrupt:
    case SqliteCode::NotADatabase:
      return ErrorCode::Corrupt;
    case SqliteCode::Full:
      return ErrorCode::DiskFull;
    case SqliteCode::Constraint:
      return ErrorCode::AlreadyExists;
  }
  return ErrorCode::Internal;
}

const char* sentenceOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::Timeout:
      return "The library is in use by another program for too long; close what has it open.";
    case ErrorCode::Io:
      return "The library cannot be read or written; check its disk, or the rights of its folder.";
    case ErrorCode::Corrupt:
      return "The library's index is damaged; 'polyptych-cli library rebuild' makes it again from the pictures.";
    case ErrorCode::DiskFull:
      return "There is no space left on the library's disk; make room.";
    default:
      return "The library's index gave an error; please report this.";
  }
}

/// An empty text, however it came to be, is a text; only a variant without a value is NULL.
void bind(QSqlQuery& query, const QVariantList& values) {
  for (qsizetype i = 0; i < values.size(); ++i) {
    const QVariant& value = values[i];
    const bool isEmptyText = value.typeId() == QMetaType::QString && !value.isNull() && value.toString().isNull();
    query.bindValue(static_cast<int>(i), isEmptyText ? QVariant(QStringLiteral("")) : value);
  }
}

}  // namespace

Database::Database(QString connection) : m_connection(std::move(connection)) {}

Database::~Database() {
  m_statements.clear();
  m_database.close();
  m_database = QSqlDatabase();
  QSqlDatabase::removeDatabase(m_connection);
}

int Database::newestVersion() { return static_cast<int>(migrations().size()); }

Error Database::failure(const QSqlError& error) const {
  const ErrorCode code = codeOf(error);
  return {code, sentenceOf(code), (m_file + QStringLiteral(": ") + error.text()).toStdString()};
}

Result<std::unique_ptr<Database>> Database::open(const QString& file, Mode mode) {
  if (mode == Mode::ReadOnly && !QFileInfo::exists(file)) {
    return Error{ErrorCode::NotFound, "There is no library at '" + file.toStdString() + "'.", {}};
  }
  static std::atomic<int> count{0};
  std::unique_ptr<Database> database(new Database(QStringLiteral("polyptych-%1").arg(++count)));
  database->m_file = file;
  database->m_database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), database->m_connection);
  database->m_database.setDatabaseName(file);
  QString options = QStringLiteral("QSQLITE_BUSY_TIMEOUT=%1").arg(kBusyMs);
  if (mode == Mode::ReadOnly) {
    options += QStringLiteral(";QSQLITE_OPEN_READONLY");
  }
  database->m_database.setConnectOptions(options);
  if (!database->m_database.open()) {
    return database->failure(database->m_database.lastError());
  }
  if (const Result<void> prepared = database->prepare(mode); !prepared) {
    return prepared.error();
  }
  return database;
}

Result<void> Database::prepare(Mode mode) {
  // Nothing is written before the version is known.
  const Result<QVariant> version = value("PRAGMA user_version");
  if (!version) {
    return version.error();
  }
  const Result<QVariant> application = value("PRAGMA application_id");
  const Result<QVariant> objects = value("SELECT count(*) FROM sqlite_master");
  if (!application || !objects) {
    return !application ? application.error() : objects.error();
  }
  const int number = version->toInt();
  if (number > newestVersion()) {
    return Error{ErrorCode::Unsupported,
                 "The library was written by a newer version of Polyptych; install that version to open it. Nothing was changed.",
                 "version " + std::to_string(number)};
  }
  const bool isOurs = application->toInt() == kApplicationId;
  if (!isOurs && objects->toInt() > 0) {
    return Error{ErrorCode::Corrupt, "'" + m_file.toStdString() + "' is no library of Polyptych; choose another folder.", {}};
  }
  if (mode == Mode::ReadOnly) {
    return number == 0 ? Error{ErrorCode::NotFound, "The library is not made yet.", {}}
                       : run(QStringLiteral("PRAGMA temp_store=MEMORY"));
  }
  if (auto set = run(QStringLiteral("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; "
                                    "PRAGMA cache_size=-16000"));
      !set) {
    return set;
  }
  return migrate(number);
}

Result<void> Database::migrate(int from) {
  for (int next = from; next < newestVersion(); ++next) {
    const QString script =
        QStringLiteral("BEGIN IMMEDIATE;") + QString::fromUtf8(migrations()[static_cast<std::size_t>(next)]) +
        QStringLiteral("; PRAGMA application_id=%1; PRAGMA user_version=%2; COMMIT").arg(kApplicationId).arg(next + 1);
    if (auto done = run(script); !done) {
      (void)run(QStringLiteral("ROLLBACK"));
      return done;
    }
  }
  return {};
}

Result<void> Database::run(const QString& script) {
  QString text;
  for (const QString& line : script.split(QLatin1Char('\n'))) {
    text += line.section(QStringLiteral("--"), 0, 0) + QLatin1Char('\n');
  }
  for (const QString& one : text.split(QLatin1Char(';'))) {
    if (one.trimmed().isEmpty()) {
      continue;
    }
    QSqlQuery query(m_database);
    if (!query.exec(one)) {
      return failure(query.lastError());
    }
  }
  return {};
}

Result<QSqlQuery*> Database::query(const char* sql, const QVariantList& values) {
  std::unique_ptr<QSqlQuery>& query = m_statements[sql];
  if (query == nullptr) {
    auto fresh = std::make_unique<QSqlQuery>(m_database);
    fresh->setForwardOnly(true);
    if (!fresh->prepare(QString::fromUtf8(sql))) {
      const Error error = failure(fresh->lastError());
      m_statements.erase(sql);
      return error;
    }
    query = std::move(fresh);
  }
  bind(*query, values);
  if (!query->exec()) {
    const Error error = failure(query->lastError());
    query->finish();
    return error;
  }
  return query.get();
}

Result<QSqlQuery> Database::queryOnce(const QString& sql, const QVariantList& values) {
  QSqlQuery query(m_database);
  query.setForwardOnly(true);
  if (!query.prepare(sql)) {
    return failure(query.lastError());
  }
  bind(query, values);
  if (!query.exec()) {
    return failure(query.lastError());
  }
  return query;
}

Result<qint64> Database::change(const char* sql, const QVariantList& values) {
  const Result<QSqlQuery*> done = query(sql, values);
  if (!done) {
    return done.error();
  }
  const qint64 rows = (*done)->numRowsAffected();
  (*done)->finish();
  return rows;
}

Result<qint64> Database::insert(const char* sql, const QVariantList& values) {
  const Result<QSqlQuery*> done = query(sql, values);
  if (!done) {
    return done.error();
  }
  const qint64 id = (*done)->lastInsertId().toLongLong();
  (*done)->finish();
  return id;
}

Result<QVariant> Database::value(const char* sql, const QVariantList& values) {
  const Result<QSqlQuery*> done = query(sql, values);
  if (!done) {
    return done.error();
  }
  QVariant value;
  if ((*done)->next()) {
    value = (*done)->value(0);
  } else if ((*done)->lastError().isValid()) {
    const Error error = failure((*done)->lastError());
    (*done)->finish();
    return error;
  }
  (*done)->finish();
  return value;
}

Result<QVariant> Database::meta(const QString& key) { return value("SELECT value FROM meta WHERE key = ?", {key}); }

Result<void> Database::setMeta(const QString& key, const QVariant& value) {
  const Result<qint64> done = change("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", {key, value});
  return done ? Result<void>() : done.error();
}

Result<void> Database::check() {
  const Result<QVariant> found = value("PRAGMA integrity_check(1)");
  if (!found) {
    return found.error();
  }
  if (found->toString() != QLatin1String("ok")) {
    return Error{ErrorCode::Corrupt, sentenceOf(ErrorCode::Corrupt),
                 (m_file + QStringLiteral(": ") + found->toString()).toStdString()};
  }
  return {};
}

void Database::finishAll() {
  for (auto& [sql, query] : m_statements) {
    query->finish();
  }
}

Result<void> checkPlace(const QString& file) {
  if (QFileInfo::exists(file)) {
    return {};
  }
  return Error{ErrorCode::Io,
               "The library's folder '" + QFileInfo(file).path().toStdString() +
                   "' is not there. Connect its drive, or put the folder back where it was.",
               "no file " + file.toStdString()};
}

void noteDamage(const QString& file) {
  QFile note(file + QLatin1String(kNoteEnd));
  if (!note.open(QIODevice::WriteOnly)) {
    qWarning("The damage of '%s' is not noted: %s", qUtf8Printable(file), qUtf8Printable(note.errorString()));
  }
}

bool hasDamageNote(const QString& file) { return QFileInfo::exists(file + QLatin1String(kNoteEnd)); }

void clearDamageNote(const QString& file) { QFile::remove(file + QLatin1String(kNoteEnd)); }

Result<QString> setAside(const QString& file) {
  const QString moved =
      file + QStringLiteral(".damaged-") + QDateTime::currentDateTimeUtc().toString(QStringLiteral("yyyyMMdd-HHmmss-zzz"));
  if (!QFile::rename(file, moved)) {
    return Error{
        ErrorCode::Io, "The damaged index '" + file.toStdString() + "' cannot be moved away; check the folder's rights.", {}};
  }
  for (const char* end : {"-wal", "-shm"}) {
    QFile::rename(file + QLatin1String(end), moved + QLatin1String(end));
  }
  clearDamageNote(file);
  return moved;
}

}  // namespace polyptych::library
