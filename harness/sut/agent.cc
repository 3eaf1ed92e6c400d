// The client of the agent protocol (src/agent/README.md).
#include "harness/sut/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/names.h"
#include "harness/agent_protocol/protocol.h"
#include "harness/base/complaints.h"
#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "harness/base/text.h"
#include "harness/base/unique_fd.h"
#include "harness/sut/agent_reply.h"
#include "harness/sut/answer_checks.h"
#include "harness/sut/far_clock.h"
#include "harness/sut/name_json.h"

namespace sockproof {
namespace {

using nlohmann::json;

constexpr Duration kCallTime = 30s;
constexpr Duration kPingTime = 2s;
constexpr Duration kFarOff = 60s;
constexpr Duration kExitTime = 2s;  // from the end of the agent's output to its exit
constexpr Duration kBetweenLooksAtReplies = 5ms;
constexpr Duration kBetweenLooksAtAStack = 1s;
constexpr int kPingsToKnowAClock = 8;
constexpr rlim_t kMostComplaints = 4 << 20;  // bytes on standard error, when that is a file

// ---- replies as text ----

std::string Quote(std::string_view bytes) {
  constexpr std::size_t kShown = 32;
  std::string text = "\"";
  for (const char character : bytes.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '\n') {
      text += "\\n";
    } else if (character == '\r') {
      text += "\\r";
    } else if (character == '"' || character == '\\') {
      text += {'\\', character};
    } else if (byte < 0x20 || byte > 0x7e) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += character;
    }
  }
  return text + (bytes.size() > kShown ? "\"..." : "\"");
}

std::string DescribeValue(const json& value);

std::string DescribeAddress(const json& address) {
  const std::string family = address.value("family", "");
  const std::string host = address.value("address", "");
  if (family == "AF_INET") return fmt::format("{}:{}", host, address.value("port", 0));
  if (family == "AF_INET6") return fmt::format("[{}]:{}", host, address.value("port", 0));
  if (family == "AF_UNIX") return NameFromJson(address).ToString();
  return family;
}

// What recvmsg() tells beside the data: " with SCM_RIGHTS 5, MSG_CTRUNC".
std::string DescribeControl(const json& received) {
  std::string text;
  for (const json& item : received.value("control", json::array())) {
    text += (text.empty() ? " with " : ", ") + item.value("type", "?");
    if (item.contains("value")) text += " " + item["value"].dump();
    for (const json& fd : item.value("fds", json::array())) text += " " + fd.dump();
  }
  for (const json& flag : received.value("flags", json::array())) {
    text += ", " + flag.get<std::string>();
  }
  return text;
}

std::string DescribeObject(const json& object) {
  if (object.contains("family")) return DescribeAddress(object);
  const auto address = object.find("address");
  const std::string from =
      address == object.end() || address->is_null() ? "" : " from " + DescribeAddress(*address);
  if (object.contains("data")) {
    const auto data = agent_protocol::Base64Decode(object.value("data", ""));
    return fmt::format("{}: {}{}{}", object.value("length", 0), Quote(data.value_or("")), from,
                       DescribeControl(object));
  }
  if (object.contains("events")) {
    return fmt::format("{} {}", object.value("fd", -1), DescribeValue(object["events"]));
  }
  if (object.contains("fd")) return std::to_string(object.value("fd", -1)) + from;
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string DescribeValue(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object()) return DescribeObject(value);
  if (!value.is_array()) return value.dump();
  if (value.empty()) return "0";  // no flags, no events
  std::string text;
  for (const json& element : value) {
    if (!text.empty()) text += element.is_string() ? "|" : ", ";
    text += DescribeValue(element);
  }
  return text;
}

// The number that /proc knows a process of ours by: that of an outer PID namespace, maybe. 0: none.
int PidInProc(pid_t pid) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::ifstream file(fmt::format("/proc/self/fdinfo/{}", process.get()));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Pid:")) return std::atoi(line.c_str() + 4);
  }
  return 0;
}

// How long threads could run but had to wait for a processor so far, all together.
Duration WaitedForProcessor(const std::string& tasks) {
  Duration sum{0};
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::ifstream file(task.path() / "schedstat");
    std::int64_t ran = 0;
    std::int64_t waited = 0;
    if (file >> ran >> waited) sum += Duration(waited);
  }
  return sum;
}

std::string SignalName(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? std::string("SIG") + name : fmt::format("signal {}", number);
}

}  // namespace

// ---- starting the process ----

// The agent as a process: killed and reaped with this object.
class AgentProcess {
 public:
  // Throws HarnessError when it cannot be started.
  AgentProcess(const AgentCommand& command, int stdio) : pid_(Launch(command, stdio)) {}
  ~AgentProcess() {
    if (status_) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;

  int pid() const { return pid_; }

  // As waitpid() tells it; nothing when it has not ended within `patience`.
  std::optional<int> WaitForEnd(Duration patience) {
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
    pollfd end{process.get(), POLLIN, 0};
    while (::poll(&end, 1, static_cast<int>(limit.count())) < 0 && errno == EINTR) {
    }
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return status_;
  }

 private:
  static pid_t Launch(const AgentCommand& command, int stdio) {
    std::vector<std::string> words = {command.program};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    // Between fork and exec: an errno, or 0.
    const auto in_child = [&command] {
      const int error = command.in_child ? command.in_child() : 0;
      if (error != 0 || command.writes_files) return error;
      ::signal(SIGXFSZ, SIG_DFL);
      const rlimit complaints{kMostComplaints, kMostComplaints};
      return ::setrlimit(RLIMIT_FSIZE, &complaints) == 0 ? 0 : errno;
    };
    return StartProgram(words, {stdio, stdio, STDERR_FILENO}, in_child,
                        ChildMemory::kShared);
  }

  const pid_t pid_;
  std::optional<int> status_;
};

std::string Describe(const AgentReply& reply) {
  constexpr std::size_t kLongest = 1000;
  if (reply.error != 0) return ErrnoName(reply.error);
  const bool is_plain_call = reply.value.is_object() && reply.value.contains("memory") &&
                             reply.value.contains("result");  // of the method system_call
  const std::string text = DescribeValue(is_plain_call ? reply.value["result"] : reply.value);
  return text.size() <= kLongest ? text : Shortened(CleanLine(text), kLongest);
}

// The process, the connection to it and the calls on it.
class Agent::Process {
 public:
  Process(EventLoop& loop, EventLog& log, std::string actor, const AgentCommand& command);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  CallId Send(const std::string& method, json params, const std::string& text);
  // The call, once, before its return.
  void LogCall(CallId id, Time time);
  // That it has not returned yet, although someone waits for it.
  void LogBlocked(CallId id) {
    if (!Find(id).text.empty()) log_.Now(BlockedEvent{id});
  }
  bool RunUntilFinished(CallId call, Time deadline);
  void RunUntilBegun(CallId call, Time deadline);
  void CheckAlive() const;
  void Ping();
  bool has_own_clock() const { return far_clock_.has_value(); }

  bool Finished(CallId call) const { return Find(call).finished; }
  // The parameters of a method that is about a call.
  json AboutCall(CallId call) const {
    json params = {{"id", call}};
    if (Find(call).process) params["process"] = *Find(call).process;
    return params;
  }
  void ThrowIfRefused(CallId call) const;
  const AgentReply& Reply(CallId call) const { return Find(call).reply; }
  AgentReply Take(CallId call);

  const std::string& actor() const { return actor_; }
  int pid() const { return child_->pid(); }
  void NoteWaits();
  Duration WorstWait();

  json hello;
  Lie lie;

 private:
  struct Request {
    std::string method;
    AskedCall asked;
    std::optional<int> process;  // that makes it, if it is not the agent's own
    json params;                 // kept only for a lie
    std::string text;
    Time sent;
    std::optional<Time> begun;
    bool logged = false;
    bool finished = false;
    json refusal;  // the JSON-RPC error; null when there is none
    AgentReply reply;
  };

  const Request& Find(CallId call) const;
  void TakeInput();
  void TakeMessage(std::string_view line);
  void Dispatch(std::string_view line);
  void CheckNearOurs(const Request& request, Time time) const;
  void BringToOurClock(json& result, Time sent);
  void Finish(CallId id, Request& request, const json& message);
  void NoteEnd();
  void LookAtWaits();
  void LookAtWaitsEachSecond();

  EventLoop& loop_;
  EventLog& log_;
  const std::string actor_;
  const AgentCommand command_;
  std::optional<AgentProcess> child_;
  UniqueFd channel_;   // the agent's standard input and output
  std::string input_;  // the beginning of a line
  std::map<CallId, Request> requests_;
  std::optional<FarClock> far_clock_;
  const Complaints complaints_;
  std::string end_;  // what became of the agent; empty while it serves

  std::string tasks_;  // where its threads are in /proc; empty: nobody looks at their waits
  Duration waited_{0};
  Duration worst_wait_{0};
  Time looked_;
  EventLoop::TimerId next_look_ = 0;  // 0: none, as long as it is not the stack
};

Agent::Process::Process(EventLoop& loop, EventLog& log, std::string actor,
                        const AgentCommand& command)
    : loop_(loop), log_(log), actor_(std::move(actor)), command_(command) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    ThrowErrno("socketpair");
  }
  channel_ = UniqueFd(ends[0]);
  const UniqueFd stdio(ends[1]);
  if (::fcntl(channel_.get(), F_SETFL, O_NONBLOCK) != 0) ThrowErrno("fcntl(O_NONBLOCK)");
  if (command.own_clock) far_clock_.emplace();
  child_.emplace(command, stdio.get());
  loop_.Watch(channel_.get(), [this] { TakeInput(); });
}

Agent::Process::~Process() {
  loop_.Unwatch(channel_.get());
  if (next_look_ != 0) loop_.Cancel(next_look_);
}

void Agent::Process::NoteWaits() {
  const int serving = command_.serving_pid ? command_.serving_pid() : PidInProc(pid());
  tasks_ = fmt::format("/proc/{}/task", serving);
  LookAtWaits();
  worst_wait_ = Duration(0);
  if (command_.is_the_stack) LookAtWaitsEachSecond();
}

Duration Agent::Process::WorstWait() {
  if (!tasks_.empty()) LookAtWaits();
  return worst_wait_;
}

void Agent::Process::LookAtWaits() {
  const Duration before = std::exchange(waited_, WaitedForProcessor(tasks_));
  worst_wait_ = std::max(worst_wait_, waited_ - before);
  looked_ = Clock::now();
}

void Agent::Process::LookAtWaitsEachSecond() {
  next_look_ = loop_.At(Clock::now() + kBetweenLooksAtAStack, [this] {
    LookAtWaits();
    LookAtWaitsEachSecond();
  });
}

Agent::CallId Agent::Process::Send(const std::string& method, json params,
                                   const std::string& text) {
  CheckAlive();
  if (!agent_protocol::IsMethod(method)) throw HarnessError("no table knows the method " + method);
  const CallId id = log_.NextCallId();
  if (lie.request) lie.request(method, params);
  requests_[id] = Request{.method = method, .text = text, .sent = Clock::now()};
  requests_[id].asked = {method, method == "getsockopt" ? params.value("name", "") : "",
                         method == "getsockopt" && params.contains("length")};
  if (params.contains("process")) requests_[id].process = params["process"].get<int>();
  if (lie.reply) requests_[id].params = params;
  const json message = {
      {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
  const std::string line = message.dump() + '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t count = ::send(channel_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      // The agent may itself be waiting for its replies to be read.
      pollfd channel{channel_.get(), POLLIN | POLLOUT, 0};
      ::poll(&channel, 1, -1);
      if (channel.revents & (POLLIN | POLLHUP)) TakeInput();
      CheckAlive();
    } else if (errno != EINTR) {
      NoteEnd();
      CheckAlive();
    }
  }
  return id;
}

void Agent::Process::LogCall(CallId id, Time time) {
  const auto request = requests_.find(id);
  if (request == requests_.end() || request->second.logged) return;
  request->second.logged = true;
  const std::string& text = request->second.text;
  if (!text.empty()) log_.Add(Event{time, CallEvent{id, actor_, text}});
}

bool Agent::Process::RunUntilFinished(CallId call, Time deadline) {
  const Request& request = Find(call);
  loop_.RunUntil([&] { return request.finished || !end_.empty(); }, deadline);
  if (!request.finished) CheckAlive();
  return request.finished;
}

void Agent::Process::RunUntilBegun(CallId call, Time deadline) {
  const Request& request = Find(call);
  const auto under_way = [&] { return request.begun || request.finished; };
  loop_.RunUntil([&] { return under_way() || !end_.empty(); }, deadline);
  if (under_way()) return;
  CheckAlive();
  throw HarnessError(fmt::format("agent {} has not begun {}", actor_, request.method));
}

void Agent::Process::CheckAlive() const {
  if (end_.empty()) return;
  if (command_.ended) command_.ended(end_);
  throw HarnessError(end_);
}

void Agent::Process::Ping() {
  const CallId ping = Send("ping", json::object(), "");
  if (!RunUntilFinished(ping, Clock::now() + kPingTime)) {
    throw HarnessError(fmt::format("agent {} does not answer a ping within {}", actor_,
                                   FormatDuration(kPingTime)));
  }
  requests_.erase(ping);
}

void Agent::Process::ThrowIfRefused(CallId call) const {
  const Request& request = Find(call);
  if (request.refusal.is_null()) return;
  const std::string message =
      fmt::format("agent {}: {}", actor_, request.refusal.value("message", "no message"));
  const int code = request.refusal.value("code", 0);
  if (code == agent_protocol::kUnsupported || code == agent_protocol::kUnknownMethod) {
    throw Skip(message);
  }
  throw HarnessError(message);
}

AgentReply Agent::Process::Take(CallId call) {
  if (!Finished(call)) {
    throw HarnessError(fmt::format("{} on agent {} has not finished", Find(call).method, actor_));
  }
  ThrowIfRefused(call);
  return std::move(requests_.extract(call).mapped().reply);
}

const Agent::Process::Request& Agent::Process::Find(CallId call) const {
  const auto found = requests_.find(call);
  if (found == requests_.end()) {
    throw HarnessError(fmt::format("agent {} has no call {}", actor_, call));
  }
  return found->second;
}

void Agent::Process::TakeInput() {
  std::array<char, 65536> chunk;
  const ssize_t count = ::recv(channel_.get(), chunk.data(), chunk.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    NoteEnd();
    return;
  }
  const std::size_t old_size = input_.size();
  input_.append(chunk.data(), static_cast<std::size_t>(count));
  std::size_t begin = 0;
  for (std::size_t end; (end = input_.find('\n', std::max(begin, old_size))) != std::string::npos;
       begin = end + 1) {
    try {
      TakeMessage(std::string_view(input_).substr(begin, end - begin));
    } catch (...) {
      input_.erase(0, end + 1);
      throw;
    }
  }
  input_.erase(0, begin);
  if (input_.size() > agent_protocol::kLongestLine) {
    loop_.Unwatch(channel_.get());
    end_ = fmt::format("agent {} does not speak the protocol: a line of more than {} bytes: {}",
                       actor_, agent_protocol::kLongestLine, Quote(input_));
    input_.clear();
  }
}

void Agent::Process::TakeMessage(std::string_view line) {
  try {
    Dispatch(line);
  } catch (const HarnessError& error) {
    throw HarnessError(fmt::format("agent {}: {}", actor_, error.what()));
  } catch (const json::exception&) {
    throw HarnessError(
        fmt::format("agent {}: does not speak the protocol: {}", actor_, Quote(line)));
  }
}

void Agent::Process::Dispatch(std::string_view line) {
  const json message = ParseAnswer(line);
  if (message.value("method", json()) == "begun") {
    const json& params = message.at("params");
    const auto request = requests_.find(params.at("id").get<CallId>());
    if (request == requests_.end()) return;
    const Time time = TimeIn(request->second.method + ": begun.time", params.at("time"));
    request->second.begun = far_clock_ ? far_clock_->ToOurs(time) : time;
    CheckNearOurs(request->second, *request->second.begun);
    LogCall(request->first, *request->second.begun);
    return;
  }
  if (!message.contains("id"))
    throw HarnessError("does not speak the protocol: a line without an id: " + Quote(line));
  if (message["id"].is_null()) {
    CheckRefusal({"a request", "", false}, message.value("error", json()));
    throw HarnessError("did not understand a request: " +
                       Shortened(CleanLine(message["error"]["message"].get<std::string>()), 300));
  }
  const auto request = message["id"].is_number_integer()
                           ? requests_.find(message["id"].get<CallId>())
                           : requests_.end();
  if (request == requests_.end()) throw HarnessError("answered what nobody asked: " + Quote(line));
  if (request->second.finished) {
    throw HarnessError("answered twice: " + request->second.method);
  }
  Finish(request->first, request->second, message);
}

// Of an agent on our clock: what lies far from what this process has just seen was made up. A step
// of the clock is the business of the test.
void Agent::Process::CheckNearOurs(const Request& request, Time time) const {
  if (far_clock_) return;
  const Time now = Clock::now();
  if (time > now + kFarOff) {
    throw HarnessError(
        fmt::format("{} has a time {} in the future", request.method, FormatDuration(time - now)));
  }
  if (time < request.sent - kFarOff) {
    throw HarnessError(fmt::format("{} has a time {} before it was asked for", request.method,
                                   FormatDuration(request.sent - time)));
  }
}

void Agent::Process::Finish(CallId id, Request& request, const json& message) {
  if (message.contains("error")) {
    CheckRefusal(request.asked, message["error"]);
    LogCall(id, Clock::now());
    request.refusal = message["error"];
    request.refusal["message"] =
        Shortened(CleanLine(request.refusal["message"].get<std::string>()), 300);
    request.finished = true;
    if (!request.text.empty()) {
      log_.Now(ReturnEvent{
          .id = id, .actor = actor_, .text = "refused: " + request.refusal.value("message", "")});
    }
    return;
  }
  if (!message.contains("result")) {
    throw HarnessError(request.method + ": an answer with neither \"result\" nor \"error\"");
  }
  json result = message["result"];
  CheckResult(request.asked, result);
  if (far_clock_) BringToOurClock(result, request.sent);
  loop_.NoteLateness(FromNanoseconds(result.at("begin")) - request.sent);
  loop_.NoteServed(FromNanoseconds(result.at("end")));
  if (!tasks_.empty() && Clock::now() - looked_ > kBetweenLooksAtReplies) LookAtWaits();
  CheckNearOurs(request, FromNanoseconds(result["begin"]));
  CheckNearOurs(request, FromNanoseconds(result["end"]));
  if (lie.reply) lie.reply(request.method, request.params, result);
  AgentReply& reply = request.reply;
  reply.begin = FromNanoseconds(result.at("begin"));
  reply.end = FromNanoseconds(result.at("end"));
  LogCall(id, reply.begin);
  reply.signals = result.value("signals", std::vector<std::string>());
  if (result.contains("errno")) {
    const auto name = result["errno"].get<std::string>();
    reply.error = ErrnoFromName(name);
    if (reply.error == 0) {
      throw HarnessError(fmt::format("{} failed with {}, which has no number on this system",
                                     request.method, Shortened(CleanLine(name), 40)));
    }
  } else {
    reply.value = result.at("value");
  }
  request.finished = true;
  if (!request.text.empty()) {
    log_.Add(Event{reply.end, ReturnEvent{.id = id,
                                          .actor = actor_,
                                          .text = Describe(reply),
                                          .begin = reply.begin,
                                          .signals = reply.signals}});
  }
}

void Agent::Process::BringToOurClock(json& result, Time sent) {
  const Time begin = FromNanoseconds(result.at("begin"));
  const Time end = FromNanoseconds(result.at("end"));
  const Time received = Clock::now();
  far_clock_->Learn(sent, begin, end, received);
  loop_.NoteLateness(far_clock_->Error(received));
  result["begin"] = ToNanoseconds(far_clock_->ToOurs(begin));
  result["end"] = ToNanoseconds(far_clock_->ToOurs(end));
}

// The agent's end of the channel is closed: finds out why.
void Agent::Process::NoteEnd() {
  loop_.Unwatch(channel_.get());
  for (const auto& [id, request] : requests_) LogCall(id, Clock::now());
  const std::optional<int> status = child_->WaitForEnd(kExitTime);
  const std::string agent = fmt::format("agent {} (pid {})", actor_, pid());
  if (!status) {
    end_ = agent + " closed its output";
  } else if (WIFSIGNALED(*status) && WTERMSIG(*status) == SIGXFSZ) {
    end_ = fmt::format("{} wrote more than {} bytes to standard error", agent, kMostComplaints);
  } else if (WIFSIGNALED(*status)) {
    end_ = fmt::format("{} was killed by {}", agent, SignalName(WTERMSIG(*status)));
  } else {
    end_ = fmt::format("{} exited with status {}", agent, WEXITSTATUS(*status));
  }
  const std::string last_words = complaints_.Last();
  if (!last_words.empty()) end_ += ": " + last_words;
}

// ---- Agent ----

Agent::Agent(std::unique_ptr<Process> process) : process_(std::move(process)) {}

Agent::~Agent() = default;

std::unique_ptr<Agent> Agent::Spawn(EventLoop& loop, EventLog& log, std::string actor,
                                    const AgentCommand& command) {
  auto process = std::make_unique<Process>(loop, log, std::move(actor), command);
  const CallId call = process->Send("hello", {{"protocol", agent_protocol::kVersion}}, "");
  if (command.meanwhile) command.meanwhile();
  if (!process->RunUntilFinished(call, Clock::now() + command.hello_time)) {
    throw HarnessError(fmt::format("agent {} ({}) does not say hello within {}", process->actor(),
                                   command.program, FormatDuration(command.hello_time)));
  }
  try {
    process->hello = process->Take(call).value;
  } catch (const Skip& refusal) {
    throw HarnessError(refusal.what());
  }
  const json& protocol = process->hello["protocol"];
  if (protocol != agent_protocol::kVersion) {
    throw HarnessError(fmt::format("agent {} speaks protocol {}, not {}", process->actor(),
                                   protocol.dump(), agent_protocol::kVersion));
  }
  for (int i = 0; command.own_clock && i < kPingsToKnowAClock; ++i) process->Ping();
  return std::unique_ptr<Agent>(new Agent(std::move(process)));
}

Agent::CallId Agent::Start(const std::string& method, json params, const std::string& text) {
  const Time sent = Clock::now();
  params["announce"] = true;
  const CallId call = process_->Send(method, std::move(params), text);
  try {
    process_->RunUntilBegun(call, sent + kCallTime);
  } catch (...) {
    process_->LogCall(call, sent);
    throw;
  }
  return call;
}

bool Agent::Wait(CallId call, Time deadline) {
  bool in_time = process_->RunUntilFinished(call, deadline);
  if (!in_time) {
    process_->Ping();
    // A reply that has overtaken the ping's counts if it is this process that was late.
    in_time = process_->Finished(call) && process_->Reply(call).end <= deadline;
    if (!in_time) process_->LogBlocked(call);
  }
  if (process_->Finished(call)) process_->ThrowIfRefused(call);
  return in_time;
}

bool Agent::StillBlocks(CallId call) {
  if (!process_->Finished(call)) {
    try {
      const bool blocks = Call("blocked", process_->AboutCall(call), "").value == true;
      // It has left the call: its reply is under way.
      if (!blocks) process_->RunUntilFinished(call, Clock::now() + kCallTime);
    } catch (const Skip&) {
      process_->Ping();  // whatever it wrote before has arrived
    }
  }
  if (process_->Finished(call)) {
    process_->ThrowIfRefused(call);
    return false;
  }
  process_->LogBlocked(call);
  return true;
}

bool Agent::Interrupt(CallId call, bool restart) {
  json params = process_->AboutCall(call);
  params["restart"] = restart;
  const std::string text = restart ? "pthread_kill(SIGUSR2)" : "pthread_kill(SIGUSR1)";
  if (Call("interrupt", std::move(params), text).value == true) return true;
  if (process_->Finished(call)) process_->ThrowIfRefused(call);
  return false;
}

AgentReply Agent::Take(CallId call) { return process_->Take(call); }

AgentReply Agent::Call(const std::string& method, json params, const std::string& text) {
  const Time sent = Clock::now();
  const CallId call = process_->Send(method, std::move(params), text);
  if (!Wait(call, sent + kCallTime)) {
    process_->LogCall(call, sent);
    throw HarnessError(fmt::format("{} on agent {} has not returned within {}", method, actor(),
                                   FormatDuration(kCallTime)));
  }
  return process_->Take(call);
}

void Agent::LieWith(Lie lie) { process_->lie = std::move(lie); }

const json& Agent::hello() const { return process_->hello; }

bool Agent::Can(const std::string& capability) const {
  const json capabilities = hello().value("capabilities", json::array());
  return std::find(capabilities.begin(), capabilities.end(), capability) != capabilities.end();
}

bool Agent::has_own_clock() const { return process_->has_own_clock(); }

const std::string& Agent::actor() const { return process_->actor(); }

void Agent::NoteWaits() { process_->NoteWaits(); }

Duration Agent::WorstWait() { return process_->WorstWait(); }

int Agent::pid() const { return process_->pid(); }

}  // namespace sockproof
