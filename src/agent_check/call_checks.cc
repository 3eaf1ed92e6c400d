// The methods and the options.
#include <algorithm>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/protocol.h"
#include "src/agent_check/check_lists.h"
#include "src/agent_check/steps.h"

namespace sockproof::agent_check {
namespace {

// ---- methods ----

std::string Binds(Session& agent) {
  const json fd = NewBoundSocket(agent);
  const json address = AddressOf(agent, fd);
  Expect(address["port"] != 0, "a port", address);
  ExpectEqual(address, Loopback(address["port"].get<int>()));
  Close(agent, {fd});
  ExpectErrno(agent.Result("getsockname", {{"fd", fd}}), "EBADF");
  return "";
}

std::string Connects(Session& agent) {
  const json listener = NewListener(agent);
  const json client = NewSocket(agent);
  const json address = AddressOf(agent, listener);
  ExpectEqual(agent.Value("connect", {{"fd", client}, {"address", address}}), 0);
  const json accepted = agent.Value("accept", {{"fd", listener}});
  ExpectEqual(accepted["address"], AddressOf(agent, client));
  ExpectEqual(agent.Value("getpeername", {{"fd", client}}), address);
  Close(agent, {listener, client, accepted["fd"]});
  return "";
}

std::string RefusesConnections(Session& agent) {
  const json bound = NewBoundSocket(agent);
  const json address = AddressOf(agent, bound);
  const json client = NewSocket(agent);
  std::string remark = ExpectErrnoOfSystem(
      agent.Result("connect", {{"fd", client}, {"address", address}}), "ECONNREFUSED");
  Close(agent, {bound, client});
  return remark;
}

std::string CarriesAnyBytes(Session& agent) {
  std::string bytes;
  for (int i = 0; i < 1001; ++i) bytes += static_cast<char>(i);
  const auto [client, server] = NewConnection(agent);
  ExpectEqual(agent.Value("send", {{"fd", client}, {"data", Data(bytes)}}), bytes.size());
  Expect(ReceiveAll(agent, server, bytes.size()) == bytes, "the bytes that were sent", "others");
  Close(agent, {client, server});
  return "";
}

// Neither end is a bottleneck that ends in a wait for the other.
std::string CarriesMegabytes(Session& agent) {
  const std::string bytes(2 << 20, 'x');
  const auto [client, server] = NewConnection(agent);
  const int send = agent.Start("send", {{"fd", client}, {"data", Data(bytes)}});
  Expect(ReceiveAll(agent, server, bytes.size()) == bytes, "the bytes that were sent", "others");
  const json result = agent.ResultOf(send);
  ExpectEqual(result.value("value", json()), bytes.size());
  Close(agent, {client, server});
  return "";
}

std::string ShutsDown(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  ExpectEqual(agent.Value("shutdown", {{"fd", client}, {"how", "SHUT_WR"}}), 0);
  ExpectEqual(agent.Value("recv", {{"fd", server}, {"length", 8}}), {{"length", 0}, {"data", ""}});
  agent.Value("send", {{"fd", server}, {"data", Data("still")}});
  Expect(ReceiveAll(agent, client, 5) == "still", "data after the half-close", "other data");
  Close(agent, {client, server});
  return "";
}

std::string Peeks(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  agent.Value("send", {{"fd", client}, {"data", Data("abc")}});
  const json peeked = agent.Value("recv", {{"fd", server}, {"length", 1}, {"flags", {"MSG_PEEK"}}});
  ExpectEqual(peeked, {{"length", 1}, {"data", Data("a")}});
  Expect(ReceiveAll(agent, server, 3) == "abc", "abc after MSG_PEEK", "other data");
  Close(agent, {client, server});
  return "";
}

std::string DoesNotWait(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  const json result =
      agent.Result("recv", {{"fd", server}, {"length", 1}, {"flags", {"MSG_DONTWAIT"}}});
  Close(agent, {client, server});
  Expect(
      result.value("errno", json()) == "EAGAIN" || result.value("errno", json()) == "EWOULDBLOCK",
      "errno EAGAIN", result);
  return "";
}

std::string Polls(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  const json fds = {{{"fd", client}, {"events", {"POLLOUT"}}},
                    {{"fd", server}, {"events", {"POLLIN"}}}};
  ExpectEqual(agent.Value("poll", {{"fds", fds}, {"timeout_ms", kForeverMs}}),
              {{"POLLOUT"}, json::array()});
  const json none = {{{"fd", server}, {"events", {"POLLIN"}}}};
  ExpectEqual(agent.Value("poll", {{"fds", none}, {"timeout_ms", 1}}),
              json::array({json::array()}));
  Close(agent, {client, server});
  return "";
}

std::string Duplicates(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  const json copy = agent.Value("dup", {{"fd", client}});
  Close(agent, {client});
  agent.Value("send", {{"fd", copy}, {"data", Data("x")}});
  Expect(ReceiveAll(agent, server, 1) == "x", "x by the duplicate", "other data");
  Close(agent, {copy, server});
  return "";
}

std::string ReadsAndWrites(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  ExpectEqual(agent.Value("write", {{"fd", client}, {"data", Data("hello")}}), 5);
  ExpectEqual(agent.Value("read", {{"fd", server}, {"length", 64}}),
              {{"length", 5}, {"data", Data("hello")}});
  Close(agent, {client, server});
  return "";
}

std::string SendsDatagrams(Session& agent) {
  const json receiver = NewBoundSocket(agent, "SOCK_DGRAM");
  const json sender = NewBoundSocket(agent, "SOCK_DGRAM");
  const json to = AddressOf(agent, receiver);
  ExpectEqual(agent.Value("sendto", {{"fd", sender}, {"data", Data("hello")}, {"address", to}}), 5);
  ExpectEqual(agent.Value("recvfrom", {{"fd", receiver}, {"length", 2}}),
              {{"length", 2}, {"data", Data("he")}, {"address", AddressOf(agent, sender)}});
  Close(agent, {receiver, sender});
  return "";
}

std::string MakesPairs(Session& agent) {
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_STREAM"}});
  Expect(pair.is_array() && pair.size() == 2, "two descriptors", pair);
  agent.Value("send", {{"fd", pair[0]}, {"data", Data("x")}});
  Expect(ReceiveAll(agent, pair[1], 1) == "x", "x at the other end", "other data");
  Close(agent, {pair[0], pair[1]});
  return "";
}

// Those that are no files: of none, and abstract ones where the system has them.
std::string NamesUnixSockets(Session& agent) {
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_DGRAM"}});
  const json unnamed = agent.Value("getsockname", {{"fd", pair[0]}});
  Expect(unnamed.value("family", json()) == "AF_UNIX" && unnamed.value("path", json("")) == "",
         "an address of AF_UNIX without a path", unnamed);
  const json fd = agent.Value("socket", {{"domain", "AF_UNIX"}, {"type", "SOCK_DGRAM"}});
  const std::string octets = std::string("\0sockproof\0agent-check ", 23) + fd.dump();
  const json name = {{"family", "AF_UNIX"}, {"name", Data(octets)}};
  const json result = agent.Result("bind", {{"fd", fd}, {"address", name}});
  if (result.contains("errno")) {
    Close(agent, {pair[0], pair[1], fd});
    throw Unsupported("abstract names: " + result["errno"].dump());
  }
  ExpectEqual(agent.Value("getsockname", {{"fd", fd}}), name);
  agent.Value("sendto", {{"fd", pair[0]}, {"data", Data("x")}, {"address", name}});
  ExpectEqual(agent.Value("recvfrom", {{"fd", fd}, {"length", 8}}).value("data", json()),
              Data("x"));
  Close(agent, {pair[0], pair[1], fd});
  return "";
}

std::string NamesHaveLengths(Session& agent) {
  const json fd = NewBoundSocket(agent);
  const json whole = agent.Value("getsockname", {{"fd", fd}, {"address_length", 128}});
  Expect(whole.value("length", json()).is_number_integer() && whole["length"] > 4,
         "an address with its length", whole);
  const json part = agent.Value("getsockname", {{"fd", fd}, {"address_length", 4}});
  // POSIX wants that of all of it; what a stack tells of a name that is cut is not the agent's
  // doing.
  Expect(part.value("length", json()) == whole["length"] || part.value("length", json()) == 4,
         "the length of all of the address", part);
  json octets = {{"family", "AF_INET"}, {"octets", Data(std::string(14, '\0'))}};
  const json other = NewSocket(agent);
  agent.Value("bind", {{"fd", other}, {"address", octets}});
  Close(agent, {fd, other});
  return "";
}

// Two parts out, three in, with the sender's name.
std::string SendsMessages(Session& agent) {
  const json receiver = NewBoundSocket(agent, "SOCK_DGRAM");
  const json sender = NewBoundSocket(agent, "SOCK_DGRAM");
  const json to = AddressOf(agent, receiver);
  ExpectEqual(agent.Value("sendmsg",
                          {{"fd", sender}, {"vector", {Data("he"), Data("llo")}}, {"address", to}}),
              5);
  const json value = agent.Value("recvmsg", {{"fd", receiver}, {"lengths", {1, 1, 8}}});
  ExpectEqual(value.value("data", json()), Data("hello"));
  ExpectEqual(value.value("length", json()), 5);
  ExpectEqual(value.value("address", json()), AddressOf(agent, sender));
  ExpectEqual(value.value("control", json()), json::array());
  ExpectEqual(value.value("control_length", json()), 0);
  Expect(value.value("flags", json()).is_array(), "flags, a list", value);
  Close(agent, {receiver, sender});
  return "";
}

std::string SendsManyMessages(Session& agent) {
  const json receiver = NewBoundSocket(agent, "SOCK_DGRAM");
  const json sender = NewBoundSocket(agent, "SOCK_DGRAM");
  const json to = AddressOf(agent, receiver);
  const json messages = {{{"data", Data("one")}, {"address", to}},
                         {{"data", Data("three")}, {"address", to}}};
  ExpectEqual(agent.Value("sendmmsg", {{"fd", sender}, {"messages", messages}}), {3, 5});
  const json room = {{"length", 4}};
  const json value = agent.Value("recvmmsg", {{"fd", receiver}, {"messages", {room, room}}});
  Expect(value.is_array() && value.size() == 2, "two messages", value);
  ExpectEqual(value[0].value("data", json()), Data("one"));
  ExpectEqual(value[1].value("data", json()), Data("thre"));
  ExpectEqual(value[1].value("flags", json()), json::array({"MSG_TRUNC"}));
  Close(agent, {receiver, sender});
  return "";
}

std::string ReadsAndWritesInParts(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  ExpectEqual(agent.Value("writev", {{"fd", client}, {"vector", {Data("he"), "", Data("llo")}}}),
              5);
  Expect(ReceiveAll(agent, server, 2) == "he", "he", "other data");
  const json ready = {{{"fd", server}, {"events", {"POLLIN"}}}};
  agent.Value("poll", {{"fds", ready}, {"timeout_ms", kForeverMs}});
  ExpectEqual(agent.Value("readv", {{"fd", server}, {"lengths", {1, 64}}}),
              {{"length", 3}, {"data", Data("llo")}});
  Close(agent, {client, server});
  return "";
}

// What is sent as a descriptor arrives as another of the same socket; what there is no room for,
// not.
std::string PassesDescriptors(Session& agent) {
  if (!Declares(agent, "rights")) throw Unsupported("rights is not declared");
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_STREAM"}});
  const json other = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_STREAM"}});
  const json item = {
      {"level", "SOL_SOCKET"}, {"type", "SCM_RIGHTS"}, {"fds", json::array({other[0]})}};
  const json message = {{"fd", pair[0]}, {"data", Data("x")}, {"control", json::array({item})}};
  ExpectEqual(agent.Value("sendmsg", message), 1);
  const json value =
      agent.Value("recvmsg", {{"fd", pair[1]}, {"length", 1}, {"control_room", {4}}});
  const json control = value.value("control", json());
  Expect(control.is_array() && control.size() == 1 &&
             control[0].value("type", "") == "SCM_RIGHTS" &&
             control[0].value("level", "") == "SOL_SOCKET" &&
             control[0].value("fds", json::array()).size() == 1,
         "SCM_RIGHTS with one descriptor", value);
  const json passed = control[0]["fds"][0];
  agent.Value("send", {{"fd", passed}, {"data", Data("through")}});
  Expect(ReceiveAll(agent, other[1], 7) == "through", "data by the descriptor passed",
         "other data");
  agent.Value("sendmsg", message);
  const json cut = agent.Value("recvmsg", {{"fd", pair[1]}, {"length", 1}});
  ExpectEqual(cut.value("flags", json()), json::array({"MSG_CTRUNC"}));
  Close(agent, {pair[0], pair[1], other[0], other[1], passed});
  return "";
}

// In place of what the type has: octets, which make no sense, are for the system to refuse.
std::string SendsMalformedControlData(Session& agent) {
  if (!Declares(agent, "rights")) throw Unsupported("rights is not declared");
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_DGRAM"}});
  const json item = {{"level", "SOL_SOCKET"}, {"type", "0x63"}, {"octets", Data("abc")}};
  const json refused =
      agent.Result("sendmsg", {{"fd", pair[0]}, {"data", ""}, {"control", json::array({item})}});
  std::string remark = ExpectErrnoOfSystem(refused, "EINVAL");
  const json raw =
      agent.Result("sendmsg", {{"fd", pair[0]}, {"data", ""}, {"raw_control", Data("shrt")}});
  Expect(raw.contains("value") || raw.contains("errno"), "a result", raw);
  Close(agent, {pair[0], pair[1]});
  return remark;
}

std::string Selects(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  const json both = {client, server};
  agent.Value("send", {{"fd", client}, {"data", Data("x")}});
  const json value =
      agent.Value("select", {{"read", both}, {"timeout", {{"sec", 300}, {"usec", 0}}}});
  ExpectEqual(value.value("read", json()), json::array({server}));
  ExpectEqual(value.value("ready", json()), 1);
  const json none = agent.Value("pselect", {{"read", json::array({client})},
                                            {"timeout", {{"sec", 0}, {"nsec", 1000}}},
                                            {"mask", {"SIGUSR1"}}});
  ExpectEqual(none.value("read", json()), json::array());
  ExpectErrno(agent.Result("select", {{"read", both}, {"nfds", -1}}), "EINVAL");
  Close(agent, {client, server});
  return "";
}

std::string PollsWithMask(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  const json fds = {{{"fd", client}, {"events", {"POLLIN", "POLLOUT"}}}};
  ExpectEqual(
      agent.Value("ppoll",
                  {{"fds", fds}, {"timeout", {{"sec", 300}, {"nsec", 0}}}, {"mask", {"SIGUSR1"}}}),
      {{"POLLOUT"}});
  Close(agent, {client, server});
  return "";
}

std::string BadPointersAreFaults(Session& agent) {
  const json fd = NewSocket(agent);
  for (const json& pointer : {json("null"), json("unmapped"), json("read-only"), json(1)}) {
    ExpectErrno(agent.Result("getsockname", {{"fd", fd}, {"bad_pointers", {{"address", pointer}}}}),
                "EFAULT");
  }
  const json reply =
      agent.Request("listen", {{"fd", fd}, {"backlog", 1}, {"bad_pointers", {{"data", "null"}}}});
  Expect(reply.contains("error") &&
             reply["error"].value("code", json()) == agent_protocol::kUnsupported,
         "an argument that the method does not have is unsupported", reply);
  Close(agent, {fd});
  return "";
}

std::string InterruptsCalls(Session& agent) {
  ExpectEqual(agent.Value("interrupt", {{"id", 1'000'000}}), false);  // whether it is there
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_STREAM"}});
  const int call = agent.Start("recv", {{"fd", pair[0]}, {"length", 1}, {"announce", true}});
  agent.Receive();  // its announcement
  ExpectEqual(agent.Value("interrupt", {{"id", call}, {"restart", true}}), true);
  ExpectEqual(agent.Value("interrupt", {{"id", call}}), true);
  const json result = agent.ResultOf(call);
  ExpectErrno(result, "EINTR");
  ExpectEqual(result.value("signals", json()), {"SIGUSR1", "SIGUSR2"});
  Close(agent, {pair[0], pair[1]});
  return "";
}

std::string KeepsADirectory(Session& agent) {
  if (!Declares(agent, "directory")) throw Unsupported("directory is not declared");
  const std::string folder = agent.Value("directory", json::object()).get<std::string>();
  const std::string path = folder + "/agent-check";
  const json file = agent.Value(
      "open", {{"path", path}, {"flags", {"O_CREAT", "O_EXCL", "O_RDWR"}}, {"mode", 0640}});
  ExpectEqual(agent.Value("write", {{"fd", file}, {"data", Data("hello")}}), 5);
  ExpectEqual(agent.Value("lseek", {{"fd", file}, {"offset", 1}, {"whence", "SEEK_SET"}}), 1);
  ExpectEqual(agent.Value("read", {{"fd", file}, {"length", 9}}),
              {{"length", 4}, {"data", Data("ello")}});
  agent.Value("symlink", {{"target", path}, {"path", folder + "/link"}});
  agent.Value("chmod", {{"path", path}, {"mode", 0600}});
  const json status = agent.Value("stat", {{"path", folder + "/link"}});
  ExpectEqual(status.value("type", json()), "file");
  ExpectEqual(status.value("mode", json()), 0600);
  ExpectEqual(status.value("size", json()), 5);
  agent.Value("unlink", {{"path", path}});
  agent.Value("unlink", {{"path", folder + "/link"}});
  ExpectErrno(agent.Result("stat", {{"path", path}}), "ENOENT");
  ExpectEqual(agent.Value("stat", {{"fd", file}}).value("size", json()), 5);
  Close(agent, {file});
  const std::string empty =
      agent.Value("directory", {{"read_only", true}}).get<std::string>() + "/file";
  ExpectErrno(agent.Result("open", {{"path", empty}, {"flags", {"O_CREAT", "O_RDWR"}}}), "EROFS");
  return "";
}

std::string MovesFiles(Session& agent) {
  const json pipe = agent.Value("pipe", json::object());
  const auto [client, server] = NewConnection(agent);
  agent.Value("write", {{"fd", pipe[1]}, {"data", Data("by pipe")}});
  ExpectEqual(agent.Value("splice", {{"in", pipe[0]}, {"out", client}, {"count", 64}}), 7);
  Expect(ReceiveAll(agent, server, 7) == "by pipe", "by pipe", "other data");
  const json copy = agent.Value("pipe", json::object());
  agent.Value("write", {{"fd", pipe[1]}, {"data", Data("twice")}});
  ExpectEqual(agent.Value("tee", {{"in", pipe[0]}, {"out", copy[1]}, {"count", 64}}), 5);
  for (const json& end : {pipe[0], copy[0]}) {
    ExpectEqual(agent.Value("read", {{"fd", end}, {"length", 64}}),
                {{"length", 5}, {"data", Data("twice")}});
  }
  Close(agent, {copy[0], copy[1]});
  Close(agent, {pipe[0], pipe[1], client, server});
  if (!Declares(agent, "directory")) return "sendfile was not tried, for want of a file";
  const std::string path = agent.Value("directory", json::object()).get<std::string>() + "/file";
  const json file = agent.Value("open", {{"path", path}, {"flags", {"O_CREAT", "O_RDWR"}}});
  agent.Value("write", {{"fd", file}, {"data", Data("by file")}});
  const auto [from, to] = NewConnection(agent);
  ExpectEqual(agent.Value("sendfile", {{"out", from}, {"in", file}, {"offset", 3}, {"count", 64}}),
              4);
  Expect(ReceiveAll(agent, to, 4) == "file", "file", "other data");
  agent.Value("unlink", {{"path", path}});
  Close(agent, {file, from, to});
  return "";
}

std::string Forks(Session& agent) {
  if (!Declares(agent, "processes")) throw Unsupported("processes is not declared");
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_STREAM"}});
  const json child = agent.Value("fork", {{"limits", {{"RLIMIT_NOFILE", 256}}}});
  const json in_child = {{"fd", pair[0]}, {"process", child}};
  json send = in_child;
  send["data"] = Data("child");
  ExpectEqual(agent.Value("send", send), 5);
  Expect(ReceiveAll(agent, pair[1], 5) == "child", "what the child sent", "other data");
  agent.Value("close", in_child);
  ExpectErrno(agent.Result("send", send), "EBADF");
  agent.Value("send", {{"fd", pair[0]}, {"data", Data("parent")}});  // it is open here
  ExpectEqual(agent.Value("exec", {{"process", child}}), 0);
  ExpectEqual(agent.Value("ping", {{"process", child}}), "pong");
  ExpectEqual(agent.Value("exit", {{"process", child}, {"status", 7}}), 0);
  ExpectEqual(agent.Value("waitpid", {{"pid", child}}), {{"exited", 7}});
  const json other = agent.Value("fork", {{"umask", 027}});
  if (Declares(agent, "directory")) {
    const std::string path =
        agent.Value("directory", json::object()).get<std::string>() + "/masked";
    agent.Value("open",
                {{"path", path}, {"flags", {"O_CREAT"}}, {"mode", 0666}, {"process", other}});
    ExpectEqual(agent.Value("stat", {{"path", path}}).value("mode", json()), 0640);
    agent.Value("unlink", {{"path", path}});
  }
  agent.Value("kill", {{"pid", other}, {"signal", "SIGKILL"}});
  ExpectEqual(agent.Value("waitpid", {{"pid", other}}), {{"signal", "SIGKILL"}});
  const json reply = agent.Request("ping", {{"process", other}});
  Expect(reply.contains("error"), "an error for a process that has ended", reply);
  Close(agent, {pair[0], pair[1]});
  return "";
}

std::string TakesSignals(Session& agent) {
  const json child = agent.Value("fork", json::object());
  agent.Value("kill", {{"pid", child}, {"signal", "SIGIO"}});
  ExpectEqual(agent.Value("sigtimedwait",
                          {{"process", child}, {"signals", {"SIGIO"}}, {"timeout_ms", kForeverMs}}),
              "SIGIO");
  const json again =
      agent.Result("sigtimedwait", {{"process", child}, {"signals", {"SIGIO"}}, {"timeout_ms", 0}});
  ExpectEqual(again.value("errno", json()), "EAGAIN");
  agent.Value("exit", {{"process", child}, {"status", 0}});
  agent.Value("waitpid", {{"pid", child}});
  return "";
}

std::string UsesIpv6(Session& agent) {
  if (!Declares(agent, "ipv6")) throw Unsupported("ipv6 is not declared");
  const json fd = agent.Value(
      "socket", {{"domain", "AF_INET6"}, {"type", "SOCK_STREAM"}, {"protocol", "IPPROTO_TCP"}});
  json address = {{"family", "AF_INET6"}, {"address", "::"}, {"port", 0}};
  agent.Value("bind", {{"fd", fd}, {"address", address}});
  address["port"] = AddressOf(agent, fd)["port"];
  ExpectEqual(AddressOf(agent, fd), address);
  Close(agent, {fd});
  return "";
}

std::string ControlsDescriptors(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  ExpectEqual(
      agent.Value("fcntl", {{"fd", client}, {"command", "F_SETFL"}, {"flags", {"O_NONBLOCK"}}}), 0);
  const json flags = agent.Value("fcntl", {{"fd", client}, {"command", "F_GETFL"}});
  Expect(flags.is_array() && std::find(flags.begin(), flags.end(), "O_NONBLOCK") != flags.end(),
         "a list with O_NONBLOCK", flags);
  const json result = agent.Result("recv", {{"fd", client}, {"length", 1}});
  Expect(
      result.value("errno", json()) == "EAGAIN" || result.value("errno", json()) == "EWOULDBLOCK",
      "errno EAGAIN", result);
  Close(agent, {client, server});
  return "";
}

std::string CountsWhatCanBeRead(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  agent.Value("send", {{"fd", client}, {"data", Data("hello")}});
  const json ready = {{{"fd", server}, {"events", {"POLLIN"}}}};
  agent.Value("poll", {{"fds", ready}, {"timeout_ms", kForeverMs}});
  ExpectEqual(agent.Value("ioctl", {{"fd", server}, {"request", "FIONREAD"}}), 5);
  Close(agent, {client, server});
  return "";
}

// ---- options ----

json Option(const json& fd, const char* level, const char* name) {
  return {{"fd", fd}, {"level", level}, {"name", name}};
}

// Sets an option and reads the same back.
void SetAndGet(Session& agent, const char* level, const char* name, const json& value,
               const json& read) {
  const json fd = NewSocket(agent);
  json parameters = Option(fd, level, name);
  parameters["value"] = value;
  ExpectEqual(agent.Value("setsockopt", parameters), 0);
  ExpectEqual(agent.Value("getsockopt", Option(fd, level, name)), read);
  Close(agent, {fd});
}

std::string IntegerOptions(Session& agent) {
  const json fd = NewSocket(agent);
  json parameters = Option(fd, "SOL_SOCKET", "SO_KEEPALIVE");
  ExpectEqual(agent.Value("getsockopt", parameters), 0);
  parameters["value"] = 1;
  ExpectEqual(agent.Value("setsockopt", parameters), 0);
  const json on = agent.Value("getsockopt", Option(fd, "SOL_SOCKET", "SO_KEEPALIVE"));
  Expect(on.is_number_integer() && on != 0, "an integer that is not 0", on);
  ExpectEqual(agent.Value("getsockopt", Option(fd, "SOL_SOCKET", "SO_ERROR")), 0);
  Close(agent, {fd});
  return "";
}

std::string TimeOptions(Session& agent) {
  const json time = {{"sec", 3}, {"usec", 500000}};
  SetAndGet(agent, "SOL_SOCKET", "SO_RCVTIMEO", 3.5, time);
  SetAndGet(agent, "SOL_SOCKET", "SO_RCVTIMEO", time, time);
  return "";
}

std::string LingerOption(Session& agent) {
  const json fd = NewSocket(agent);
  json parameters = Option(fd, "SOL_SOCKET", "SO_LINGER");
  parameters["value"] = {{"onoff", 1}, {"linger", 7}};
  ExpectEqual(agent.Value("setsockopt", parameters), 0);
  const json value = agent.Value("getsockopt", Option(fd, "SOL_SOCKET", "SO_LINGER"));
  Expect(
      value.is_object() && value.value("linger", json()) == 7 && value.value("onoff", json(0)) != 0,
      "linger 7, and onoff", value);
  Close(agent, {fd});
  return "";
}

std::string OptionsAsBytes(Session& agent) {
  const json fd = NewSocket(agent);
  json parameters = Option(fd, "SOL_SOCKET", "SO_KEEPALIVE");
  parameters["value"] = {{"bytes", Data(std::string(4, '\0'))}};
  ExpectEqual(agent.Value("setsockopt", parameters), 0);
  parameters = Option(fd, "SOL_SOCKET", "SO_KEEPALIVE");
  parameters["length"] = 4;
  ExpectEqual(agent.Value("getsockopt", parameters), {{"bytes", Data(std::string(4, '\0'))}});
  Close(agent, {fd});
  return "";
}

std::string CredentialsAsAnObject(Session& agent) {
  if (!Declares(agent, "unix")) throw Unsupported("unix is not declared");
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_STREAM"}});
  const json value = agent.Value("getsockopt", Option(pair[0], "SOL_SOCKET", "SO_PEERCRED"));
  Close(agent, {pair[0], pair[1]});
  Expect(
      value.is_object() && value.contains("pid") && value.contains("uid") && value.contains("gid"),
      "pid, uid and gid", value);
  return "";
}

std::string TcpInfoAsAnObject(Session& agent) {
  if (!Declares(agent, "tcp_info")) throw Unsupported("tcp_info is not declared");
  const auto [client, server] = NewConnection(agent);
  agent.Value("shutdown", {{"fd", client}, {"how", "SHUT_WR"}});
  agent.Value("recv", {{"fd", server}, {"length", 1}});
  const json info = agent.Value("getsockopt", Option(server, "IPPROTO_TCP", "TCP_INFO"));
  Expect(info.is_object() && info.value("state", json()) == "CLOSE-WAIT", "state CLOSE-WAIT", info);
  Expect(info.value("options", json()).is_array(), "options, a list", info);
  Close(agent, {client, server});
  return "";
}

// ---- capabilities ----

std::string EpollWaits(Session& agent) {
  if (!Declares(agent, "epoll")) throw Unsupported("epoll is not declared");
  const auto [client, server] = NewConnection(agent);
  const json epfd = agent.Value("epoll_create1", {{"flags", {"EPOLL_CLOEXEC"}}});
  const json entry = {
      {"epfd", epfd}, {"op", "EPOLL_CTL_ADD"}, {"fd", server}, {"events", {"EPOLLIN"}}};
  ExpectEqual(agent.Value("epoll_ctl", entry), 0);
  agent.Value("send", {{"fd", client}, {"data", Data("x")}});
  const json wait = {{"epfd", epfd}, {"maxevents", 8}, {"timeout_ms", kForeverMs}};
  ExpectEqual(agent.Value("epoll_wait", wait),
              json::array({{{"fd", server}, {"events", {"EPOLLIN"}}}}));
  Close(agent, {epfd, client, server});
  return "";
}

// The interface that has the address of the loopback.
std::string AsksForInterfaces(Session& agent) {
  const json fd = agent.Value("socket", {{"domain", "AF_INET"}, {"type", "SOCK_DGRAM"}});
  const json counted = agent.Value("interface_list", {{"fd", fd}}).value("length", json());
  const json list = agent.Value("interface_list", {{"fd", fd}, {"room", counted}});
  ExpectEqual(list.value("length", json()), counted);
  const json address = {{"family", "AF_INET"}, {"address", "127.0.0.1"}, {"port", 0}};
  std::string name;
  for (const json& interface : list.value("interfaces", json::array())) {
    if (interface.value("address", json()) == address) name = interface.value("name", "");
  }
  Expect(!name.empty(), "an interface with 127.0.0.1", list);
  const auto ask = [&](json params) {
    params["fd"] = fd;
    return agent.Value("interface_ioctl", params);
  };
  const json index = ask({{"request", "SIOCGIFINDEX"}, {"name", name}}).value("number", json());
  ExpectEqual(ask({{"request", "SIOCGIFNAME"}, {"number", index}}).value("name", json()), name);
  ExpectEqual(ask({{"request", "SIOCGIFADDR"}, {"name", name}}).value("address", json()), address);
  const json flags = ask({{"request", "SIOCGIFFLAGS"}, {"name", name}}).value("flags", json());
  Expect(std::find(flags.begin(), flags.end(), "IFF_LOOPBACK") != flags.end(), "IFF_LOOPBACK",
         flags);
  const json hardware = ask({{"request", "SIOCGIFHWADDR"}, {"name", name}});
  Expect(hardware.value("number", json()).is_number_integer() &&
             hardware.value("octets", json()).is_string(),
         "its type and octets", hardware);
  Close(agent, {fd});
  return "";
}

std::string CallsThroughRings(Session& agent) {
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_STREAM"}});
  const json by_ring = {{"fd", pair[0]}, {"through", "io_uring"}};
  json send = by_ring;
  send["data"] = Data("by a ring");
  ExpectEqual(agent.Value("send", send), 9);
  Expect(ReceiveAll(agent, pair[1], 9) == "by a ring", "what the ring sent", "other data");
  json receive = by_ring;
  receive["length"] = 64;
  receive["announce"] = true;
  const int call = agent.Start("recv", receive);
  agent.Receive();  // its announcement
  ExpectEqual(agent.Value("cancel", {{"fd", pair[0]}}), 0);
  ExpectErrno(agent.ResultOf(call), "ECANCELED");
  ExpectErrno(agent.Result("cancel", {{"fd", pair[0]}}), "ENOENT");
  Close(agent, {pair[0], pair[1]});
  return "";
}

std::string CompletesAgainAndAgain(Session& agent) {
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_DGRAM"}});
  const json params = {{"fd", pair[0]}, {"operation", "recv"}, {"buffers", 4}, {"length", 64}};
  const json multishot = agent.Value("multishot", params);
  for (const char* text : {"one", "another"}) {
    agent.Value("send", {{"fd", pair[1]}, {"data", Data(text)}});
    const json completion = agent.Value("completion", {{"multishot", multishot}});
    ExpectEqual(completion, {{"more", true}, {"data", Data(text)}});
  }
  ExpectEqual(agent.Value("cancel", {{"fd", pair[0]}}), 0);
  ExpectEqual(agent.Value("completion", {{"multishot", multishot}}),
              {{"more", false}, {"errno", "ECANCELED"}});
  ExpectErrno(agent.Result("completion", {{"multishot", multishot}}), "ENOENT");
  Close(agent, {pair[0], pair[1]});
  return "";
}

std::string SysctlsThatDoNotExist(Session& agent) {
  if (!Declares(agent, "sysctl")) throw Unsupported("sysctl is not declared");
  ExpectErrno(agent.Result("sysctl_get", {{"name", "net.ipv4.no_such_thing"}}), "ENOENT");
  return "";
}

std::string CountersAreIntegers(Session& agent) {
  if (!Declares(agent, "counters")) throw Unsupported("counters is not declared");
  const json before = agent.Value("counters", json::object());
  for (const auto& [name, value] : before.items()) {
    Expect(value.is_number_integer() && name.find('.') != std::string::npos,
           "integers under names like Tcp.ActiveOpens", {{name, value}});
  }
  const auto [client, server] = NewConnection(agent);
  const json after = agent.Value("counters", json::object());
  Expect(after.value("Tcp.ActiveOpens", 0) > before.value("Tcp.ActiveOpens", 0),
         "a connection counted in Tcp.ActiveOpens", after.value("Tcp.ActiveOpens", json()));
  Close(agent, {client, server});
  return "";
}

std::string ShowsListeners(Session& agent) {
  if (!Declares(agent, "tcp_sockets")) throw Unsupported("tcp_sockets is not declared");
  const auto check = [&](const char* family, const char* any) {
    const json fd = agent.Value("socket", {{"domain", family}, {"type", "SOCK_STREAM"}});
    const json address = {{"family", family}, {"address", any}, {"port", 0}};
    ExpectEqual(agent.Value("bind", {{"fd", fd}, {"address", address}}), 0);
    ExpectEqual(agent.Value("listen", {{"fd", fd}, {"backlog", 8}}), 0);
    const json entry = {{"state", "LISTEN"},
                        {"local", AddressOf(agent, fd)},
                        {"remote", nullptr},
                        {"receive_queue", 0}};
    const json sockets = agent.Value("tcp_sockets", {{"family", family}});
    const auto is_entry = [&](const json& socket) {
      for (const auto& [name, value] : entry.items()) {
        if (socket.value(name, json("missing")) != value) return false;
      }
      return true;
    };
    Expect(std::any_of(sockets.begin(), sockets.end(), is_entry), entry.dump(), sockets);
    Close(agent, {fd});
  };
  check("AF_INET", "127.0.0.1");
  if (Declares(agent, "ipv6")) check("AF_INET6", "::");
  return "";
}

}  // namespace

std::vector<Check> CallChecks() {
  return {
      {"Methods", "bind", "socket, bind, getsockname and close of a TCP socket", Binds},
      {"Methods", "connect", "listen, connect, accept and getpeername over loopback", Connects},
      {"Methods", "refused", "connect to a port where nobody listens fails", RefusesConnections},
      {"Methods", "data", "send and recv carry any bytes", CarriesAnyBytes},
      {"Methods", "megabytes", "send and recv carry two megabytes at once", CarriesMegabytes},
      {"Methods", "shutdown", "shutdown closes one direction", ShutsDown},
      {"Methods", "poll", "poll gives a list of events for each descriptor", Polls},
      {"Methods", "peek", "recv with MSG_PEEK", Peeks},
      {"Methods", "dontwait", "recv with MSG_DONTWAIT", DoesNotWait},
      {"Methods", "dup", "dup", Duplicates},
      {"Methods", "read-write", "read and write", ReadsAndWrites},
      {"Methods", "datagrams", "sendto and recvfrom, with addresses", SendsDatagrams},
      {"Methods", "socketpair", "socketpair of AF_UNIX", MakesPairs},
      {"Methods", "sendmsg", "sendmsg and recvmsg, in parts, with names", SendsMessages},
      {"Methods", "sendmmsg", "sendmmsg and recvmmsg", SendsManyMessages},
      {"Methods", "writev", "writev and readv", ReadsAndWritesInParts},
      {"Methods", "rights", "SCM_RIGHTS passes descriptors", PassesDescriptors},
      {"Methods", "raw-control", "Control data that makes no sense is sent as it is",
       SendsMalformedControlData},
      {"Methods", "select", "select and pselect give the descriptors that are ready", Selects},
      {"Methods", "ppoll", "ppoll gives events as poll does", PollsWithMask},
      {"Methods", "bad-pointers", "A bad pointer takes the place of an argument",
       BadPointersAreFaults},
      {"Methods", "interrupt", "A signal ends a call that waits, or lets it go on",
       InterruptsCalls},
      {"Methods", "files", "directory, open, unlink, symlink, chmod, stat and lseek",
       KeepsADirectory},
      {"Methods", "sendfile", "pipe, splice, tee and sendfile", MovesFiles},
      {"Methods", "fork", "fork, exec, exit, waitpid and kill", Forks},
      {"Methods", "sigtimedwait", "sigtimedwait takes a signal that is kept", TakesSignals},
      {"Methods", "unix-names", "names of AF_UNIX, unnamed and abstract", NamesUnixSockets},
      {"Methods", "name-lengths", "address_length, and addresses as octets", NamesHaveLengths},
      {"Methods", "ipv6", "addresses of AF_INET6", UsesIpv6},
      {"Methods", "fcntl", "fcntl with O_NONBLOCK", ControlsDescriptors},
      {"Methods", "ioctl", "ioctl with FIONREAD", CountsWhatCanBeRead},
      {"Methods", "interfaces", "interface_ioctl and interface_list", AsksForInterfaces},
      {"Methods", "io-uring", "calls through io_uring, and cancel", CallsThroughRings},
      {"Methods", "multishot", "multishot and completion", CompletesAgainAndAgain},
      {"Methods", "epoll", "epoll_create1, epoll_ctl and epoll_wait", EpollWaits},
      {"Methods", "no-such-sysctl", "A sysctl that does not exist fails with ENOENT",
       SysctlsThatDoNotExist},
      {"Methods", "counters", "counters are integers and count connections", CountersAreIntegers},
      {"Methods", "tcp-sockets", "tcp_sockets shows listeners", ShowsListeners},
      {"Options", "integer", "getsockopt and setsockopt of an integer", IntegerOptions},
      {"Options", "timeval", "getsockopt and setsockopt of a time", TimeOptions},
      {"Options", "linger", "getsockopt and setsockopt of SO_LINGER", LingerOption},
      {"Options", "bytes", "getsockopt and setsockopt of bytes", OptionsAsBytes},
      {"Options", "credentials", "SO_PEERCRED is an object", CredentialsAsAnObject},
      {"Options", "tcp-info", "TCP_INFO is an object with the state's name", TcpInfoAsAnObject},
  };
}

}  // namespace sockproof::agent_check
