// The testbeds of test.h: PeerTest, SocketsTest and WireTest.
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/test/context.h"
#include "harness/test/test.h"
#include "harness/wire/neighbour.h"

namespace sockproof {
namespace {

constexpr int kFirstHost = 1;
constexpr int kSecondHost = 2;
constexpr std::uint16_t kPeerPort = 80;      // where the scripted peer listens
constexpr std::uint16_t kServerPort = 8080;  // where the server listens
constexpr std::uint16_t kClosedPort = 81;    // where nothing on the system under test listens
constexpr int kBacklog = 16;

IpVersion RunningIp() {
  const TestCase& test = TestContext::Current().test();
  const Family& family = test.variant.family;
  const bool plain = family.name == kIpv4Family.name || family.name == kIpv6Family.name;
  if (plain) return *family.ip;
  throw HarnessError(fmt::format("{} runs over '{}', and over a wire only ipv4 and ipv6 are",
                                 test.id(), family.name));
}

// A stack that knows the other host on its wire, unless that is a stranger.
Stack& StartStack(const std::string& actor, int host, const std::string& other_actor, int other,
                  bool stranger = false) {
  TestContext& context = TestContext::Current();
  Stack& stack = context.StartStack({actor, host, other});
  if (stranger) return stack;
  Introduce(stack.loop(), stack.wire(), RunningIp(), host, stack.Mac(), other,
            [&](Time time, const Bytes& frame, bool sent) {
              const auto& [from, to] =
                  sent ? std::tie(other_actor, actor) : std::tie(actor, other_actor);
              const Fate fate = sent ? Fate::kSent : Fate::kReceived;
              stack.log().Add({time, FrameEvent{from, to, fate, Duration(0), frame}});
            });
  return stack;
}

// The system did not get to `where` a test begins, unless it was this process that was late.
[[noreturn]] void NotReachedBecauseOf(const Departure& departure, std::string_view where,
                                      const EventLoop& loop) {
  const std::string why = fmt::format("{}: {}", where, OnOneLine(departure.what()));
  const Duration late = loop.worst_lateness();
  if (departure.explained_by() > Duration(0) && late >= departure.explained_by()) {
    throw Inconclusive(
        fmt::format("{}; but this process was served up to {} late", why, FormatDuration(late)));
  }
  NotReached(why);
}

// State changes follow frames within microseconds, but asynchronously.
void WaitForState(Stack& stack, TcpState wanted, const std::function<TcpState()>& read,
                  const std::string& name, SourceLocation where) {
  constexpr Duration kBetweenReads = 1ms;
  EventLoop& loop = stack.loop();
  const Time deadline = Clock::now() + kPatience;
  TcpState state = read();
  while (state != wanted && Clock::now() < deadline) {
    loop.RunUntil([] { return false; }, Clock::now() + kBetweenReads);
    state = read();
  }
  stack.log().Now(StateEvent{stack.actor(), name, std::string(TcpStateName(state))});
  if (state == wanted) return;
  throw Departure(fmt::format("  Expected: {} of {} is in {}\n  Observed: it is in {}", name,
                              stack.actor(), TcpStateName(wanted), TcpStateName(state)),
                  where, ThatExplainsAbsence(kPatience));
}

Time WaitForEnd(Stack& stack, const Endpoint& local, const Endpoint& remote, Duration patience,
                SourceLocation where) {
  constexpr Duration kBetweenReads = 20ms;
  constexpr Duration kLongestBetweenReads = 1s;
  const Time deadline = Clock::now() + patience;
  Time last_seen = Clock::now();
  Duration pause{0};
  while (const std::optional<TcpSocketInfo> shown = stack.Find(local, remote)) {
    last_seen = Clock::now();
    if (last_seen > deadline) {
      throw Departure(fmt::format("  Expected: {} is gone within {}\n  Observed: it is still there",
                                  local.ToString(), FormatDuration(patience)),
                      where, ThatExplainsAbsence(patience));
    }
    // As long as a timer of its own has far to go it is looked at less often.
    pause = std::clamp<Duration>(shown->timer * 3 / 4, kBetweenReads, kLongestBetweenReads);
    stack.loop().RunUntil([] { return false; }, last_seen + pause);
  }
  stack.log().Now(StateEvent{stack.actor(), local.ToString(), "CLOSED"});
  // A look that came late may have missed the end of the timer, but no more than by that.
  const Time now = Clock::now();
  const bool late = now - last_seen > pause + kBetweenReads;
  const Time earliest = late ? last_seen + pause : last_seen;
  return earliest + (now - earliest) / 2;
}

}  // namespace

// --- PeerTest ------------------------------------------------------------------------------------

PeerTest::PeerTest(Acquaintance acquaintance)
    : ip(RunningIp()),
      sut(StartStack("sut", kFirstHost, "peer", kSecondHost,
                     acquaintance == Acquaintance::kStranger)),
      host(sut.loop(), sut.log(), sut.wire(), "peer",
           acquaintance == Acquaintance::kStranger ? sut.Stranger() : kSecondHost, sut.actor(),
           {sut.Mac(), kSecondHost, sut.PortShift()}) {}

void PeerTest::MakeOffer(ScriptedTcp& peer, const Offer& offer) {
  peer.rcv_wnd = offer.window;
  if (offer.options) peer.syn_options = *offer.options;
  if (offer.window_scale) peer.syn_options.push_back(tcp_option::WindowScale(*offer.window_scale));
  if (offer.sack) peer.syn_options.push_back(tcp_option::SackPermitted());
  peer.syn_timestamps = offer.timestamps;
}

// The SYN or SYN,ACK of the system has what the peer offers: a SYN,ACK may have nothing else.
void PeerTest::RequireUseOf(const Offer& offer, const Segment& syn) {
  const auto has = [&](std::uint8_t option) { return syn.FindOption(option) != nullptr; };
  if (offer.window_scale && !has(tcp_option::kWindowScale)) NotReached("windows are not scaled");
  if (offer.timestamps && !has(tcp_option::kTimestamps)) NotReached("timestamps are not used");
  if (offer.sack && !has(tcp_option::kSackPermitted)) NotReached("SACK is not permitted");
  const bool is_ecn_setup = syn.Has(kEce) && syn.Has(kCwr) != syn.Has(kAck);
  if (offer.ecn && !is_ecn_setup) NotReached("ECN is not set up");
}

Connection PeerTest::Connected(const Offer& offer) {
  ScriptedTcp& peer = host.Listen(ip, kPeerPort);
  MakeOffer(peer, offer);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  RequireUseOf(offer, peer.Expect(Syn()));
  peer.Send(offer.ecn ? SynAck().With(kEce) : SynAck());
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
  connecting.Await().value();
  return {socket, peer};
}

Connection PeerTest::ConnectedByAccept(const Offer& offer) {
  Connection connection = InState(TcpState::kListen);
  MakeOffer(connection.peer, offer);
  connection.peer.Send(offer.ecn ? Syn().With(kEce | kCwr) : Syn());
  RequireUseOf(offer, connection.peer.Expect(SynAck().Ack(connection.peer.snd_nxt)));
  connection.peer.Send(Ack());
  connection.socket = connection.socket.Accept().value().socket;
  return connection;
}

Connection PeerTest::InState(TcpState state) {
  try {
    return BringTo(state);
  } catch (const Departure& departure) {
    NotReachedBecauseOf(departure, TcpStateName(state), sut.loop());
  }
}

Connection PeerTest::BringTo(TcpState state) {
  Connection connection = LedTo(state);
  ExpectStateIfShown(state, connection);
  return connection;
}

Connection PeerTest::LedTo(TcpState state) {
  switch (state) {
    case TcpState::kClosed: {
      Socket socket = sut.NewSocket(ip);
      return {socket, host.Towards(sut.At(ip, kClosedPort), NextPort())};
    }
    case TcpState::kListen: {
      Socket listener = sut.NewSocket(ip);
      const std::uint16_t port = next_listening_port_++;
      listener.Bind(port).value();
      listener.Listen(kBacklog).value();
      return {listener, host.Towards(sut.At(ip, port), NextPort())};
    }
    case TcpState::kSynSent: {
      ScriptedTcp& peer = host.Listen(ip, kPeerPort);
      Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
      socket.Connect(peer.local());  // EINPROGRESS
      peer.Expect(Syn());
      return {socket, peer};
    }
    case TcpState::kSynReceived: {
      Connection half_open = InState(TcpState::kListen);
      half_open.peer.Send(Syn());
      half_open.peer.Expect(SynAck().Ack(half_open.peer.snd_nxt));
      return half_open;
    }
    case TcpState::kEstablished:
      return Connected();
    case TcpState::kFinWait1: {
      Connection closing = Connected();
      closing.socket.Shutdown("SHUT_WR").value();
      closing.peer.Expect(Fin().Seq(closing.peer.rcv_nxt));
      return closing;
    }
    case TcpState::kFinWait2: {
      Connection closing = InState(TcpState::kFinWait1);
      closing.peer.Send(Ack());
      return closing;
    }
    case TcpState::kCloseWait: {
      Connection closing = Connected();
      closing.peer.Send(Fin());
      closing.peer.Expect(Ack().Ack(closing.peer.snd_nxt));
      return closing;
    }
    case TcpState::kClosing: {
      // A FIN that does not acknowledge ours: the two crossed on the wire.
      Connection closing = InState(TcpState::kFinWait1);
      closing.peer.Send(Fin().Ack(closing.peer.rcv_nxt - 1));
      closing.peer.Expect(Ack().Ack(closing.peer.snd_nxt));
      return closing;
    }
    case TcpState::kLastAck: {
      Connection closing = InState(TcpState::kCloseWait);
      closing.socket.Shutdown("SHUT_WR").value();
      closing.peer.Expect(Fin().Seq(closing.peer.rcv_nxt));
      return closing;
    }
    case TcpState::kTimeWait: {
      Connection closing = InState(TcpState::kFinWait2);
      closing.peer.Send(Fin());
      closing.peer.Expect(Ack().Ack(closing.peer.snd_nxt));
      return closing;
    }
  }
  throw HarnessError("no such TCP state");
}

Connection PeerTest::AfterCrossingSyns() {
  Connection connection = InState(TcpState::kSynSent);
  auto& [socket, peer] = connection;
  try {
    peer.Send(Syn());
    peer.Expect(SynAck().Seq(peer.irs).Ack(peer.snd_nxt));
  } catch (const Departure& departure) {
    NotReachedBecauseOf(departure, "SYN-RECEIVED by an active open", sut.loop());
  }
  return connection;
}

void PeerTest::ExpectState(TcpState state, const Connection& connection, SourceLocation where) {
  const auto read = [&] {
    const TcpState found = sut.StateOf(connection.local(), connection.remote());
    const bool nothing = found == TcpState::kClosed;
    return nothing && state == TcpState::kListen
               ? sut.StateOf(connection.local(), {connection.remote().address, 0})
               : found;
  };
  WaitForState(sut, state, read, connection.local().ToString(), where);
}

void PeerTest::ExpectStateIfShown(TcpState state, const Connection& connection,
                                  SourceLocation where) {
  if (sut.Can("states")) return ExpectState(state, connection, where);
  sut.log().Now(
      NoteEvent{fmt::format("not shown: the state, which is to be {}", TcpStateName(state))});
}

Time PeerTest::WaitUntilGone(const Connection& connection, Duration patience,
                             SourceLocation where) {
  return WaitForEnd(sut, connection.local(), connection.remote(), patience, where);
}

void PeerTest::Settle() {
  // A burst before it may have left no room for it, anywhere: it is tried again as a SYN is (RFC 6298 section 2.1).
  constexpr int kTries = 4;
  for (int tried = 1; tried <= kTries; ++tried) {
    ScriptedTcp& stranger = host.Towards(sut.At(ip, kClosedPort), NextPort());
    stranger.Send(Syn());
    const auto answered = [&] { return stranger.waiting() > 0; };
    if (tried < kTries && !sut.loop().RunUntil(answered, Clock::now() + 1s)) continue;
    stranger.Expect(Rst());
    break;
  }
  if (const Duration more = OwnSettlingTime(sut.facts()); more > Duration{0}) {
    sut.loop().RunUntil([] { return false; }, Clock::now() + more);
  }
}

void PeerTest::Observe(const std::string& name, Duration value) {
  Observe(name, FormatDuration(value));
}

void PeerTest::Observe(const std::string& name, const std::string& value) {
  sut.log().Now(ObservationEvent{name, value});
}

// --- SocketsTest ---------------------------------------------------------------------------------

namespace {

bool IsMapped(const Family& family) {
  return family.domain == "AF_INET6" && family.ip == IpVersion::kIpv4;
}

// Not chosen by bind(): only a test of that needs it.
UnixName FreshUnixName(int pid) {
  static int count = 0;
  return UnixName::Abstract(fmt::format("sockproof at {} {}", pid, ++count));
}

}  // namespace

SocketsTest::SocketsTest()
    : family(TestContext::Current().test().variant.family),
      sut(TestContext::Current().StartStack({"sut", kFirstHost, 0, /*wired=*/false})) {}

Socket SocketsTest::NewSocket(const std::vector<std::string>& flags, SourceLocation where) {
  Socket socket =
      sut.NewSocket(std::string(family.domain), std::string(family.type), flags, where);
  // RFC 3493 section 5.3: off by default; a system may be configured otherwise. One that does not
  // know the option has no such sockets.
  if (IsMapped(family)) (void)socket.SetOption("IPV6_V6ONLY", 0);
  return socket;
}

Name SocketsTest::Loopback(std::uint16_t port) const {
  if (family.is_unix()) return FreshUnixName(sut.process().pid());
  if (!family.ip) throw HarnessError("a test over no family has no addresses");
  const bool ipv6 = family.ip == IpVersion::kIpv6;
  return Name(IpAddress(ipv6 ? "::1" : IsMapped(family) ? "::ffff:127.0.0.1" : "127.0.0.1"), port);
}

Name SocketsTest::Wildcard(std::uint16_t port) const {
  return Name(IpAddress(family.domain == "AF_INET" ? "0.0.0.0" : "::"), port);
}

Socket SocketsTest::Bound(const std::vector<std::string>& flags, SourceLocation where) {
  Socket socket = NewSocket(flags, where);
  socket.Bind(Loopback()).value(where);
  return socket;
}

Socket SocketsTest::Listening(int backlog, SourceLocation where) {
  Socket listener = Bound({}, where);
  listener.Listen(backlog).value(where);
  return listener;
}

StackConnection SocketsTest::ConnectedPair(SourceLocation where) {
  if (family.type == "SOCK_DGRAM") {
    Socket near = Bound({}, where);
    Socket far = Bound({}, where);
    near.Connect(far.LocalName().value(where), where).value(where);
    far.Connect(near.LocalName().value(where), where).value(where);
    return {near, far};
  }
  Socket listener = Listening(1, where);
  Socket near = NewSocket({}, where);
  near.Connect(listener.LocalName().value(where), where).value(where);
  Socket far = listener.Accept({}, where).value(where).socket;
  listener.Close(where).value(where);
  return {near, far};
}

void SocketsTest::Observe(const std::string& name, const std::string& value) {
  sut.log().Now(ObservationEvent{name, value});
}

// --- WireTest ------------------------------------------------------------------------------------

WireTest::WireTest()
    : ip(RunningIp()),
      client(StartStack("client", kFirstHost, "server", kSecondHost)),
      server(StartStack("server", kSecondHost, "client", kFirstHost)),
      wire(client.loop(), client.log(), {client.actor(), &client.wire()},
           {server.actor(), &server.wire()}) {}

Socket WireTest::Listening(int backlog) {
  Socket listener = server.NewSocket(ip);
  listener.Bind(kServerPort).value();
  listener.Listen(backlog).value();
  return listener;
}

StackConnection WireTest::Connected() {
  Socket listener = Listening();
  Socket near = client.NewSocket(ip);
  near.Connect(server.At(ip, kServerPort)).value();
  return {near, listener.Accept().value().socket};
}

WireTest::Ends WireTest::EndsOf(Stack& stack) {
  const std::vector<Segment> opening = wire.Seen(Syn().From(client));
  if (opening.empty()) throw HarnessError("no connection has been opened over this wire");
  Ends ends{opening.front().source, opening.front().destination};
  if (&stack == &server) std::swap(ends.local, ends.remote);
  return ends;
}

void WireTest::ExpectState(TcpState state, Stack& stack, SourceLocation where) {
  const Ends ends = EndsOf(stack);
  WaitForState(
      stack, state, [&] { return stack.StateOf(ends.local, ends.remote); }, ends.local.ToString(),
      where);
}

void WireTest::ExpectStateIfShown(TcpState state, Stack& stack, SourceLocation where) {
  if (stack.Can("states")) return ExpectState(state, stack, where);
  stack.log().Now(
      NoteEvent{fmt::format("not shown: the state, which is to be {}", TcpStateName(state))});
}

Time WireTest::WaitUntilGone(Stack& stack, Duration patience, SourceLocation where) {
  const Ends ends = EndsOf(stack);
  return WaitForEnd(stack, ends.local, ends.remote, patience, where);
}

void WireTest::CheckAfterwards() { wire.CheckEveryRuleApplied(); }

}  // namespace sockproof
