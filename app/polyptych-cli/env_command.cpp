#include "app/polyptych-cli/env_command.h"

#include "app/polyptych-cli/event_printer.h"
#include "app/polyptych-cli/json_text.h"
#include "app/polyptych-cli/query_commands.h"
#include "app/polyptych-cli/streams.h"

namespace polyptych::cli {
namespace {

std::string toJson(const cluster::LaunchEnvironment& found) {
  std::vector<std::string> reasons;
  for (const cluster::Reason& reason : found.reasons) {
    reasons.push_back(
        JsonObject().text("variable", reason.variable).text("value", reason.value).text("meaning", reason.meaning).done());
  }
  JsonObject json;
  json.text("launcher", cluster::nameOf(found.launcher))
      .number("rank", found.rank)
      .number("world_size", found.worldSize)
      .number("local_rank", found.localRank)
      .number("local_world_size", found.localWorldSize);
  if (found.launcher != cluster::Launcher::None) {
    json.text("master_address", found.masterAddress).number("master_port", found.masterPort);
  }
  json.number("restart_count", found.restartCount).text("run_id", found.runId).raw("reasons", jsonArray(reasons, false));
  return json.done();
}

std::string toText(const cluster::LaunchEnvironment& found) {
  std::string text;
  if (found.launcher == cluster::Launcher::None) {
    text = "One process: no launcher has set its variables.\n";
  } else {
    text = "Rank " + std::to_string(found.rank) + " of " + std::to_string(found.worldSize) + ", on its machine " +
           std::to_string(found.localRank) + " of " + std::to_string(found.localWorldSize) + ", started by " +
           std::string(cluster::nameOf(found.launcher)) + ".\n";
  }
  if (found.isGroup()) {
    text += "The processes meet at " + printable(found.masterAddress) + ":" + std::to_string(found.masterPort) + ".\n";
  }
  for (const cluster::Reason& reason : found.reasons) {
    text += "  " + reason.meaning + ": " + reason.variable + "=" + printable(reason.value) + "\n";
  }
  return text;
}

}  // namespace

ExitCode showLaunchEnvironment(const cluster::Variables& variables, bool json) {
  const base::Result<cluster::LaunchEnvironment> found = cluster::detectLaunchEnvironment(variables);
  if (!found) {
    complain(found.error());
    return ExitCode::WrongUsage;
  }
  return answer(json ? toJson(*found) + "\n" : toText(*found));
}

}  // namespace polyptych::cli
