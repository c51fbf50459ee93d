#include "app/polyptych-cli/merge_command.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include "app/polyptych-cli/inputs.h"
#include "app/polyptych-cli/query_commands.h"
#include "core/gallery/join_parts.h"

namespace polyptych::cli {

ExitCode mergeFolders(const MergeArguments& arguments) {
  const std::string& target = arguments.out.value_or(arguments.folders.front());
  QStringList sources;
  for (const std::string& typed : arguments.folders) {
    const QString folder = QDir::cleanPath(QFileInfo(QFile::decodeName(QByteArray::fromStdString(typed))).absoluteFilePath());
    if (!QFileInfo(folder).isDir()) {
      complain({base::ErrorCode::InvalidArgument, "'" + typed + "' is no folder.", {}});
      return ExitCode::WrongUsage;
    }
    sources << folder;
  }
  const auto run = gallery::wholeRunOf(sources.front());
  if (!run) {
    complain(run.error());
    return ExitCode::WrongUsage;
  }
  for (const QString& source : sources) {
    const auto other = gallery::wholeRunOf(source);
    if (!other || other->fingerprint != run->fingerprint) {
      complain(other
                   ? base::Error{base::ErrorCode::InvalidArgument,
                                 "'" + source.toStdString() + "' is of another run than '" + sources.front().toStdString() + "'.",
                                 {}}
                   : other.error());
      return ExitCode::WrongUsage;
    }
  }
  const auto folder = prepareFolder(target);
  if (!folder) {
    complain(folder.error());
    return ExitCode::WrongUsage;
  }
  if (const auto free = waitForParts(*folder); !free) {
    complain(free.error());
    return ExitCode::WrongUsage;
  }
  sources.removeAll(*folder);
  const auto joined = gallery::joinParts(*folder, *run, sources);
  if (!joined) {
    complain(joined.error());
    return ExitCode::SomeFailed;
  }
  const auto total = joined->isFinished.size();
  std::string sentence = std::to_string(joined->finished()) + " of " + std::to_string(total) + " pictures are in " +
                         folder->toStdString() + ", " + std::to_string(joined->joined) + " of them from parts.";
  if (joined->failed > 0) {
    sentence += " " + std::to_string(joined->failed) + " failed.";
  }
  if (joined->finished() < total) {
    sentence += " The same generate command makes the others.";
  }
  return answer(sentence + "\n");
}

}  // namespace polyptych::cli
