// Whatever an agent answers: an error that names it, clean, and in bounded memory.
#include <gmock/gmock.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/base/unique_fd.h"
#include "harness/sut/agent.h"
#include "harness/sut/agent_reply.h"

namespace sockproof {
namespace {

struct Hostility {
  const char* way;  // of hostile_agent.cc
  const char* told;
};

void PrintTo(const Hostility& hostility, std::ostream* out) { *out << hostility.way; }

class HostileAgent : public testing::TestWithParam<Hostility> {
 protected:
  HostileAgent() : terminal_(dup(STDERR_FILENO)), complaints_(memfd_create("stderr", MFD_CLOEXEC)) {
    dup2(complaints_.get(), STDERR_FILENO);
#ifndef __SANITIZE_ADDRESS__
    getrlimit(RLIMIT_AS, &before_);
    const rlimit most{rlim_t{512} << 20, before_.rlim_max};
    setrlimit(RLIMIT_AS, &most);
#endif
  }
  ~HostileAgent() override {
    dup2(terminal_.get(), STDERR_FILENO);
#ifndef __SANITIZE_ADDRESS__
    setrlimit(RLIMIT_AS, &before_);
#endif
  }

  // What is told of the agent, whether the call ends as an error or is refused.
  std::string Told(const std::string& way) {
    EventLoop loop;
    EventLog log{-1};
    try {
      const auto agent = Agent::Spawn(loop, log, "sut", {SOCKPROOF_HOSTILE_AGENT, {way}});
      const AgentReply reply =
          agent->Call("socket", {{"domain", "AF_INET"}, {"type", "SOCK_STREAM"}}, "socket()");
      return "no error: " + Describe(reply);
    } catch (const HarnessError& error) {
      return error.what();
    } catch (const Skip& skip) {
      return std::string("skip: ") + skip.what();
    }
  }

  UniqueFd terminal_;
  UniqueFd complaints_;
  rlimit before_{};
};

TEST_P(HostileAgent, IsTold) {
  const std::string told = Told(GetParam().way);
  EXPECT_THAT(told, testing::HasSubstr(GetParam().told));
  EXPECT_EQ(told, CleanLine(told)) << "it is not harmless";
  EXPECT_LE(told.size(), 500U);
}

constexpr Hostility kInACall[] = {
    {"end-before-begin", "agent sut: socket ended before it began"},
    {"past", "before it was asked for"},
    {"future", "whole nanoseconds since 1970, up to 2116, expected"},
    {"years-ahead", "in the future"},
    {"overflow", "result.begin is"},
    {"unsigned", "result.begin is 18446744073709551615"},
    {"negative", "result.begin is -1"},
    {"float", "result.begin is 1e+300"},
    {"text-time", "result.begin is the text \"now\""},
    {"no-times", "result has no member \"begin\""},
    {"object-value", "socket: result.value is an object, a whole number"},
    {"text-value", "does not speak the protocol: a line that is not JSON"},
    {"float-value", "result.value is 3.5, a whole number"},
    {"wide-value", "result.value is 4294967299, a whole number of 32 bits expected"},
    {"null-value", "result.value is null"},
    {"big-value", "(15728640 octets)"},
    {"no-value", "neither \"value\" nor \"errno\""},
    {"list-result", "socket: result is a list of 0, an object expected"},
    {"no-result", "neither \"result\" nor \"error\""},
    {"evil-errno", "a line that is not JSON"},
    {"number-errno", "result.errno is 111, text expected"},
    {"signals", "result.signals is a list of 20000, a list of at most 64 signals expected"},
    {"evil-signal", "a line that is not JSON"},
    {"evil-error", "a line that is not JSON"},
    {"evil-unsupported", "a line that is not JSON"},
    {"escape-unsupported", "skip: agent sut: unsup␛[31m ::error::pwn"},
    {"escape-errno", "has no number on this system"},
    {"object-error", "socket: error.code is the text \"x\""},
    {"text-error", "socket: error is the text \"no\", an object expected"},
    {"twice", "answered twice: socket"},
    {"wrong-id", "answered what nobody asked"},
    {"text-id", "answered what nobody asked"},
    {"no-id", "a line without an id"},
    {"garbage", "a line that is not JSON"},
    {"array", "a list of 3 in place of a JSON-RPC object"},
    {"deep", "nested deeper than 16"},
    {"wide", "a line with more than 200000 values"},
    {"dies", "exited with status 7: first line last words: ␛[31m"},
    {"closes", "closed its output"},
    {"no-newline", "a line of more than 16777216 bytes"},
};
INSTANTIATE_TEST_SUITE_P(InACall, HostileAgent, testing::ValuesIn(kInACall));

constexpr Hostility kAtTheStart[] = {
    {"hello-text", "hello: result.value is the text \"\\u001b[31mhello\", an object expected"},
    {"hello-list", "hello: result.value is a list of 1, an object expected"},
    {"hello-protocol", "hello: result.value.protocol is the text \"one\""},
    {"hello-capabilities", "hello: result.value.capabilities is the text \"all\", a list expected"},
    {"hello-numbers", "hello: result.value.os is 7, text expected"},
    {"hello-facts", "hello: result.value.facts.a is a list of 2, text expected"},
    {"hello-big", "(15728640 octets), an object expected"},
    {"hello-dies", "exited with status 127: exec: /nonexistent-lib-agent: not found"},
};
INSTANTIATE_TEST_SUITE_P(AtTheStart, HostileAgent, testing::ValuesIn(kAtTheStart));

}  // namespace
}  // namespace sockproof
