// How long one call on the agent takes, there and back: getsockname() 10,000 times.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/base/event_loop.h"
#include "harness/base/time.h"
#include "harness/sut/agent.h"
#include "harness/sut/agent_reply.h"
#include "harness/trace/event_log.h"

namespace sockproof {
namespace {

constexpr std::size_t kCalls = 10'000;

void Report(const char* what, std::vector<Duration> times) {
  std::sort(times.begin(), times.end());
  fmt::print("{:<24} median {:>8}  p99 {:>8}  max {:>8}\n", what, FormatDuration(times[kCalls / 2]),
             FormatDuration(times[kCalls * 99 / 100]), FormatDuration(times.back()));
}

template <typename Function>
std::vector<Duration> Measure(const Function& function) {
  std::vector<Duration> times;
  for (std::size_t i = 0; i < kCalls; ++i) {
    const Time begin = Clock::now();
    function();
    times.push_back(Clock::now() - begin);
  }
  return times;
}

void Run() {
  EventLoop loop;
  EventLog log(-1);
  const auto agent =
      Agent::Spawn(loop, log, "sut", AgentCommand{.program = SOCKPROOF_AGENT_PROGRAM});
  const auto fd = agent->Call("socket", {{"domain", "AF_INET"}, {"type", "SOCK_STREAM"}}, "").value;
  Report("getsockname", Measure([&] { agent->Call("getsockname", {{"fd", fd}}, ""); }));
  Report("getsockname, logged", Measure([&] {
           agent->Call("getsockname", {{"fd", fd}}, "getsockname(3)");
         }));
  // May block, so that the agent hands the lead over for it.
  Report("recv on no connection", Measure([&] {
           agent->Call("recv", {{"fd", fd}, {"length", 1}}, "");
         }));
  Report("the same, announced", Measure([&] {
           const auto call = agent->Start("recv", {{"fd", fd}, {"length", 1}}, "");
           agent->Wait(call, Clock::now() + 30s);
           agent->Take(call);
         }));
}

}  // namespace
}  // namespace sockproof

int main() { sockproof::Run(); }
