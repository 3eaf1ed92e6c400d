// Puts an alteration between a system and whoever tests it.
#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/agent_protocol/base64.h"
#include "harness/base/errors.h"
#include "harness/mutants/alteration.h"
#include "harness/mutants/packet_alterer.h"
#include "harness/mutants/wire_alterer.h"
#include "harness/net/netlink.h"
#include "harness/sut/stack.h"
#include "harness/sut/wired_namespace.h"
#include "harness/trace/event_log.h"
#include "harness/wire/port.h"

namespace sockproof {
namespace {

using nlohmann::json;

// Notes what an alteration does, the first time it does it.
class Note {
 public:
  Note(EventLog& log, std::string id) : log_(log), id_(std::move(id)) {}
  void Applied() {
    if (!std::exchange(noted_, true)) log_.Now(NoteEvent{"alteration " + id_ + " applied"});
  }

 private:
  EventLog& log_;
  std::string id_;
  bool noted_ = false;
};

class CallAlterer {
 public:
  CallAlterer(CallAlteration alteration, Note note)
      : alteration_(std::move(alteration)), note_(std::move(note)) {}

  void ChangeRequest(const std::string& method, json& params) {
    if (!Touches(method, params)) return;
    for (const auto& [name, value] : alteration_.set_params.items()) {
      Change(params[name], value);
      request_changed_ = true;
    }
    for (const std::string& name : alteration_.empty_params) {
      if (params.contains(name)) Change(params[name], json::array());
    }
    for (const auto& [name, value] : alteration_.add_params.items()) {
      if (params.contains(name)) {
        Change(params[name], params[name].get<std::int64_t>() + value.get<std::int64_t>());
      }
    }
  }

  void ChangeReply(const std::string& method, const json& params, json& result) {
    // The parameters of a reply are those that the request was given.
    const bool ours = method == alteration_.method && std::exchange(request_changed_, false);
    if (!ours && !Touches(method, params)) return;
    const std::int64_t begin = result.at("begin");
    const std::int64_t end = result.at("end");
    const auto length = static_cast<double>(end - begin);
    if (alteration_.late != 0) {
      Change(result["end"], end + static_cast<std::int64_t>(length * alteration_.late));
    }
    if (alteration_.early != 0) {
      Change(result["end"], end - static_cast<std::int64_t>(length * alteration_.early));
    }
    if (alteration_.no_signals && result.contains("signals")) {
      result.erase("signals");
      note_.Applied();
    }
    if (result.contains("errno")) {
      // "Not yet" is no error that a system could get wrong without any test seeing it at once.
      if (alteration_.in_place_of && result["errno"] != *alteration_.in_place_of) return;
      if (alteration_.error) Change(result["errno"], *alteration_.error);
      if (alteration_.succeeds) {
        result.erase("errno");
        Change(result["value"], json::parse(*alteration_.succeeds));
      }
      return;
    }
    if (alteration_.fails) {
      result.erase("value");
      Change(result["errno"], *alteration_.fails);
      return;
    }
    ChangeValue(result["value"]);
  }

 private:
  bool Touches(const std::string& method, const json& params) const {
    if (method != alteration_.method) return false;
    return std::all_of(alteration_.only_if.items().begin(), alteration_.only_if.items().end(),
                       [&](const auto& item) {
                         return params.contains(item.key()) &&
                                params.at(item.key()) == item.value();
                       });
  }

  void Change(json& place, const json& value) {
    if (place == value) return;
    place = value;
    note_.Applied();
  }

  void ChangeValue(json& value) {
    for (const auto& [name, field] : alteration_.set_fields.items()) {
      if (value.is_object() && value.contains(name)) Change(value[name], field);
    }
    if (alteration_.add && value.is_number_integer()) {
      Change(value, value.get<std::int64_t>() + *alteration_.add);
    }
    if (alteration_.add_port && value.is_object()) {
      // The value is an address, or has one.
      json& address = value.contains("port") ? value : value["address"];
      if (address.is_object() && address.contains("port")) {
        Change(address["port"], address.value("port", 0) + *alteration_.add_port);
      }
    }
    if (alteration_.data && value.is_object() && value.contains("data")) {
      std::string data =
          agent_protocol::Base64Decode(value["data"].get<std::string>()).value_or("");
      if (*alteration_.data == "empty") data.clear();
      if (*alteration_.data == "cut" && !data.empty()) data.pop_back();
      if (*alteration_.data == "flip" && !data.empty()) data[0] = static_cast<char>(data[0] ^ 0x20);
      Change(value["data"], agent_protocol::Base64Encode(data));
    }
    if (alteration_.events) ChangeEvents(value);
    if (alteration_.without_event) LeaveOutEvent(value);
  }

  void LeaveOutEvent(json& value) {
    if (!value.is_array()) return;
    for (json& entry : value) {
      json& events = entry.is_object() ? entry["events"] : entry;
      json left = json::array();
      for (const json& event : events) {
        if (event != *alteration_.without_event) left.push_back(event);
      }
      Change(events, left);
    }
  }

  // The value of poll() is a list of lists of event names, that of epoll_wait() a list of objects.
  void ChangeEvents(json& value) {
    if (!value.is_array()) return;
    const bool none = *alteration_.events == "none";
    if (none && alteration_.method == "epoll_wait") {
      Change(value, json::array());
      return;
    }
    for (json& entry : value) {
      json& events = entry.is_object() ? entry["events"] : entry;
      json changed = none ? json::array() : events;
      if (!none &&
          std::find(changed.begin(), changed.end(), *alteration_.events) == changed.end()) {
        changed.push_back(*alteration_.events);
      }
      Change(events, changed);
    }
  }

  CallAlteration alteration_;
  Note note_;
  bool request_changed_ = false;
};

class ReadingAlterer {
 public:
  ReadingAlterer(ReadingAlteration alteration, Note note)
      : alteration_(alteration), note_(std::move(note)) {}

  void ChangeSockets(std::vector<TcpSocketInfo>& sockets) {
    for (auto socket = sockets.begin(); socket != sockets.end();) {
      if (alteration_.add_queue != 0) {
        socket->receive_queue += static_cast<std::uint32_t>(alteration_.add_queue);
        socket->send_queue += static_cast<std::uint32_t>(alteration_.add_queue);
        note_.Applied();
      }
      if (socket->state != alteration_.state || !IsOldEnough(*socket)) {
        ++socket;
        continue;
      }
      note_.Applied();
      if (alteration_.shown_as) {
        (socket++)->state = *alteration_.shown_as;
      } else {
        socket = sockets.erase(socket);
      }
    }
  }

  void ChangeCounter(std::int64_t& counter) {
    if (alteration_.add_counter == 0) return;
    // A different amount each time, so that differences are wrong too.
    counter += static_cast<std::int64_t>(alteration_.add_counter) * ++counters_read_;
    note_.Applied();
  }

 private:
  bool IsOldEnough(const TcpSocketInfo& socket) {
    if (alteration_.after == Duration(0)) return true;
    const Time now = Clock::now();
    const Time first = first_seen_.try_emplace({socket.local, socket.remote}, now).first->second;
    return now - first >= alteration_.after;
  }

  ReadingAlteration alteration_;
  Note note_;
  std::map<std::pair<Endpoint, Endpoint>, Time> first_seen_;
  int counters_read_ = 0;
};

// A sysctl that can be set and has no effect: another one is set, which does not exist.
CallAlteration WithoutEffect(const SysctlAlteration& sysctl) {
  CallAlteration call;
  call.method = "sysctl_set";
  call.only_if = {{"name", sysctl.name}};
  call.set_params = {{"name", "net.ipv4.none"}};
  call.succeeds = "0";
  return call;
}

const std::map<std::string, int>& RouteMetrics() {
  static const std::map<std::string, int> metrics = {
      {"mtu", RTAX_MTU},           {"advmss", RTAX_ADVMSS},     {"window", RTAX_WINDOW},
      {"initcwnd", RTAX_INITCWND}, {"initrwnd", RTAX_INITRWND}, {"rto_min", RTAX_RTO_MIN},
      {"quickack", RTAX_QUICKACK}, {"hoplimit", RTAX_HOPLIMIT}};
  return metrics;
}

// Links and routes can be set where the kernel of this machine holds the stack: in the namespace
// that the agent is in.
void SetNetwork(const SettingAlteration& setting, Stack& stack) {
  constexpr std::uint32_t kEthernetMtu = 1500;
  if (setting.mtu > kEthernetMtu) {
    Netlink here;
    here.SetMtu(here.IndexOf(OurLink(stack.actor())), setting.mtu);
  }
  const InNamespace inside(NetworkNamespace::OfProcess(stack.agent().pid()));
  Netlink netlink;
  const int link = netlink.IndexOf(kWireLink);
  if (setting.mtu != 0) netlink.SetMtu(link, setting.mtu);
  for (const auto& [name, value] : setting.route) {
    const auto metric = RouteMetrics().find(name);
    if (metric == RouteMetrics().end()) throw HarnessError("no metric of a route: " + name);
    netlink.SetRouteMetric(link, metric->second, value);
  }
}

// What becomes of frames, or of answers, one alteration after another.
using Tampers = std::vector<WirePort::Tamper>;

std::vector<WirePort::Tampered> InTurn(const Tampers& tampers, Bytes frame) {
  std::vector<WirePort::Tampered> frames;
  frames.push_back({Duration(0), std::move(frame)});
  for (const WirePort::Tamper& tamper : tampers) {
    std::vector<WirePort::Tampered> next;
    for (WirePort::Tampered& before : frames) {
      for (WirePort::Tampered& after : tamper(std::move(before.frame))) {
        next.push_back({before.delay + after.delay, std::move(after.frame)});
      }
    }
    frames = std::move(next);
  }
  return frames;
}

class AlteredSystem final : public System {
 public:
  AlteredSystem(System& system, Alterations alterations)
      : system_(system), alterations_(std::move(alterations)) {}

  std::string name() const override {
    std::string name = system_.name();
    for (const Alteration* alteration : alterations_) name += "+" + alteration->id;
    return name;
  }
  void EnterPrivateWorld() override { system_.EnterPrivateWorld(); }
  EventLoop* PreparedLoop() override { return system_.PreparedLoop(); }
  bool has_wire() const override { return system_.has_wire(); }

  std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    std::shared_ptr<Stack> stack = system_.Start(loop, log, plan);
    if (stack->has_wire()) AlterWire(*stack, log, plan.index);
    AlterCalls(*stack, log);
    for (const Alteration* alteration : alterations_) {
      if (alteration->setting) Set(*alteration->setting, *stack, Note(log, alteration->id));
    }
    AlterReadings(*stack, log);
    return stack;
  }

 private:
  void AlterWire(Stack& stack, EventLog& log, int host) const {
    Tampers from;
    Tampers to;
    const auto add = [&](auto alterer) {
      from.push_back([alterer](Bytes frame) { return alterer->FromSystem(std::move(frame)); });
      to.insert(to.begin(), [alterer](Bytes frame) { return alterer->ToSystem(std::move(frame)); });
    };
    for (const Alteration* alteration : alterations_) {
      const auto applied = [note = Note(log, alteration->id)]() mutable { note.Applied(); };
      if (alteration->wire) {
        add(std::make_shared<WireAlterer>(*alteration->wire, applied, stack.Mac(), host));
      }
      if (alteration->packet) add(std::make_shared<PacketAlterer>(*alteration->packet, applied));
    }
    if (from.empty()) return;
    stack.wire().TamperWithReceived([from](Bytes frame) { return InTurn(from, std::move(frame)); });
    stack.wire().TamperWithSent([to](Bytes frame) { return InTurn(to, std::move(frame)); });
  }

  void AlterCalls(Stack& stack, EventLog& log) const {
    std::vector<std::shared_ptr<CallAlterer>> alterers;
    for (const Alteration* alteration : alterations_) {
      const Note note(log, alteration->id);
      if (alteration->call) {
        alterers.push_back(std::make_shared<CallAlterer>(*alteration->call, note));
      }
      if (alteration->sysctl) {
        alterers.push_back(std::make_shared<CallAlterer>(WithoutEffect(*alteration->sysctl), note));
      }
    }
    if (alterers.empty()) return;
    stack.agent().LieWith({[alterers](const std::string& method, json& params) {
                             for (const auto& alterer : alterers)
                               alterer->ChangeRequest(method, params);
                           },
                           [alterers](const std::string& method, const json& params, json& result) {
                             for (const auto& alterer : alterers)
                               alterer->ChangeReply(method, params, result);
                           }});
  }

  void AlterReadings(Stack& stack, EventLog& log) const {
    std::vector<std::shared_ptr<ReadingAlterer>> readings;
    std::vector<std::function<void(Facts&)>> facts;
    for (const Alteration* alteration : alterations_) {
      const Note note(log, alteration->id);
      if (alteration->reading) {
        readings.push_back(std::make_shared<ReadingAlterer>(*alteration->reading, note));
      }
      if (alteration->fact) facts.push_back(Untrue(*alteration->fact, note));
      if (alteration->setting) facts.push_back(OfMtu(*alteration->setting));
    }
    if (readings.empty() && facts.empty()) return;
    stack.Misread({.sockets =
                       [readings](auto& sockets) {
                         for (const auto& reading : readings) reading->ChangeSockets(sockets);
                       },
                   .counter =
                       [readings](auto& counter) {
                         for (const auto& reading : readings) reading->ChangeCounter(counter);
                       },
                   .facts =
                       [facts](Facts& of_system) {
                         for (const auto& change : facts) change(of_system);
                       }});
  }

  static std::function<void(Facts&)> Untrue(const FactAlteration& fact, Note note) {
    return [fact, note](Facts& facts) mutable {
      const std::string name = "sysctl." + fact.name;
      if (!facts.Find(name)) return;
      facts.Set(name, std::to_string(facts.Sysctl(fact.name) + fact.add));
      note.Applied();
    };
  }

  // The fact that follows from what is set.
  static std::function<void(Facts&)> OfMtu(const SettingAlteration& setting) {
    const auto of_route = setting.route.find("mtu");
    const std::uint32_t mtu = of_route == setting.route.end() ? setting.mtu : of_route->second;
    return [mtu](Facts& facts) {
      if (mtu != 0) facts.Set("link.mtu", std::to_string(mtu));
    };
  }

  static void Set(const SettingAlteration& setting, Stack& stack, Note note) {
    for (const auto& [name, value] : setting.sysctls) stack.SetSysctl(name, value);
    if (setting.mtu != 0 || !setting.route.empty()) {
      if (!stack.Can("diag") || !stack.has_wire()) {
        throw Skip("routes of this system cannot be set from here");
      }
      SetNetwork(setting, stack);
    }
    note.Applied();
  }

  System& system_;
  Alterations alterations_;
};

bool AnyIcmp(WireAlteration::Icmp kind, const TestCourse& course) {
  return std::any_of(course.frames.begin(), course.frames.end(),
                     [kind](const TestCourse::Frame& frame) {
                       return frame.fate != Fate::kReceived && IsIcmp(frame.octets, kind);
                     });
}

// Whether a segment is among the frames of a test. Between two stacks of the system every segment
// is sent by one and received by the other.
bool AnyPicked(const SegmentSelection& selection, const TestCourse& course) {
  SegmentPicker picker(selection);
  bool picked = false;
  for (const TestCourse::Frame& frame : course.frames) {
    if (!frame.segment) continue;
    if (frame.fate != Fate::kSent) picked = picker.Picks(*frame.segment, true) || picked;
    if (frame.fate != Fate::kReceived) picked = picker.Picks(*frame.segment, false) || picked;
  }
  return picked;
}

// The same of packets that are no segments.
bool AnyPicked(const PacketSelection& selection, const TestCourse& course) {
  PacketPicker picker(selection);
  bool picked = false;
  for (const TestCourse::Frame& frame : course.frames) {
    if (frame.fate != Fate::kSent) picked = picker.Picks(frame.packet, true) || picked;
    if (frame.fate != Fate::kReceived) picked = picker.Picks(frame.packet, false) || picked;
  }
  return picked;
}

bool AnyCallBegins(const std::string& with, const std::vector<Event>& events) {
  return std::any_of(events.begin(), events.end(), [&](const Event& event) {
    const auto* call = std::get_if<CallEvent>(&event.what);
    return call != nullptr && call->text.starts_with(with);
  });
}

// A method is shown as the call that it makes: "accept" with flags as accept4(), those of
// interfaces as ioctl().
bool IsCallOf(const std::string& method, const std::string& text) {
  return text.starts_with(method + "(") || (method == "accept" && text.starts_with("accept4(")) ||
         (method.starts_with("interface_") && text.starts_with("ioctl("));
}

bool AnyCallOf(const std::string& method, const std::vector<Event>& events) {
  return std::any_of(events.begin(), events.end(), [&](const Event& event) {
    const auto* call = std::get_if<CallEvent>(&event.what);
    return call != nullptr && IsCallOf(method, call->text);
  });
}

bool AnySysctlIsSet(const std::string& name, const std::vector<Event>& events) {
  return std::any_of(events.begin(), events.end(), [&](const Event& event) {
    const auto* note = std::get_if<NoteEvent>(&event.what);
    return note != nullptr && note->text.find("sysctl " + name + " ") != std::string::npos;
  });
}

// Whether a call of this kind ended with this errno.
bool AnyCallFails(const std::string& method, const std::string& error,
                  const std::vector<Event>& events) {
  std::set<int> calls;
  return std::any_of(events.begin(), events.end(), [&](const Event& event) {
    if (const auto* call = std::get_if<CallEvent>(&event.what)) {
      if (IsCallOf(method, call->text)) calls.insert(call->id);
    }
    const auto* ended = std::get_if<ReturnEvent>(&event.what);
    return ended != nullptr && calls.contains(ended->id) && ended->text.starts_with(error);
  });
}

// A setting whose `seen_in` is not said concerns each socket of the Internet; what is set for TCP
// alone, each of its streams; what is set of links, routes and ICMP, what goes over a wire.
bool Concerns(const SettingAlteration& setting, const TestCourse& course) {
  const bool is_of_link =
      setting.mtu != 0 || !setting.route.empty() ||
      std::any_of(setting.sysctls.begin(), setting.sysctls.end(), [](const auto& sysctl) {
        return sysctl.first.find(std::string(".") + kWireLink + ".") != std::string::npos;
      });
  if (is_of_link && course.frames.empty()) return false;
  const bool is_of_icmp = std::any_of(
      setting.sysctls.begin(), setting.sysctls.end(),
      [](const auto& sysctl) { return sysctl.first.find(".icmp.") != std::string::npos; });
  if (is_of_icmp) return !course.frames.empty();
  const bool tcp_alone =
      setting.route.empty() && setting.mtu == 0 &&
      std::all_of(setting.sysctls.begin(), setting.sysctls.end(),
                  [](const auto& sysctl) { return sysctl.first.starts_with("net.ipv4.tcp_"); });
  const auto& types =
      tcp_alone ? std::vector<std::string>{"SOCK_STREAM"} : std::vector<std::string>{"SOCK_", "0x"};
  for (const char* family : {"AF_INET, ", "AF_INET6, "}) {
    for (const std::string& type : types) {
      if (AnyCallBegins(fmt::format("socket({}{}", family, type), course.events)) return true;
    }
  }
  return false;
}

}  // namespace

TestCourse::TestCourse(std::vector<Event> of) : events(std::move(of)) {
  for (const Event& event : events) {
    const auto* frame = std::get_if<FrameEvent>(&event.what);
    if (frame == nullptr) continue;
    packet::Packet read = packet::ReadFrame(frame->bytes);
    std::optional<Segment> segment = SegmentIn(read, event.time);
    frames.push_back({frame->fate, frame->bytes, std::move(read), std::move(segment)});
  }
}

bool MayApply(const Alteration& alteration, const TestCourse& course) {
  if (alteration.fact) return true;  // which facts a test reads is in no event
  if (alteration.reading && !alteration.reading->state) return true;
  if (alteration.setting && !alteration.setting->seen_in) {
    return Concerns(*alteration.setting, course);
  }
  if (alteration.setting) return AnyPicked(*alteration.setting->seen_in, course);
  if (alteration.wire && alteration.wire->icmp != WireAlteration::Icmp::kNone) {
    return AnyIcmp(alteration.wire->icmp, course);
  }
  if (alteration.wire && AnyPicked(*alteration.wire, course)) return true;
  if (alteration.packet && AnyPicked(*alteration.packet, course)) return true;
  if (const auto& call = alteration.call) {
    if (call->method == "sysctl_set")
      return AnySysctlIsSet(call->only_if.value("name", ""), course.events);
    return call->in_place_of ? AnyCallFails(call->method, *call->in_place_of, course.events)
                             : AnyCallOf(call->method, course.events);
  }
  if (alteration.sysctl && AnySysctlIsSet(alteration.sysctl->name, course.events)) return true;
  for (const Event& event : course.events) {
    if (const auto* state = std::get_if<StateEvent>(&event.what); state != nullptr) {
      if (alteration.reading && state->state == TcpStateName(*alteration.reading->state)) {
        return true;
      }
    }
  }
  return false;
}

bool WasApplied(const Alteration& alteration, const std::vector<Event>& events) {
  const std::string noted = "alteration " + alteration.id + " applied";
  return std::any_of(events.begin(), events.end(), [&](const Event& event) {
    const auto* note = std::get_if<NoteEvent>(&event.what);
    return note != nullptr && note->text == noted;
  });
}

std::unique_ptr<System> MakeAlteredSystem(System& system, Alterations alterations) {
  return std::make_unique<AlteredSystem>(system, std::move(alterations));
}

}  // namespace sockproof
