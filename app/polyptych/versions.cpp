#include "app/polyptych/versions.h"

#include <QSqlDatabase>
#include <QSqlQuery>

namespace polyptych {

ui::Versions readVersions() {
  ui::Versions versions;
  const QString name = QStringLiteral("versions");
  {
    QSqlDatabase database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), name);
    database.setDatabaseName(QStringLiteral(":memory:"));
    QSqlQuery query(database);
    if (database.open() && query.exec(QStringLiteral("select sqlite_version()")) && query.next()) {
      versions.append({QStringLiteral("SQLite"), query.value(0).toString()});
    }
  }
  QSqlDatabase::removeDatabase(name);
#ifdef POLYPTYCH_TORCH_VERSION
  versions.append({QStringLiteral("LibTorch"), QStringLiteral(POLYPTYCH_TORCH_VERSION)});
#endif
  return versions;
}

}  // namespace polyptych
