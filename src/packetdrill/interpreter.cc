#include "src/packetdrill/interpreter.h"

#include <errno.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/base/unique_fd.h"
#include "harness/net/namespace.h"
#include "harness/packet/packet.h"
#include "harness/sut/agent_reply.h"
#include "harness/test/context.h"
#include "harness/wire/addresses.h"
#include "harness/wire/within.h"
#include "src/packetdrill/calls.h"
#include "src/packetdrill/code.h"
#include "src/packetdrill/configuration.h"
#include "src/packetdrill/connections.h"
#include "src/packetdrill/flow.h"
#include "src/packetdrill/mptcp.h"
#include "src/packetdrill/shell.h"
#include "src/packetdrill/substitutes.h"
#include "src/packetdrill/symbols.h"
#include "src/packetdrill/tcp_info.h"
#include "src/packetdrill/ticks.h"
#include "src/packetdrill/timing.h"
#include "src/packetdrill/tunnel.h"
#include "src/packetdrill/vocabulary.h"

namespace sockproof::packetdrill {
namespace {

constexpr Duration kPatienceForPacket = 2s;
constexpr Duration kPatienceForAnyTime = 60s;
// What scripts do, they do at whole multiples of 10 ms, from so far behind a tick: who is later than this
// may be on the other side of a tick, and the kernel's timers a tick later.
constexpr Duration kHarmless = 1500us;
// What a command waits at most on a machine that has nothing else to do, for locks of the kernel.
constexpr Duration kUsualForCommand = 10ms;

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

// Ahead of processes that compute: this process and the agent do little, and what they are late with
// makes a script inconclusive. Scripts that run go ahead of those that are being set up. Where it is
// not allowed, nothing changes.
enum class Ahead { kWhileSetUp, kWhileItRuns };

// `reset_on_fork`, or 0: what is started from here on goes ahead, too.
void Go(Ahead ahead, int reset_on_fork = SCHED_RESET_ON_FORK) {
  sched_param parameters{};
  parameters.sched_priority =
      sched_get_priority_min(SCHED_RR) + (ahead == Ahead::kWhileItRuns ? 1 : 0);
  sched_setscheduler(0, SCHED_RR | reset_on_fork, &parameters);
}

Stack& StartAhead(TestContext& context) {
  Go(Ahead::kWhileItRuns, 0);
  Stack& stack = context.StartStack({.actor = "sut", .wired = false});
  Go(Ahead::kWhileSetUp);  // and commands do not: they may do much
  return stack;
}

// The process of this one as /proc has it.
std::string RootOfThisProcess() {
  char pid[32];
  const ssize_t size = readlink("/proc/self", pid, sizeof pid);
  return size <= 0 ? "" : "/proc/" + std::string(pid, static_cast<std::size_t>(size)) + "/root";
}

struct Arrived {
  Time time;
  packet::Packet packet;
};

Script ParseWhole(const ScriptPlan& plan) {
  Definitions definitions = UsualDefinitions(plan.variant);
  for (const auto& [name, value] : plan.definitions) definitions[name] = value;
  Script script = Parse(plan.text, definitions);
  RefuseMisspelt(script);
  if (const Unsupported* unknown = script.FirstUnsupported()) {
    throw Skip(fmt::format("line {}: {} is not supported", unknown->where.line, unknown->what));
  }
  if (script.events.empty()) throw SyntaxError({}, "the script has no line that expects anything");
  return script;
}

// What the script gets wrong is a broken test.
template <typename Body>
auto WithoutMistakes(const std::string& name, const Body& body) {
  try {
    return body();
  } catch (const SyntaxError& error) {
    throw HarnessError(fmt::format("{}:{}", name, error.what()));
  }
}

// --- The run -------------------------------------------------------------------------------------

class Interpreter final : public TestBody {
 public:
  explicit Interpreter(ScriptPlan plan)
      : plan_(std::move(plan)),
        script_(ParseWhole(plan_)),
        set_(Configure(plan_, script_)),
        context_(TestContext::Current()),
        loop_(context_.loop()),
        stack_(StartAhead(context_)),
        space_(NetworkNamespace::OfProcess(stack_.agent().pid())),
        files_(RootOfThisProcess()),
        shell_(loop_, space_, FolderOf(plan_.path), plan_.machine_is_own),
        timing_(loop_, set_.tolerance, set_.tolerance_percent),
        connections_({set_.tunnel.local, set_.bind_port}, {set_.tunnel.remote, set_.connect_port}),
        code_(script_) {
    RefuseOtherNetworks();
    around_.files = files_;
    MakeTunnel();
    const bool ipv4_sockets = plan_.variant == Variant::kIpv4;
    around_.domain = ipv4_sockets ? AF_INET : AF_INET6;
    around_.mapped = plan_.variant == Variant::kMapped;
    around_.bind = {set_.tunnel.local, set_.bind_port};
    around_.connect = {set_.tunnel.remote, set_.connect_port};
    around_.folder = FolderOf(plan_.path);
    around_.tolerance = set_.tolerance;
    TellCommands();
    if (script_.init) RunInit(*script_.init);
  }

  void Run() override {
    try {
      RunEvents();
    } catch (...) {
      WriteDown();
      CleanUp();
      throw;
    }
    Go(Ahead::kWhileSetUp);
    WriteDown();
    CleanUp();
    RunPythonAtEnd();
    LookAtTheRest();
  }

 private:
  // --- Set-up --------------------------------------------------------------------------------

  // A script changes the network that it runs in: that must be one made for this test, as which this
  // process is the first of its namespaces and no link is up, and the one of the agent's sockets.
  void RefuseOtherNetworks() {
    const InNamespace inside(space_);
    bool is_own = getpid() == 1;
    ifaddrs* links = nullptr;
    if (getifaddrs(&links) != 0) ThrowErrno("getifaddrs");
    for (const ifaddrs* link = links; link != nullptr; link = link->ifa_next) {
      if ((link->ifa_flags & IFF_UP) != 0 && (link->ifa_flags & IFF_LOOPBACK) == 0) is_own = false;
    }
    freeifaddrs(links);
    if (!is_own || !AgentIsHere()) {
      throw Skip("packetdrill's scripts run on the kernel of this machine (host) or of a virtual one (vm:)");
    }
  }

  // Whether the agent's sockets are of the namespace of this thread; Linux before 5.14 does not tell.
  bool AgentIsHere() {
    constexpr int kCookie = 71;  // SO_NETNS_COOKIE
    std::uint64_t here = 0;
    socklen_t size = sizeof here;
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (getsockopt(socket.get(), SOL_SOCKET, kCookie, &here, &size) != 0) return errno == ENOPROTOOPT;
    Agent& agent = stack_.agent();
    const auto call = [&](const char* name, nlohmann::json arguments) {
      return agent.Call("system_call",
                        {{"name", name}, {"arguments", std::move(arguments)}, {"memory", nlohmann::json::array()}},
                        "");
    };
    const AgentReply opened = call("socket", {AF_INET, SOCK_STREAM, 0});
    if (opened.error != 0) return false;
    const auto theirs = opened.value.at("result").get<std::int64_t>();
    const AgentReply told =
        agent.Call("system_call", ReadOption(theirs, SOL_SOCKET, kCookie, sizeof here), "");
    call("close", nlohmann::json::array({theirs}));
    if (told.error != 0) return false;
    std::uint64_t there = 0;
    const Bytes octets = PiecesOf(told.value).at(0);
    memcpy(&there, octets.data(), std::min(octets.size(), sizeof there));
    return there == here;
  }

  void MakeTunnel() {
    const InNamespace inside(space_);
    tunnel_ = std::make_unique<Tunnel>(loop_, set_.tunnel);
    tunnel_->OnPacket([this](Time time, const Bytes& octets) {
      Log(time, octets, false);
      arrived_.push_back({time, packet::ReadIp(octets)});
    });
  }

  // By the variables of their environment that commands of scripts know.
  void TellCommands() const {
    const TunnelPlan& tunnel = set_.tunnel;
    const char* const version = plan_.variant == Variant::kMapped ? "ipv4-mapped-ipv6" : VariantName(plan_.variant);
    const auto tell = [](const char* name, const std::string& value) { setenv(name, value.c_str(), 1); };
    tell("OPT_IP_VERSION", version);
    tell("OPT_LOCAL_DEV", "tun0");
    tell("OPT_LOCAL_IP", tunnel.local.ToString());
    tell("OPT_GATEWAY_IP", tunnel.gateway.ToString());
    tell("OPT_REMOTE_IP", tunnel.remote.ToString());
    tell("OPT_NETMASK_IP", MaskText(tunnel.local.version(), tunnel.prefix_length));
    tell("OPT_BIND_PORT", std::to_string(set_.bind_port));
    tell("OPT_CONNECT_PORT", std::to_string(set_.connect_port));
    tell("OPT_MTU", std::to_string(tunnel.mtu));
  }

  // 255.255.0.0 of IPv4; of IPv6 the same as an address.
  static std::string MaskText(IpVersion version, int prefix_length) {
    std::array<std::uint8_t, 16> mask{};
    for (int bit = 0; bit < prefix_length; ++bit) mask[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
    return IpAddress(version, mask.data()).ToString();
  }

  // Packets are written down while there is time: between lines that come at once it would make the next one late.
  struct Logged {
    Time time;
    Bytes octets;
    bool sent = false;
  };

  void Log(Time time, const Bytes& octets, bool sent) { unlogged_.push_back({time, octets, sent}); }

  void WriteDown(std::optional<Time> until = std::nullopt) {
    while (!unlogged_.empty() && (!until || Clock::now() < *until)) {
      const Logged next = std::move(unlogged_.front());
      unlogged_.pop_front();
      packet::Packet frame = packet::ReadIp(next.octets);
      frame.layers.insert(frame.layers.begin(), packet::Ethernet{.destination = WireMac(next.sent ? 1 : 2),
                                                                 .source = WireMac(next.sent ? 2 : 1)});
      stack_.log().Add({next.time, FrameEvent{next.sent ? "peer" : "sut", next.sent ? "sut" : "peer",
                                              next.sent ? Fate::kSent : Fate::kReceived, Duration(0),
                                              packet::Write(frame)}});
    }
  }

  void RunInit(const CommandEvent& command) {
    const Shell::Result result = shell_.Run(command.text);
    NoteOutput(result);
    substitutes_ = SubstitutesFor(command, result);
    for (const std::string& note : substitutes_.notes) stack_.log().Now(NoteEvent{note});
    if (result.status == 0) {
      if (!substitutes_.paces_itself) lack_ = LackDespiteSuccess(result, plan_.text);
      return;
    }
    const std::string lack = LackToldBy(result);
    throw Skip(lack.empty() ? fmt::format("the init command ends with {}: {}", result.status,
                                          OnOneLine(CleanText(result.output)))
                            : lack);
  }

  void NoteOutput(const Shell::Result& result) {
    if (result.output.empty()) return;
    stack_.log().Now(NoteEvent{Shortened(OnOneLine(CleanText(result.output)), 1000)});
  }

  void CleanUp() {
    if (!script_.cleanup) return;
    NoteOutput(shell_.Run(script_.cleanup->text));
  }

  // --- Time ----------------------------------------------------------------------------------

  // Sleeps until the event is due. Throws Inconclusive when this process was too late by itself.
  void WaitForDueTime(const Event& event) {
    constexpr Duration kForOnePacket = 20ms;
    WriteDown(timing_.start() + timing_.from() - kForOnePacket);
    const Timing::Lateness late = timing_.Wait();
    const Duration tolerance = timing_.Tolerance(timing_.from());
    if (late.all <= tolerance) return;
    if (late.own > tolerance) {
      throw Inconclusive(fmt::format("line {}: was to be at {:.6f}, and this process was {} late",
                                     event.where.line, ToSeconds(timing_.from()),
                                     FormatDuration(late.own)));
    }
    Fail(event, fmt::format("at {:.6f}", ToSeconds(timing_.from())),
         fmt::format("the event before it was late: it could be no earlier than at {:.6f}",
                     ToSeconds(timing_.from() + late.all)),
         late.all - tolerance);
  }

  // --- Failures ------------------------------------------------------------------------------

  // Lives longer than what is thrown.
  const char* file() const { return context_.test().file.c_str(); }

  // Whatever a script expects, it expects of a machine that keeps its times.
  [[noreturn]] void Fail(const Event& event, const std::string& expected,
                         const std::string& observed, std::optional<Duration> off = std::nullopt) {
    BlameLack(event, observed);
    throw Departure(Told(event, expected, observed), {file(), event.where.line},
                    std::clamp(off.value_or(kHarmless), Duration(1), kHarmless));
  }

  // A script that was not given what it asked for says nothing when it fails.
  void BlameLack(const Event& event, const std::string& observed) const {
    if (lack_.empty()) return;
    throw Skip(fmt::format("{}; without it, line {} is not as it is written: {}", lack_,
                           event.where.line, observed));
  }

  static std::string Told(const Event& event, const std::string& expected,
                          const std::string& observed) {
    return fmt::format("{}\n  Expected: {}\n  Observed: {}", event.source, expected, observed);
  }

  // The same, but the script goes on.
  void Say(const Event& event, const std::string& expected, const std::string& observed) {
    BlameLack(event, observed);
    has_failed_ = true;
    context_.ExplainNextFailure(kHarmless);
    ADD_FAILURE_AT(file(), event.where.line) << Told(event, expected, observed);
  }

  // --- Events --------------------------------------------------------------------------------

  // Behind a tick, and at that moment: nothing has happened yet that would forbid another try.
  void Begin() {
    constexpr int kTries = 100;
    constexpr Duration kLate = 300us;
    Go(Ahead::kWhileItRuns);
    shell_.GoAhead();
    for (int i = 0; i < kTries; ++i) {
      around_.start = BehindNextTick();
      loop_.RunUntil([] { return false; }, around_.start);
      if (Clock::now() - around_.start < kLate) break;
    }
    loop_.ForgetLateness();
    timing_.BeginAt(around_.start);
  }

  void RunEvents() {
    Begin();
    for (const Event& event : script_.events) {
      timing_.Place(event);
      if (const auto* packet = std::get_if<PacketEvent>(&event.what)) {
        if (packet->inbound) {
          Inject(event, *packet);
        } else {
          Expect(event, *packet);
        }
      } else if (const auto* call = std::get_if<CallEvent>(&event.what)) {
        Make(event, *call);
      } else if (const auto* command = std::get_if<CommandEvent>(&event.what)) {
        RunCommand(event, *command);
      } else if (const auto* code = std::get_if<CodeEvent>(&event.what)) {
        RunCode(event, *code);
      }
      timing_.EndOf(event);
    }
    FinishBlocked();
  }

  // --- Packets -------------------------------------------------------------------------------

  void Inject(const Event& event, const PacketEvent& packet) {
    if (!packet.around.empty()) {
      throw Skip(fmt::format("line {}: encapsulation is not supported", event.where.line));
    }
    Flow& flow = connections_.Of(event, packet);
    WaitForDueTime(event);
    Connections::Injects(flow, packet);
    const auto* tcp = std::get_if<TcpPart>(&packet.what);
    const PacketEvent live = mptcp_.ToInject(packet, event.where, flow);
    const Bytes octets = packet::Write(MakePacket(live, event.where, flow, set_.rules));
    const Time sent = tunnel_->Send(octets, tcp != nullptr ? set_.injected_segment : std::uint16_t{0});
    Log(sent, octets, true);
    timing_.NoteBegun(sent);
    timing_.Done(sent);
  }

  // The next packet of the flow; none: there was none until then.
  std::optional<Arrived> Next(Flow& flow, Time deadline) {
    auto at = arrived_.begin();
    const auto is_next = [&] {
      at = arrived_.begin();
      while (at != arrived_.end() && !connections_.IsOf(flow, at->packet)) {
        if (connections_.MayComeTo(at->packet)) {
          ++at;
          continue;
        }
        NoteStranger(*at);
        at = arrived_.erase(at);
      }
      return at != arrived_.end();
    };
    if (!loop_.RunUntil(is_next, deadline)) return std::nullopt;
    Arrived next = std::move(*at);
    arrived_.erase(at);
    return next;
  }

  void NoteStranger(const Arrived& stranger) {
    if (stranger.packet.Find<packet::Tcp>() == nullptr &&
        stranger.packet.Find<packet::Udp>() == nullptr) {
      return;
    }
    strangers_.push_back(fmt::format("{:.6f} > {}", ToSeconds(timing_.Since(stranger.time)),
                                     Written(stranger.packet, nullptr, true)));
  }

  std::string WhenExpected(const Event& event) const {
    if (event.when.kind == When::Kind::kAny) return "at any time";
    if (event.when.is_range()) {
      return fmt::format("from {:.6f} to {:.6f}", ToSeconds(timing_.from()), ToSeconds(timing_.to()));
    }
    return fmt::format("at {:.6f}, give or take {}{}", ToSeconds(timing_.from()),
                       FormatDuration(timing_.Tolerance(timing_.from())),
                       ticks_ > Duration(0) ? ", or a tick of this kernel earlier or three later" : "");
  }

  // What the lines before took within a tick does not put off what comes at one.
  Duration EarlierByTicks() const {
    return tick_earlier_ + std::min(timing_.drift(), tick_earlier_);
  }

  void Expect(const Event& event, const PacketEvent& packet) {
    if (!packet.around.empty()) {
      throw Skip(fmt::format("line {}: encapsulation is not supported", event.where.line));
    }
    Flow& flow = connections_.Of(event, packet);
    const bool any_time = event.when.kind == When::Kind::kAny;
    const Duration last = event.when.is_range() ? timing_.to() : timing_.from();
    const Time deadline =
        any_time ? Clock::now() + kPatienceForAnyTime
                 : timing_.start() + std::max(last, timing_.last_done()) + kPatienceForPacket +
                       timing_.Tolerance(last);
    std::optional<Arrived> seen = Next(flow, deadline);
    const auto* tcp = std::get_if<TcpPart>(&packet.what);
    std::string expected = WhenExpected(event);
    if (!seen) {
      Fail(event, expected, "no packet came", ThatExplainsAbsence(kPatienceForPacket));
    }
    connections_.Learn(flow, packet, seen->packet);
    if (tcp != nullptr && !set_.rules.strict_segments) Join(*seen, flow, tcp->length, deadline);
    const std::string different =
        Judge(mptcp_.Expected(packet, event.where, seen->packet, flow), event.where, seen->packet, flow, set_.rules,
              timing_.ToleranceOf(timing_.from()));
    const Duration at = timing_.Since(seen->time);
    // What a timer of the kernel sends tells where its next one begins.
    const bool at_once =
        event.when.kind == When::Kind::kRelative && event.when.from == Duration(0);
    timing_.Done(seen->time, at_once);
    if (any_time) timing_.CameAt(at);
    if (!different.empty()) {
      const std::string observed = fmt::format("{}: {:.6f} > {}", different, ToSeconds(at),
                                               Written(seen->packet, &flow, true));
      if (!set_.packets_not_fatal) Fail(event, "as it is written", observed);
      Say(event, "as it is written", observed);
    }
    if (any_time) return;
    const Duration tolerance = timing_.Tolerance(timing_.from());
    const Duration early = timing_.from() - EarlierByTicks() - tolerance - at;
    const Duration late = at - last - tolerance - ticks_;
    const Duration off = std::max(early, late);
    if (off <= Duration(0)) return;
    const std::string observed = fmt::format("at {:.6f}", ToSeconds(at));
    if (!set_.packets_not_fatal) Fail(event, expected, observed, off);
    Say(event, expected, observed);
  }

  // What the script takes for one segment may come as several of the same size.
  void Join(Arrived& seen, Flow& flow, std::uint32_t length, Time deadline) {
    auto* tcp = seen.packet.Find<packet::Tcp>();
    if (tcp == nullptr) return;
    const std::size_t size = seen.packet.payload.size();
    bool joined = false;
    while (tcp->flags != 0 && seen.packet.payload.size() < length && size != 0) {
      loop_.RunUntil([&] { return !arrived_.empty(); }, deadline);
      if (arrived_.empty() || !connections_.IsOf(flow, arrived_.front().packet)) break;
      const packet::Packet& next = arrived_.front().packet;
      const auto* more = next.Find<packet::Tcp>();
      constexpr int kMayDiffer = kFin | kPsh | kCwr;
      const bool goes_on = more != nullptr && more->seq == tcp->seq + seen.packet.payload.size() &&
                           (more->flags & ~kMayDiffer) == (tcp->flags & ~kMayDiffer) &&
                           more->ack == tcp->ack && more->window == tcp->window;
      const bool fits = seen.packet.payload.size() + next.payload.size() <= length;
      if (!goes_on || !fits || next.payload.empty()) break;
      packet::Append(seen.packet.payload, next.payload);
      // The last one tells what the whole is, but for where it begins and CWR.
      tcp->flags = static_cast<TcpFlags>((more->flags & ~kCwr) | (tcp->flags & kCwr));
      joined = true;
      arrived_.pop_front();
    }
    if (joined) seen.packet = packet::Recomputed(std::move(seen.packet));
  }

  // --- Calls ---------------------------------------------------------------------------------

  struct Blocked {
    Event event;
    CallEvent call;
    SystemCall made;
    Agent::CallId id = 0;
    Duration from{0};
    Duration ends{0};
  };

  void Make(const Event& event, const CallEvent& call) {
    FinishBlocked();
    WaitForDueTime(event);
    around_.drift = timing_.drift();
    around_.bind = BoundTo(call);
    SystemCall made = MakeSystemCall(call, event.where, around_);
    Before(call);
    const Agent::CallId id = stack_.agent().Start("system_call", made.parameters, made.text);
    if (call.returns) {
      blocked_ = Blocked{event, call, std::move(made), id, timing_.from(), timing_.ends()};
      timing_.Done(Clock::now());
      return;
    }
    constexpr Duration kPatience = 5s;
    if (!stack_.agent().Wait(id, Clock::now() + kPatience)) {
      Fail(event, "it returns", fmt::format("it has not returned within {}", FormatDuration(kPatience)));
    }
    const AgentReply reply = stack_.agent().Take(id);
    timing_.NoteBegun(reply.begin);
    timing_.Done(reply.end);
    Finish(event, call, made, reply);
  }

  // Subflows come to any address of a socket of MPTCP.
  Endpoint BoundTo(const CallEvent& call) {
    const Flow* const flow = FlowOfDescriptor(call);
    if (flow == nullptr || !flow->is_multipath) return {set_.tunnel.local, set_.bind_port};
    constexpr std::array<std::uint8_t, 16> kAny{};
    return {IpAddress(set_.tunnel.local.version(), kAny.data()), set_.bind_port};
  }

  // Waits for the call that blocks, and judges it.
  void FinishBlocked() {
    if (!blocked_) return;
    Blocked blocked = std::move(*blocked_);
    blocked_.reset();
    const Time deadline = std::max(Clock::now(), timing_.start() + blocked.ends) + kPatienceForPacket;
    const std::string expected = fmt::format("it returns at {:.6f}", ToSeconds(blocked.ends));
    if (!stack_.agent().Wait(blocked.id, deadline)) {
      Fail(blocked.event, expected, "it has not returned", ThatExplainsAbsence(kPatienceForPacket));
    }
    const AgentReply reply = stack_.agent().Take(blocked.id);
    const Duration at = timing_.Since(reply.end);
    const Duration late = at - blocked.ends;
    const Duration off = (late > Duration(0) ? late - ticks_ : -late) -
                         timing_.ToleranceOf(blocked.ends - blocked.from);
    Finish(blocked.event, blocked.call, blocked.made, reply);
    timing_.Returned(at);
    if (off > Duration(0)) {
      Fail(blocked.event, expected, fmt::format("at {:.6f}", ToSeconds(at)), off);
    }
  }

  Flow* FlowOfDescriptor(const CallEvent& call) {
    if (call.arguments.empty() || call.arguments[0].kind != Expression::Kind::kInteger) {
      return nullptr;
    }
    const auto live = around_.descriptors.find(call.arguments[0].number);
    if (live == around_.descriptors.end()) return nullptr;
    return connections_.OfDescriptor(live->second);
  }

  static bool Disconnects(const CallEvent& call) {
    return std::any_of(call.arguments.begin(), call.arguments.end(), [](const Expression& argument) {
      return argument.kind == Expression::Kind::kWord && argument.text == "AF_UNSPEC";
    });
  }

  // What the script's packets depend on, and what a call is about to make true.
  void Before(const CallEvent& call) {
    Flow* const flow = FlowOfDescriptor(call);
    if (flow == nullptr || flow->state != Flow::State::kNew) return;
    const bool connects = call.name == "connect" || call.name == "sendto" || call.name == "sendmsg";
    if (!connects) return;
    if (Disconnects(call)) return;
    connections_.Connects(*flow);
  }

  std::string Observed(const AgentReply& reply) {
    if (reply.error != 0) return "-1 " + ErrnoName(reply.error);
    return std::to_string(reply.value.at("result").get<std::int64_t>());
  }

  void Finish(const Event& event, const CallEvent& call, const SystemCall& made,
              const AgentReply& reply) {
    const std::string observed = Observed(reply);
    const bool any = call.result.kind == Expression::Kind::kEllipsis;
    if (reply.error != 0) {
      const bool fails = any || NumberOf(call.result) == -1;
      int wanted = 0;
      if (!call.error.empty()) {
        wanted = static_cast<int>(SymbolValue(call.error).value_or(0));
        if (wanted == 0) {
          throw Skip(fmt::format("line {}: the error {} is not supported", event.where.line,
                                 CleanLine(call.error)));
        }
      }
      const bool lacks_protocol = reply.error == EPROTONOSUPPORT || reply.error == ENOPROTOOPT;
      if (!fails && lacks_protocol && call.name == "socket" && NumberOf(call.arguments.at(2)) == IPPROTO_MPTCP) {
        throw Skip(fmt::format("line {}: this kernel has no sockets of MPTCP", event.where.line));
      }
      if (!fails || (wanted != 0 && wanted != reply.error)) return Differs(event, call, observed);
      return;
    }
    const auto result = reply.value.at("result").get<std::int64_t>();
    const bool makes_descriptor = !made.creates.empty() && !made.created_in;
    const bool right =
        any || (makes_descriptor ? result >= 0 : NumberOf(call.result) == result);
    const SystemCall::Pieces pieces = PiecesOf(reply.value);
    TakeEffect(call, made, result, pieces);
    if (!right || !call.error.empty()) return Differs(event, call, observed);
    const std::string wrong = made.check ? made.check(result, pieces) : "";
    if (!wrong.empty()) return Differs(event, call, wrong);
  }

  void Differs(const Event& event, const CallEvent& call, const std::string& observed) {
    const std::string expected =
        Describe(call.result) + (call.error.empty() ? "" : " " + call.error);
    if (!set_.calls_not_fatal) Fail(event, expected, observed);
    Say(event, expected, observed);
  }

  void TakeEffect(const CallEvent& call, const SystemCall& made, std::int64_t result,
                  const SystemCall::Pieces& pieces) {
    if (made.sends_text) set_.rules.zeros_only = false;
    if (made.closes) {
      // The number may be given to another; packets still come and go.
      if (Flow* const closed = FlowOfDescriptor(call)) closed->live_descriptor = -1;
      around_.descriptors.erase(*made.closes);
    }
    if (made.created_in) {
      const Bytes& octets = pieces.at(*made.created_in);
      for (std::size_t i = 0; i < made.creates.size() && (i + 1) * 4 <= octets.size(); ++i) {
        std::int64_t live = 0;
        for (std::size_t octet = 4; octet-- > 0;) live = live << 8 | octets[i * 4 + octet];
        around_.descriptors[made.creates[i]] = live;
      }
    } else if (!made.creates.empty()) {
      around_.descriptors[made.creates.front()] = result;
    }
    if (call.name == "socket") return Opened(call, result);
    if (call.name == "accept" || call.name == "accept4") {
      return connections_.Accepted(result, PortIn(pieces));
    }
    Flow* const flow = FlowOfDescriptor(call);
    if (flow == nullptr) return;
    if (call.name == "listen") flow->state = Flow::State::kListening;
    if (call.name == "bind") flow->local = around_.bind;
    if (Disconnects(call)) flow->state = Flow::State::kNew;
  }

  void Opened(const CallEvent& call, std::int64_t live) {
    Flow& flow = connections_.Add();
    flow.live_descriptor = live;
    const std::int64_t protocol = NumberOf(call.arguments.at(2));
    const std::int64_t type = NumberOf(call.arguments.at(1));
    constexpr std::int64_t kTypes = 15;  // without SOCK_NONBLOCK and the like
    const std::int64_t usual = (type & kTypes) == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
    flow.is_multipath = protocol == IPPROTO_MPTCP;
    flow.protocol = static_cast<int>(protocol != 0 && protocol != IPPROTO_MPTCP ? protocol : usual);
    if (flow.protocol != IPPROTO_TCP) return;
    if (!substitutes_.congestion_control.empty()) {
      Expression name;
      name.kind = Expression::Kind::kString;
      name.text = substitutes_.congestion_control;
      SetOnSocket(live, IPPROTO_TCP, TCP_CONGESTION, name,
                  static_cast<std::int64_t>(substitutes_.congestion_control.size()));
    }
    if (substitutes_.paces_itself) {
      Expression rate;
      rate.kind = Expression::Kind::kList;
      rate.elements = {Integer(INT_MAX)};
      SetOnSocket(live, SOL_SOCKET, SO_MAX_PACING_RATE, rate, sizeof(std::int32_t));
    }
  }

  static Expression Integer(std::int64_t value) {
    Expression number;
    number.kind = Expression::Kind::kInteger;
    number.number = value;
    return number;
  }

  // What a sysctl of the script would have done for all sockets.
  void SetOnSocket(std::int64_t live, int level, int name, const Expression& value,
                   std::int64_t length) {
    CallEvent set;
    set.name = "setsockopt";
    set.arguments = {Integer(live), Integer(level), Integer(name), value, Integer(length)};
    CallSurroundings around = around_;
    around.descriptors = {{live, live}};
    stack_.agent().Call("system_call", MakeSystemCall(set, {}, around).parameters, "");
  }

  // The port of the other end that accept() gives; 0: it is not known.
  static std::uint16_t PortIn(const SystemCall::Pieces& pieces) {
    if (pieces.empty() || pieces[0].size() < 4) return 0;
    return packet::Read16(pieces[0], 2);
  }

  // --- Commands and code ---------------------------------------------------------------------

  void RunCommand(const Event& event, const CommandEvent& command) {
    WaitForDueTime(event);
    const Time began = Clock::now();
    const Shell::Result result = shell_.Run(command.text);
    const Time ended = Clock::now();
    timing_.Done(ended);
    // Lines behind a command that has just set something mean to come soon.
    if (command.text.find("sleep") == std::string::npos) {
      loop_.NoteLateness(ended - began - result.computed - kUsualForCommand);
    }
    NoteOutput(result);
    if (result.status == 0) return;
    if (const std::string lack = LackToldBy(result); !lack.empty()) throw Skip(lack);
    Fail(event, "the command succeeds",
         fmt::format("it ends with {}: {}", result.status, OnOneLine(CleanText(result.output))));
  }

  void ReadValues() {
    const Flow* const current = connections_.current();
    if (current == nullptr || current->live_descriptor < 0) return;
    const bool memory = set_.code_option == "SO_MEMINFO";
    const int level = memory ? SOL_SOCKET : IPPROTO_TCP;
    const int name = memory ? SO_MEMINFO : TCP_INFO;
    const AgentReply reply = stack_.agent().Call(
        "system_call", ReadOption(current->live_descriptor, level, name, kRoomForTcpInfo), "");
    if (reply.error != 0) return;
    const SystemCall::Pieces pieces = PiecesOf(reply.value);
    Bytes octets = pieces.at(0);
    std::uint32_t length = 0;
    for (std::size_t octet = 4; octet-- > 0;) length = length << 8 | pieces.at(1).at(octet);
    octets.resize(std::min<std::size_t>(length, octets.size()));
    for (const auto& [member, value] : memory ? MemoryInfoNames(octets) : TcpInfoNames(octets)) {
      code_.names()[member] = value;
    }
  }

  void RunCode(const Event& event, const CodeEvent& code) {
    WaitForDueTime(event);
    if (blocked_ && !stack_.agent().StillBlocks(blocked_->id)) FinishBlocked();
    ReadValues();
    timing_.Done(Clock::now());
    if (code_.needs_python()) return code_.Collect(event, code);
    try {
      const std::string printed = code_.Run(event, code);
      if (!printed.empty()) stack_.log().Now(NoteEvent{CleanLog(printed)});
    } catch (const Python::Raised& raised) {
      if (const auto* missing = dynamic_cast<const Python::NoName*>(&raised)) LacksName(event, missing->name());
      Say(event, "no exception", raised.what());
    }
  }

  // After a failure it may be one that the code before it did not get to.
  void LacksName(const Event& event, const std::string& name) {
    if (has_failed_) return;
    throw Skip(code_.WhyWithoutName(event, name));
  }

  // What python3 says in its last line of code that is no Python, or has a name that is not there.
  void RefuseWrongCode(std::string output) {
    output.erase(output.find_last_not_of(" \n") + 1);
    const std::string last = output.substr(output.rfind('\n') + 1);
    constexpr std::string_view kPlace = "File \"<stdin>\", line ";
    const std::size_t place = output.rfind(kPlace);
    if (place == std::string::npos) return;
    const Event& event = code_.EventOf(std::atoi(output.c_str() + place + kPlace.size()));
    for (const char* error : {"SyntaxError: ", "IndentationError: ", "TabError: "}) {
      if (last.starts_with(error)) throw SyntaxError(event.where, Shortened(CleanLine(last), 200));
    }
    constexpr std::string_view kNoName = "NameError: name '";
    if (!last.starts_with(kNoName)) return;
    LacksName(event, last.substr(kNoName.size(), last.find('\'', kNoName.size()) - kNoName.size()));
  }

  void RunPythonAtEnd() {
    if (!code_.needs_python() || code_.collected().empty()) return;
    const Shell::Result result = shell_.Run("python3 - <<'SOCKPROOF-END'\n" + code_.collected() +
                                            "\nSOCKPROOF-END\n");
    NoteOutput(result);
    if (result.status == 0) return;
    if (const std::string lack = LackToldBy(result); !lack.empty()) throw Skip(lack);
    RefuseWrongCode(result.output);
    const Event& last = script_.events.back();
    Say(last, "the code of the script raises no exception", OnOneLine(CleanText(result.output)));
  }

  // --- The end -------------------------------------------------------------------------------

  void LookAtTheRest() {
    loop_.RunUntil([] { return false; }, Clock::now());
    WriteDown();
    for (const Arrived& arrived : arrived_) {
      const Flow* const current = connections_.current();
      if (current != nullptr && current->Sends(arrived.packet)) {
        trailing_.push_back(fmt::format("{:.6f} > {}", ToSeconds(timing_.Since(arrived.time)),
                                        Written(arrived.packet, current, true)));
      } else {
        NoteStranger(arrived);
      }
    }
    Report("of no connection of the script", strangers_);
    Report("after the last line of the script", trailing_);
    if (tunnel_->Dropped() != 0) throw HarnessError("packets were lost on their way to the harness");
  }

  void Report(const std::string& what, const std::vector<std::string>& packets) {
    for (const std::string& packet : packets) {
      const std::string text = fmt::format("{}: {}", what, packet);
      if (plan_.trailing == Trailing::kNote) {
        stack_.log().Now(NoteEvent{text});
      } else {
        ADD_FAILURE_AT(file(), script_.events.back().where.line)
            << "  Expected: no packet " << what << "\n  Observed: " << packet;
      }
    }
  }

  const ScriptPlan plan_;
  const Script script_;
  Configuration set_;
  TestContext& context_;
  EventLoop& loop_;
  Stack& stack_;
  NetworkNamespace space_;
  const std::string files_;  // where the agent finds what this process sees
  Shell shell_;
  std::unique_ptr<Tunnel> tunnel_;
  CallSurroundings around_;
  Substitutes substitutes_;
  std::string lack_;                // what the init command could not give; empty: nothing

  const Duration ticks_ = AllowanceForTicks();
  const Duration tick_earlier_ = AllowanceForEarlierTick();
  Timing timing_;
  Connections connections_;
  Mptcp mptcp_{connections_, script_};
  ScriptCode code_;
  std::deque<Arrived> arrived_;
  std::deque<Logged> unlogged_;
  std::optional<Blocked> blocked_;
  std::vector<std::string> strangers_, trailing_;
  bool has_failed_ = false;  // and went on
};

}  // namespace

const char* VariantName(Variant variant) {
  switch (variant) {
    case Variant::kIpv4:
      return "ipv4";
    case Variant::kIpv6:
      return "ipv6";
    default:
      return "ipv4-mapped";
  }
}

Definitions UsualDefinitions(Variant variant) {
  const bool ipv6 = variant == Variant::kIpv6;
  const bool ipv6_socket = variant != Variant::kIpv4;
  return {{"TFO_COOKIE", ipv6 ? "c1d1e9742a47a9bc" : "3021b9d889017eeb"},
          {"TFO_COOKIE_ZERO", ipv6 ? "82af1a8f9a205c34" : "b7c12350a90dc8f5"},
          {"CODE", ipv6 ? "address_unreachable" : "host_unreachable"},
          {"CMSG_LEVEL_IP", ipv6_socket ? "SOL_IPV6" : "SOL_IP"},
          {"CMSG_TYPE_RECVERR", ipv6_socket ? "IPV6_RECVERR" : "IP_RECVERR"}};
}

Duration PlannedDuration(const Script& script) {
  Duration at{0};
  for (const Event& event : script.events) {
    const Duration time = event.when.is_range() ? event.when.to : event.when.from;
    at = event.when.is_relative() ? at + time : std::max(at, time);
    const auto* call = std::get_if<CallEvent>(&event.what);
    if (call == nullptr || !call->returns) continue;
    at = event.when.is_relative() ? at + *call->returns : std::max(at, *call->returns);
  }
  return at;
}

ScriptTest::ScriptTest(ScriptPlan plan) : name_(plan.name) {
  interpreter_ = WithoutMistakes(
      name_, [&] { return std::make_unique<Interpreter>(std::move(plan)); });
}

void ScriptTest::Run() {
  WithoutMistakes(name_, [this] { interpreter_->Run(); });
}

}  // namespace sockproof::packetdrill
