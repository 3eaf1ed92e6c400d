#include "suites/tcp/states/in_each_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.h"
#include "suites/tcp/in_flight.h"

namespace sockproof::states {
namespace {

constexpr TcpFlags kCompared = kFin | kSyn | kRst | kAck;

// An ACK that may be delayed is late after that.
Duration LongestDelay() { return RfcAckDelayMaximum() + kPatience; }

oracle::State StateOf(TcpState state) {
  switch (state) {
    case TcpState::kClosed:
    case TcpState::kListen:  // a listener is the application's, without a TCB of its own
      return oracle::State::kClosed;
    case TcpState::kSynSent:
      return oracle::State::kSynSent;
    case TcpState::kSynReceived:
      return oracle::State::kSynReceived;
    case TcpState::kEstablished:
      return oracle::State::kEstablished;
    case TcpState::kFinWait1:
      return oracle::State::kFinWait1;
    case TcpState::kFinWait2:
      return oracle::State::kFinWait2;
    case TcpState::kCloseWait:
      return oracle::State::kCloseWait;
    case TcpState::kClosing:
      return oracle::State::kClosing;
    case TcpState::kLastAck:
      return oracle::State::kLastAck;
    case TcpState::kTimeWait:
      return oracle::State::kTimeWait;
  }
  throw HarnessError("no such TCP state");
}

oracle::Segment AsTheOracleSeesIt(const Segment& segment) {
  oracle::Segment seen;
  seen.flags = segment.flags;
  seen.seq = segment.seq;
  seen.ack = segment.ack;
  seen.text = static_cast<std::uint32_t>(segment.payload.size());
  seen.window = segment.window;
  seen.is_ipv6 = segment.source.address.version() == IpVersion::kIpv6;
  if (!segment.checksum_valid) seen.defect = "bad checksum";
  return seen;
}

bool HasSentFin(TcpState state) {
  return state == TcpState::kFinWait1 || state == TcpState::kFinWait2 ||
         state == TcpState::kClosing || state == TcpState::kLastAck || state == TcpState::kTimeWait;
}

bool IsFinOpen(TcpState state) {
  return state == TcpState::kFinWait1 || state == TcpState::kClosing || state == TcpState::kLastAck;
}

bool HasReceivedFin(TcpState state) {
  return state == TcpState::kCloseWait || state == TcpState::kClosing ||
         state == TcpState::kLastAck || state == TcpState::kTimeWait;
}

// --- what a reading of the RFC allows ---

bool IsAnswer(const oracle::Answer& allowed, const Segment& segment) {
  if (allowed.flags != (segment.flags & kCompared) || !segment.payload.empty()) return false;
  if (!allowed.has_any_seq && allowed.seq != segment.seq) return false;
  return (allowed.flags & kAck) == 0 || allowed.ack == segment.ack;
}

bool IsAck(const oracle::Tcb& then, const Segment& segment) {
  return (segment.flags & kCompared) == kAck && segment.payload.empty() &&
         segment.seq == then.nxt && segment.ack == then.rcv_nxt;
}

// A segment of before that is sent again and acknowledges what an ACK would.
bool IsRepeated(const oracle::Tcb& before, const oracle::Tcb& then, const Segment& segment) {
  const bool is_fin = before.is_fin_sent && segment.Has(kFin) && segment.seq + 1 == before.nxt;
  const bool is_syn = segment.Has(kSyn) && segment.seq == before.iss;
  return (is_fin || is_syn) &&
         (!segment.Has(kAck) || segment.ack == then.rcv_nxt || segment.ack == before.rcv_nxt);
}

bool AllowsAnswers(const oracle::Tcb& before, const oracle::Tcb& then,
                   const std::vector<Segment>& answers) {
  std::vector<oracle::Answer> owed = then.answers;
  bool is_acknowledged = false;
  bool has_acked = false;
  for (const Segment& answer : answers) {
    const auto paid = std::find_if(
        owed.begin(), owed.end(), [&](const oracle::Answer& one) { return IsAnswer(one, answer); });
    if (paid != owed.end()) {
      owed.erase(paid);
    } else if ((then.OwesAck() || then.may_ack) && !has_acked && IsAck(then, answer)) {
      has_acked = is_acknowledged = true;
    } else if (IsRepeated(before, then, answer)) {
      is_acknowledged |= answer.Has(kAck) && answer.ack == then.rcv_nxt;
    } else {
      return false;
    }
  }
  return owed.empty() && (is_acknowledged || !then.OwesAck());
}

// What the application is told when `before` has become `then`, by a segment with this text.
// Nothing: the RFC leaves it open.
std::optional<Told> Tells(TcpState state, Way way, const oracle::Tcb& before,
                          const oracle::Tcb& then, const Segment& segment) {
  using State = oracle::State;
  if (way.is_orphaned || state == TcpState::kClosed) return Told();  // there is nobody
  Told told;
  if (then.state == State::kClosed && before.state != State::kClosed) {
    const bool passive_half_open = way.is_passive && before.state == State::kSynReceived;
    if (passive_half_open) return told;  // "The user need not be informed."
    if (before.state == State::kClosing || before.state == State::kLastAck ||
        before.state == State::kTimeWait) {
      return std::nullopt;
    }
    told.failed = true;
    return told;
  }
  if (then.state == State::kSynReceived || then.state == State::kSynSent ||
      then.state == State::kClosed) {
    return told;  // queued, if anything
  }
  const std::uint32_t text_begins = segment.seq + (segment.Has(kSyn) ? 1 : 0);
  const auto text_ends = text_begins + static_cast<std::uint32_t>(segment.payload.size());
  const std::uint32_t from = oracle::Later(before.rcv_nxt, text_begins);
  const std::uint32_t to = oracle::Before(then.rcv_nxt, text_ends) ? then.rcv_nxt : text_ends;
  const bool had_end = HasReceivedFin(state);
  if (!had_end && oracle::Before(from, to)) {
    told.text = segment.payload_text().substr(from - text_begins, to - from);
  }
  told.end = had_end || then.state == State::kCloseWait || then.state == State::kClosing ||
             then.state == State::kTimeWait || then.state == State::kLastAck;
  return told;
}

bool operator==(const Told& a, const Told& b) {
  return a.text == b.text && a.end == b.end && a.failed == b.failed;
}

// --- in words ---

std::string NameOf(TcpFlags flags) {
  const auto compared = static_cast<TcpFlags>(flags & kCompared);
  return compared == 0 ? "no flags" : TcpFlagsName(compared);
}

std::string Describe(const Told& told) {
  std::string text;
  if (!told.text.empty()) text += fmt::format(", \"{}\" delivered", told.text);
  if (told.end) text += ", end of file";
  if (told.failed) text += ", an error";
  return text.empty() ? ", nothing told" : text;
}

std::string Describe(const oracle::Tcb& then, const std::optional<Told>& told) {
  std::string text;
  for (const oracle::Answer& answer : then.answers) {
    text += (text.empty() ? "" : " and ") + NameOf(static_cast<TcpFlags>(answer.flags));
    if (!answer.has_any_seq) text += fmt::format(" seq={}", answer.seq - then.iss);
    if ((answer.flags & kAck) != 0) text += fmt::format(" ack={}", answer.ack - then.irs);
  }
  if (then.OwesAck()) text += text.empty() ? "ACK" : " and ACK";
  if (text.empty()) text = then.may_ack ? "ACK or nothing" : "nothing";
  text += fmt::format(", {}", oracle::StateName(then.state));
  if (told) text += Describe(*told);
  if (then.reason.rule != nullptr) {
    text += fmt::format(" (section {}: {})", then.reason.rule->section, then.reason.rule->sentence);
  }
  return text;
}

}  // namespace

oracle::Tcb TcbIn(TcpState state, Way way, const Numbers& numbers, std::uint16_t window_of_peer,
                  std::uint16_t window) {
  oracle::Tcb tcb;
  tcb.state = StateOf(state);
  tcb.irs = numbers.irs;
  if (state == TcpState::kClosed || state == TcpState::kListen) return tcb;
  tcb.is_passive = way.is_passive;
  tcb.una = numbers.snd_una;
  tcb.nxt = numbers.snd_nxt;
  tcb.iss = tcb.nxt - 1 - (HasSentFin(state) ? 1 : 0);
  tcb.edge = tcb.last_edge = tcb.una + window_of_peer;
  tcb.max_window = window_of_peer;
  tcb.is_fin_sent = HasSentFin(state);
  tcb.shown = window;
  if (state == TcpState::kSynSent) return tcb;
  tcb.rcv_nxt = numbers.rcv_nxt;
  tcb.rcv_edge = tcb.rcv_nxt + window;
  return tcb;
}

std::vector<oracle::Tcb> Allowed(const oracle::Tcb& before, TcpState state, Way way,
                                 const Segment& segment) {
  oracle::Application user;
  user.is_known = true;
  user.is_listening = way.is_passive || state == TcpState::kListen;
  user.opens = user.is_listening || state == TcpState::kClosed ? 0 : 1;
  user.is_gone = user.may_abort = way.is_orphaned;
  std::vector<oracle::Tcb> readings;
  oracle::SegmentArrives(before, AsTheOracleSeesIt(segment), segment.time, user, readings);
  return readings;
}

std::string InWords(const oracle::Tcb& then) {
  std::string text;
  for (const oracle::Answer& answer : then.answers) {
    text += (text.empty() ? "" : " and ") + NameOf(static_cast<TcpFlags>(answer.flags));
  }
  if (then.OwesAck()) text += text.empty() ? "ACK" : " and ACK";
  if (text.empty()) text = then.may_ack ? "ACK or nothing" : "nothing";
  return text + ", " + oracle::StateName(then.state);
}

Connection InEachState::Opened(Way way, Segment& last) {
  if (!way.is_passive) {
    ScriptedTcp& peer = host.Listen(ip, 80);
    Socket socket = sut.NewSocket(ip);
    Pending<int> connecting = socket.StartConnect(peer.local());
    peer.Expect(Syn());
    peer.Send(SynAck());
    last = peer.Expect(Ack().Ack(peer.snd_nxt));
    connecting.Await().value();
    return {socket, peer};
  }
  Connection connection = InState(TcpState::kListen);
  connection.peer.Send(Syn());
  last = connection.peer.Expect(SynAck().Ack(connection.peer.snd_nxt));
  connection.peer.Send(Ack());
  connection.socket = connection.socket.Accept().value().socket;
  return connection;
}

InEachState::Before InEachState::Bring(TcpState state, Way way) {
  try {
    return Brought(state, way);
  } catch (const Departure& departure) {
    const Duration late = sut.loop().worst_lateness();
    const std::string why = fmt::format("{}: {}", TcpStateName(state), OnOneLine(departure.what()));
    if (departure.explained_by() > Duration(0) && late >= departure.explained_by()) {
      throw Inconclusive(
          fmt::format("{}; but this process was served {} late", why, FormatDuration(late)));
    }
    NotReached(why);
  }
}

InEachState::Before InEachState::Brought(TcpState state, Way way) {
  Segment last;
  const Connection connection = [&]() -> Connection {
    switch (state) {
      case TcpState::kClosed:
      case TcpState::kListen:
        return InState(state);
      case TcpState::kSynSent: {
        ScriptedTcp& peer = host.Listen(ip, 80);
        Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
        socket.Connect(peer.local());  // EINPROGRESS
        last = peer.Expect(Syn());
        return {socket, peer};
      }
      case TcpState::kSynReceived: {
        Connection half_open = InState(way.is_passive ? TcpState::kListen : TcpState::kSynSent);
        half_open.peer.Send(Syn());
        last = half_open.peer.Expect(SynAck().Ack(half_open.peer.snd_nxt));
        return half_open;
      }
      default:
        return Opened(way, last);
    }
  }();
  ScriptedTcp& peer = connection.peer;
  const auto close = [&] {
    Socket socket = connection.socket;
    (way.is_orphaned ? socket.Close() : socket.Shutdown("SHUT_WR")).value();
    last = peer.Expect(Fin().Seq(peer.rcv_nxt));
  };
  const auto be_closed = [&](std::uint32_t ack) {
    peer.Send(Fin().Ack(ack));
    last = peer.Expect(Ack().Ack(peer.snd_nxt));
  };
  switch (state) {
    case TcpState::kFinWait1:
      close();
      break;
    case TcpState::kFinWait2:
      close();
      peer.Send(Ack());
      break;
    case TcpState::kCloseWait:
      be_closed(peer.rcv_nxt);
      break;
    case TcpState::kClosing:
      close();
      be_closed(peer.rcv_nxt - 1);
      break;
    case TcpState::kLastAck:
      be_closed(peer.rcv_nxt);
      close();
      break;
    case TcpState::kTimeWait:
      close();
      be_closed(peer.rcv_nxt);
      break;
    default:
      break;
  }
  Settle();
  ExpectStateIfShown(state, connection);

  const bool is_open =
      state == TcpState::kSynSent || state == TcpState::kSynReceived || IsFinOpen(state);
  const Numbers numbers{.rcv_nxt = peer.snd_nxt,
                        .irs = peer.iss,
                        .snd_una = peer.rcv_nxt - (is_open ? 1 : 0),
                        .snd_nxt = peer.rcv_nxt};
  return {connection, numbers, TcbIn(state, way, numbers, peer.rcv_wnd, last.window)};
}

Told InEachState::Heard(Socket socket, TcpState state, Way way) {
  Told told;
  if (way.is_orphaned || state == TcpState::kClosed) return told;
  const bool is_listener =
      state == TcpState::kListen || (way.is_passive && state == TcpState::kSynReceived);
  if (is_listener) {
    if (socket.Poll({"POLLIN"}).value().empty()) return told;
    socket = socket.Accept().value().socket;
  }
  told.failed = socket.TakeError() != 0;
  for (int reads = 0; reads < 8 && !told.failed && !told.end; ++reads) {
    const Outcome<std::string> received = socket.Receive(1000, {"MSG_DONTWAIT"});
    if (!received.ok()) {
      told.failed = received.error() != EAGAIN && received.error() != ENOTCONN;
      break;
    }
    told.text += received.value();
    told.end = received.value().empty();
  }
  return told;
}

InEachState::Reaction InEachState::Observe(Before& before, TcpState state, Way way,
                                           bool must_answer) {
  const Connection& connection = before.connection;
  Settle();
  if (must_answer) {
    sut.loop().RunUntil([&] { return connection.peer.waiting() > 0; },
                        Clock::now() + LongestDelay());
  }
  Reaction reaction;
  reaction.answers = AllArrived(connection.peer);
  if (sut.Can("states")) {
    reaction.state = sut.StateOf(connection.local(), connection.remote());
  }
  reaction.told = Heard(connection.socket, state, way);
  return reaction;
}

InEachState::Judgement InEachState::Judge(TcpState state, const Cell& cell, SourceLocation where) {
  Before before = Bring(state, cell.way);
  const Segment segment = before.connection.peer.Send(cell.segment->make(before.numbers));
  const std::vector<oracle::Tcb> readings = Allowed(before.tcb, state, cell.way, segment);
  // Where every reading has an answer, a delayed ACK is waited for.
  const bool must_answer = std::all_of(readings.begin(), readings.end(), [](const auto& then) {
    return then.OwesAck() || !then.answers.empty();
  });
  const Reaction seen = Observe(before, state, cell.way, must_answer);

  const auto first = std::find_if(readings.begin(), readings.end(), [](const auto& then) {
    return !std::string_view(then.reason.rule->claim).empty();
  });
  const std::string first_claim = first != readings.end() ? first->reason.rule->claim : "";
  std::string allowed;
  for (const oracle::Tcb& then : readings) {
    const std::string claim = then.reason.rule->claim;
    const std::optional<Told> told = Tells(state, cell.way, before.tcb, then, segment);
    allowed += "\n    " + Describe(then, told);
    if (!AllowsAnswers(before.tcb, then, seen.answers)) continue;
    if (seen.state && then.state != StateOf(*seen.state)) continue;
    if (told && !(*told == seen.told)) continue;
    if (claim.empty() && !first_claim.empty()) {
      NotTaken(first_claim,
               fmt::format("{}: {}", then.reason.rule->section, then.reason.rule->sentence));
    }
    return {claim, std::nullopt};
  }
  std::string observed;
  for (const Segment& answer : seen.answers) {
    if (!observed.empty()) observed += ", ";
    observed += sockproof::Describe(answer, before.tcb.iss, before.tcb.irs);
  }
  if (observed.empty()) observed = "nothing";
  if (seen.state) observed += fmt::format(", {}", TcpStateName(*seen.state));
  const bool is_absence = must_answer && seen.answers.empty();
  return {first_claim,
          Departure(fmt::format("  Expected: one of{}\n  Observed: {}{}", allowed, observed,
                                Describe(seen.told)),
                    where, is_absence ? ThatExplainsAbsence(LongestDelay()) : Duration(0))};
}

}  // namespace sockproof::states
