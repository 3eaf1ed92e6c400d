// Puts a mutant between a system and whoever tests it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "harness/agent_protocol/base64.h"
#include "harness/base/errors.h"
#include "harness/mutants/mutant.h"
#include "harness/sut/stack.h"
#include "harness/trace/event_log.h"
#include "harness/wire/port.h"

namespace sockproof {
namespace {

using nlohmann::json;

MacAddress MacAt(const Bytes& frame, size_t offset) {
  MacAddress mac{};
  std::copy_n(frame.begin() + static_cast<long>(offset), mac.size(), mac.begin());
  return mac;
}

// Notes what a mutant does, the first time it does it.
class Note {
 public:
  Note(EventLog& log, std::string mutant) : log_(log), mutant_(std::move(mutant)) {}
  void Applied() {
    if (!std::exchange(noted_, true)) log_.Now(NoteEvent{"mutant " + mutant_ + " applied"});
  }

 private:
  EventLog& log_;
  std::string mutant_;
  bool noted_ = false;
};

// Which segments a mutation touches; to be asked about each, in order.
class Touching {
 public:
  explicit Touching(const WireMutation& mutation) : mutation_(mutation) {}

  bool operator()(const Segment& segment) {
    bool repeated = false;
    if (segment.length() > 0) {
      repeated = !seen_
                      .insert({segment.source, segment.destination, segment.seq, segment.flags,
                               segment.length()})
                      .second;
    }
    if ((segment.flags & mutation_.with) != mutation_.with) return false;
    if ((segment.flags & mutation_.without) != 0) return false;
    if (mutation_.payload && *mutation_.payload == segment.payload.empty()) return false;
    if (mutation_.options && *mutation_.options == segment.option_area.empty()) return false;
    if (mutation_.repeated && *mutation_.repeated != repeated) return false;
    if (matching_++ < mutation_.skip) return false;
    return mutation_.times < 0 || matching_ <= mutation_.skip + mutation_.times;
  }

 private:
  WireMutation mutation_;
  std::set<std::tuple<Endpoint, Endpoint, std::uint32_t, TcpFlags, std::uint32_t>> seen_;
  int matching_ = 0;
};

class WireMutator {
 public:
  WireMutator(const WireMutation& mutation, Note note)
      : mutation_(mutation), touches_(mutation), note_(std::move(note)) {}

  std::vector<WirePort::Tampered> operator()(Bytes frame) {
    const std::optional<Segment> segment = ParseSegment(frame, Time());
    if (!segment || !touches_(*segment)) return {{Duration(0), std::move(frame)}};
    note_.Applied();
    const auto edited = [&] {
      return BuildFrame(Edit(*segment), MacAt(frame, 6), MacAt(frame, 0));
    };
    switch (mutation_.action) {
      case WireMutation::Action::kDrop:
        return {};
      case WireMutation::Action::kDuplicate:
        return {{Duration(0), frame}, {Duration(0), frame}};
      case WireMutation::Action::kDelay:
        return {{mutation_.delay, std::move(frame)}};
      case WireMutation::Action::kEdit:
        return {{Duration(0), edited()}};
      case WireMutation::Action::kEditedCopy:
        return {{Duration(0), frame}, {Duration(0), edited()}};
    }
    return {};
  }

 private:
  Segment Edit(Segment segment) const {
    segment.seq += static_cast<std::uint32_t>(mutation_.add_seq);
    segment.ack += static_cast<std::uint32_t>(mutation_.add_ack);
    segment.flags =
        static_cast<TcpFlags>((segment.flags | mutation_.set_flags) & ~mutation_.clear_flags);
    segment.window = mutation_.window.value_or(segment.window);
    segment.hop_limit = mutation_.hop_limit.value_or(segment.hop_limit);
    segment.traffic_class = mutation_.traffic_class.value_or(segment.traffic_class);
    segment.reserved = mutation_.reserved.value_or(segment.reserved);
    segment.urgent_pointer =
        static_cast<std::uint16_t>(segment.urgent_pointer + mutation_.add_urgent);
    if (mutation_.mss) SetMss(segment, *mutation_.mss);
    if (mutation_.flip_payload && !segment.payload.empty()) segment.payload[0] ^= 0xff;
    if (mutation_.cut_payload && !segment.payload.empty()) segment.payload.pop_back();
    if (mutation_.remove_options) segment.options.clear();
    if (mutation_.good_checksum) segment.checksum_valid = true;
    if (mutation_.bad_checksum) segment.checksum_valid = false;
    return segment;
  }

  static void SetMss(Segment& segment, std::uint16_t mss) {
    const auto is_mss = [](const TcpOption& option) { return option.kind == tcp_option::kMss; };
    segment.options.erase(std::remove_if(segment.options.begin(), segment.options.end(), is_mss),
                          segment.options.end());
    segment.options.push_back(tcp_option::Mss(mss));
  }

  WireMutation mutation_;
  Touching touches_;
  Note note_;
};

class CallMutator {
 public:
  CallMutator(CallMutation mutation, Note note)
      : mutation_(std::move(mutation)), note_(std::move(note)) {}

  void ChangeRequest(const std::string& method, json& params) {
    if (!Touches(method, params)) return;
    for (const auto& [name, value] : mutation_.set_params.items()) Change(params[name], value);
    for (const auto& [name, value] : mutation_.add_params.items()) {
      if (params.contains(name)) {
        Change(params[name], params[name].get<std::int64_t>() + value.get<std::int64_t>());
      }
    }
  }

  void ChangeReply(const std::string& method, const json& params, json& result) {
    if (!Touches(method, params)) return;
    const std::int64_t begin = result.at("begin");
    const std::int64_t end = result.at("end");
    const auto length = static_cast<double>(end - begin);
    if (mutation_.late != 0) {
      Change(result["end"], end + static_cast<std::int64_t>(length * mutation_.late));
    }
    if (mutation_.early != 0) {
      Change(result["end"], end - static_cast<std::int64_t>(length * mutation_.early));
    }
    if (mutation_.no_signals && result.contains("signals")) {
      result.erase("signals");
      note_.Applied();
    }
    if (result.contains("errno")) {
      // "Not yet" is no error that a system could get wrong without any test seeing it at once.
      if (mutation_.error) Change(result["errno"], *mutation_.error);
      if (mutation_.succeeds) {
        result.erase("errno");
        Change(result["value"], json::parse(*mutation_.succeeds));
      }
      return;
    }
    if (mutation_.fails) {
      result.erase("value");
      Change(result["errno"], *mutation_.fails);
      return;
    }
    ChangeValue(result["value"]);
  }

 private:
  bool Touches(const std::string& method, const json& params) const {
    if (method != mutation_.method) return false;
    return std::all_of(
        mutation_.only_if.items().begin(), mutation_.only_if.items().end(), [&](const auto& item) {
          return params.contains(item.key()) && params.at(item.key()) == item.value();
        });
  }

  void Change(json& place, const json& value) {
    if (place == value) return;
    place = value;
    note_.Applied();
  }

  void ChangeValue(json& value) {
    if (mutation_.add && value.is_number_integer()) {
      Change(value, value.get<std::int64_t>() + *mutation_.add);
    }
    if (mutation_.add_port && value.is_object() && value.contains("address") &&
        value["address"].is_object()) {
      Change(value["address"]["port"], value["address"].value("port", 0) + *mutation_.add_port);
    }
    if (mutation_.data && value.is_object() && value.contains("data")) {
      std::string data =
          agent_protocol::Base64Decode(value["data"].get<std::string>()).value_or("");
      if (*mutation_.data == "empty") data.clear();
      if (*mutation_.data == "cut" && !data.empty()) data.pop_back();
      if (*mutation_.data == "flip" && !data.empty()) data[0] = static_cast<char>(data[0] ^ 0x20);
      Change(value["data"], agent_protocol::Base64Encode(data));
    }
    if (mutation_.events) ChangeEvents(value);
  }

  // The value of poll() is a list of lists of event names, that of epoll_wait() a list of objects.
  void ChangeEvents(json& value) {
    if (!value.is_array()) return;
    const bool none = *mutation_.events == "none";
    if (none && mutation_.method == "epoll_wait") {
      Change(value, json::array());
      return;
    }
    for (json& entry : value) {
      json& events = entry.is_object() ? entry["events"] : entry;
      json changed = none ? json::array() : events;
      if (!none && std::find(changed.begin(), changed.end(), *mutation_.events) == changed.end()) {
        changed.push_back(*mutation_.events);
      }
      Change(events, changed);
    }
  }

  CallMutation mutation_;
  Note note_;
};

class ReadingMutator {
 public:
  ReadingMutator(ReadingMutation mutation, Note note)
      : mutation_(mutation), note_(std::move(note)) {}

  void ChangeSockets(std::vector<TcpSocketInfo>& sockets) {
    for (auto socket = sockets.begin(); socket != sockets.end();) {
      if (mutation_.add_queue != 0) {
        socket->receive_queue += static_cast<std::uint32_t>(mutation_.add_queue);
        socket->send_queue += static_cast<std::uint32_t>(mutation_.add_queue);
        note_.Applied();
      }
      if (socket->state != mutation_.state || !IsOldEnough(*socket)) {
        ++socket;
        continue;
      }
      note_.Applied();
      if (mutation_.shown_as) {
        (socket++)->state = *mutation_.shown_as;
      } else {
        socket = sockets.erase(socket);
      }
    }
  }

  void ChangeCounter(std::int64_t& counter) {
    if (mutation_.add_counter == 0) return;
    // A different amount each time, so that differences are wrong too.
    counter += static_cast<std::int64_t>(mutation_.add_counter) * ++counters_read_;
    note_.Applied();
  }

 private:
  bool IsOldEnough(const TcpSocketInfo& socket) {
    if (mutation_.after == Duration(0)) return true;
    const Time now = Clock::now();
    const Time first = first_seen_.try_emplace({socket.local, socket.remote}, now).first->second;
    return now - first >= mutation_.after;
  }

  ReadingMutation mutation_;
  Note note_;
  std::map<std::pair<Endpoint, Endpoint>, Time> first_seen_;
  int counters_read_ = 0;
};

class MutantSystem final : public System {
 public:
  MutantSystem(System& system, const Mutant& mutant) : system_(system), mutant_(mutant) {}

  std::string name() const override { return system_.name() + "+" + mutant_.id; }
  void EnterPrivateWorld() override { system_.EnterPrivateWorld(); }
  EventLoop* PreparedLoop() override { return system_.PreparedLoop(); }

  std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    std::shared_ptr<Stack> stack = system_.Start(loop, log, plan);
    Note note(log, mutant_.id);
    if (mutant_.wire) {
      const WireMutator mutator(*mutant_.wire, note);
      if (mutant_.wire->sent_by_system) {
        stack->wire().TamperWithReceived(mutator);
      } else {
        stack->wire().TamperWithSent(mutator);
      }
    }
    if (mutant_.call) {
      const auto mutator = std::make_shared<CallMutator>(*mutant_.call, note);
      stack->agent().LieWith(
          {[mutator](const std::string& method, json& params) {
             mutator->ChangeRequest(method, params);
           },
           [mutator](const std::string& method, const json& params, json& result) {
             mutator->ChangeReply(method, params, result);
           }});
    }
    if (mutant_.reading) {
      const auto mutator = std::make_shared<ReadingMutator>(*mutant_.reading, note);
      stack->Misread({.sockets = [mutator](auto& sockets) { mutator->ChangeSockets(sockets); },
                      .counter = [mutator](auto& counter) { mutator->ChangeCounter(counter); },
                      .facts = {}});
    }
    if (mutant_.fact) {
      const auto change = [fact = *mutant_.fact, note](Facts& facts) mutable {
        const std::string name = "sysctl." + fact.name;
        if (!facts.Find(name)) return;
        facts.Set(name, std::to_string(facts.Sysctl(fact.name) + fact.add));
        note.Applied();
      };
      stack->Misread({.sockets = {}, .counter = {}, .facts = change});
    }
    return stack;
  }

 private:
  System& system_;
  const Mutant& mutant_;
};

}  // namespace

bool MayApply(const Mutant& mutant, const std::vector<Event>& events) {
  if (mutant.fact) return true;  // which facts a test reads is in no event
  if (mutant.reading && !mutant.reading->state) return true;
  std::optional<Touching> touches;
  if (mutant.wire) touches.emplace(*mutant.wire);
  for (const Event& event : events) {
    if (const auto* frame = std::get_if<FrameEvent>(&event.what); frame != nullptr && touches) {
      // Between two stacks of the system every segment is sent by one and received by the other.
      const bool by_peer = frame->fate == Fate::kSent;
      const bool by_stack = frame->fate == Fate::kReceived;
      if (mutant.wire->sent_by_system ? by_peer : by_stack) continue;
      const std::optional<Segment> segment = ParseSegment(frame->bytes, event.time);
      if (segment && (*touches)(*segment)) return true;
    }
    if (const auto* call = std::get_if<CallEvent>(&event.what); call != nullptr && mutant.call) {
      if (call->text.starts_with(mutant.call->method + "(")) return true;
    }
    if (const auto* state = std::get_if<StateEvent>(&event.what); state != nullptr) {
      if (mutant.reading && state->state == TcpStateName(*mutant.reading->state)) return true;
    }
  }
  return false;
}

std::unique_ptr<System> MakeMutantSystem(System& system, const Mutant& mutant) {
  return std::make_unique<MutantSystem>(system, mutant);
}

}  // namespace sockproof
