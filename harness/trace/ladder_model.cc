// Chooses sides, pairs calls with returns, reads segments.
#include "harness/trace/ladder_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "harness/packet/describe.h"
#include "harness/packet/options.h"
#include "harness/packet/tcp_flags.h"

namespace sockproof {
namespace {

// Options as a list; empty when there is nothing that a reader would miss.
std::string OptionsText(const TcpView& tcp, const RelativeNumbers& numbers) {
  const RelativeNumbers::Direction other =
      RelativeNumbers::Reversed(RelativeNumbers::DirectionOf(tcp));
  const auto relative = [&](std::uint32_t number) {
    return numbers.Relative(other, number).Text();
  };
  const packet::OptionList list = packet::ReadOptions(tcp.options);
  std::string text;
  bool is_routine = (tcp.flags & kSyn) == 0;  // only NOPs and timestamps
  const auto append = [&](const std::string& option, bool routine) {
    text += (text.empty() ? "" : ",") + option;
    is_routine = is_routine && routine;
  };
  for (const TcpOption& option : list.options) {
    const bool is_timestamps = tcp_option::TimestampsOf(option).has_value();
    append(is_timestamps ? "TS" : packet::TcpOptionText(option, relative),
           is_timestamps || option.kind == tcp_option::kNop);
  }
  if (!list.rest.empty()) {
    append(packet::OptionRestText(list.rest), list.rest.front() == tcp_option::kEnd);
  }
  return is_routine ? "" : text;
}

class LadderMaker {
 public:
  explicit LadderMaker(const std::vector<Event>& events) {
    if (events.empty()) return;
    ladder_.zero = ZeroOf(events);
    for (const Event& event : events) events_.push_back(&event);
    std::stable_sort(events_.begin(), events_.end(),
                     [](const Event* one, const Event* other) { return one->time < other->time; });
    DecodeFrames();
    ChooseSides();
    for (const Event* event : events_) {
      now_ = event;
      std::visit([this](const auto& what) { Take(what); }, event->what);
    }
    TakeCalls(events);
    std::sort(ladder_.items.begin(), ladder_.items.end(),
              [](const LadderItem& one, const LadderItem& other) {
                return std::tie(one.time, one.event) < std::tie(other.time, other.event);
              });
  }

  Ladder Take() { return std::move(ladder_); }

 private:
  template <typename What>
  void Add(What what) {
    ladder_.items.push_back({now_->time, now_, std::move(what)});
  }

  // Of each actor.
  struct Ends {
    std::map<std::string, std::set<std::string>> addresses, endpoints;
  };

  void DecodeFrames();
  template <typename View>
  static void TakeEnds(const FrameEvent& frame, const View& view, Ends& ends) {
    ends.addresses[frame.from].insert(view.source);
    ends.addresses[frame.to].insert(view.destination);
    ends.endpoints[frame.from].insert(EndpointText(view.source, view.source_port));
    ends.endpoints[frame.to].insert(EndpointText(view.destination, view.destination_port));
  }
  void ChooseSides();
  std::string ConnectionOf(const TcpView& tcp) const;
  std::string EndpointOf(const std::string& actor) const;
  std::string UnusualEnds(const FrameEvent& event, const FrameView& view) const;

  void Take(const CallEvent&) {}    // In TakeCalls().
  void Take(const ReturnEvent&) {}  // There too.
  void Take(const BlockedEvent&) {}
  void Take(const FrameEvent& frame);
  void Take(const StateEvent& state);
  void Take(const ExpectationEvent& expectation) {
    if (!expectation.met) Add(expectation);
  }
  void Take(const FailureEvent& failure) { Add(failure); }
  void Take(const DecisionEvent& decision);
  void Take(const NoteEvent& note) { Add(note); }
  void Take(const ObservationEvent& observation) { Add(observation); }
  void Take(const MatrixEvent&) {}
  void Take(const CellEvent&) {}         // The calls of those to be seen are there.
  void Take(const MeasurementEvent&) {}  // Its times are there anyway.
  void Take(const ReadyEvent&) {}
  void Take(const VerdictEvent& verdict) { Add(verdict); }
  void TakeCalls(const std::vector<Event>& events);

  Ladder ladder_;
  std::vector<const Event*> events_;  // in order of time
  const Event* now_ = nullptr;        // what is being taken
  std::map<const FrameEvent*, FrameView> frames_;
  std::set<std::set<std::string>> connections_;    // pairs of endpoints
  std::set<std::set<std::string>> address_pairs_;  // of the connections
  Ends segment_ends_, datagram_ends_;
  // How often each actor uses an address, in packets that are no segments.
  std::map<std::string, std::map<std::string, int>> address_use_;
  RelativeNumbers numbers_;
  std::map<std::pair<std::string, std::string>, std::string> states_;  // last taken
};

void LadderMaker::DecodeFrames() {
  for (const Event* event : events_) {
    const auto* frame = std::get_if<FrameEvent>(&event->what);
    if (frame == nullptr) continue;
    const FrameView& view = frames_[frame] = DecodeFrame(frame->bytes);
    if (view.tcp) {
      const auto& [source, destination] = RelativeNumbers::DirectionOf(*view.tcp);
      connections_.insert({source, destination});
      address_pairs_.insert({view.tcp->source, view.tcp->destination});
      TakeEnds(*frame, *view.tcp, segment_ends_);
    } else if (view.udp) {
      TakeEnds(*frame, *view.udp, datagram_ends_);
    }
    if (!view.source.empty() && !view.is_noise && !view.is_resolution) {
      ++address_use_[frame->from][view.source];
      ++address_use_[frame->to][view.destination];
    }
  }
  ladder_.has_several_connections = connections_.size() > 1;
}

// The system under test or the client is at the left, the other end of the wire at the right.
void LadderMaker::ChooseSides() {
  std::vector<std::string> actors;
  const auto add = [&](const std::string& actor) {
    if (std::find(actors.begin(), actors.end(), actor) == actors.end()) actors.push_back(actor);
  };
  for (const Event* event : events_) {
    if (const auto* frame = std::get_if<FrameEvent>(&event->what)) {
      add(frame->from);
      add(frame->to);
    } else if (const auto* call = std::get_if<CallEvent>(&event->what)) {
      add(call->actor);
    }
  }
  const auto rank = [](const std::string& actor) {
    return actor == "sut" ? 0 : actor == "client" ? 1 : 2;
  };
  std::stable_sort(
      actors.begin(), actors.end(),
      [&](const std::string& one, const std::string& other) { return rank(one) < rank(other); });
  if (!actors.empty()) ladder_.left = {actors[0], EndpointOf(actors[0])};
  if (actors.size() > 1) ladder_.right = {actors[1], EndpointOf(actors[1])};
}

std::string LadderMaker::EndpointOf(const std::string& actor) const {
  // Where there are segments, datagrams are about something else.
  const Ends& ends = connections_.empty() ? datagram_ends_ : segment_ends_;
  for (const auto* names : {&ends.endpoints, &ends.addresses}) {
    const auto found = names->find(actor);
    if (found != names->end() && found->second.size() == 1) return *found->second.begin();
  }
  return "";
}

// The addresses of a packet that are not those which its actors use most: " from 192.0.2.99".
std::string LadderMaker::UnusualEnds(const FrameEvent& event, const FrameView& view) const {
  const auto is_usual = [this](const std::string& actor, const std::string& address) {
    const auto& use = address_use_.at(actor);
    const int times = use.at(address);
    return std::all_of(use.begin(), use.end(),
                       [times](const auto& other) { return other.second <= times; });
  };
  if (view.source.empty() || view.is_resolution) return "";
  std::string text;
  if (!is_usual(event.from, view.source)) text += " from " + view.source;
  const bool is_shown = view.other.find(view.destination) != std::string::npos;  // a group
  if (!is_shown && !is_usual(event.to, view.destination)) text += " to " + view.destination;
  return text;
}

// Which of several connections a segment belongs to.
std::string LadderMaker::ConnectionOf(const TcpView& tcp) const {
  if (connections_.size() <= 1) return "";
  if (address_pairs_.size() <= 1) {
    return fmt::format("{}>{}", tcp.source_port, tcp.destination_port);
  }
  const auto& [source, destination] = RelativeNumbers::DirectionOf(tcp);
  return source + ">" + destination;
}

void LadderMaker::Take(const FrameEvent& event) {
  FrameView& view = frames_.at(&event);
  if (view.is_noise) return;
  LadderFrame frame;
  frame.event = &event;
  frame.to_the_right = event.to != ladder_.left.name;
  frame.is_between_sides = ladder_.SideOf(event.from) != LadderSide::kOther &&
                           ladder_.SideOf(event.to) != LadderSide::kOther;
  frame.is_resolution = view.is_resolution;
  frame.kind = view.kind;
  frame.other = view.other + UnusualEnds(event, view);
  frame.defect = view.defect;
  if (view.tcp) {
    LadderSegment segment;
    segment.tcp = std::move(*view.tcp);
    const TcpView& tcp = segment.tcp;
    const RelativeNumbers::Direction direction = RelativeNumbers::DirectionOf(tcp);
    const bool is_repeated = numbers_.Take(tcp);
    segment.is_retransmission = is_repeated && event.fate != Fate::kDuplicated;
    segment.connection = ConnectionOf(tcp);
    segment.seq = numbers_.Relative(direction, tcp.seq);
    if ((tcp.flags & kAck) != 0) {
      segment.ack = numbers_.Relative(RelativeNumbers::Reversed(direction), tcp.ack);
    }
    if ((tcp.flags & kRst) == 0) segment.new_window = numbers_.NewWindow(tcp);
    segment.options = OptionsText(tcp, numbers_);
    frame.segment = std::move(segment);
  }
  Add(std::move(frame));
}

void LadderMaker::Take(const DecisionEvent& decision) {
  switch (decision.decision) {
    case Decision::kBegins:
      return Add(NoteEvent{"deciding " + decision.claim});
    case Decision::kNotTaken:
      return Add(NoteEvent{"not taken, " + decision.claim + ": " + decision.why});
    case Decision::kNotReached:
      return Add(NoteEvent{"not reached, " + decision.claim + ": " + decision.why});
  }
}

void LadderMaker::Take(const StateEvent& state) {
  std::string& last = states_[{state.actor, state.socket}];
  if (last == state.state) return;
  last = state.state;
  Add(LadderState{&state, ladder_.SideOf(state.actor)});
}

// A call is one item, or two when something else is to be seen, or time passes, before it returns.
void LadderMaker::TakeCalls(const std::vector<Event>& events) {
  for (const CallSpan& span : CallSpans(events)) {
    ladder_.calls.push_back({span, ladder_.SideOf(span.call().actor)});
  }
  std::vector<Time> marks;  // everything that may stand between a call and its return
  for (const LadderItem& item : ladder_.items) marks.push_back(item.time);
  for (const LadderCall& call : ladder_.calls) {
    marks.push_back(call.span.begin);
    marks.push_back(call.span.end);
  }
  std::sort(marks.begin(), marks.end());

  for (std::size_t index = 0; index < ladder_.calls.size(); ++index) {
    LadderCall& call = ladder_.calls[index];
    const CallSpan& span = call.span;
    const auto between = std::upper_bound(marks.begin(), marks.end(), span.begin);
    const bool is_alone = between == marks.end() || *between >= span.end;
    call.is_whole = call.has_returned() && is_alone && !IsSilence(span.end - span.begin);
    ladder_.items.push_back({span.begin, span.call_event, LadderBegin{index}});
    if (call.has_returned() && !call.is_whole) {
      ladder_.items.push_back({span.end, span.return_event, LadderReturn{index}});
    }
  }
}

}  // namespace

std::string LadderCall::ShortName() const {
  const std::string& text = span.call().text;
  return text.substr(0, text.find_first_of(",)")) +
         (text.find('(') == std::string::npos ? "" : ")");
}

std::string LadderSegment::FlagsText() const {
  return tcp.flags == 0 ? "no flags" : TcpFlagsName(tcp.flags);
}

std::string LadderSegment::NumbersText() const {
  std::string text = "seq=" + seq.Text();
  if (ack) text += " ack=" + ack->Text();
  if (new_window) text += fmt::format(" win={}", *new_window);
  if ((tcp.flags & kUrg) != 0) text += fmt::format(" urg={}", tcp.urgent_pointer);
  return text;
}

std::string LadderSegment::PayloadText() const {
  if (tcp.payload.empty()) return "";
  return fmt::format("len={} {}", tcp.payload.size(), packet::Quoted(tcp.payload));
}

std::string LadderFrame::Label() const {
  std::string label = other;
  if (segment) {
    if (!segment->connection.empty()) label = segment->connection + " ";
    label += segment->FlagsText() + " " + segment->NumbersText();
    if (!segment->options.empty()) label += " <" + segment->options + ">";
    if (!segment->tcp.payload.empty()) label += " " + segment->PayloadText();
  }
  return is_between_sides ? label : event->from + " to " + event->to + ": " + label;
}

std::vector<std::string> LadderFrame::Remarks() const {
  std::vector<std::string> remarks;
  if (fate() == Fate::kDropped) remarks.push_back("lost");
  if (fate() == Fate::kDuplicated) remarks.push_back("duplicate");
  if (fate() == Fate::kDelayed) {
    remarks.push_back(event->delay > Duration(0) ? "delayed " + FormatDuration(event->delay)
                                                 : "delayed until after the next");
  }
  if (segment && segment->is_retransmission) remarks.push_back("retransmitted");
  const std::string& found = segment ? segment->tcp.defect : defect;
  if (!found.empty()) remarks.push_back(found);
  return remarks;
}

LadderSide Ladder::SideOf(const std::string& actor) const {
  if (actor == left.name) return LadderSide::kLeft;
  return actor == right.name ? LadderSide::kRight : LadderSide::kOther;
}

Ladder MakeLadder(const std::vector<Event>& events) { return LadderMaker(events).Take(); }

}  // namespace sockproof
