// Framing, errors and threads of the protocol (README.md, "Framing" to "The end").
#include "src/agent/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "harness/agent_protocol/protocol.h"
#include "src/agent/processes.h"

namespace sockproof::agent {
namespace {

using namespace agent_protocol;  // NOLINT: error codes

constexpr int kMostBlockingCalls = 256;
// The methods that are about calls, not about sockets.
constexpr const char* kBlocked = "blocked";
constexpr const char* kInterrupt = "interrupt";

bool WantsAnnouncement(const json& parameters) {
  return parameters.is_object() && parameters.value("announce", json()) == true;
}

// Requests nest three deep. Without a limit 16 MiB of brackets would take a gigabyte of memory.
json ParseShallow(std::string_view line) {
  constexpr int kDeepest = 16;
  return json::parse(line, [](int depth, json::parse_event_t, const json&) {
    if (depth > kDeepest) throw std::length_error("nested too deeply");
    return true;
  });
}

// A descriptor that someone else made non-blocking has to be waited for.
void WaitFor(int fd, short events) {
  pollfd entry{fd, events, 0};
  poll(&entry, 1, -1);
}

}  // namespace

LineReader::Status LineReader::Next(std::string_view& line) {
  while (true) {
    const std::size_t end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) {
      line = std::string_view(buffer_).substr(begin_, end - begin_);
      begin_ = scanned_ = end + 1;
      if (std::exchange(skipping_, false) || line.size() > kLongestLine) return Status::kTooLong;
      return Status::kLine;
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    if (buffer_.size() > kLongestLine) skipping_ = true;
    if (skipping_) buffer_.clear();
    scanned_ = buffer_.size();

    const ssize_t count = read(fd_, chunk_.data(), chunk_.size());
    if (count > 0) {
      buffer_.append(chunk_.data(), static_cast<std::size_t>(count));
    } else if (count < 0 && errno == EAGAIN) {
      WaitFor(fd_, POLLIN);
    } else if (count == 0 || errno != EINTR) {
      return Status::kEnd;
    }
  }
}

struct Server::Request {
  json id;
  json parameters;
  const Method* method = nullptr;  // null: kBlocked or kInterrupt
  bool interrupts = false;
  std::shared_ptr<BlockingCall> call;  // of a method that may block

  bool may_block() const { return method != nullptr && method->may_block; }
};

void Server::Serve() {
  EnsureSuccessor();  // of the first blocking call: at once, not when it is wanted
  Work();
}

void Server::Work() {
  while (true) Carry(LeadUntilBlockingCall());
}

Server::Request Server::LeadUntilBlockingCall() {
  ++spare_threads_;
  const std::lock_guard lead(lead_);
  --spare_threads_;
  if (const auto call = std::exchange(to_be_announced_, nullptr)) {
    if (call->WaitUntilItSleeps()) Announce(*call);
  }
  while (true) {
    std::string_view line;
    switch (reader_.Next(line)) {
      case LineReader::Status::kEnd:
        _exit(0);  // whatever the other threads wait for
      case LineReader::Status::kTooLong:
        ReplyError(nullptr, kInvalidRequest,
                   "longer than " + std::to_string(kLongestLine) + " bytes");
        continue;
      case LineReader::Status::kLine:
        break;
    }
    std::optional<Request> request = Parse(line);
    if (!request) continue;
    if (!request->may_block()) {
      Carry(*request);
    } else if (blocking_calls_ < kMostBlockingCalls && EnsureSuccessor()) {
      ++blocking_calls_;
      request->call = std::make_shared<BlockingCall>(request->id);
      if (WantsAnnouncement(request->parameters)) to_be_announced_ = request->call;
      const std::lock_guard lock(noting_calls_);
      calls_.push_back(request->call);
      return *std::move(request);
    } else {
      ReplyError(request->id, kTooManyCalls, "too many calls at a time");
    }
  }
}

std::optional<Server::Request> Server::Parse(std::string_view line) {
  Request request;
  try {
    json message = ParseShallow(line);
    if (!message.is_object()) {
      ReplyError(nullptr, kInvalidRequest, "a request is an object");
      return std::nullopt;
    }
    if (!message.contains("id")) return std::nullopt;  // a notification: none has a meaning here
    const auto params = message.find("params");
    if (forward_ && params != message.end() && params->is_object() && params->contains("process")) {
      ForwardRequest(std::move(message));
      return std::nullopt;
    }
    if (!message["id"].is_number_integer() && !message["id"].is_string()) {
      ReplyError(nullptr, kInvalidRequest, "id must be an integer or a string");
      return std::nullopt;
    }
    request.id = std::move(message["id"]);
    const json method = message.value("method", json());
    if (message.value("jsonrpc", json()) != "2.0" || !method.is_string()) {
      ReplyError(request.id, kInvalidRequest, "jsonrpc must be \"2.0\" and method a string");
      return std::nullopt;
    }
    request.parameters = message.value("params", json::object());
    request.method = find_method_(method.get_ref<const std::string&>());
    request.interrupts = has_signals_ && method == kInterrupt;
    if (request.method == nullptr && method != kBlocked && !request.interrupts) {
      ReplyError(request.id, kUnknownMethod,
                 "method " + method.get<std::string>() + " is unsupported");
      return std::nullopt;
    }
    return request;
  } catch (const std::exception& error) {  // malformed, or too large for the memory there is
    ReplyError(request.id, kParseError, error.what());
    return std::nullopt;
  }
}

// Makes sure that a thread takes over when this one gives up lead_.
bool Server::EnsureSuccessor() {
  if (spare_threads_ > 0) return true;
  try {
    std::thread([this] { Work(); }).detach();
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Server::Carry(const Request& request) {
  if (request.method == nullptr) return Write(AnswerAboutCall(request));
  const json reply = Answer(request);
  if (request.call) {
    request.call->Left();
    const std::lock_guard lock(noting_calls_);
    calls_.remove(request.call);
    --blocking_calls_;  // before its client can make another call
  }
  Write(reply);
  if (const std::optional<int> status = ExitAskedFor()) _exit(*status);
}

void Server::ForwardRequest(json message) {
  const json process = message["params"]["process"];
  message["params"].erase("process");
  const bool known =
      process.is_number_integer() &&
      forward_(process.get<int>(), message.dump(-1, ' ', false, json::error_handler_t::replace));
  if (!known) {
    ReplyError(message["id"], kBadParameters, "process must be one that fork has made");
  }
}

json Server::Answer(const Request& request) {
  try {
    Parameters parameters(std::string(request.method->name), request.parameters);
    const bool announce = parameters.Truth("announce");
    bool entered = false;
    Call call(
        parameters,
        [&](std::int64_t time) {
          entered = true;
          if (request.call) {
            request.call->Enters(time);
          } else if (announce) {
            Announce(request.id, time);
          }
        },
        [&request] {
          if (request.call) request.call->Left();
        },
        request.id);
    json value = request.method->function(parameters, call);
    if (announce && entered && request.call) Announce(*request.call);  // at the latest
    return {{"jsonrpc", "2.0"}, {"id", request.id}, {"result", call.Result(std::move(value))}};
  } catch (const RpcError& error) {
    return ErrorReply(request.id, error.code(), error.what());
  } catch (const std::exception& error) {  // out of memory
    return ErrorReply(request.id, kInternalError, error.what());
  }
}

void Server::Announce(const json& id, std::int64_t time) {
  Write({{"jsonrpc", "2.0"}, {"method", "begun"}, {"params", {{"id", id}, {"time", time}}}});
}

void Server::Announce(BlockingCall& call) {
  call.AnnounceOnce([&](std::int64_t time) { Announce(call.id(), time); });
}

json Server::AnswerAboutCall(const Request& request) {
  try {
    Parameters parameters(request.interrupts ? kInterrupt : kBlocked, request.parameters);
    const std::int64_t id = parameters.Integer("id");
    const bool restart = request.interrupts && parameters.Truth("restart");
    parameters.Truth("announce");  // it is not worth one
    if (!ThreadsCanBeWatched()) parameters.Unsupported("it without /proc/thread-self");
    std::shared_ptr<BlockingCall> asked;
    {
      const std::lock_guard lock(noting_calls_);
      for (const auto& call : calls_) {
        if (call->id() == id) asked = call;
      }
    }
    Call call(parameters, nullptr, nullptr);
    const int blocks = call.Run([&] {
      if (!asked || !asked->WaitUntilItSleeps()) return 0;
      const auto thread = asked->thread();
      if (!request.interrupts) return 1;
      return thread && pthread_kill(*thread, restart ? SIGUSR2 : SIGUSR1) == 0 ? 1 : 0;
    });
    return {{"jsonrpc", "2.0"}, {"id", request.id}, {"result", call.Result(blocks == 1)}};
  } catch (const RpcError& error) {
    return ErrorReply(request.id, error.code(), error.what());
  }
}

json Server::ErrorReply(const json& id, int code, const std::string& message) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}};
}

void Server::ReplyError(const json& id, int code, const std::string& message) {
  Write(ErrorReply(id, code, message));
}

void Server::Write(const json& message) {
  WriteLine(message.dump(-1, ' ', false, json::error_handler_t::replace));
}

void Server::WriteLine(std::string_view line) {
  std::string text(line);
  text += '\n';
  std::string_view rest = text;
  const std::lock_guard lock(writing_);
  while (!rest.empty()) {
    const ssize_t count = write(output_, rest.data(), rest.size());
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      WaitFor(output_, POLLOUT);
    } else if (errno != EINTR) {
      _exit(0);  // nobody listens any more
    }
  }
}

}  // namespace sockproof::agent
