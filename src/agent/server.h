// JSON-RPC over two descriptors: lines in, lines out, calls side by side.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "src/agent/blocking_call.h"
#include "src/agent/method.h"

namespace sockproof::agent {

// Splits what arrives on a descriptor into lines. Borrows the descriptor. Not thread-safe.
class LineReader {
 public:
  enum class Status { kLine, kTooLong, kEnd };

  explicit LineReader(int fd) : fd_(fd) {}

  // Waits for a line. `line` is without its newline and good until the next call.
  Status Next(std::string_view& line);

 private:
  int fd_;
  std::string buffer_;
  std::size_t begin_ = 0;    // of the line
  std::size_t scanned_ = 0;  // no newline before this
  bool skipping_ = false;    // the rest of a line that is too long
  std::array<char, 65536> chunk_;
};

// Serves one client. One thread at a time, the leader, reads requests. A call that returns at once
// it makes itself. Before one that may block it steps back, so that another thread leads: a spare
// one, or a new one when there is none. That one first waits until the call is under way, and
// announces it if that was asked for. So a request is in the hands of one thread from its first
// byte to its reply, and there is no queue between threads.
class Server {
 public:
  // Passes a request on to another process of the agent. False: there is no such process.
  using Forward = bool (*)(int process, const std::string& line);

  // The descriptors are borrowed. `forward` is nullptr where there are no other processes, and
  // `has_signals` false where no signal interrupts a call.
  Server(int input, int output, MethodFinder find_method, Forward forward = nullptr,
         bool has_signals = true)
      : find_method_(find_method),
        forward_(forward),
        has_signals_(has_signals),
        reader_(input),
        output_(output) {}

  // Does not return: the process ends with its input.
  [[noreturn]] void Serve();

  // Writes a line of another process of the agent.
  void WriteLine(std::string_view line);

 private:
  struct Request;
  using BlockingCalls = std::list<std::shared_ptr<BlockingCall>>;

  [[noreturn]] void Work();
  Request LeadUntilBlockingCall();
  std::optional<Request> Parse(std::string_view line);
  bool EnsureSuccessor();
  void Carry(const Request& request);
  json Answer(const Request& request);
  json AnswerAboutCall(const Request& request);
  void ForwardRequest(json message);
  void Announce(const json& id, std::int64_t time);
  void Announce(BlockingCall& call);
  static json ErrorReply(const json& id, int code, const std::string& message);
  void ReplyError(const json& id, int code, const std::string& message);
  void Write(const json& message);

  const MethodFinder find_method_;
  const Forward forward_;
  const bool has_signals_;
  std::mutex lead_;  // held by the leader; guards the next two
  LineReader reader_;
  std::shared_ptr<BlockingCall> to_be_announced_;  // by the next leader, once it is in the call
  std::atomic<int> spare_threads_ = 0;             // on their way to lead_
  std::atomic<int> blocking_calls_ = 0;            // that have not been answered

  std::mutex noting_calls_;  // guards calls_
  BlockingCalls calls_;      // that have not been answered

  std::mutex writing_;  // guards output_
  int output_;
};

}  // namespace sockproof::agent
