// sockproof list and sockproof explain.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "harness/base/errors.h"
#include "harness/claims/catalogue.h"
#include "harness/test/registry.h"
#include "src/cli/command.h"
#include "src/cli/document.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/coverage/coverage.h"
#include "src/report/files.h"
#include "src/report/result.h"
#include "src/report/text.h"
#include "src/run/selection.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

using Json = nlohmann::ordered_json;

struct ListArguments {
  std::vector<std::string> patterns;
  std::string sut = "host";
  std::string authority;    // list this authority's claims instead of tests
  bool tags = false;        // list these instead of tests
  bool coverage = false;    // list which claims have a test
  bool by_section = false;  // that, for each section of each document
  std::string html;         // file for a page of the coverage
  bool json = false;
};

// The facts, if there is any test whose duration depends on them and the system can tell them.
std::optional<Facts> FactsFor(const Tests& tests, const std::string& sut) {
  const std::unique_ptr<Target> target = MakeTarget(sut);
  if (std::none_of(tests.begin(), tests.end(),
                   [](const TestCase* test) { return test->traits.lasts.waits(); })) {
    return Facts();
  }
  try {
    return target->Prepare();
  } catch (const HarnessError&) {
    return std::nullopt;
  }
}

std::optional<double> LastsSeconds(const TestCase& test, const std::optional<Facts>& facts) {
  if (!facts) return std::nullopt;
  try {
    return ToSeconds(test.LastsOn(*facts));
  } catch (const std::exception&) {
    return std::nullopt;  // the system lacks a fact
  }
}

std::string LastsText(const TestCase& test, const std::optional<Facts>& facts) {
  const std::optional<double> seconds = LastsSeconds(test, facts);
  if (!seconds) return "unknown";
  return *seconds > 0 ? fmt::format("{:.1f} s", *seconds) : "no wait";
}

void ListTests(const Tests& tests, const std::optional<Facts>& facts) {
  std::size_t width = 0;
  for (const TestCase* test : tests) width = std::max(width, test->id().size());
  for (const TestCase* test : tests) {
    Print("{:<{}}  {:>8}  {}{}\n", test->id(), width, LastsText(*test, facts),
          Joined(test->traits.claims),
          test->traits.needs.empty() ? "" : "  needs " + Joined(test->traits.needs));
  }
}

void ListTestsAsJson(const Tests& tests, const std::optional<Facts>& facts) {
  Json array = Json::array();
  for (const TestCase* test : tests) {
    const std::optional<double> seconds = LastsSeconds(*test, facts);
    array.push_back(Json{{"id", test->id()},
                         {"suite", test->suite},
                         {"name", test->name},
                         {"ip", test->variant.ip_name()},
                         {"variant", test->variant.name},
                         {"claims", test->traits.claims},
                         {"needs", test->traits.needs},
                         {"lasts_s", seconds ? Json(*seconds) : Json()},
                         {"file", test->file},
                         {"line", test->line}});
  }
  PrintDocument(DumpJson(array));
}

// The claims of that authority ("rfc9293"), of one document of it ("man:udp(7)"), or all when it is
// empty. Throws UsageError when there are none.
std::vector<Claim> ClaimsOf(const std::string& authority) {
  std::vector<Claim> claims;
  std::set<std::string> authorities;
  for (const Claim& claim : AllClaims()) {
    authorities.emplace(claim.authority());
    if (authority.empty() || claim.authority() == authority ||
        claim.id.starts_with(authority + '-')) {
      claims.push_back(claim);
    }
  }
  if (claims.empty()) {
    throw UsageError(fmt::format("no claims of '{}'; there are those of {}", authority,
                                 Joined({authorities.begin(), authorities.end()})));
  }
  return claims;
}

void ListClaims(const Tests& tests, const std::string& authority, bool as_json) {
  std::vector<TestCase> selected;
  for (const TestCase* test : tests) selected.push_back(*test);
  const std::vector<ClaimCoverage> coverage = CoverageOf(ClaimsOf(authority), selected);
  if (as_json) {
    PrintDocument(CoverageJson(coverage));
    return;
  }
  for (const ClaimCoverage& entry : coverage) {
    Print("{}  {}  {}\n", entry.claim.id, entry.claim.level, entry.claim.statement);
    for (const std::string& test : entry.tests) Print("    {}\n", test);
    if (!entry.tests.empty()) continue;
    const bool untestable = entry.status == ClaimStatus::kUntestable;
    Print("    {}\n", untestable
                          ? fmt::format("untestable, because {}", entry.claim.untestable_because)
                          : "NO TEST");
  }
  const CoverageCount total = TotalOf(coverage);
  Print("{} of {} claims of {} have a test", total.tested, total.total(), authority);
  Print("{}\n", total.untestable > 0 ? fmt::format(", {} cannot have one", total.untestable)
                                     : std::string());
}

// All tests count: of a part of them it would say that claims are open which are not.
void ListCoverage(const ListArguments& arguments) {
  if (!arguments.patterns.empty()) throw UsageError("--coverage is about all tests: no PATTERN");
  const std::vector<ClaimCoverage> coverage = CoverageOf(ClaimsOf(arguments.authority), AllTests());
  if (!arguments.html.empty()) {
    WriteDocument(arguments.html, CoveragePage(coverage));
  }
  if (arguments.json) {
    PrintDocument(CoverageJson(coverage));
  } else if (arguments.by_section) {
    PrintText(CoverageBySection(coverage));
  } else if (arguments.html.empty()) {
    PrintText(CoverageTable(coverage));
    if (arguments.authority.empty()) {
      Print("\nEach claim: sockproof list --coverage --claims AUTHORITY, --json or --html\n");
    } else {
      PrintText(CoverageRows(coverage));
    }
  }
}

void ListTags(const Tests& tests) {
  std::map<std::string, int> counts;
  for (const TestCase* test : tests) {
    for (const std::string& tag : TagsOf(*test)) ++counts[tag];
  }
  for (const auto& [tag, count] : counts) Print("{:>5}  {}\n", count, tag);
}

int List(const ListArguments& arguments) {
  if (!arguments.html.empty() && !arguments.coverage) {
    throw UsageError("--html goes with --coverage");
  }
  if (arguments.by_section && !arguments.coverage) {
    throw UsageError("--by-section goes with --coverage");
  }
  if (arguments.coverage) {
    ListCoverage(arguments);
    return 0;
  }
  const std::vector<std::string> patterns = PatternsOf(arguments.patterns);
  const Tests tests = Select(AllTests(), patterns);
  if (!arguments.authority.empty()) {
    ListClaims(tests, arguments.authority, arguments.json);
    return 0;
  }
  if (arguments.tags) {
    ListTags(tests);
    return 0;
  }
  const std::optional<Facts> facts = FactsFor(tests, arguments.sut);
  arguments.json ? ListTestsAsJson(tests, facts) : ListTests(tests, facts);
  return 0;
}

// A claim, and the tests that check it.
int ExplainClaim(const std::string& id) {
  const Claim* claim = FindClaim(id);
  if (claim == nullptr) {
    std::vector<std::string> ids;
    for (const Claim& known : AllClaims()) ids.emplace_back(known.id);
    throw UsageError(fmt::format("no claim '{}'{}", id, DidYouMean(id, ids)));
  }
  Print("{}  {}  {}\n  {}\n", claim->id, claim->level, claim->source, claim->statement);
  bool tested = false;
  for (const TestCase& test : AllTests()) {
    const auto& claims = test.traits.claims;
    if (std::find(claims.begin(), claims.end(), id) == claims.end()) continue;
    Print("{}{}\n", tested ? "           " : "  tests:   ", test.id());
    tested = true;
  }
  if (!claim->untestable_because.empty()) {
    Print("  no test, because {}\n", claim->untestable_because);
  } else if (!tested) {
    Print("  no test yet\n");
  }
  return 0;
}

int Explain(const std::string& program, const std::string& id, const std::string& sut) {
  if (id.find(':') != std::string::npos) return ExplainClaim(id);
  const Tests tests = Select(AllTests(), {id});
  const std::optional<Facts> facts = FactsFor(tests, sut);
  // The cases of a test are explained as one.
  for (auto first = tests.begin(); first != tests.end();) {
    const TestCase& test = **first;
    const std::string name = test.test();
    std::vector<std::string> variants;
    for (; first != tests.end() && (*first)->suite == test.suite && (*first)->name == test.name;
         ++first) {
      if (!(*first)->variant.name.empty()) variants.push_back((*first)->variant.name);
    }
    Print("{}{}\n  {}:{}\n", name, variants.empty() ? "" : "  (" + Joined(variants) + ")",
          test.file, test.line);
    for (const std::string& claim_id : test.traits.claims) {
      const Claim* claim = FindClaim(claim_id);
      if (claim == nullptr) {
        Print("  {}: not in the catalogue\n", claim_id);
      } else {
        Print("  {}  {}  ({})\n    {}\n", claim->level, claim->source, claim->id, claim->statement);
      }
    }
    for (const std::string& reason :
         {test.traits.ipv4_only_because, test.traits.ipv6_only_because}) {
      if (!reason.empty()) Print("  {} only: {}\n", test.variant.ip_name(), reason);
    }
    Print("  needs: {}\n",
          test.traits.needs.empty() ? "nothing special" : Joined(test.traits.needs));
    Print("  lasts: {}\n", LastsText(test, facts));
    Print("  replay: {} run {}{}\n", ShellQuoted(program), SutOption(sut),
          ShellQuoted(variants.size() == 1 ? test.id() : name));
  }
  return 0;
}

constexpr const char* kListHelp = R"(Examples:
  sockproof list TimeWait                       tests, how long they wait, what they need
  sockproof list --claims rfc9293               which test checks which claim
  sockproof list --coverage --html page.html    which claims are tested, untestable or open

Exit code: 0 done, 2 wrong usage.)";

Action AddList(CLI::App& app) {
  auto arguments = std::make_shared<ListArguments>();
  app.add_option("PATTERN", arguments->patterns, "As for run");
  app.add_flag("--json", arguments->json, "For programs");
  app.add_flag("--tags", arguments->tags, "The words for --tag, with their number of tests");
  app.add_option("--claims", arguments->authority,
                 "Claims of notes, rfc9293, ..., or of one document: 'man:udp(7)'")
      ->type_name("AUTHORITY");
  app.add_flag("--coverage", arguments->coverage,
               "Which claims are tested, untestable or open; with --claims each of them");
  app.add_flag("--by-section", arguments->by_section, "Its counts for each section of a document");
  app.add_option("--html", arguments->html, "Write the coverage as a web page")->type_name("FILE");
  AddSut(app, arguments->sut);
  return [arguments](const std::string&) { return List(*arguments); };
}

constexpr const char* kExplainHelp = R"(Examples:
  sockproof explain HalfClose
  sockproof explain 'TimeWait.*/ipv6'
  sockproof explain rfc9293:MUST-56     a documented statement, and the tests that check it

Exit code: 0 done, 2 wrong usage.)";

Action AddExplain(CLI::App& app) {
  auto id = std::make_shared<std::string>();
  auto sut = std::make_shared<std::string>("host");
  app.add_option("ID", *id, "As PATTERN of run, or a claim")->required()->type_name("");
  AddSut(app, *sut);
  return [=](const std::string& program) { return Explain(program, *id, *sut); };
}

const CommandRegistration kList({"list", CommandGroup::kTests,
                                 "List tests, or claims with their tests", kListHelp, AddList});
const CommandRegistration kExplain({"explain", CommandGroup::kTests,
                                    "What a test checks, by whose word, and how to repeat it",
                                    kExplainHelp, AddExplain});

}  // namespace
}  // namespace sockproof
