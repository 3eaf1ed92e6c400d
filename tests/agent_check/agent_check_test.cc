// Our agents conform, and agents that do not are found out: the same checks as `sockproof
// agent-check` makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "src/agent_check/checks.h"

namespace sockproof::agent_check {
namespace {

using ::testing::HasSubstr;

// ---- our agents, and the one that a porter names ----

class OurAgent : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> Agents() {
  std::vector<std::string> agents = {SOCKPROOF_AGENT_PROGRAM, SOCKPROOF_AGENT_IN_C};
  const char* another = getenv("SOCKPROOF_AGENT");
  if (another != nullptr) agents.emplace_back(another);
  return agents;
}

TEST_P(OurAgent, DoesWhatIsRequired) {
  Conformance conformance({GetParam()});
  for (const Check& check : Checks()) {
    const Finding finding = conformance.Run(check);
    EXPECT_NE(finding.kind, Finding::Kind::kDeparts)
        << check.requirement << "\nexpected: " << finding.expected
        << "\nactual: " << finding.actual;
    if (check.section == "Capabilities") continue;  // those of the machine
    if (check.name == "ipv6") continue;
    // Only an agent that can look at its threads tells it; the harness does without.
    if (finding.remark == "method blocked is unsupported") continue;
    if (finding.remark == "method interrupt is unsupported") continue;
    EXPECT_NE(finding.kind, Finding::Kind::kUnsupported)
        << check.requirement << ": " << finding.remark;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, OurAgent, ::testing::ValuesIn(Agents()),
                         [](const auto& parameter) { return std::to_string(parameter.index); });

// ---- agents that do wrong: ours behind a filter ----

const Check& CheckNamed(const std::string& name) {
  const auto check = std::find_if(Checks().begin(), Checks().end(),
                                  [&](const Check& candidate) { return candidate.name == name; });
  if (check == Checks().end()) throw HarnessError("no check " + name);
  return *check;
}

Finding Find(const std::string& check, const std::string& script) {
  return Conformance({"sh", "-c", script}).Run(CheckNamed(check));
}

const std::string kAgent = SOCKPROOF_AGENT_PROGRAM;

struct Wrong {
  std::string check;
  std::string script;
};

void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.script; }

class WrongAgent : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongAgent, IsFoundOut) {
  EXPECT_EQ(Find(GetParam().check, GetParam().script).kind, Finding::Kind::kDeparts);
}

const std::vector<Wrong> kWrong = {
    {"hello", "read -r line; echo login:; cat >/dev/null"},
    {"hello", kAgent + R"( | sed -u 's/"machine":"[^"]*",//')"},
    {"other-protocol", R"(sed -u 's/"protocol":0/"protocol":1/' | )" + kAgent},
    {"ids", kAgent + R"( | sed -u 's/"id":7/"id":8/')"},
    {"no-json", kAgent + R"( | sed -u 's/-32700/-32600/')"},
    {"notifications",
     R"(sed -u 's/^{"jsonrpc":"2.0","method"/{"jsonrpc":"2.0","id":1,"method"/' | )" + kAgent},
    {"unsupported", R"(sed -u 's/,"softly":true//' | )" + kAgent},
    {"bad-parameters", R"(sed -u 's/1.5/1000000/' | )" + kAgent},
    {"errno", kAgent + R"( | sed -u 's/EBADF/EINVAL/')"},
    {"time", kAgent + R"-( | sed -u -E 's/("(begin|end)":[0-9]+)[0-9]{3}/\1/g')-"},
    {"begun", kAgent + R"( | sed -u '/"begun"/d')"},
    {"connect", kAgent + R"( | sed -u 's/127.0.0.1/127.0.0.2/')"},
    {"data", kAgent + R"( | sed -u 's/"data":"AAEC/"data":"AAED/')"},
    {"poll", kAgent + R"( | sed -u 's/POLLOUT/POLLERR/')"},
    {"epoll", kAgent + R"( | sed -u 's/EPOLLIN/EPOLLOUT/')"},
};

INSTANTIATE_TEST_SUITE_P(Each, WrongAgent, ::testing::ValuesIn(kWrong), [](const auto& parameter) {
  std::string name = parameter.param.check + std::to_string(parameter.index);
  std::erase(name, '-');
  return name;
});

TEST(Declaration, ThatIsFalseIsAFault) {
  const Finding finding =
      Find("declares-epoll", R"(sed -u 's/epoll_create1/frobnicate/' | )" + kAgent);
  EXPECT_EQ(finding.kind, Finding::Kind::kDeparts);
  EXPECT_EQ(finding.expected, "epoll works, as declared");
  EXPECT_THAT(finding.actual, HasSubstr("frobnicate"));
}

TEST(Declaration, ThatIsMissingIsMentioned) {
  const Finding finding = Find("declares-epoll", kAgent + R"( | sed -u 's/"epoll",//')");
  EXPECT_EQ(finding.kind, Finding::Kind::kConforms);
  EXPECT_THAT(finding.remark, HasSubstr("not declared"));
}

TEST(Conformance, GoesOnWithAFreshAgent) {
  // The agent dies of every close() of a descriptor that is not open.
  Conformance conformance(
      {"sh", "-c",
       "while read -r line; do case $line in *-1*|*1000000*) exit 5;; esac; "
       R"(echo '{"jsonrpc":"2.0","id":1,"result":{"begin":1,"end":2,"value":"pong"}}'; done)"});
  const Check& check = CheckNamed("errno");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(conformance.Run(check).actual, "the agent ended with status 5");
  }
}

TEST(Conformance, NeedsAProgramThatCanBeStarted) {
  EXPECT_THROW(Conformance({"/no/such/agent"}).Run(Checks().front()), HarnessError);
}

TEST(Session, TellsHowAProcessEndedThatIsNoAgent) {
  EXPECT_EQ(Session({"sh", "-c", "exit 9"}).EndBeforeFirstLine(), "the agent ended with status 9");
  EXPECT_EQ(Session({kAgent}).EndBeforeFirstLine(), std::nullopt);
}

}  // namespace
}  // namespace sockproof::agent_check
