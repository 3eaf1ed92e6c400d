// An agent under check: its lines, and nothing that the harness's client would hide.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/time.h"
#include "harness/base/unique_fd.h"

namespace sockproof::agent_check {

using nlohmann::json;

// The agent does not do what is required of it.
class Departed : public std::runtime_error {
 public:
  Departed(std::string expected, std::string actual)
      : std::runtime_error(expected + "; " + actual),
        expected_(std::move(expected)),
        actual_(std::move(actual)) {}
  const std::string& expected() const { return expected_; }
  const std::string& actual() const { return actual_; }

 private:
  std::string expected_;
  std::string actual_;
};

// It says nothing at all within Session::kPatience.
class Silent : public Departed {
 public:
  using Departed::Departed;
};

// The agent says, as it may, that it does not know something.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One run of an agent, on the other end of two pipes. It may run on another machine. Owns the
// process, which is killed at the end. Not thread-safe.
class Session {
 public:
  // `command` is a program, searched in PATH, and its arguments. Throws HarnessError when there is
  // none to start.
  explicit Session(const std::vector<std::string>& command);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Writes text as it is. Throws Departed when the agent is gone or does not read.
  void Send(std::string_view text);

  // The next line as JSON. Throws Departed when none comes, or one that is no JSON-RPC.
  json Receive();
  // The same, of replies; announcements are passed over.
  json ReceiveReply();

  // A line, and the reply to it.
  json Ask(const std::string& line);

  // A request with an id of its own, sent. Its id.
  int Start(const std::string& method, json parameters);
  // Its reply; what comes before is kept for whoever asks.
  json ReplyTo(int id);
  // The whole reply of a request: with "result" or "error".
  json Request(const std::string& method, json parameters);

  // The "result" of a call that was made. Throws Unsupported, and Departed for another error.
  json Result(const std::string& method, json parameters);
  json ResultOf(int id);
  // The value of a call that must succeed.
  json Value(const std::string& method, json parameters);

  // Asks hello and waits for a first line. If the process ends before it, how it ended; else
  // nothing.
  std::optional<std::string> EndBeforeFirstLine();

  // Closes the agent's input, and waits until the process has ended. False: it has not.
  bool EndsWithItsInput();

  // How long an answer is waited for.
  static constexpr Duration kPatience{std::chrono::seconds(20)};

 private:
  std::optional<std::string> NextLine();
  // Waits until the process has ended; false when it has not within that time.
  bool Ended(Duration patience);
  std::string HowItEnded();

  pid_t pid_ = -1;
  bool reaped_ = false;
  int status_ = 0;  // once it is reaped
  UniqueFd to_agent_;
  UniqueFd from_agent_;
  UniqueFd complaints_;  // its standard error, a file in memory
  std::string input_;
  std::size_t scanned_ = 0;
  int last_id_ = 0;
  std::vector<json> kept_;
};

}  // namespace sockproof::agent_check
