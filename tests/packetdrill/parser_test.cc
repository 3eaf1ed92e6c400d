#include <gmock/gmock.h>

#include "harness/packet/tcp_flags.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::ThrowsMessage;

const PacketEvent& PacketOf(const Event& event) { return std::get<PacketEvent>(event.what); }
const TcpPart& TcpOf(const Event& event) { return std::get<TcpPart>(PacketOf(event).what); }
const CallEvent& CallOf(const Event& event) { return std::get<CallEvent>(event.what); }

// The one event of a script.
Event EventOf(const std::string& text) {
  const Script script = Parse(text);
  EXPECT_THAT(script.events, SizeIs(1)) << text;
  return script.events.at(0);
}

TEST(PacketdrillParser, ReadsAScriptWhole) {
  const Script script = Parse(R"(// a comment
--tolerance_usecs=75000
--mtu=1400
--define=CC="reno"
`sysctl -q net.ipv4.tcp_sack=1`
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3  /* another */
   +0 setsockopt(3, SOL_TCP, TCP_CONGESTION, CC, 4) = 0
   +0 %{ assert tcpi_snd_cwnd == 10 }%
+.1...0.2 accept(3, ..., ...) = 4
`true`
)");
  EXPECT_EQ(*script.Find("tolerance_usecs"), "75000");
  EXPECT_EQ(*script.Find("mtu"), "1400");
  EXPECT_EQ(script.Find("define"), nullptr);
  EXPECT_EQ(script.init->text, "sysctl -q net.ipv4.tcp_sack=1");
  ASSERT_THAT(script.events, SizeIs(4));
  EXPECT_EQ(CallOf(script.events[1]).arguments[3].text, "reno");
  EXPECT_EQ(std::get<CodeEvent>(script.events[2].what).text, "assert tcpi_snd_cwnd == 10");
  EXPECT_EQ(CallOf(script.events[3]).returns, 200ms);
  EXPECT_EQ(script.events[3].where, (Position{9, 1}));
  EXPECT_EQ(script.cleanup->text, "true");
}

TEST(PacketdrillParser, ReadsTheThirdVersionOfIp) {
  EXPECT_EQ(*Parse("--ip_version=ipv4-mapped-ipv6\n0 close(3) = 0").Find("ip_version"), "ipv4-mapped-ipv6");
  EXPECT_EQ(*Parse("--ip_version=\"ipv4-mapped-ipv6\"\n0 close(3) = 0").Find("ip_version"), "ipv4-mapped-ipv6");
}

TEST(PacketdrillParser, ReadsEveryFormOfTime) {
  const Script script = Parse("0 > . 1:1(0)\n+.5 > . 1:1(0)\n* > . 1:1(0)\n1~2.5 > . 1:1(0)\n"
                              "+0.1~+0.2 > . 1:1(0)");
  std::vector<When::Kind> kinds;
  for (const Event& event : script.events) kinds.push_back(event.when.kind);
  using Kind = When::Kind;
  EXPECT_THAT(kinds, ElementsAre(Kind::kAbsolute, Kind::kRelative, Kind::kAny,
                                 Kind::kAbsoluteRange, Kind::kRelativeRange));
  EXPECT_EQ(script.events[3].when.to, 2500ms);
}

TEST(PacketdrillParser, ReadsASegment) {
  const Event event = EventOf(
      "+0 < (tos 0x10, flowlabel 0x5) 100 > 200 SEW. 0:0(0) ack 1 win 32792 urg 7 "
      "<mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7,FO 0102,sack 1:2>");
  const PacketEvent& packet = PacketOf(event);
  EXPECT_TRUE(packet.inbound);
  EXPECT_EQ(packet.ip.traffic_class, 0x10);
  EXPECT_EQ(packet.ip.flow_label, 5U);
  EXPECT_EQ(packet.destination_port, 200);
  const TcpPart& tcp = TcpOf(event);
  EXPECT_EQ(tcp.flags, kSyn | kEce | kCwr | kAck);
  EXPECT_EQ(tcp.window, 32792);
  EXPECT_EQ(tcp.urgent_pointer, 7);
  EXPECT_THAT(*tcp.options,
              ElementsAre(tcp_option::Mss(1460), tcp_option::SackPermitted(),
                          tcp_option::Timestamps(100, 0), tcp_option::Nop(),
                          tcp_option::WindowScale(7), tcp_option::FastOpen({1, 2}),
                          tcp_option::Sack({{1, 2}})));
}

TEST(PacketdrillParser, ReadsAccurateEcn) {
  EXPECT_EQ(TcpOf(EventOf("+0 > P5. 1:11(10) ack 1")).ace, 5);
  const Event event = EventOf("+0 > [ect01] .7 1:1(0) ack 1 <ECN e1b 1 ceb 2 e0b 3,nop>");
  EXPECT_EQ(TcpOf(event).ace, 7);
  EXPECT_EQ(PacketOf(event).ip.ecn, EcnCheck::kAnyEct);
  EXPECT_EQ(TcpOf(event).options->front(),
            tcp_option::AccurateEcn(tcp_option::kAccurateEcn1, {1, 2, 3}));
}

TEST(PacketdrillParser, TellsNoOptionsFromAny) {
  EXPECT_TRUE(TcpOf(EventOf("+0 > . 1:1(0) ack 1")).options->empty());
  EXPECT_FALSE(TcpOf(EventOf("+0 > . 1:1(0) ack 1 <...>")).options.has_value());
}

TEST(PacketdrillParser, ReadsOptionsOfMultipathTcp) {
  const Event event = EventOf(
      "+0 < addr[a] > addr[b] P. 1:5(4) ack 1 win 9 "
      "<nop,dss dack4=7 dsn8=3 ssn=2 dll=4 cksum=6 fin,mp_prio backup=1 address_id=8>");
  EXPECT_EQ(PacketOf(event).source_name, "a");
  EXPECT_EQ(PacketOf(event).destination_name, "b");
  EXPECT_THAT(*TcpOf(event).options, SizeIs(3));
  const MptcpOptions& options = TcpOf(event).mptcp;
  ASSERT_THAT(options, SizeIs(2));
  EXPECT_EQ(options[0].first, 1U);
  const MptcpOption& dss = options[0].second;
  EXPECT_FALSE(dss.data_ack->is_long);
  EXPECT_EQ(dss.data_ack->value, 7U);
  EXPECT_TRUE(dss.data_sequence->is_long);
  EXPECT_EQ(dss.subflow_sequence, 2U);
  EXPECT_EQ(dss.data_length, 4U);
  EXPECT_EQ(dss.checksum, 6U);
  EXPECT_TRUE(dss.has_checksum && dss.is_data_fin);
  EXPECT_TRUE(options[1].second.is_backup);
  EXPECT_EQ(options[1].second.address_id, 8U);

  const MptcpOption capable =
      TcpOf(EventOf("+0 > S. 0:0(0) ack 1 <mpcapable v1 flags[flag_a, flag_h] key[k=5, other]>")).mptcp[0].second;
  EXPECT_EQ(capable.flags, 0x81);
  ASSERT_THAT(capable.keys, SizeIs(2));
  EXPECT_EQ(capable.keys[0].name, "k");
  EXPECT_EQ(capable.keys[0].value, 5U);
  EXPECT_FALSE(capable.keys[1].value);
}

TEST(PacketdrillParser, CountsTheOctetsOfOptionsOfMultipathTcp) {
  const std::string most = "+0 < S 0:0(0) win 5 <dss dack8=1 dsn8=1 dll=1,nop,nop,sackOK";  // 32 octets
  EXPECT_EQ(TcpOf(EventOf(most + ",mss 1460,mp_prio backup=0>")).mptcp.size(), 2U);
  EXPECT_THAT([&] { Parse(most + ",mss 1460,mp_prio,mp_prio>"); },
              ThrowsMessage<SyntaxError>(HasSubstr("more than 40 octets")));
  EXPECT_THAT([&] { Parse("+0 < S 0:0(0) win 5 <add_address>"); },
              ThrowsMessage<SyntaxError>(HasSubstr("needs an address")));
}

TEST(PacketdrillParser, ReadsIcmpUdpAndEncapsulation) {
  const auto icmp = std::get<IcmpPart>(
      PacketOf(EventOf("+0 < icmp unreachable frag_needed mtu 1400 [1:1461(1460)]")).what);
  EXPECT_EQ(icmp.code, "frag_needed");
  EXPECT_EQ(icmp.mtu, 1400U);
  EXPECT_EQ(icmp.about.length, 1460U);
  EXPECT_EQ(std::get<UdpPart>(PacketOf(EventOf("+0 > udp (1000)")).what).length, 1000U);
  const Event around = EventOf("+0 < ipv4 192.0.2.1 > 192.0.2.2: gre: . 1:1(0) ack 1 win 5");
  EXPECT_THAT(PacketOf(around).around, SizeIs(2));
  const Event flags = EventOf("+0 < gre flags [key present, sequence# present] sum 0 off 0 key 5 seq 6: . 1:1(0) win 5");
  EXPECT_EQ(std::get<GreHeader>(PacketOf(flags).around.at(0)).flags, 0x3000);
}

TEST(PacketdrillParser, ReadsStructures) {
  const CallEvent call = CallOf(EventOf(
      "+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{...,0}], msg_flags=MSG_ERRQUEUE,\n"
      "  msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=0}}]},\n"
      "  MSG_ERRQUEUE|MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)"));
  EXPECT_EQ(call.error, "EAGAIN");
  EXPECT_EQ(Describe(call.arguments[1]),
            "{msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE, "
            "msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=0}}]}");
  EXPECT_EQ(Describe(call.arguments[2]), "MSG_ERRQUEUE|MSG_DONTWAIT");
}

TEST(PacketdrillParser, ReadsStringsAsCDoes) {
  EXPECT_EQ(CallOf(EventOf(R"(+0 write(3, "a\x41" "\n\061", 4) = 4)")).arguments[1].text,
            "aA\n1");
}

TEST(PacketdrillParser, PutsDefinitionsInPlace) {
  const std::string text = "--define=PORT=5\n--define=CODE=host\n+0 close(PORT) = 0";
  EXPECT_EQ(CallOf(Parse(text).events[0]).arguments[0].number, 5);
  EXPECT_EQ(CallOf(Parse(text, {{"PORT", "6"}}).events[0]).arguments[0].number, 6);
}

TEST(PacketdrillParser, KeepsWhatItDoesNotKnowAndReadsOn) {
  const Script script = Parse(
      "+0 < S 0:0(0) win 5 <mss 1460,AccECN0 ee0b 1>\n"
      "+0 > sctp: INIT[flgs=0]\n"
      "+0 close(3) = 0\n");
  ASSERT_THAT(script.events, SizeIs(3));
  EXPECT_EQ(script.FirstUnsupported()->what, "the TCP option AccECN0");
  EXPECT_EQ(script.FirstUnsupported()->where, (Position{1, 31}));
  EXPECT_EQ(std::get<Unsupported>(script.events[1].what).what, "the protocol sctp");
  EXPECT_EQ(CallOf(script.events[2]).name, "close");
}

// Of the two other dialects, and of google/packetdrill what is not here.
TEST(PacketdrillParser, KeepsEveryConstructOfADialect) {
  for (const char* line : {
           "+0 < S 0:0(0) win 5 <mss 1460,exp-FO>",
           "+0 < S 0:0(0) win 5 <gen-77 0102>",
           "+0 < S 0:0(0) win 5 <020405b4>",
           "+0 < S 0:0(0) win 5 <md5 valid>",
           "+0 > S 0:0(0) <TS val ... ecr 0>",
           "+0 < . 1:1(0) ack 1 win 5 <TS val 1 ecr 7!>",
           "+0 < . 1:1(0)! ack 1 win 5",
           "+0 < . ...(0) ack 1 win 5",
           "+0 > [dscp cs1] . 1:1(0) ack 1",
           "+0 > [ecn ect0] . 1:1(0) ack 1",
           "+0 < R. 1:1(0) ack 1 win 5 [code 1, pen 2]",
           "+0 < . 1:1(0) ack 1 win 5 / udp(1 > 2)",
           "+0 < udplite (1000, 8)",
           "+0 < icmp unreachable host_unreachable [udplite (1000, 8)]",
           "+0 < encap psp spi 1 . 1:1(0) ack 1 win 5",
           "+0 setsockopt(3, SOL_IP, IP_TOS, {flags [key present], sum 0, off 0, key 5, seq 0}, 4) = 0",
           "+0 > S 0:0(0) <mss MSS>",
           "+0 < 192.0.2.1:80 > 192.0.2.2:8080 . 1:1(0) ack 1 win 5",
           "+0 > S 0:0(0) <mp_capable a>",
           "+0 < . 1:1(0) ack 1 win 5 <dss dack8=trunc_r64_hmac(a) dsn8=1>",
           "+0 < S 0:0(0) win 5 <mp_join_syn token=sha1_32(a)>",
           "+0 < . 1:1(0) ack 1 win 5 <mp_join_ack sender_hmac=full_160_hmac(a b)>",
       }) {
    const Script script = Parse(std::string(line) + "\n+0 close(3) = 0\n");
    EXPECT_NE(script.FirstUnsupported(), nullptr) << line;
    EXPECT_THAT(script.events, SizeIs(2)) << line;
  }
}

TEST(PacketdrillParser, TellsAMisspeltWordFromAnotherDialect) {
  const std::pair<const char*, const char*> kMisspelt[] = {
      {"+0 < S 0:0(0) win 5 <mss 1460,sackOk>", "1:31: 'sackOk' is no TCP option; did you mean 'sackOK'?"},
      {"+0 < S 0:0(0) win 5 <mss 1460,ECN e0c 1>", "1:35: expected e0b or e1b, found 'e0c'"},
      {"+0 < X. 0:0(0) win 5", "1:6: 'X.' are no flags of a segment"},
      {"+0 > . 1:1(0) akc 1", "1:15: expected the end of the packet, found 'akc'"},
      {"+0 > . one:1(0) ack 1", "1:8: expected a sequence number, found 'one'"},
      {"+0 > . 1:1(0) ack 1 win many", "1:25: expected a window, found 'many'"},
      {"+0 > [etc0] . 1:1(0) ack 1", "1:7: 'etc0' is nothing of an IP header"},
      {"+0 < icmp unreachable frag_needed mtu 5 [upd (5)]", "1:42: expected a sequence number"},
      {"+0 > upd (1000)", "1:6: 'upd' are no flags"},
      {"+0 close(1.5) = 0", "1:10: expected an argument, found '1.5'"},
      {"+0 < . 1:1(0) ack 1 win 5 <dss dakc8=1>", "1:32: 'dakc8' is nothing of an option of MPTCP"},
      {"+0 > S 0:0(0) <mpcapable v1 flags[flag_z] nokey>", "1:35: 'flag_z' is no flag"},
      {"+0 < S 0:0(0) win 5 <mp_join_syn token=sha25_32(a)>", "1:40: expected a token, found 'sha25_32'"},
  };
  for (const auto& [line, what] : kMisspelt) {
    EXPECT_THAT([line = line] { Parse(line); }, ThrowsMessage<SyntaxError>(HasSubstr(what))) << line;
  }
}

TEST(PacketdrillParser, LeavesOutWhatIsForOtherSystems) {
  const std::string text =
      "#ifdef FreeBSD\n+0 close(1) = 0\n#endif\n# a comment\n#ifdef Linux\n+0 close(2) = 0\n#endif\n"
      "#ifdef OWN\n+0 close(3) = 0\n#endif\n+0 close(4) = 0 // the last\n";
  const auto closed = [](const Script& script) {
    std::vector<std::int64_t> numbers;
    for (const Event& event : script.events) numbers.push_back(CallOf(event).arguments[0].number);
    return numbers;
  };
  EXPECT_THAT(closed(Parse(text)), ElementsAre(2, 4));
  EXPECT_THAT(closed(Parse("--define=OWN=1\n" + text)), ElementsAre(2, 3, 4));
  EXPECT_THAT(closed(Parse(text, {{"FreeBSD", ""}})), ElementsAre(1, 2, 4));
  EXPECT_EQ(Parse(text).events[0].source, "+0 close(2) = 0");
  const auto says = [](const char* what) { return ThrowsMessage<SyntaxError>(HasSubstr(what)); };
  EXPECT_THAT([] { Parse("0 close(3) = 0\n#ifdef A\n"); }, says("2:1: #ifdef without #endif"));
  EXPECT_THAT([] { Parse("#endif"); }, says("1:1: #endif without #ifdef"));
  EXPECT_THAT([] { Parse("#ifdef A\n#else\n#endif"); }, says("2:1: #else is none of the language"));
}

TEST(PacketdrillParser, ReadsWhatEditorsOfOtherSystemsWrite) {
  const Script script = Parse("\xef\xbb\xbf`true\r\n false`\r\n\t0\tclose(3)\t= 0\r\n+0 %{ a = 1\r\nb = 2 }%\r\n");
  EXPECT_EQ(script.init->text, "true\n false");
  EXPECT_EQ(CallOf(script.events.at(0)).name, "close");
  EXPECT_EQ(std::get<CodeEvent>(script.events.at(1).what).text, "a = 1\nb = 2");
  EXPECT_THAT([] { Parse("\xff\xfe" "0"); }, ThrowsMessage<SyntaxError>(HasSubstr("1:1: the text is UTF-16")));
  EXPECT_THAT([] { Parse("\xef\xbb\xbf" "0 close(]"); }, ThrowsMessage<SyntaxError>(HasSubstr("1:9: ")));
}

TEST(PacketdrillParser, ReadsOnWhereALineEnds) {
  EXPECT_THAT(*TcpOf(EventOf("+0 < S 0:0(0) win 5\n  <mss 1000,\n   sackOK>")).options, SizeIs(2));
  EXPECT_EQ(TcpOf(EventOf("+0 > S. 0:0(0) ack 1\n  <...>")).options, std::nullopt);
  EXPECT_EQ(CallOf(EventOf("0 close(77) = -1\n  EBADF (Bad file descriptor)")).error, "EBADF");
  EXPECT_EQ(std::get<IcmpPart>(PacketOf(EventOf("+0 < icmp unreachable\n  host_unreachable [1:1(0)]")).what).code,
            "host_unreachable");
  EXPECT_THAT([] { Parse("0 close(3) = 0\nclose(4) = 0"); },
              ThrowsMessage<SyntaxError>(HasSubstr("2:1: expected a time in seconds, found 'close'")));
}

TEST(PacketdrillParser, TakesADigestThatIsTooShort) {
  EXPECT_THAT(TcpOf(EventOf("+0 < . 1:1(0) win 5 <md5 0102,nop,nop>")).options->at(0).data, ElementsAre(1, 2));
  for (const char* digest : {"", "000102030405060708090a0b0c0d0e0f10"}) {
    EXPECT_THAT([=] { Parse("+0 < . 1:1(0) win 5 <md5 " + std::string(digest) + ">"); },
                ThrowsMessage<SyntaxError>(HasSubstr("1:22: a digest of MD5 has 16 octets")));
  }
}

TEST(PacketdrillParser, TakesNoVersionOfMultipathTcpForTheUsualOne) {
  EXPECT_EQ(TcpOf(EventOf("+0 > S 0:0(0) <mpcapable none flags[flag_h] nokey>")).mptcp[0].second.version, 1);
  EXPECT_EQ(TcpOf(EventOf("+0 > S 0:0(0) <mpcapable v0 flags[flag_h] nokey>")).mptcp[0].second.version, 0);
}

TEST(PacketdrillParser, SaysWhereAMistakeIs) {
  const auto says = [](const char* what) { return ThrowsMessage<SyntaxError>(HasSubstr(what)); };
  EXPECT_THAT([] { Parse("0 socket(3"); }, says("1:11: expected ')', found the end"));
  EXPECT_THAT([] { Parse("0 close(3) = 0\n+1 > S 0:5(3)"); }, says("2:8: 0:5(3)"));
  EXPECT_THAT([] { Parse("* close(3) = 0"); }, says("only a packet that is expected"));
  EXPECT_THAT([] { Parse("0 < . 1:1(0) win 70000"); }, says("must be from 0 to 65535"));
  EXPECT_THAT([] { Parse("0 < . 1:1(0) <...>"); }, says("<...>"));
  EXPECT_THAT([] { Parse("/* never"); }, says("1:1: a comment without an end"));
}

TEST(PacketdrillParser, ShowsEventsAsTheyAreWritten) {
  const Script script = Parse("+0   write(3,\n   ..., 5) = 5 // five\n+1 > F. 1:1(0)  ack 1\n");
  EXPECT_EQ(script.events[0].source, "+0 write(3, ..., 5) = 5");
  EXPECT_EQ(script.events[1].source, "+1 > F. 1:1(0) ack 1");
}

}  // namespace
}  // namespace sockproof::packetdrill
