#include "src/agent_check/session.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "harness/agent_protocol/protocol.h"
#include "harness/base/complaints.h"
#include "harness/base/errors.h"
#include "harness/base/program.h"

namespace sockproof::agent_check {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Duration kFromLastOutputToEnd = 2s;
constexpr rlim_t kMostComplaints = 4 << 20;  // octets on standard error

std::string Shortened(std::string text) {
  constexpr std::size_t kShown = 200;
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  return json(text).dump(-1, ' ', true, json::error_handler_t::replace);
}

// Waits for `events`; false when they do not come in time.
bool WaitFor(int fd, short events, Steady::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
    pollfd entry{fd, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) ThrowErrno("poll");
  }
}

}  // namespace

Session::Session(const std::vector<std::string>& command) {
  int requests[2];
  int replies[2];
  if (pipe2(requests, O_CLOEXEC) != 0) ThrowErrno("pipe2");
  to_agent_.Reset(requests[1]);
  const UniqueFd agent_input(requests[0]);
  if (pipe2(replies, O_CLOEXEC) != 0) ThrowErrno("pipe2");
  from_agent_.Reset(replies[0]);
  const UniqueFd agent_output(replies[1]);
  complaints_.Reset(memfd_create("complaints", MFD_CLOEXEC));
  if (!complaints_) ThrowErrno("memfd_create");
  signal(SIGPIPE, SIG_IGN);  // that an agent has ended is told by EPIPE
  pid_ = StartProgram(command, {agent_input.get(), agent_output.get(), complaints_.get()}, [] {
    const rlimit most{kMostComplaints, kMostComplaints};
    return setrlimit(RLIMIT_FSIZE, &most) == 0 ? 0 : errno;
  });
  fcntl(to_agent_.get(), F_SETFL, O_NONBLOCK);
}

Session::~Session() {
  if (reaped_) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Session::Send(std::string_view text) {
  const auto deadline = Steady::now() + kPatience;
  while (!text.empty()) {
    const ssize_t count = write(to_agent_.get(), text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      if (!WaitFor(to_agent_.get(), POLLOUT, deadline)) {
        throw Departed("the agent reads its input",
                       "it has not read on for " + FormatDuration(kPatience));
      }
    } else if (errno != EINTR) {
      throw Departed("the agent reads its input", HowItEnded());
    }
  }
}

std::optional<std::string> Session::NextLine() {
  const auto deadline = Steady::now() + kPatience;
  while (true) {
    const std::size_t end = input_.find('\n', scanned_);
    if (end != std::string::npos) {
      std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      scanned_ = 0;
      return line;
    }
    scanned_ = input_.size();
    if (input_.size() > agent_protocol::kLongestLine) {
      throw Departed("lines of at most 16 MiB", "a line without an end");
    }
    if (!WaitFor(from_agent_.get(), POLLIN, deadline)) return std::nullopt;
    std::array<char, 65536> chunk;
    const ssize_t count = read(from_agent_.get(), chunk.data(), chunk.size());
    if (count > 0) {
      input_.append(chunk.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      throw Departed("an answer", HowItEnded());
    }
  }
}

json Session::Receive() {
  const std::optional<std::string> line = NextLine();
  if (!line) throw Silent("an answer", "none within " + FormatDuration(kPatience));
  json message;
  try {
    message = json::parse(*line);
  } catch (const json::exception&) {
    throw Departed("a line of JSON", Shortened(*line));
  }
  if (!message.is_object() || message.value("jsonrpc", json()) != "2.0") {
    throw Departed("an object with \"jsonrpc\":\"2.0\"", Shortened(*line));
  }
  const bool announcement = message.contains("method");
  const bool reply =
      message.contains("id") && (message.contains("result") != message.contains("error"));
  if (announcement == reply) {
    throw Departed("a reply with id and either result or error, or an announcement",
                   Shortened(*line));
  }
  return message;
}

json Session::ReceiveReply() {
  while (true) {
    json message = Receive();
    if (!message.contains("method")) return message;
  }
}

json Session::Ask(const std::string& line) {
  Send(line + '\n');
  return ReceiveReply();
}

int Session::Start(const std::string& method, json parameters) {
  const json request = {{"jsonrpc", "2.0"},
                        {"id", ++last_id_},
                        {"method", method},
                        {"params", std::move(parameters)}};
  Send(request.dump() + '\n');
  return last_id_;
}

json Session::ReplyTo(int id) {
  const auto found = std::find_if(kept_.begin(), kept_.end(),
                                  [id](const json& message) { return message["id"] == id; });
  if (found != kept_.end()) {
    json message = *found;
    kept_.erase(found);
    return message;
  }
  while (true) {
    json message = ReceiveReply();
    if (message["id"] == id) return message;
    if (message["id"].is_null()) {
      throw Departed("an answer to request " + std::to_string(id), Shortened(message.dump()));
    }
    kept_.push_back(std::move(message));
  }
}

json Session::Request(const std::string& method, json parameters) {
  return ReplyTo(Start(method, std::move(parameters)));
}

json Session::ResultOf(int id) {
  json reply = ReplyTo(id);
  if (reply.contains("error")) {
    const int code = reply["error"].value("code", 0);
    const std::string message = reply["error"].value("message", "no message");
    if (code == agent_protocol::kUnsupported || code == agent_protocol::kUnknownMethod) {
      throw Unsupported(message);
    }
    throw Departed("a result", fmt::format("error {}: {}", code, message));
  }
  json result = reply["result"];
  const bool one_of_two =
      result.is_object() && result.contains("value") != result.contains("errno");
  if (!one_of_two || !result.value("begin", json()).is_number_integer() ||
      !result.value("end", json()).is_number_integer() ||
      result.value("value", json(0)).is_null()) {
    throw Departed("a result with begin, end, and either value (not null) or errno",
                   Shortened(result.dump()));
  }
  return result;
}

json Session::Result(const std::string& method, json parameters) {
  return ResultOf(Start(method, std::move(parameters)));
}

json Session::Value(const std::string& method, json parameters) {
  json result = Result(method, std::move(parameters));
  if (result.contains("errno")) {
    throw Departed(method + " succeeds", "it fails with " + result["errno"].dump());
  }
  return result["value"];
}

bool Session::Ended(Duration patience) {
  if (reaped_) return true;
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!process) ThrowErrno("pidfd_open");
  if (!WaitFor(process.get(), POLLIN, Steady::now() + patience)) return false;
  waitpid(pid_, &status_, 0);
  reaped_ = true;
  return true;
}

std::string Session::HowItEnded() {
  if (!Ended(kFromLastOutputToEnd)) return "the agent has closed its output";
  std::string complaint = EndOfFile(complaints_.get(), 0);
  if (!complaint.empty()) complaint = ": " + complaint;
  if (WIFSIGNALED(status_)) {
    const char* name = sigabbrev_np(WTERMSIG(status_));
    return fmt::format("the agent was killed by SIG{}{}", name != nullptr ? name : "?", complaint);
  }
  return fmt::format("the agent ended with status {}{}", WEXITSTATUS(status_), complaint);
}

std::optional<std::string> Session::EndBeforeFirstLine() {
  try {
    Start("hello", {{"protocol", agent_protocol::kVersion}});
    NextLine();
  } catch (const Departed& departed) {
    if (reaped_) return departed.actual();
  }
  return std::nullopt;
}

bool Session::EndsWithItsInput() {
  to_agent_.Reset();
  return Ended(kPatience);
}

}  // namespace sockproof::agent_check
