// Tests that were run as scripts: what is written, and what is refused.
#include "src/packetdrill/export.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness/packet/packet.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t kIsnOfSystem = 4'000'000'000, kIsnOfPeer = 1'000'000;

// A conversation, a line after the other, 100 us apart unless said otherwise.
class Conversation {
 public:
  Conversation& After(Duration time) {
    now_ += time;
    return *this;
  }
  Conversation& Call(const std::string& text, const std::string& returns) {
    Begin(text);
    return Return(returns);
  }
  Conversation& Begin(const std::string& text) {
    Add(sockproof::CallEvent{++calls_, "sut", text});
    return *this;
  }
  Conversation& Return(const std::string& text) {
    Add(ReturnEvent{calls_, "sut", text, std::nullopt, {}});
    return *this;
  }
  Conversation& Note(const std::string& text) {
    Add(NoteEvent{text});
    return *this;
  }
  Conversation& Frame(const packet::Packet& ip, bool from_peer) {
    packet::Packet frame = ip;
    frame.layers.insert(frame.layers.begin(), packet::Ethernet{});
    Add(FrameEvent{from_peer ? "peer" : "sut", from_peer ? "sut" : "peer",
                   from_peer ? Fate::kSent : Fate::kReceived, Duration(0), packet::Write(frame)});
    return *this;
  }
  // Numbers are relative.
  Conversation& FromSystem(int flags, std::uint32_t seq, std::uint32_t ack = 0, std::size_t size = 0,
                           std::vector<TcpOption> options = {}) {
    packet::Tcp tcp{.source_port = 40000, .destination_port = 80, .seq = seq + kIsnOfSystem};
    if ((flags & kAck) != 0) tcp.ack = ack + kIsnOfPeer;
    return Segment(tcp, flags, size, std::move(options), false);
  }
  Conversation& FromPeer(int flags, std::uint32_t seq, std::uint32_t ack = 0, std::size_t size = 0,
                         std::vector<TcpOption> options = {}) {
    packet::Tcp tcp{.source_port = 80, .destination_port = 40000, .seq = seq + kIsnOfPeer};
    if ((flags & kAck) != 0) tcp.ack = ack + kIsnOfSystem;
    return Segment(tcp, flags, size, std::move(options), true);
  }
  Conversation& Connected() {
    return Call("socket(AF_INET, SOCK_STREAM)", "3")
        .Begin("connect(3, 192.0.2.2:80)")
        .FromSystem(kSyn, 0, 0, 0, {tcp_option::Mss(1460)})
        .FromPeer(kSyn | kAck, 0, 1, 0, {tcp_option::Mss(1460)})
        .FromSystem(kAck, 1, 1)
        .Return("0");
  }

  std::string Script() const { return ExportedScript(events_, {"a test"}); }
  std::string WhyNot() const {
    try {
      return "it is expressible:\n" + Script();
    } catch (const NotExpressible& why) {
      return why.what();
    }
  }

 private:
  Conversation& Segment(packet::Tcp tcp, int flags, std::size_t size, std::vector<TcpOption> options,
                        bool from_peer) {
    tcp.flags = static_cast<TcpFlags>(flags);
    tcp.options = std::move(options);
    const IpAddress system("192.0.2.1"), peer("192.0.2.2");
    packet::Packet packet{{packet::Ipv4{.source = from_peer ? peer : system,
                                        .destination = from_peer ? system : peer},
                           tcp},
                          Bytes(size, 'x'),
                          std::nullopt};
    return Frame(packet, from_peer);
  }
  template <typename What>
  void Add(What what) {
    events_.push_back({now_, std::move(what)});
    now_ += 100us;
  }

  Time now_ = FromNanoseconds(1'700'000'000'000'000'000);
  int calls_ = 0;
  std::vector<sockproof::Event> events_;
};

TEST(PacketdrillExport, WritesCallsAndSegmentsWithNumbersThatCountFromTheInitialOnes) {
  const std::string script = Conversation()
                                 .Connected()
                                 .Call("send(3, \"a, b (\\\"\"..., 10, MSG_NOSIGNAL)", "10")
                                 .FromSystem(kPsh | kAck, 1, 1, 10)
                                 .After(200ms)
                                 .FromSystem(kPsh | kAck, 1, 1, 10)
                                 .FromPeer(kAck, 1, 11)
                                 .Call("shutdown(3, SHUT_WR)", "0")
                                 .FromSystem(kFin | kAck, 11, 1)
                                 .Call("recv(3, 64, 0)", "ECONNRESET")
                                 .Script();
  EXPECT_THAT(script, HasSubstr("// a test\n--ip_version=ipv4\n--connect_port=80\n`sysctl"));
  EXPECT_THAT(script, HasSubstr(R"(
+0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0 connect(3, ..., ...) = 0
+0     > S 0:0(0) win 65535 <mss 1460>
+0     < S. 0:0(0) ack 1 win 65535 <mss 1460>
+0     > . 1:1(0) ack 1
+0.001 send(3, ..., 10, MSG_NOSIGNAL) = 10
+0     > P. 1:11(10) ack 1
+0.2   > P. 1:11(10) ack 1
+0     < . 1:1(0) ack 11 win 65535
+0     shutdown(3, SHUT_WR) = 0
+0     > F. 11:11(0) ack 1
+0     recv(3, ..., 64, 0) = -1 ECONNRESET
)"));
  EXPECT_EQ(Parse(script).FirstUnsupported(), nullptr);
}

TEST(PacketdrillExport, LetsTimestampsBeginAt100) {
  const std::string script =
      Conversation()
          .Call("socket(AF_INET, SOCK_STREAM)", "3")
          .Call("connect(3, 192.0.2.2:80)", "EINPROGRESS")
          .FromSystem(kSyn, 0, 0, 0, {tcp_option::Timestamps(777, 0)})
          .FromPeer(kSyn | kAck, 0, 1, 0, {tcp_option::Timestamps(5, 777)})
          .FromSystem(kAck, 1, 1, 0, {tcp_option::Timestamps(778, 5)})
          .FromPeer(kAck, 1, 1, 0, {tcp_option::Nop(), tcp_option::Timestamps(6, 760)})
          .Script();
  EXPECT_THAT(script, HasSubstr("> S 0:0(0) win 65535 <TS val 100 ecr 0>"));
  EXPECT_THAT(script, HasSubstr("ack 1 win 65535 <TS val 5 ecr 100>"));
  EXPECT_THAT(script, HasSubstr("<nop,TS val 6 ecr 83>"));
  EXPECT_THAT(script, HasSubstr("--tcp_ts_ecr_scaled\n"));
}

TEST(PacketdrillExport, JoinsWhatIsSentAtOnce) {
  const std::string script = Conversation()
                                 .Connected()
                                 .Call("send(3, \"x\"..., 3000, 0)", "3000")
                                 .FromSystem(kAck, 1, 1, 1460)
                                 .FromSystem(kAck, 1461, 1, 1460)
                                 .FromSystem(kPsh | kAck, 2921, 1, 80)
                                 .After(1s)
                                 .FromSystem(kAck, 1, 1, 1460)
                                 .After(1s)
                                 .FromSystem(kAck, 1, 1, 1460)
                                 .Script();
  EXPECT_THAT(script, HasSubstr("+0     > P. 1:3001(3000) ack 1\n"));
  EXPECT_THAT(script, HasSubstr("+1     > . 1:1461(1460) ack 1\n// Data of which the test saw only"));
}

TEST(PacketdrillExport, TakesForSoonWhatABusyMachineMayHaveDelayed) {
  const std::string script = Conversation()
                                 .Call("socket(AF_INET, SOCK_STREAM)", "3")
                                 .Begin("connect(3, 192.0.2.2:80)")
                                 .After(5ms)
                                 .FromSystem(kSyn, 0)
                                 .FromPeer(kSyn | kAck, 0, 1)
                                 .After(7ms)
                                 .Return("0")
                                 .Begin("recv(3, 64, 0)")
                                 .After(50ms)
                                 .Return("EAGAIN")
                                 .Script();
  EXPECT_THAT(script, HasSubstr("+0...0.005 connect(3, ..., ...) = 0\n+0~+0.006 > S 0:0(0)"));
  EXPECT_THAT(script, HasSubstr("...0.058 recv(3, ..., 64, 0) = -1 EAGAIN\n"));
}

TEST(PacketdrillExport, LeavesOutWhatTestsAskAClosedPort) {
  packet::Tcp syn{.source_port = 40001, .destination_port = 1, .seq = 5, .flags = kSyn};
  packet::Tcp reset{.source_port = 1, .destination_port = 40001, .ack = 6, .flags = kRst | kAck};
  const IpAddress system("192.0.2.1"), peer("192.0.2.2");
  Conversation conversation;
  conversation.Connected()
      .Frame({{packet::Ipv4{.source = peer, .destination = system}, syn}, {}, std::nullopt}, true)
      .Frame({{packet::Ipv4{.source = system, .destination = peer}, reset}, {}, std::nullopt}, false);
  EXPECT_THAT(conversation.Script(), Not(HasSubstr("> R")));
}

TEST(PacketdrillExport, SetsWhatTheTestSet) {
  const std::string script = Conversation()
                                 .Note("sut: sysctl net.ipv4.tcp_rmem = 4096 5000\t6000")
                                 .Connected()
                                 .After(10ms)
                                 .Note("sut: sysctl net.ipv4.tcp_sack = 0")
                                 .Call("setsockopt(3, SO_LINGER, {1, 0})", "0")
                                 .Call("setsockopt(3, TCP_NODELAY, 1)", "0")
                                 .Call("getsockopt(3, SO_ERROR)", "0")
                                 .Call("getsockname(3)", "192.0.2.1:40000")
                                 .Script();
  EXPECT_THAT(script, HasSubstr("\nsysctl -q -w net.ipv4.tcp_rmem=\"4096 5000 6000\"`\n"));
  EXPECT_THAT(script, HasSubstr("`sysctl -q -w net.ipv4.tcp_sack=\"0\"`\n"));
  EXPECT_THAT(script, HasSubstr("setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0\n"));
  EXPECT_THAT(script, HasSubstr("setsockopt(3, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0\n"));
  EXPECT_THAT(script, HasSubstr("getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n"));
  EXPECT_THAT(script, HasSubstr("// getsockname(3) = 192.0.2.1:40000\n"));
}

TEST(PacketdrillExport, ConnectsWithoutWaitingWhereTheTestWaitedForever) {
  const std::string script = Conversation()
                                 .Call("socket(AF_INET, SOCK_STREAM)", "3")
                                 .Begin("connect(3, 192.0.2.2:80)")
                                 .FromSystem(kSyn, 0)
                                 .After(1s)
                                 .FromSystem(kSyn, 0)
                                 .Script();
  EXPECT_THAT(script, HasSubstr("+0     connect(3, ..., ...) = -1 EINPROGRESS\n+0     > S 0:0(0)"));
  EXPECT_THAT(script, HasSubstr("+1     > S 0:0(0) win 65535\n"));
}

TEST(PacketdrillExport, SaysWhatNoScriptCanSay) {
  EXPECT_EQ(Conversation().Call("socket(AF_INET, SOCK_STREAM)", "3").WhyNot(),
            "no segment of TCP is sent in it");
  const IpAddress system("192.0.2.1"), peer("192.0.2.2");
  packet::Tcp other{.source_port = 80, .destination_port = 40001, .seq = 5, .flags = kAck};
  EXPECT_EQ(Conversation()
                .Connected()
                .Frame({{packet::Ipv4{.source = peer, .destination = system}, other}, {}, std::nullopt}, true)
                .WhyNot(),
            "it has 2 connections, a script one");
  EXPECT_THAT(Conversation()
                  .Connected()
                  .Frame({{packet::Ipv4{.source = peer, .destination = system}, packet::Udp{}}, {}, std::nullopt},
                         true)
                  .WhyNot(),
              HasSubstr("only TCP is written"));
  EXPECT_THAT(Conversation().Connected().Call("dup(3)", "4").WhyNot(), HasSubstr("dup(3) has no place"));
  EXPECT_THAT(Conversation().Connected().Call("send(7, \"x\", 1, 0)", "EBADF").WhyNot(),
              HasSubstr("is of a descriptor that the test did not open"));
  EXPECT_THAT(Conversation().Connected().FromPeer(kAck, 1, 1, 0, {{254, {1, 2}}}).WhyNot(),
              HasSubstr("scripts have no words for a part of it: 'kind' is no TCP option"));
  EXPECT_THAT(Conversation().FromPeer(kAck, 1, 1).WhyNot(), HasSubstr("a segment of no connection"));
  EXPECT_THAT(Conversation()
                  .Call("socket(AF_INET, SOCK_STREAM)", "3")
                  .Call("listen(3, 1)", "0")
                  .FromPeer(kSyn, 0)
                  .WhyNot(),
              HasSubstr("it listens on a port that the system has chosen"));
}

TEST(PacketdrillExport, RefusesWhatIsMalformed) {
  packet::Tcp damaged{.source_port = 80, .destination_port = 40000, .seq = kIsnOfPeer + 1};
  damaged.flags = kAck;
  damaged.checksum = 1;
  const IpAddress system("192.0.2.1"), peer("192.0.2.2");
  EXPECT_THAT(Conversation()
                  .Connected()
                  .Frame({{packet::Ipv4{.source = peer, .destination = system}, damaged}, {}, std::nullopt}, true)
                  .WhyNot(),
              HasSubstr("is malformed (bad checksum)"));
}

}  // namespace
}  // namespace sockproof::packetdrill
