#include "src/judge/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "harness/packet/options.h"
#include "harness/trace/frame_view.h"
#include "harness/trace/relative_numbers.h"
#include "src/judge/calls.h"
#include "src/judge/segment_of.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

using oracle::Oracle;
using oracle::Segment;

constexpr std::size_t kMostConnections = 100'000;
constexpr const char* kPeer = "peer";             // the actor that is no system
constexpr std::uint16_t kOfEcn = 64 | 128 | 256;  // ECE and CWR of RFC 3168, AE of RFC 9768
// A call that has not returned by then waits.
constexpr Duration kLongWait = 2s;

// "FIN,ACK seq=1 ack=5 len=0", relative to what the connection began with.
std::string SegmentText(const Segment& segment, const RelativeNumbers& numbers,
                        const RelativeNumbers::Direction& direction) {
  std::string text = oracle::FlagNames(segment.flags);
  text += " seq=" + numbers.Relative(direction, segment.seq).Text();
  if (segment.Has(oracle::kAck)) {
    text += " ack=" + numbers.Relative(RelativeNumbers::Reversed(direction), segment.ack).Text();
  }
  if (segment.text > 0) text += fmt::format(" len={}", segment.text);
  return text;
}

// What happens to a system, in order of time.
struct Happening {
  enum class Kind { kArrives, kSends, kIcmp, kBegins, kReturns, kShows };
  Kind kind = Kind::kArrives;
  Time time;
  std::string actor;
  const CapturedFrame* frame = nullptr;
  const TcpView* tcp = nullptr;
  const CallSpan* span = nullptr;
  const StateEvent* state = nullptr;
};

struct JudgedEnd {
  std::size_t index = 0;  // among the judgements
  std::unique_ptr<Oracle> oracle;
  Calls::Connection connection;
  int last_number = 0;
  Duration last_at{0};
  Time last_time;
  std::string last_text;
  std::optional<std::uint32_t> isn;  // of the system
  Time isn_at;
  std::optional<std::uint32_t> first_sent, first_arrived;  // the numbers of the first octets
  bool are_contents_known = true;
  bool has_ecn = false;
  bool asks_for_multipath = false, is_asked_for_multipath = false;  // by options of SYNs
  std::string beyond;  // why another RFC may allow what RFC 9293 does not
};

// Notes which options of a segment, sent or arrived, let another RFC change what RFC 9293 asks.
void TakeOptions(JudgedEnd& end, const TcpView& tcp, bool is_syn, bool sends) {
  const auto options = packet::ReadOptions(tcp.options).options;
  const auto has = [&](std::uint8_t kind) { return packet::FindOption(options, kind) != nullptr; };
  if (sends && has(tcp_option::kMd5)) end.beyond = "its segments are signed (RFC 2385)";
  if (sends && has(tcp_option::kAo)) end.beyond = "its segments are authenticated (RFC 5925)";
  if (!is_syn || !has(tcp_option::kMptcp)) return;
  (sends ? end.asks_for_multipath : end.is_asked_for_multipath) = true;
  if (end.asks_for_multipath && end.is_asked_for_multipath) {
    end.beyond = "it is a part of a Multipath TCP connection (RFC 8684)";
  }
}

// What RFC 9293 section 3.9.2.2 makes of an ICMP message.
enum class IcmpKind {
  kHarmless,
  kTooBig,
  kOther
};  // source quench and soft errors; ...; hard ones

IcmpKind IcmpKindOf(const Bytes& frame) {
  constexpr std::size_t kEthernet = 14, kIpv6Header = 40;
  if (frame.size() <= kEthernet) return IcmpKind::kOther;
  const bool is_ipv6 = frame[kEthernet] >> 4 == 6;
  const std::size_t at = kEthernet + (is_ipv6 ? kIpv6Header : std::size_t{4} * (frame[kEthernet] & 0xf));
  if (frame.size() < at + 2) return IcmpKind::kOther;
  const int type = frame[at], code = frame[at + 1];
  if ((is_ipv6 && type == 2) || (!is_ipv6 && type == 3 && code == 4)) return IcmpKind::kTooBig;
  if (is_ipv6) {
    const bool is_soft = (type == 1 && (code == 0 || code == 3)) || type == 3 || type == 4;
    return is_soft ? IcmpKind::kHarmless : IcmpKind::kOther;
  }
  const bool is_soft =
      (type == 3 && (code == 0 || code == 1 || code == 5)) || type == 11 || type == 12;
  return is_soft || type == 4 ? IcmpKind::kHarmless : IcmpKind::kOther;
}

// Addresses that no host has: what comes from them or goes to them must be ignored (MUST-57,
// MUST-63).
bool IsOfNoHost(const std::string& address) {
  if (address.find(':') != std::string::npos) return address == "::" || address.starts_with("ff");
  const int first = std::atoi(address.c_str());
  return first == 0 || first >= 224;
}

class Judge {
 public:
  Judge(const Capture& capture, const std::vector<Event>& events, const JudgeOptions& options,
        bool use_calls)
      : capture_(capture), options_(options), is_ours_(!events.empty()), use_calls_(use_calls) {
    judgement_.remarks = capture.remarks;
    if (use_calls) {
      spans_ = CallSpans(events);
      for (const Event& event : events) {
        const auto* state = std::get_if<StateEvent>(&event.what);
        if (state != nullptr) states_.emplace_back(event.time, state);
      }
    }
    if (!events.empty()) {
      // Not until the verdict: what came just before it may not have been taken in.
      for (const Event& event : events) {
        if (!std::holds_alternative<VerdictEvent>(event.what)) end_ = std::max(end_, event.time);
      }
      LearnActors(events);
    } else {
      LearnAddresses();
    }
    judgement_.judged =
        !options.side.empty() ? options.side
        : is_ours_            ? "the systems of the test"
        : !own_.empty()       ? "the systems of a test; its events, with --calls, tell more"
                              : "both ends of each connection; --side ADDRESS: one, where the "
                                "capture was made";
    if (!capture.frames.empty()) end_ = std::max(end_, capture.frames.back().time);
  }

  Judgement Run() {
    for (const Happening& happening : Happenings()) Take(happening);
    for (const CallSpan& span : spans_) {
      if (span.return_event == nullptr && end_ - span.begin >= kLongWait) TakeWaiting(span);
    }
    for (auto& [key, end] : ends_) {
      if (auto departure = end.oracle->Until(end_)) {
        Depart(end, "nothing more", *std::move(departure));
      }
      Close(end);
    }
    HoldToChoices();
    LookAtInitialNumbers();
    if (other_ > 0) {
      judgement_.remarks.push_back(
          fmt::format("{} frames hold no TCP segment that could be read", other_));
    }
    return std::move(judgement_);
  }

 private:
  using Key = std::pair<std::string, RelativeNumbers::Direction>;  // actor; local, remote

  // Which addresses belong to which actor, for a capture that does not say it of each frame.
  void LearnActors(const std::vector<Event>& events) {
    for (const Event& event : events) {
      const auto* frame = std::get_if<FrameEvent>(&event.what);
      if (frame == nullptr || frame->from == kPeer) continue;
      actors_.insert(frame->from);
      const FrameView view = DecodeFrame(frame->bytes);
      if (view.tcp) actor_of_[view.tcp->source] = frame->from;
    }
  }

  // Of a capture that a test has left, without its events: the interfaces are its actors.
  void LearnAddresses() {
    const bool is_of_test =
        std::any_of(capture_.frames.begin(), capture_.frames.end(),
                    [](const CapturedFrame& frame) { return frame.from == kPeer; });
    if (!is_of_test) return;
    for (const CapturedFrame& frame : capture_.frames) {
      const FrameView view = DecodeFrame(frame.bytes);
      if (view.tcp && frame.from != kPeer) own_.insert(view.tcp->source);
    }
  }

  // Who sent a segment and who gets it: actors; for captures of others, addresses.
  std::pair<std::string, std::string> Ends(const CapturedFrame& frame, const TcpView& tcp) const {
    if (!is_ours_) return {tcp.source, tcp.destination};
    const auto actor = [&](const std::string& address) {
      const auto found = actor_of_.find(address);
      return found == actor_of_.end() ? std::string(kPeer) : found->second;
    };
    const std::string from = frame.from.empty() ? actor(tcp.source) : frame.from;
    std::string to = frame.to;
    if (to.empty()) to = actor(tcp.destination);
    if (to == from) to = kPeer;
    return {from, to};
  }

  bool IsJudged(const std::string& actor, const std::string& address) const {
    if (!options_.side.empty()) return address == options_.side;
    if (!own_.empty()) return own_.contains(address);
    return !is_ours_ || actor != kPeer;
  }

  std::vector<Happening> Happenings() {
    using Kind = Happening::Kind;
    std::vector<Happening> happenings;
    views_.reserve(capture_.frames.size());
    for (const CapturedFrame& frame : capture_.frames) {
      FrameView view = DecodeFrame(frame.bytes);
      if (!view.tcp) {
        const bool is_error = view.other.starts_with("ICMP") && !view.is_noise &&
                              !view.is_resolution && view.other.find("echo") == std::string::npos;
        if (is_error) happenings.push_back({Kind::kIcmp, frame.time, frame.to, &frame});
        if (!is_error && !view.is_noise && !view.is_resolution) ++other_;
        continue;
      }
      views_.push_back(*std::move(view.tcp));
      const TcpView& tcp = views_.back();
      const auto [from, to] = Ends(frame, tcp);
      if (IsJudged(from, tcp.source) && frame.fate != Fate::kDuplicated) {
        happenings.push_back({Kind::kSends, frame.time, from, &frame, &tcp});
      }
      if (IsOfNoHost(tcp.source) || IsOfNoHost(tcp.destination)) continue;
      if (IsJudged(to, tcp.destination) && frame.fate != Fate::kDropped) {
        happenings.push_back({Kind::kArrives, frame.time + frame.delay, to, &frame, &tcp});
      }
    }
    for (const CallSpan& span : spans_) {
      happenings.push_back({Kind::kBegins, span.begin, span.call().actor, nullptr, nullptr, &span});
      if (span.return_event != nullptr) {
        happenings.push_back(
            {Kind::kReturns, span.end, span.call().actor, nullptr, nullptr, &span});
      }
    }
    for (const auto& [time, state] : states_) {
      happenings.push_back({Kind::kShows, time, state->actor, nullptr, nullptr, nullptr, state});
    }
    std::stable_sort(
        happenings.begin(), happenings.end(),
        [](const Happening& one, const Happening& other) { return one.time < other.time; });
    return happenings;
  }

  void Take(const Happening& happening) {
    switch (happening.kind) {
      case Happening::Kind::kBegins:
        calls_[happening.actor].Begins(*happening.span);
        return;
      case Happening::Kind::kReturns:
        if (auto objected = calls_[happening.actor].Returns(*happening.span)) {
          const CallSpan& span = *happening.span;
          const auto& result = std::get<ReturnEvent>(span.return_event->what).text;
          Depart(happening.actor, *std::move(objected),
                 fmt::format("{} = {}", span.call().text, result));
        }
        return;
      case Happening::Kind::kShows:
        TakeState(happening);
        return;
      case Happening::Kind::kIcmp:
        for (auto& [key, end] : ends_) {
          if (is_ours_ && !happening.actor.empty() && key.first != happening.actor) continue;
          switch (IcmpKindOf(happening.frame->bytes)) {
            case IcmpKind::kHarmless:  // MUST-55, MUST-56
              break;
            case IcmpKind::kTooBig:
              end.oracle->MayRepeat();
              end.oracle->MayHaveEnded();
              break;
            case IcmpKind::kOther:
              end.oracle->MayHaveEnded();
          }
        }
        return;
      case Happening::Kind::kSends:
      case Happening::Kind::kArrives:
        TakeSegment(happening);
    }
  }

  void TakeWaiting(const CallSpan& span) {
    auto objected = calls_[span.call().actor].Waits(span, end_);
    if (!objected || end_ - EndOf(objected->connection).last_time < kLongWait) return;
    Depart(span.call().actor, *std::move(objected), span.call().text + " waits");
  }

  JudgedEnd& EndOf(const Calls::Connection* connection) {
    return std::find_if(ends_.begin(), ends_.end(),
                        [&](const auto& one) { return &one.second.connection == connection; })
        ->second;
  }

  void Depart(const std::string& actor, Calls::Objected objected, const std::string& observed) {
    const Key none{actor, {"no address", "nobody"}};
    JudgedEnd& end = objected.connection != nullptr
                         ? EndOf(objected.connection)
                         : ends_.emplace(none, Begin(none)).first->second;
    Depart(end, observed, std::move(objected.departure));
  }

  // Which of the connections of an address is meant is not said.
  void TakeState(const Happening& happening) {
    const std::string& local = happening.state->socket;
    std::vector<JudgedEnd*> meant;
    for (auto& [key, end] : ends_) {
      if (key.first == happening.actor && end.connection.local == local) {
        meant.push_back(&end);
      }
    }
    const std::optional<oracle::State> state = oracle::StateNamed(happening.state->state);
    if (!state || meant.size() != 1) return;
    JudgedEnd& end = *meant.front();
    const bool is_judged =
        judgement_.connections[end.index].answer == ConnectionJudgement::Answer::kAllowed &&
        calls_[happening.actor].Knows(end.connection);
    if (!is_judged) return;
    if (auto departure = end.oracle->Shows(*state, happening.time)) {
      Depart(end, "it is in " + happening.state->state, *std::move(departure));
    }
  }

  void TakeSegment(const Happening& happening) {
    const TcpView& tcp = *happening.tcp;
    const bool sends = happening.kind == Happening::Kind::kSends;
    const RelativeNumbers::Direction direction = RelativeNumbers::DirectionOf(tcp);
    const Key key{is_ours_ ? happening.actor : "",
                  sends ? direction : RelativeNumbers::Reversed(direction)};
    auto found = ends_.find(key);
    if (found == ends_.end()) {
      if (ends_.size() == kMostConnections) return;
      found = ends_.emplace(key, Begin(key)).first;
    }
    JudgedEnd& end = found->second;
    ConnectionJudgement& judged = judgement_.connections[end.index];
    if (judged.answer != ConnectionJudgement::Answer::kAllowed) return;
    ++judged.segments;
    Segment segment = SegmentOf(tcp, happening.frame->bytes);
    // Of a capture at the sender's, before its device has filled in the sum.
    if (!is_ours_ && segment.defect == "bad checksum") segment.defect.clear();
    numbers_[key].Take(tcp);
    TakeOptions(end, tcp, segment.Has(oracle::kSyn), sends);
    const bool is_syn = segment.Has(oracle::kSyn) && !segment.Has(oracle::kAck | oracle::kRst);
    if (is_syn && is_ours_ && use_calls_) calls_[happening.actor].Opens(end.connection, sends);
    const Duration at = happening.time - capture_.frames.front().time;
    const std::string text = SegmentText(segment, numbers_[key], direction);
    end.last_number = happening.frame->number;
    end.last_at = at;
    end.last_time = happening.time;
    if (is_ours_ && use_calls_) TakeContents(end, tcp, segment, sends);
    if (sends && (segment.text > 0 || is_syn))
      TakeIpFields(end, segment, happening.frame->bytes, text);
    if (judged.answer != ConnectionJudgement::Answer::kAllowed) return;
    if (sends && IsOfNoHost(tcp.source)) {
      Depart(end, text,
             {"an address of the host", "3.9.1.1", "rfc9293:MUST-44",
              "the local address is chosen before the first segment"});
      return;
    }
    if (sends) {
      if (segment.Has(oracle::kSyn) && !end.isn) {
        end.isn = segment.seq;
        end.has_ecn = segment.Has(kOfEcn);
        end.isn_at = happening.time;
      }
      if (auto departure = end.oracle->Sends(segment, happening.time)) {
        Depart(end, text, *std::move(departure));
      }
    } else {
      end.oracle->Arrives(segment, happening.time);
    }
    if (!end.oracle->undecided().empty()) Close(end);
  }

  // What is sent is what was written; what has arrived is kept for what is received.
  void TakeContents(JudgedEnd& end, const TcpView& tcp, const Segment& segment, bool sends) {
    std::optional<std::uint32_t>& first = sends ? end.first_sent : end.first_arrived;
    Octets& octets = sends ? end.connection.written : end.connection.arrived;
    const std::uint32_t begin = segment.seq + (segment.Has(oracle::kSyn) ? 1 : 0);
    if (segment.Has(oracle::kSyn) && first && *first != begin) end.are_contents_known = false;
    if (segment.Has(oracle::kSyn) && !first) first = begin;
    if (segment.Has(oracle::kUrg)) end.are_contents_known = false;
    if (!end.are_contents_known || !first || !segment.defect.empty()) return octets.Forget();
    const std::string_view data(reinterpret_cast<const char*>(tcp.payload.data()),
                                tcp.payload.size());
    if (!sends) return octets.Put(begin - *first, data);
    if (!octets.Contradict(begin - *first, data)) return;
    Depart(end, "other data",
           {"what was given to send()", "3.10.2", "rfc9293:3.10.2-send-established",
            "what is sent as data was given to send()"});
  }

  // MUST-48 and MUST-49: data and a SYN have what the application has set; without ECN no part of
  // it is of that.
  void TakeIpFields(JudgedEnd& end, const Segment& segment, const Bytes& frame,
                    const std::string& text) {
    constexpr std::size_t kIp = 14;
    const int traffic_class =
        segment.is_ipv6 ? (frame[kIp] & 0xf) << 4 | frame[kIp + 1] >> 4 : frame[kIp + 1];
    const int hop_limit = frame[kIp + (segment.is_ipv6 ? 7 : 8)];
    const int codepoint = traffic_class & 3;
    const Calls::IpFields& set = end.connection.set;
    if (set.traffic_class && (*set.traffic_class ^ traffic_class) > 3) {
      Depart(end, fmt::format("{} with class {}", text, traffic_class),
             {fmt::format("class {}", *set.traffic_class), "3.9.2", "rfc9293:MUST-48",
              "the Differentiated Services field is what the application has set"});
    } else if (set.hop_limit && *set.hop_limit != hop_limit) {
      Depart(end, fmt::format("{} with a hop limit of {}", text, hop_limit),
             {fmt::format("{}", *set.hop_limit), "3.9.2", "rfc9293:MUST-49",
              "the TTL is what the application has set"});
    } else if (is_ours_ && end.isn && !end.has_ecn && codepoint != 0) {
      Depart(end, fmt::format("{} with ECN codepoint {}", text, codepoint),
             {"0", "RFC 3168 section 6.1.1", "rfc3168:6.1.1-no-ect",
              "data is ECN-capable where SYNs have agreed on it"});
    }
  }

  JudgedEnd Begin(const Key& key) {
    oracle::Distance distance;
    // A wire of ours stamps a frame when it comes, and passes it on when its process runs.
    if (is_ours_ && actors_.size() > 1) distance.transit = 1s;
    if (!is_ours_) {
      distance.has_offload = true;
      // Somewhere between two ends, of which each may be far away.
      if (options_.side.empty()) distance.transit = 2s;
      distance.may_lose = options_.side.empty();
    }
    JudgedEnd end;
    end.index = judgement_.connections.size();
    std::shared_ptr<oracle::Challenges>& challenges = challenges_[SystemOf(key)];
    if (!challenges) challenges = std::make_shared<oracle::Challenges>();
    end.oracle =
        std::make_unique<Oracle>(is_ours_ ? Oracle::Start::kClosed : Oracle::Start::kUnderWay,
                                 distance, oracle::Stack(), challenges);
    end.connection = {key.second.first, key.second.second, end.oracle.get()};
    judgement_.connections.push_back(
        {.local = key.second.first, .remote = key.second.second, .actor = key.first});
    return end;
  }

  void Depart(JudgedEnd& end, const std::string& observed, oracle::Departure departure) {
    ConnectionJudgement& judged = judgement_.connections[end.index];
    std::string why = end.beyond;
    if (why.empty() && end.oracle->RestsOnAssumptions()) {
      why = "the connection began before the capture, "
            "and what was sent and received before is not known";
    }
    if (!why.empty()) {
      judged.answer = ConnectionJudgement::Answer::kUndecided;
      judged.why_undecided = fmt::format("RFC 9293 does not allow \"{}\", but {}", observed, why);
      return;
    }
    judged.answer = ConnectionJudgement::Answer::kDeparts;
    judged.number = end.last_number;
    judged.at = end.last_at;
    judged.observed = observed;
    judged.departure = std::move(departure);
  }

  // MUST-8: they come from a clock, so that no two are the same but within a tick of it. SHLD-1: a
  // function of the ports is added to it, which is as good as random, so that in two connections
  // they are near by chance in one of 1000, in four in one of 10^9.
  void LookAtInitialNumbers() {
    constexpr std::uint32_t kNear = 1
                                    << 22;  // 17 s of a clock of 4 us, or some connections of 64000
    constexpr std::size_t kFew = 3;
    constexpr Duration kCoarsest = 10ms;  // "neither assumed to be realtime nor precise"
    std::map<std::string, std::vector<std::pair<std::uint32_t, JudgedEnd*>>> begun;  // by system
    for (auto& [key, end] : ends_) {
      if (end.isn) begun[SystemOf(key)].emplace_back(*end.isn, &end);
    }
    for (auto& [system, numbers] : begun) {
      std::stable_sort(numbers.begin(), numbers.end(), [](const auto& one, const auto& other) {
        return one.second->index < other.second->index;
      });
      bool is_near = numbers.size() > kFew;
      bool is_same = numbers.back().second->isn_at - numbers.front().second->isn_at >= kCoarsest;
      for (std::size_t i = 1; i < numbers.size(); ++i) {
        is_near &= numbers[i].first - numbers[i - 1].first < kNear;
        is_same &= numbers[i].first == numbers[i - 1].first;
      }
      JudgedEnd& last = *numbers.back().second;
      const bool is_allowed =
          judgement_.connections[last.index].answer == ConnectionJudgement::Answer::kAllowed;
      if (is_same && is_allowed) {
        Depart(last, "the initial sequence number of another connection",
               {"a later one", "3.4.1", "rfc9293:MUST-8",
                "initial sequence numbers come from a clock that counts up"});
      } else if (is_near) {
        judgement_.connections[last.index].unfollowed.push_back(
            "RFC 9293 section 3.4.1: to an initial sequence number a function of the connection "
            "should be added, that others do not know (rfc9293:SHLD-1)");
      }
    }
  }

  std::string SystemOf(const Key& key) const {
    const std::string& local = key.second.first;
    return is_ours_ ? key.first : local.substr(0, local.rfind(':'));
  }

  // What RFC 9293 leaves to a stack, a system does alike in all its connections.
  void HoldToChoices() {
    std::map<std::string, std::set<oracle::Stack>> chosen;  // by system
    for (auto& [key, end] : ends_) {
      ConnectionJudgement& judged = judgement_.connections[end.index];
      const bool is_sure = !end.oracle->RestsOnAssumptions();
      if (judged.answer != ConnectionJudgement::Answer::kAllowed || !is_sure) continue;
      std::set<oracle::Stack>& before = chosen[SystemOf(key)];
      const std::set<oracle::Stack> here = end.oracle->Stacks();
      std::set<oracle::Stack> both;
      if (before.empty()) both = here;
      for (const oracle::Stack& one : before) {
        for (const oracle::Stack& other : here) {
          if (const auto common = oracle::Both(one, other)) both.insert(*common);
        }
      }
      if (!both.empty() || here.empty()) {
        before = std::move(both);
        continue;
      }
      Depart(end, "RST or SYN in the window: challenged in one connection, a reset in another",
             {"the same in all connections of a system", "3.10.7.4, second and fourth check", "",
              "a stack follows RFC 5961, or RFC 793"});
    }
  }

  void Close(JudgedEnd& end) {
    ConnectionJudgement& judged = judgement_.connections[end.index];
    judged.are_calls_known = end.oracle->application().is_known;
    judged.unfollowed.clear();
    for (const oracle::Rule* rule : end.oracle->unfollowed()) {
      judged.unfollowed.push_back(
          fmt::format("{}: {} ({})", oracle::SectionText(rule->section), rule->sentence, rule->claim));
    }
    std::sort(judged.unfollowed.begin(), judged.unfollowed.end());
    if (judged.answer != ConnectionJudgement::Answer::kAllowed) return;
    judged.why_undecided = end.oracle->undecided();
    if (judged.why_undecided.empty() && !end.oracle->HasBegun()) {
      judged.why_undecided = "its beginning is not in the capture, and nothing of this end";
    }
    if (!judged.why_undecided.empty()) {
      judged.answer = ConnectionJudgement::Answer::kUndecided;
    }
  }

  const Capture& capture_;
  const JudgeOptions& options_;
  bool is_ours_;
  bool use_calls_;
  Time end_;
  std::vector<CallSpan> spans_;
  std::vector<std::pair<Time, const StateEvent*>> states_;
  std::set<std::string> actors_;                 // systems
  std::map<std::string, std::string> actor_of_;  // by address
  std::set<std::string> own_;  // addresses of systems, of a capture of a test without its events
  std::vector<TcpView> views_;
  std::map<std::string, Calls> calls_;  // by actor
  std::map<Key, JudgedEnd> ends_;
  std::map<std::string, std::shared_ptr<oracle::Challenges>> challenges_;  // by system
  std::map<Key, RelativeNumbers> numbers_;
  int other_ = 0;
  Judgement judgement_;
};

const char* AnswerName(ConnectionJudgement::Answer answer) {
  switch (answer) {
    case ConnectionJudgement::Answer::kAllowed:
      return "allowed";
    case ConnectionJudgement::Answer::kDeparts:
      return "departs";
    case ConnectionJudgement::Answer::kUndecided:
      return "undecided";
  }
  return "";
}

}  // namespace

bool Judgement::Departs() const {
  return std::any_of(connections.begin(), connections.end(), [](const ConnectionJudgement& one) {
    return one.answer == ConnectionJudgement::Answer::kDeparts;
  });
}

bool Judgement::IsEmpty() const {
  return std::all_of(connections.begin(), connections.end(), [](const ConnectionJudgement& one) {
    return one.answer == ConnectionJudgement::Answer::kUndecided;
  });
}

Judgement JudgeCapture(const Capture& capture, const std::vector<Event>& events,
                       const JudgeOptions& options, bool use_calls) {
  return Judge(capture, events, options, use_calls).Run();
}

std::string RenderJudgement(const Judgement& judgement, const std::string& name) {
  std::string text = CleanLine(name) + "\n";
  if (!judgement.judged.empty()) text += fmt::format("  judged: {}\n", judgement.judged);
  for (const ConnectionJudgement& one : judgement.connections) {
    text += fmt::format("  {}{} > {}: ", one.actor.empty() ? "" : one.actor + " ", one.local,
                        one.remote);
    if (one.answer == ConnectionJudgement::Answer::kDeparts) {
      text += fmt::format("DEPARTS at segment {}, {:.6f} s\n", one.number, ToSeconds(one.at));
      text +=
          fmt::format("    observed  {}\n    expected  {}\n", one.observed, one.departure.expected);
      text += fmt::format("    because   {}: {}{}\n", oracle::SectionText(one.departure.section),
                          one.departure.sentence,
                          one.departure.claim.empty() ? "" : " (" + one.departure.claim + ")");
    } else {
      text += fmt::format("{} ({} segments{})", AnswerName(one.answer), one.segments,
                          one.are_calls_known ? ", calls known" : "");
      text += one.why_undecided.empty() ? "\n" : ": " + one.why_undecided + "\n";
    }
    for (const std::string& should : one.unfollowed) {
      text += "    not followed, which is no departure   " + should + "\n";
    }
  }
  for (const std::string& remark : judgement.remarks) text += "  note: " + CleanLine(remark) + "\n";
  return CleanText(text);
}

void to_json(nlohmann::json& json, const Judgement& judgement) {
  json = {{"connections", nlohmann::json::array()},
          {"judged", judgement.judged},
          {"remarks", judgement.remarks}};
  for (const ConnectionJudgement& one : judgement.connections) {
    nlohmann::json connection = {{"local", one.local},
                                 {"remote", one.remote},
                                 {"actor", one.actor},
                                 {"calls_known", one.are_calls_known},
                                 {"answer", AnswerName(one.answer)},
                                 {"segments", one.segments}};
    if (one.answer == ConnectionJudgement::Answer::kDeparts) {
      connection.update({{"segment", one.number},
                         {"seconds", ToSeconds(one.at)},
                         {"observed", one.observed},
                         {"expected", one.departure.expected},
                         {"section", one.departure.section},
                         {"claim", one.departure.claim},
                         {"sentence", one.departure.sentence}});
    }
    if (!one.why_undecided.empty()) connection["why_undecided"] = one.why_undecided;
    if (!one.unfollowed.empty()) connection["not_followed"] = one.unfollowed;
    json["connections"].push_back(std::move(connection));
  }
}

}  // namespace sockproof
