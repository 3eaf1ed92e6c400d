// sockproof-agent and its client, together; what is required of every agent is in src/agent_check.
// All traffic stays on the loopback of a network namespace of this process, if the system lets it
// have one.

#include "harness/sut/agent.h"
#include "harness/sut/agent_reply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/protocol.h"
#include "harness/base/errors.h"
#include "harness/base/event_loop.h"
#include "harness/base/unique_fd.h"
#include "harness/net/namespace.h"
#include "harness/trace/event_log.h"

namespace sockproof {
namespace {

using agent_protocol::Base64Decode;
using agent_protocol::Base64Encode;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// So long that only a broken agent takes it.
constexpr Duration kForever = 300s;
constexpr int kForeverMs = 300'000;

// ---- a network namespace of our own ----

void WriteText(const char* path, const std::string& text) { std::ofstream(path) << text; }

bool EnterPrivateNetwork() {
  const auto user = geteuid();
  const auto group = getegid();
  if (unshare(user == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  if (user != 0) {
    WriteText("/proc/self/setgroups", "deny");
    WriteText("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    WriteText("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  const UniqueFd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP;
  return ioctl(any.get(), SIOCSIFFLAGS, &request) == 0;
}

const bool private_network = EnterPrivateNetwork();

// ---- processes ----

UniqueFd OpenPidfd(int pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

bool Ended(const UniqueFd& pidfd, int timeout_ms) {
  pollfd exited{pidfd.get(), POLLIN, 0};
  return poll(&exited, 1, timeout_ms) == 1;
}

std::vector<std::string> DescriptorsOf(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  std::vector<std::string> names;
  while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

// ---- the agent by its client ----

AgentCommand RealAgent() { return {.program = SOCKPROOF_AGENT_PROGRAM}; }
AgentCommand Shell(const std::string& script) {
  return {.program = "/bin/sh", .arguments = {"-c", script}};
}

// The text of the exception that `function` throws.
template <typename Exception, typename Function>
std::string MessageOf(const Function& function) {
  try {
    function();
  } catch (const Exception& exception) {
    return exception.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

class AgentTest : public ::testing::Test {
 protected:
  AgentReply Call(const std::string& method, json params = json::object(),
                  const std::string& text = "") {
    return agent_->Call(method, std::move(params), text);
  }

  json Value(const std::string& method, json params = json::object()) {
    const AgentReply reply = Call(method, std::move(params));
    EXPECT_EQ(reply.error, 0) << method << ": " << Describe(reply);
    return reply.value;
  }

  int Error(const std::string& method, json params) {
    return Call(method, std::move(params)).error;
  }

  Agent::CallId Start(const std::string& method, json params) {
    return agent_->Start(method, std::move(params), "");
  }

  AgentReply Finish(Agent::CallId call) {
    EXPECT_TRUE(agent_->Wait(call, Clock::now() + kForever));
    return agent_->Take(call);
  }

  json NewSocket() { return Value("socket", {{"domain", "AF_INET"}, {"type", "SOCK_STREAM"}}); }

  // A TCP socket on a free port of the loopback address.
  json NewBoundSocket() {
    json fd = NewSocket();
    Value("bind", {{"fd", fd}, {"address", Loopback(0)}});
    return fd;
  }

  json NewListener() {
    json fd = NewBoundSocket();
    Value("listen", {{"fd", fd}, {"backlog", 8}});
    return fd;
  }

  std::pair<json, json> NewConnection() {
    const json listener = NewListener();
    const json client = NewSocket();
    Value("connect", {{"fd", client}, {"address", Value("getsockname", {{"fd", listener}})}});
    const json server = Value("accept", {{"fd", listener}})["fd"];
    Value("close", {{"fd", listener}});
    return {client, server};
  }

  static json Loopback(int port) {
    return {{"family", "AF_INET"}, {"address", "127.0.0.1"}, {"port", port}};
  }

  EventLoop loop_;
  EventLog log_{-1};
  std::unique_ptr<Agent> agent_ = Agent::Spawn(loop_, log_, "sut", RealAgent());
};

TEST_F(AgentTest, SaysWhoItIsAndWhatItCanDo) {
  EXPECT_EQ(agent_->hello()["protocol"], agent_protocol::kVersion);
  EXPECT_TRUE(agent_->hello()["os"].is_string());
  EXPECT_EQ(agent_->hello()["pid"], agent_->pid());
  EXPECT_TRUE(agent_->Can("ipv4"));
  EXPECT_FALSE(agent_->Can("flight"));
  EXPECT_EQ(agent_->actor(), "sut");
}

TEST_F(AgentTest, HasNoDescriptorsButItsStandardOnes) {
  const UniqueFd low(dup(STDERR_FILENO));
  const UniqueFd high(fcntl(STDERR_FILENO, F_DUPFD, 500));
  const auto second = Agent::Spawn(loop_, log_, "second", RealAgent());
  std::vector<std::string> found = DescriptorsOf(second->pid());
  found.erase(std::remove(found.begin(), found.end(), "700"), found.end());  // its own directory
  EXPECT_THAT(found, UnorderedElementsAre("0", "1", "2"));
}

TEST_F(AgentTest, GivesAFailedSystemCallAsAResult) {
  const json address = Value("getsockname", {{"fd", NewBoundSocket()}});
  const AgentReply reply = Call("connect", {{"fd", NewSocket()}, {"address", address}});
  EXPECT_EQ(reply.error, ECONNREFUSED);
  EXPECT_TRUE(reply.value.is_null());
  EXPECT_EQ(Describe(reply), "ECONNREFUSED");
  EXPECT_THAT(reply.signals, IsEmpty());
}

TEST_F(AgentTest, SaysWhenACallBeganAndEnded) {
  const Time before = Clock::now();
  const AgentReply reply = Call("getsockname", {{"fd", NewSocket()}});
  EXPECT_LE(before, reply.begin);
  EXPECT_LE(reply.begin, reply.end);
  EXPECT_LE(reply.end, Clock::now());
}

TEST_F(AgentTest, DoesOtherCallsWhileOneIsPending) {
  const json listener = NewListener();
  const auto accept = Start("accept", {{"fd", listener}});
  EXPECT_TRUE(agent_->StillBlocks(accept));

  const json client = NewSocket();
  Value("connect", {{"fd", client}, {"address", Value("getsockname", {{"fd", listener}})}});

  const AgentReply accepted = Finish(accept);
  EXPECT_EQ(accepted.value["address"], Value("getsockname", {{"fd", client}}));
}

TEST_F(AgentTest, KnowsWhetherAStartedCallStillBlocks) {
  const json listener = NewListener();
  const json address = Value("getsockname", {{"fd", listener}});
  for (int i = 0; i < 100; ++i) {
    const auto accept = Start("accept", {{"fd", listener}});
    EXPECT_TRUE(agent_->StillBlocks(accept));
    const json client = NewSocket();
    Value("connect", {{"fd", client}, {"address", address}});
    EXPECT_FALSE(agent_->StillBlocks(accept)) << i;
    Finish(accept);
    EXPECT_EQ(Value("blocked", {{"id", accept}}), false);
  }
}

TEST_F(AgentTest, TakesManyPendingCallsAndRefusesWhatIsTooMany) {
  constexpr int kMostPendingCalls = 256;
  const json wait_forever = {{"fds", json::array()}, {"timeout_ms", kForeverMs}};
  for (int i = 0; i < kMostPendingCalls; ++i) Start("poll", wait_forever);
  EXPECT_THAT(MessageOf<HarnessError>([&] { Call("poll", wait_forever); }),
              HasSubstr("too many calls"));
  EXPECT_EQ(Value("ping"), "pong");
}

TEST_F(AgentTest, WaitsInVainForACallThatBlocksAndKeepsIt) {
  const json listener = NewListener();
  const auto accept = Start("accept", {{"fd", listener}});
  EXPECT_FALSE(agent_->Wait(accept, Clock::now()));
  EXPECT_THROW(agent_->Take(accept), HarnessError);

  Value("shutdown", {{"fd", listener}, {"how", "SHUT_RD"}});
  EXPECT_EQ(Finish(accept).error, EINVAL);
}

TEST_F(AgentTest, GivesEachReplyOnce) {
  const auto ping = Start("ping", json::object());
  Finish(ping);
  EXPECT_THROW(agent_->Take(ping), HarnessError);
}

TEST_F(AgentTest, ReportsABrokenPipeToTheCallThatRaisedIt) {
  const json fd = NewSocket();
  const AgentReply raised = Call("send", {{"fd", fd}, {"data", ""}});
  EXPECT_EQ(raised.error, EPIPE);
  EXPECT_THAT(raised.signals, ElementsAre("SIGPIPE"));

  const AgentReply silent = Call("send", {{"fd", fd}, {"data", ""}, {"flags", {"MSG_NOSIGNAL"}}});
  EXPECT_EQ(silent.error, EPIPE);
  EXPECT_THAT(silent.signals, IsEmpty());
}

TEST_F(AgentTest, SendsDatagramsWithAddresses) {
  const json params = {{"domain", "AF_INET"}, {"type", "SOCK_DGRAM"}, {"flags", {"SOCK_CLOEXEC"}}};
  const json receiver = Value("socket", params);
  const json sender = Value("socket", params);
  for (const json& fd : {receiver, sender}) Value("bind", {{"fd", fd}, {"address", Loopback(0)}});
  Value("sendto", {{"fd", sender},
                   {"data", Base64Encode("hello")},
                   {"address", Value("getsockname", {{"fd", receiver}})}});
  const json received = Value("recvfrom", {{"fd", receiver}, {"length", 2}});
  EXPECT_EQ(received["data"], Base64Encode("he"));
  EXPECT_EQ(received["address"], Value("getsockname", {{"fd", sender}}));
}

TEST_F(AgentTest, DissolvesTheAssociationOfASocketWithAfUnspec) {
  const auto [client, server] = NewConnection();
  Value("connect", {{"fd", client}, {"address", {{"family", "AF_UNSPEC"}}}});
  EXPECT_EQ(Error("getpeername", {{"fd", client}}), ENOTCONN);
}

TEST_F(AgentTest, PassesAnAddressLengthOn) {
  EXPECT_EQ(Error("bind", {{"fd", NewSocket()}, {"address", Loopback(0)}, {"address_length", 4}}),
            EINVAL);
}

TEST_F(AgentTest, SetsAndGetsOptionsOfEveryKind) {
  const json fd = NewSocket();
  const auto set = [&](const char* level, const char* name, const json& value) {
    return Error("setsockopt", {{"fd", fd}, {"level", level}, {"name", name}, {"value", value}});
  };
  const auto get = [&](const char* level, const char* name) {
    return Value("getsockopt", {{"fd", fd}, {"level", level}, {"name", name}});
  };

  EXPECT_EQ(set("IPPROTO_TCP", "TCP_KEEPCNT", 5), 0);
  EXPECT_EQ(get("IPPROTO_TCP", "TCP_KEEPCNT"), 5);
  EXPECT_EQ(set("IPPROTO_TCP", "TCP_KEEPCNT", 128), EINVAL);

  const json time = {{"sec", 3}, {"usec", 500000}};
  EXPECT_EQ(set("SOL_SOCKET", "SO_RCVTIMEO", 3.5), 0);
  EXPECT_EQ(get("SOL_SOCKET", "SO_RCVTIMEO"), time);
  EXPECT_EQ(set("SOL_SOCKET", "SO_SNDTIMEO", time), 0);
  EXPECT_EQ(get("SOL_SOCKET", "SO_SNDTIMEO"), time);
  EXPECT_EQ(set("SOL_SOCKET", "SO_SNDTIMEO", {{"sec", 0}, {"usec", 1000000}}), EDOM);

  const json linger = {{"onoff", 1}, {"linger", 7}};
  EXPECT_EQ(set("SOL_SOCKET", "SO_LINGER", linger), 0);
  EXPECT_EQ(get("SOL_SOCKET", "SO_LINGER"), linger);

  EXPECT_EQ(set("IPPROTO_TCP", "TCP_CONGESTION", "reno"), 0);
  EXPECT_EQ(get("IPPROTO_TCP", "TCP_CONGESTION"), "reno");

  EXPECT_EQ(get("SOL_SOCKET", "SO_COOKIE"), get("SOL_SOCKET", "SO_COOKIE"));
  EXPECT_EQ(get("SOL_SOCKET", "SO_ERROR"), 0);
}

TEST_F(AgentTest, PassesTheBytesOfAnOptionOn) {
  const json option = {{"fd", NewSocket()}, {"level", "SOL_SOCKET"}, {"name", "SO_KEEPALIVE"}};
  json params = option;
  params["value"] = {{"bytes", Base64Encode("abc")}};
  EXPECT_EQ(Error("setsockopt", params), EINVAL);
  params["value"] = {{"bytes", Base64Encode("abcd")}};
  EXPECT_EQ(Error("setsockopt", params), 0);

  params = option;
  params["length"] = 1;
  EXPECT_EQ(Value("getsockopt", params), json({{"bytes", Base64Encode("\x01")}}));
}

TEST_F(AgentTest, ControlsDescriptors) {
  const auto [client, server] = NewConnection();
  Value("fcntl", {{"fd", client}, {"command", "F_SETFL"}, {"flags", {"O_NONBLOCK"}}});
  EXPECT_EQ(Value("fcntl", {{"fd", client}, {"command", "F_GETFL"}}),
            json({"O_RDWR", "O_NONBLOCK"}));
  EXPECT_EQ(Value("fcntl", {{"fd", client}, {"command", "F_GETFD"}}), json::array());
  EXPECT_EQ(Error("recv", {{"fd", client}, {"length", 1}}), EAGAIN);

  const json copy = Value("dup", {{"fd", client}});
  Value("close", {{"fd", client}});
  EXPECT_EQ(Error("close", {{"fd", client}}), EBADF);
  Value("send", {{"fd", server}, {"data", Base64Encode("hello")}});
  Value("recv", {{"fd", copy}, {"length", 1}, {"flags", {"MSG_PEEK"}}});
  EXPECT_EQ(Value("ioctl", {{"fd", copy}, {"request", "SIOCATMARK"}}), 0);
  Value("poll", {{"fds", {{{"fd", copy}, {"events", {"POLLIN"}}}}}, {"timeout_ms", kForeverMs}});
  EXPECT_EQ(Value("ioctl", {{"fd", copy}, {"request", "SIOCINQ"}}), 5);
}

TEST_F(AgentTest, WaitsForEventsByEpoll) {
  const auto [client, server] = NewConnection();
  const json epfd = Value("epoll_create1", {{"flags", {"EPOLL_CLOEXEC"}}});
  const json entry = {
      {"epfd", epfd}, {"op", "EPOLL_CTL_ADD"}, {"fd", server}, {"events", {"EPOLLIN", "EPOLLET"}}};
  Value("epoll_ctl", entry);
  EXPECT_EQ(Error("epoll_ctl", entry), EEXIST);
  Value("send", {{"fd", client}, {"data", Base64Encode("x")}});
  const json wait = {{"epfd", epfd}, {"maxevents", 8}, {"timeout_ms", kForeverMs}};
  EXPECT_EQ(Value("epoll_wait", wait), json({{{"fd", server}, {"events", {"EPOLLIN"}}}}));
}

TEST_F(AgentTest, ReadsAndWritesSysctls) {
  EXPECT_EQ(Error("sysctl_get", {{"name", "net.ipv4.no_such_thing"}}), ENOENT);
  const json name = {{"name", "net.ipv4.tcp_fin_timeout"}};
  EXPECT_GT(std::stoi(Value("sysctl_get", name).get<std::string>()), 0);
  if (!private_network || !agent_->Can("sysctl_set")) GTEST_SKIP() << "sysctls are not ours to set";
  Value("sysctl_set", {{"name", "net.ipv4.tcp_fin_timeout"}, {"value", "17"}});
  EXPECT_EQ(Value("sysctl_get", name), "17");
  EXPECT_EQ(Error("sysctl_set", {{"name", "net.ipv4.tcp_fin_timeout"}, {"value", "soon"}}), EINVAL);
}

TEST_F(AgentTest, CountsWhatTheSystemCounts) {
  const json before = Value("counters");
  NewConnection();
  const json after = Value("counters");
  EXPECT_GT(after["Tcp.ActiveOpens"].get<int>(), before["Tcp.ActiveOpens"].get<int>());
  EXPECT_TRUE(after.contains("TcpExt.ListenOverflows"));
}

// ---- what the client makes of refusals ----

TEST_F(AgentTest, SkipsWhatTheAgentDoesNotKnow) {
  EXPECT_THAT(MessageOf<Skip>([&] {
                Call("shutdown", {{"fd", 3}, {"how", "SHUT_UP"}});
              }),
              HasSubstr("how SHUT_UP"));
  EXPECT_THAT(MessageOf<Skip>([&] {
                Call("setsockopt",
                     {{"fd", 3}, {"level", "IPPROTO_TCP"}, {"name", "TCP_FROB"}, {"value", 1}});
              }),
              HasSubstr("TCP_FROB"));
}

TEST_F(AgentTest, SkipsAParameterThatWouldBeIgnored) {
  const json fd = NewSocket();
  EXPECT_THAT(MessageOf<Skip>([&] {
                Call("close", {{"fd", fd}, {"softly", true}});
              }),
              HasSubstr("parameter softly"));
  json address = Loopback(0);
  address["zone"] = 1;
  EXPECT_THROW(Call("bind", {{"fd", fd}, {"address", address}}), Skip);
  EXPECT_EQ(Error("close", {{"fd", fd}}), 0);
}

TEST_F(AgentTest, AMethodThatNoTableKnowsIsAnErrorOfTheHarness) {
  EXPECT_THAT(MessageOf<HarnessError>([&] { Call("frobnicate"); }),
              HasSubstr("no table knows the method frobnicate"));
}

TEST_F(AgentTest, SkipsARefusedCallThatWasStarted) {
  const auto call = Start("accept", {{"fd", 3}, {"flags", {"SOCK_FROB"}}});
  EXPECT_THROW(agent_->Wait(call, Clock::now() + kForever), Skip);
  EXPECT_THROW(agent_->Take(call), Skip);
}

TEST_F(AgentTest, TakesBadParametersForAnErrorOfTheHarness) {
  const std::pair<const char*, json> bad[] = {
      {"close", json::array({3})},
      {"close", json::object()},
      {"close", {{"fd", "3"}}},
      {"close", {{"fd", 1.5}}},
      {"close", {{"fd", 1e300}}},
      {"close", {{"fd", 4294967296}}},
      {"close", {{"fd", 18446744073709551615u}}},
      {"close", {{"fd", 1000}, {"announce", "yes"}}},
      {"send", {{"fd", 1000}, {"data", "***"}}},
      {"send", {{"fd", 1000}, {"data", ""}, {"flags", "MSG_OOB"}}},
      {"recv", {{"fd", 1000}, {"length", -1}}},
      {"recv", {{"fd", 1000}, {"length", 1 << 30}}},
      {"poll", {{"fds", {1}}, {"timeout_ms", 0}}},
      {"bind", {{"fd", 1000}, {"address", {{"family", "AF_INET"}}}}},
      {"bind", {{"fd", 1000}, {"address", Loopback(65536)}}},
      {"sysctl_get", {{"name", "net.//.//.etc.passwd"}}},
  };
  for (const auto& [method, params] : bad) {
    EXPECT_THROW(Call(method, params), HarnessError) << method << params;
  }
}

// ---- the log ----

TEST_F(AgentTest, LogsCallsThatHaveAText) {
  const json fd = NewSocket();
  ASSERT_THAT(log_.events(), IsEmpty());
  const AgentReply reply = Call("send", {{"fd", fd}, {"data", ""}}, "send(3, \"\", 0, 0)");
  ASSERT_THAT(log_.events(), SizeIs(2));

  const auto& call = std::get<CallEvent>(log_.events()[0].what);
  EXPECT_EQ(call.actor, "sut");
  EXPECT_EQ(call.text, "send(3, \"\", 0, 0)");
  EXPECT_LE(log_.events()[0].time, reply.begin);

  const auto& returned = std::get<ReturnEvent>(log_.events()[1].what);
  EXPECT_EQ(returned.id, call.id);
  EXPECT_EQ(returned.text, "EPIPE");
  EXPECT_EQ(returned.begin, reply.begin);
  EXPECT_THAT(returned.signals, ElementsAre("SIGPIPE"));
  EXPECT_EQ(log_.events()[1].time, reply.end);
}

TEST_F(AgentTest, LogsAStartedCallWithTheTimeAtWhichItBegan) {
  const Time before = Clock::now();
  const auto call = agent_->Start("ping", json::object(), "ping()");
  EXPECT_TRUE(agent_->Wait(call, Clock::now() + kForever));
  const AgentReply reply = agent_->Take(call);
  ASSERT_THAT(log_.events(), SizeIs(2));
  for (const Event& event : log_.events()) {
    EXPECT_LT(before, event.time);
    EXPECT_LE(event.time, std::holds_alternative<CallEvent>(event.what) ? reply.begin : reply.end);
  }
}

TEST(DescribeCall, ShowsValuesAsALadderDoes) {
  const auto described = [](json value) { return Describe(AgentReply{.value = std::move(value)}); };
  const json address = {{"family", "AF_INET"}, {"address", "192.0.2.2"}, {"port", 40000}};
  EXPECT_EQ(described(0), "0");
  EXPECT_EQ(described("cubic"), "cubic");
  EXPECT_EQ(described(address), "192.0.2.2:40000");
  EXPECT_EQ(described({{"family", "AF_INET6"}, {"address", "::1"}, {"port", 80}}), "[::1]:80");
  EXPECT_EQ(described({{"fd", 5}, {"address", address}}), "5 from 192.0.2.2:40000");
  EXPECT_EQ(described({{"length", 6}, {"data", Base64Encode("hi\n\"\x01\xff")}}),
            "6: \"hi\\n\\\"\\x01\\xff\"");
  EXPECT_EQ(described({{"length", 40}, {"data", Base64Encode(std::string(40, 'x'))}}),
            "40: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"...");
  EXPECT_EQ(described({"O_RDWR", "O_NONBLOCK"}), "O_RDWR|O_NONBLOCK");
  EXPECT_EQ(described({{"POLLIN", "POLLHUP"}, json::array()}), "POLLIN|POLLHUP, 0");
  EXPECT_EQ(described({{{"fd", 3}, {"events", {"EPOLLIN"}}}}), "3 EPOLLIN");
  EXPECT_EQ(Describe(AgentReply{.error = ETIMEDOUT}), "ETIMEDOUT");
}

// ---- the end of an agent ----

TEST_F(AgentTest, KilledIsAnErrorThatSaysSo) {
  const auto accept = Start("accept", {{"fd", NewListener()}});
  kill(agent_->pid(), SIGKILL);
  EXPECT_THAT(MessageOf<HarnessError>([&] { agent_->Wait(accept, Clock::now() + kForever); }),
              HasSubstr("was killed by SIGKILL"));
  EXPECT_THAT(MessageOf<HarnessError>([&] { Call("ping"); }), HasSubstr("was killed by SIGKILL"));
}

TEST_F(AgentTest, KilledLeavesTheCallInTheLog) {
  kill(agent_->pid(), SIGSTOP);  // so that the call is certain to be in vain
  loop_.At(Clock::now(), [&] { kill(agent_->pid(), SIGKILL); });
  EXPECT_THROW(Call("ping", json::object(), "ping()"), HarnessError);
  ASSERT_THAT(log_.events(), SizeIs(1));
  EXPECT_EQ(std::get<CallEvent>(log_.events()[0].what).text, "ping()");
}

TEST_F(AgentTest, IsKilledWithItsClient) {
  Start("accept", {{"fd", NewListener()}});
  const UniqueFd pidfd = OpenPidfd(agent_->pid());
  ASSERT_TRUE(pidfd);
  EXPECT_FALSE(Ended(pidfd, 0));
  agent_.reset();
  EXPECT_TRUE(Ended(pidfd, 0));
}

TEST_F(AgentTest, IgnoresWhatATerminalSendsToAll) {
  kill(agent_->pid(), SIGINT);
  kill(agent_->pid(), SIGTERM);
  EXPECT_EQ(Value("ping"), "pong");
}

TEST(AgentProcess, EndsWhenTheProcessThatSpawnedItIsKilled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t harness = fork();
  if (harness == 0) {
    EventLoop loop;
    EventLog log(-1);
    const auto agent = Agent::Spawn(loop, log, "sut", RealAgent());
    const int pid = agent->pid();
    if (write(writing.get(), &pid, sizeof(pid)) == sizeof(pid)) pause();
    _exit(1);
  }
  writing.Reset();
  int pid = 0;
  ASSERT_EQ(read(reading.get(), &pid, sizeof(pid)), static_cast<ssize_t>(sizeof(pid)));
  const UniqueFd pidfd = OpenPidfd(pid);
  ASSERT_TRUE(pidfd);

  kill(harness, SIGKILL);
  EXPECT_EQ(waitpid(harness, nullptr, 0), harness);
  EXPECT_TRUE(Ended(pidfd, kForeverMs));
}

class AgentSpawn : public ::testing::Test {
 protected:
  std::string ErrorOf(const AgentCommand& command) {
    return MessageOf<HarnessError>([&] { Agent::Spawn(loop_, log_, "sut", command); });
  }

  EventLoop loop_;
  EventLog log_{-1};
};

TEST_F(AgentSpawn, RunsTheHookInTheChild) {
  AgentCommand command = RealAgent();
  command.in_child = [] { return dup2(STDERR_FILENO, 400) == 400 ? 0 : errno; };
  EXPECT_EQ(Agent::Spawn(loop_, log_, "sut", command)->Call("ping", json::object(), "").value,
            "pong");
}

TEST_F(AgentSpawn, FailsWithTheErrorOfTheHook) {
  AgentCommand command = RealAgent();
  command.in_child = [] { return EXDEV; };
  EXPECT_THAT(ErrorOf(command), AllOf(HasSubstr("cannot start"), HasSubstr("EXDEV")));
}

TEST_F(AgentSpawn, FailsWithoutTheProgram) {
  EXPECT_THAT(ErrorOf({.program = "/no/such/agent"}),
              AllOf(HasSubstr("/no/such/agent"), HasSubstr("ENOENT")));
}

TEST_F(AgentSpawn, FailsWithTheExitStatusOfWhatDoesNotSayHello) {
  EXPECT_THAT(ErrorOf(Shell("exit 3")), HasSubstr("exited with status 3"));
}

TEST_F(AgentSpawn, FailsWithWhatIsNotTheProtocol) {
  EXPECT_THAT(ErrorOf(Shell("echo login:; read never")), HasSubstr("login:"));
}

TEST_F(AgentSpawn, FailsWithAnAgentOfAnotherProtocol) {
  // The client's first request has the first id of the log.
  EXPECT_THAT(
      ErrorOf(Shell(R"(read hello; echo '{"jsonrpc":"2.0","id":1,"result":)"
                    R"({"begin":'$(date +%s%N)',"end":'$(date +%s%N)',"value":{"protocol":2}}}'; )"
                    "read never")),
      HasSubstr("speaks protocol 2, not 1"));
  EXPECT_THAT(ErrorOf(Shell(R"(read hello; echo '{"jsonrpc":"2.0","id":2,"error":)"
                            R"({"code":-32001,"message":"protocol 1 is unsupported"}}')"
                            "; read never")),
              HasSubstr("protocol 1 is unsupported"));
}

// ---- an agent that goes wrong in the middle of a test ----

// The agent of this build, its answers changed by a script of sed.
AgentCommand ChangedBy(const std::string& script) {
  return Shell(std::string(SOCKPROOF_AGENT_PROGRAM) + " | sed -u '" + script + "'");
}

TEST_F(AgentSpawn, GarbageInTheMiddleIsShown) {
  const auto agent = Agent::Spawn(loop_, log_, "sut", ChangedBy("s/.*pong.*/login:/"));
  EXPECT_THAT(MessageOf<HarnessError>([&] { agent->Call("ping", json::object(), ""); }),
              AllOf(HasSubstr("does not speak the protocol"), HasSubstr("login:")));
}

TEST_F(AgentSpawn, AnAnswerThatNobodyAskedForIsShown) {
  const auto agent = Agent::Spawn(loop_, log_, "sut", ChangedBy("s/\"id\":2,/\"id\":77,/"));
  EXPECT_THAT(MessageOf<HarnessError>([&] { agent->Call("ping", json::object(), ""); }),
              HasSubstr("answered what nobody asked"));
}

TEST_F(AgentSpawn, ALineWithoutEndFails) {
  EXPECT_THAT(ErrorOf(Shell("exec tr '\\0' x </dev/zero")),
              HasSubstr("a line of more than 16777216 bytes: \"xxx"));
}

TEST_F(AgentSpawn, AFloodOfAnnouncementsDoesNotOutlastADeadline) {
  const auto agent = Agent::Spawn(loop_, log_, "sut", ChangedBy(R"(/pong/{
    :again
    s/.*/{"jsonrpc":"2.0","method":"begun","params":{"id":99,"time":1}}/p
    b again
  })"));
  EXPECT_THAT(
      MessageOf<HarnessError>([&] {
        const auto call = agent->Start("poll", {{"fds", json::array()}, {"timeout_ms", -1}}, "");
        agent->Wait(call, Clock::now());
      }),
      HasSubstr("does not answer a ping"));
}

TEST_F(AgentSpawn, AFloodOfComplaintsInAFileIsStopped) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::tmpfile(), std::fclose);
  ASSERT_NE(file, nullptr);
  AgentCommand command = Shell("exec yes >&2");
  command.in_child = [fd = fileno(file.get())] {
    return dup2(fd, STDERR_FILENO) == STDERR_FILENO ? 0 : errno;
  };
  EXPECT_THAT(ErrorOf(command), HasSubstr("wrote more than 4194304 bytes to standard error"));
}

TEST_F(AgentSpawn, StoppedItDoesNotAnswerAPing) {
  const auto agent = Agent::Spawn(loop_, log_, "sut", RealAgent());
  const auto call = agent->Start("poll", {{"fds", json::array()}, {"timeout_ms", -1}}, "");
  kill(agent->pid(), SIGSTOP);
  siginfo_t stopped;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(agent->pid()), &stopped, WSTOPPED | WNOWAIT), 0);
  EXPECT_THAT(MessageOf<HarnessError>([&] { agent->Wait(call, Clock::now()); }),
              HasSubstr("does not answer a ping"));
}

// How long the agent waited, once that is anything at all, on the processor of this process.
Duration WaitBesideThisProcess() {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  if (sched_setaffinity(0, sizeof here, &here) != 0) ThrowErrno("sched_setaffinity");
  EventLoop loop;
  EventLog log(-1);
  const auto agent = Agent::Spawn(loop, log, "sut", RealAgent());
  agent->NoteWaits();
  const Time deadline = Clock::now() + 10s;
  while (agent->WorstWait() == 0ns && Clock::now() < deadline) {
    const auto call = agent->Start("ping", json::object(), "");
    const Time spun = Clock::now() + 2ms;
    while (Clock::now() < spun) {
    }
    agent->Wait(call, deadline);
    agent->Take(call);
  }
  return agent->WorstWait();
}

TEST(AgentThatWaits, IsKnownToWaitInAPidNamespaceToo) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      EnterPrivateNamespaces();
      _exit(WaitBesideThisProcess() > 0ns ? 0 : 1);
    } catch (const std::exception& error) {
      fprintf(stderr, "%s\n", error.what());
      _exit(2);
    }
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// ---- an agent on another machine ----

TEST_F(AgentSpawn, TimesOfAnotherClockAreBroughtToOurs) {
  AgentCommand command = Shell(R"(while read -r line; do
    id=${line#*\"id\":}
    id=${id%%,*}
    time=$(($(date +%s%N) - 3600000000000))
    value='"pong"'
    case $line in *hello*) value='{"protocol":1}' ;; esac
    echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"begin\":$time,\"end\":$time,\"value\":$value}}"
  done)");
  command.own_clock = true;
  const auto agent = Agent::Spawn(loop_, log_, "sut", command);
  const Time before = Clock::now();
  const AgentReply reply = agent->Call("ping", json::object(), "");
  const Duration under_way = Clock::now() - before;
  EXPECT_TRUE(agent->has_own_clock());
  EXPECT_GE(reply.begin, before - under_way);
  EXPECT_LE(reply.end, before + 2 * under_way);
}

}  // namespace
}  // namespace sockproof
