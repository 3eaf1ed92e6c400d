// The harness's end of an agent: the small program that makes socket calls inside a system under
// test (src/agent/README.md has the protocol).
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/base/event_loop.h"
#include "harness/base/time.h"
#include "harness/trace/event_log.h"

namespace sockproof {

struct AgentReply;  // harness/sut/agent_reply.h

// How to start an agent.
struct AgentCommand {
  std::string program;  // a path; PATH is not searched
  std::vector<std::string> arguments;
  // Runs in the child between fork and exec (async-signal-safe calls only), e.g. to enter a
  // network namespace. Returns 0 or an errno, which makes the spawn fail.
  std::function<int()> in_child;
  // What this process does while the agent starts; nothing by default.
  std::function<void()> meanwhile;
  Duration hello_time = std::chrono::seconds(10);  // from its start to its answer
  // For programs that run the agent elsewhere or are the stack under test themselves. Called when
  // the agent has ended, with how it did; throws what follows from that. Without it, or if it
  // returns, a HarnessError is thrown.
  std::function<void(const std::string& end)> ended;
  // The process, as /proc of this process knows it, that waits for a processor when the agent is
  // late. Without it, that is the agent's own.
  std::function<int()> serving_pid;
  // Whether the stack under test is this process, or one that it started: it works on its own, and
  // is late with what no call asked of it.
  bool is_the_stack = false;
  // Whether what it writes to files is no complaints of its own: a sandbox's memory is a file. Else
  // what it says on standard error is cut off at 4 MiB when that is a file.
  bool writes_files = false;
  // Whether its clock may be another than ours: its times are then brought to ours as they come.
  bool own_clock = false;
};

// One running agent. Owns the process: it is killed with this object and, by its parent-death
// signal, with this process. Calls run concurrently in the agent; replies come in any order.
// Not thread-safe; replies are taken in only inside EventLoop::RunUntil().
class Agent {
 public:
  using CallId = int;

  // Starts the agent and shakes hands. `actor` names it in the log. Throws HarnessError when it
  // does not start, speaks another protocol version or does not answer in time.
  static std::unique_ptr<Agent> Spawn(EventLoop& loop, EventLog& log, std::string actor,
                                      const AgentCommand& command);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Sends the call and returns once the agent has said that it is under way (or refused it, which
  // Wait() reports): its thread sleeps in it. Agents that cannot look at their threads say it just
  // before they make the call. `text` is its form in the ladder: connect(3, 192.0.2.2:80). Calls
  // whose text is empty are not logged. Throws HarnessError when the agent is gone.
  CallId Start(const std::string& method, nlohmann::json params, const std::string& text);

  // Waits for the reply until `deadline`. False: no reply, but the agent is alive (it answered a
  // ping), so the call itself had not returned by then. Throws HarnessError when the agent is gone
  // or does not answer the ping within 2 s, Skip when the agent calls the method or its parameters
  // unsupported.
  bool Wait(CallId call, Time deadline);

  // Whether the call has not returned, after all that the kernel did up to now: the agent has seen
  // its thread asleep in it. Of an agent that cannot look at its threads: it has not replied, and
  // has answered a ping since. Throws as Wait() does.
  bool StillBlocks(CallId call);

  // Sends a signal to the thread that sleeps in that call; with `restart` one whose handler has
  // SA_RESTART. False: no thread sleeps there. Throws Skip where the agent cannot do it.
  bool Interrupt(CallId call, bool restart);

  // The reply of a finished call; each can be taken once. Throws as Wait() does for calls that the
  // agent refused.
  AgentReply Take(CallId call);

  // Start, Wait (for 30 s, then HarnessError) and Take. For calls that do not block.
  AgentReply Call(const std::string& method, nlohmann::json params, const std::string& text);

  // For systems that are made wrong on purpose: changes requests on their way to the agent, and the
  // results of its replies ({"value" or "errno", "begin", "end", ...}).
  struct Lie {
    std::function<void(const std::string& method, nlohmann::json& params)> request;
    std::function<void(const std::string& method, const nlohmann::json& params,
                       nlohmann::json& result)>
        reply;
  };
  void LieWith(Lie lie);

  // The "hello" reply: protocol, name, capabilities, pid, clock.
  const nlohmann::json& hello() const;
  bool Can(const std::string& capability) const;
  bool has_own_clock() const;
  const std::string& actor() const;
  int pid() const;  // of the process that was started, as this process sees it
  // From now on it is looked how long its threads have to wait for a processor.
  void NoteWaits();
  // How long one of them waited at most since then: the most that all of them waited together
  // between two looks, which are taken with its replies, and each second where it is the stack
  // itself. 0 where the kernel does not count it (proc(5), /proc/pid/schedstat).
  Duration WorstWait();

 private:
  class Process;
  explicit Agent(std::unique_ptr<Process> process);
  std::unique_ptr<Process> process_;
};

}  // namespace sockproof
