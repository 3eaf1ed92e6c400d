// sockproof export.
#include <fmt/format.h>

#include "harness/base/errors.h"
#include "src/cli/command.h"
#include "src/cli/document.h"
#include "src/cli/recorded_test.h"
#include "src/cli/say.h"
#include "src/packetdrill/export.h"
#include "src/report/files.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

constexpr int kExitNotExpressible = 3;

struct ExportArguments {
  std::string test;                      // its id, or the folder of a test, or a file of events
  std::string results = "sockproof-out";  // where it was run
  std::string pkt;                       // path; "-" is stdout
};

// What a reader who knows nothing of the test needs.
std::vector<std::string> RemarksOn(const RecordedTest& record) {
  if (!record.result) return {fmt::format("{}, as it went.", record.test)};
  const TestResult& test = *record.result;
  std::vector<std::string> remarks = {
      fmt::format("{} on {}: {}. What follows is what happened, line by line.", record.test,
                  record.system, VerdictText(test.verdict))};
  for (const CitedClaim& claim : test.claims) {
    remarks.push_back(fmt::format("{}: {} ({})", claim.source, claim.statement,
                                  ClaimVerdictName(test.VerdictOf(claim))));
  }
  return remarks;
}

int Export(const ExportArguments& arguments) {
  const RecordedTest record = IsPathOfRecord(arguments.test)
                                  ? ReadRecord(arguments.test)
                                  : FindRecord(arguments.test, arguments.results);
  std::string script;
  try {
    script = packetdrill::ExportedScript(record.events, RemarksOn(record));
  } catch (const packetdrill::NotExpressible& why) {
    Say(fmt::format("{} cannot be written as a script of packetdrill: {}", record.test, why.what()));
    return kExitNotExpressible;
  }
  WriteDocument(arguments.pkt, script);
  return 0;
}

constexpr const char* kExportHelp = R"(The script makes the calls of the test, sends what the test sent, at the same times, and expects what
came then. It runs by packetdrill, and here: sockproof run x.pkt.

Examples:
  sockproof export HalfClose.DataStillFlowsToTheSideThatSentItsFin --pkt -
  sockproof export TimeWait.AResetEndsIt/ipv6 --of sockproof-out/host --pkt x.pkt

Exit code: 0 done, 2 wrong usage, 3 a script cannot say what happened.)";

Action AddExport(CLI::App& app) {
  auto arguments = std::make_shared<ExportArguments>();
  app.add_option("TEST", arguments->test, "Suite.Name/ipv4, or the folder of a test")
      ->required()
      ->type_name("");
  app.add_option("--of", arguments->results, "Results where it was run; default: sockproof-out")
      ->type_name("DIR");
  app.add_option("--pkt", arguments->pkt, "Write a script of packetdrill; - for stdout")
      ->required()
      ->type_name("FILE");
  return [arguments](const std::string&) { return Export(*arguments); };
}

const CommandRegistration kExport({"export", CommandGroup::kResults,
                                   "What happened in a test that was run, as a packetdrill script",
                                   kExportHelp, AddExport});

}  // namespace
}  // namespace sockproof
