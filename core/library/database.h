#pragma once

#include <QSqlDatabase>
#include <QSqlQuery>
#include <QString>
#include <QVariant>
#include <memory>
#include <unordered_map>

#include "core/base/result.h"

namespace polyptych::library {

/// One connection to a library's SQLite file. Belongs to the thread that opened it.
///
/// Written with WAL and synchronous=FULL: a commit is on the disk when it returns, so that what was acknowledged outlives a power
/// cut, and the count of a job's attempts outlives the machine that the job brought down (NORMAL would lose the last ones). The
/// price, one fsync a transaction, is shared: see Writer.
class Database {
 public:
  enum class Mode { ReadWrite, ReadOnly };

  /// ReadWrite makes a file that is not there, and brings an older schema up to date.
  /// @return Unsupported (of a newer version of the program; nothing was changed), Corrupt, NotFound (ReadOnly), Io, DiskFull
  static base::Result<std::unique_ptr<Database>> open(const QString& file, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// A prepared statement, executed; prepared once for each place of `sql` (a literal). Valid until the same statement is asked
  /// for again. @return Corrupt, DiskFull, Io, AlreadyExists (a constraint), Timeout (locked too long), Internal
  base::Result<QSqlQuery*> query(const char* sql, const QVariantList& values = {});
  /// The same for text that is put together; not kept.
  base::Result<QSqlQuery> queryOnce(const QString& sql, const QVariantList& values = {});
  /// @return number of rows that changed
  base::Result<qint64> change(const char* sql, const QVariantList& values = {});
  /// @return id of the new row
  base::Result<qint64> insert(const char* sql, const QVariantList& values = {});
  /// The first column of the first row; null without a row.
  base::Result<QVariant> value(const char* sql, const QVariantList& values = {});
  /// Statements that give no rows, ended by semicolons; for the schema.
  base::Result<void> run(const QString& script);

  base::Result<QVariant> meta(const QString& key);
  base::Result<void> setMeta(const QString& key, const QVariant& value);

  /// Reads every page and looks whether they fit together; takes as long as that. @return Corrupt, Io
  base::Result<void> check();

  /// Frees every statement that has rows left: they would hold back the next commit's clean-up.
  void finishAll();

  /// Number of the newest migration that this program knows.
  static int newestVersion();

 private:
  explicit Database(QString connection);
  base::Result<void> prepare(Mode mode);
  base::Result<void> migrate(int from);
  base::Error failure(const QSqlError& error) const;

  QString m_connection;
  QSqlDatabase m_database;
  QString m_file;
  std::unordered_map<const char*, std::unique_ptr<QSqlQuery>> m_statements;
};

/// Whether an index is still where it was opened: its drive may have gone, or its folder may have been moved or removed. A name
/// that is not there must never be made again by whoever writes. @return Io
base::Result<void> checkPlace(const QString& file);

/// A file beside an index says that it was found to be damaged while it was used: a look at its pages may find nothing.
void noteDamage(const QString& file);
bool hasDamageNote(const QString& file);
void clearDamageNote(const QString& file);

/// Moves a damaged file and what belongs to it out of the way: "library.sqlite.damaged-<time>"; clears the note. @return the new
/// path
base::Result<QString> setAside(const QString& file);

}  // namespace polyptych::library
