// Hostile agents below the whole program: nothing of what they say controls a terminal or a log.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/text.h"
#include "tests/e2e/program.h"

namespace sockproof {
namespace {

using testing::HasSubstr;

// The way in which the agent is hostile is the name of its program.
Finished RunWith(Workplace& place, const std::string& way, const std::vector<std::string>& words) {
  std::filesystem::create_symlink(SOCKPROOF_HOSTILE_AGENT, place.folder() / way);
  std::vector<std::string> all = words;
  all.insert(all.end(), {"-s", "host,agent=" + (place.folder() / way).string()});
  return place.Wait(place.StartCommand(all));
}

TEST(HostileAgents, AreToldAndHarmless) {
  for (const auto& [way, told] : std::vector<std::pair<std::string, std::string>>{
           {"end-before-begin", "agent sut: socket ended before it began"},
           {"escape-unsupported", "unsup"},
           {"text-value", "a line that is not JSON"},
           {"object-value", "socket: result.value is an object, a whole number"},
           {"dies", "last words: "},
           {"hello-evil", "no sockets here"},
           {"hello-big", "an object expected"},
           {"hello-dies", "exec: /nonexistent-lib-agent: not found"}}) {
    Workplace place(SOCKPROOF_MISBEHAVING);
    const Finished run = RunWith(place, way, {"run", "--out", "out", "Behaves.Passes/ipv4"});
    EXPECT_THAT(run.exit_code, testing::AnyOf(1, 3)) << way << run.out;
    const std::string all = run.out + run.err;
    EXPECT_THAT(all, HasSubstr(told)) << way;
    EXPECT_EQ(all, CleanLog(all)) << way << " is not harmless";
  }
}

TEST(HostileAgents, AreHarmlessToDoctorAndAgentCheck) {
  for (const char* way : {"hello-evil", "hello-text", "dies", "evil-error"}) {
    Workplace place(SOCKPROOF_PROGRAM);
    const Finished doctor = RunWith(place, way, {"doctor"});
    EXPECT_EQ(doctor.out + doctor.err, CleanLog(doctor.out + doctor.err)) << way;
    const Finished check = place.Command({"agent-check", SOCKPROOF_HOSTILE_AGENT, way});
    EXPECT_EQ(check.out + check.err, CleanLog(check.out + check.err)) << way;
    EXPECT_NE(check.exit_code, 0) << way;
  }
}

}  // namespace
}  // namespace sockproof
