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
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
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
#include "src/packetdrill/flow.h"
#include "src/packetdrill/python.h"
#include "src/packetdrill/shell.h"
#include "src/packetdrill/symbols.h"
#include "src/packetdrill/tcp_info.h"
#include "src/packetdrill/tunnel.h"

namespace sockproof::packetdrill {
namespace {

constexpr Duration kPatienceForPacket = 2s;
constexpr Duration kPatienceForAnyTime = 60s;
constexpr Duration kIntoTick = 250us;
// What scripts do, they do at whole multiples of 10 ms, from so far behind a tick: who is later than this
// may be on the other side of a tick, and the kernel's timers a tick later.
constexpr Duration kHarmless = 1500us;
// What a command waits at most on a machine that has nothing else to do, for locks of the kernel.
constexpr Duration kUsualForCommand = 10ms;
// How much later than it should be is still at once.
constexpr Duration kNothing = 1ms;
constexpr Duration kUsualForLine = 300us;
constexpr std::uint16_t kFirstEphemeralPort = 40000;

// --- Configuration -------------------------------------------------------------------------------

struct Configuration {
  TunnelPlan tunnel;
  std::uint16_t bind_port = 8080;
  std::uint16_t connect_port = 8080;
  Duration tolerance = 4ms;
  double tolerance_percent = 12.5;
  std::uint16_t injected_segment = 0;  // --mss
  bool packets_not_fatal = false;
  bool calls_not_fatal = false;
  std::string code_option;
  PacketRules rules;
};

template <typename Number>
Number NumberIn(const Option& option) {
  Number number{};
  const char* const end = option.value.data() + option.value.size();
  const auto [stop, error] = std::from_chars(option.value.data(), end, number);
  if (error != std::errc() || stop != end) {
    throw SyntaxError(option.where, fmt::format("--{}={} is no number in range", option.name,
                                                Shortened(CleanLine(option.value), 40)));
  }
  return number;
}

int PrefixOfMask(const IpAddress& mask) {
  int bits = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) bits += __builtin_popcount(mask.bytes()[i]);
  return bits;
}

bool HaveSamePrefix(const IpAddress& one, const IpAddress& other, int length) {
  for (int bit = 0; bit < length; ++bit) {
    const int differ = one.bytes()[bit / 8] ^ other.bytes()[bit / 8];
    if ((differ >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

class ConfigurationReader {
 public:
  explicit ConfigurationReader(const ScriptPlan& plan) : version_(VersionOf(plan.variant)) {
    TunnelPlan& tunnel = read_.tunnel;
    const bool ipv6 = version_ == IpVersion::kIpv6;
    tunnel.local = IpAddress(ipv6 ? "fd3d:0a0b:17d6::1" : "192.168.0.1");
    tunnel.gateway = IpAddress(ipv6 ? "fd3d:0a0b:17d6:8888::1" : "192.168.0.1");
    tunnel.remote = IpAddress(ipv6 ? "fd3d:fa7b:d17d::1" : "192.0.2.1");
    tunnel.prefix_length = ipv6 ? 48 : 16;
    tunnel.remote_prefix_length = ipv6 ? 128 : 32;
    tunnel.mtu = ipv6 ? 1520 : 1500;
  }

  static IpVersion VersionOf(Variant variant) {
    return variant == Variant::kIpv6 ? IpVersion::kIpv6 : IpVersion::kIpv4;
  }

  void Take(const Option& option) {
    const std::string& name = option.name;
    if (name == "local_ip") return Address(option, read_.tunnel.local, nullptr);
    if (name == "gateway_ip") return Address(option, read_.tunnel.gateway, nullptr);
    if (name == "remote_ip") {
      return Address(option, read_.tunnel.remote, &read_.tunnel.remote_prefix_length);
    }
    if (name == "netmask_ip") {
      IpAddress mask;
      Address(option, mask, nullptr);
      if (mask != IpAddress()) read_.tunnel.prefix_length = PrefixOfMask(mask);
    } else if (name == "mtu") {
      read_.tunnel.mtu = NumberIn<std::uint16_t>(option);
    } else if (name == "mss") {
      read_.injected_segment = NumberIn<std::uint16_t>(option);
    } else if (name == "bind_port") {
      read_.bind_port = NumberIn<std::uint16_t>(option);
    } else if (name == "connect_port") {
      read_.connect_port = NumberIn<std::uint16_t>(option);
    } else if (name == "tolerance_usecs") {
      read_.tolerance = std::chrono::microseconds(NumberIn<std::uint32_t>(option));
    } else if (name == "tolerance_percent") {
      read_.tolerance_percent = NumberIn<double>(option);
    } else if (name == "tcp_ts_ecr_scaled") {
      read_.rules.any_timestamp_echo = true;
    } else if (name == "tcp_ts_tick_usecs") {
      read_.rules.timestamp_tick = std::chrono::microseconds(NumberIn<std::uint32_t>(option));
    } else if (name == "strict_segments") {
      read_.rules.strict_segments = true;
    } else if (name == "non_fatal") {
      read_.packets_not_fatal |= option.value.find("packet") != std::string::npos;
      read_.calls_not_fatal |= option.value.find("syscall") != std::string::npos;
    } else if (name == "code_sockopt") {
      read_.code_option = option.value;
    } else if (!IsIgnored(name)) {
      throw Skip(fmt::format("line {}: the option --{} is not supported", option.where.line,
                             CleanLine(name)));
    }
  }

  Configuration Finished() {
    const TunnelPlan& tunnel = read_.tunnel;
    if (!HaveSamePrefix(tunnel.local, tunnel.gateway, tunnel.prefix_length)) {
      throw SyntaxError(address_, fmt::format("the gateway {} is not on the network of {}",
                                              tunnel.gateway.ToString(), tunnel.local.ToString()));
    }
    read_.rules.mtu = static_cast<std::uint16_t>(read_.tunnel.mtu);
    return read_;
  }

 private:
  static bool IsIgnored(const std::string& name) {
    constexpr const char* kIgnored[] = {"ip_version",     "debug",   "verbose", "v", "dry_run",
                                        "send_omit_free", "init_scripts", "code_command",
                                        "code_format"};
    return std::find(std::begin(kIgnored), std::end(kIgnored), name) != std::end(kIgnored);
  }

  // One of the other version is for another variant.
  void Address(const Option& option, IpAddress& address, int* prefix_length) {
    const std::size_t slash = option.value.find('/');
    IpAddress read;
    try {
      read = IpAddress(option.value.substr(0, slash));
    } catch (const HarnessError&) {
      throw SyntaxError(option.where, fmt::format("--{}={} is no address", option.name,
                                                  Shortened(CleanLine(option.value), 40)));
    }
    if (read.version() != version_) return;
    address_ = option.where;
    address = read;
    if (prefix_length == nullptr) return;
    *prefix_length = read.version() == IpVersion::kIpv4 ? 32 : 128;
    if (slash != std::string::npos) {
      Option length = option;
      length.value = option.value.substr(slash + 1);
      *prefix_length = std::min<int>(NumberIn<std::uint8_t>(length), *prefix_length);
    }
  }

  const IpVersion version_;
  Configuration read_;
  Position address_;  // of the last one
};

Configuration Configure(const ScriptPlan& plan, const Script& script) {
  ConfigurationReader reader(plan);
  for (const Option& option : script.options) reader.Take(option);
  for (const Option& option : plan.options) reader.Take(option);
  return reader.Finished();
}

// Of the clock by which the kernel counts its timers: 1 s / HZ.
Duration Tick() {
  timespec tick{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
  return Duration(std::clamp<std::int64_t>(tick.tv_nsec, 1, 100'000'000));
}

// The time of the next tick, and a little. Ticks are at multiples of their length on CLOCK_MONOTONIC.
Time BehindNextTick() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const Time real = Clock::now();
  const Duration since = (std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec)) % Tick();
  return real + Tick() - since + kIntoTick;
}

// Scripts are written for a kernel with HZ=1000: by how much longer the tick of this one is.
Duration LongerTick() {
  constexpr Duration kTickOfScripts = 1ms;
  return std::max(Tick() - kTickOfScripts, Duration(0));
}

// By how much later this kernel may do what it does at a tick: TCP rounds up to whole ticks, and adds
// two to its shortest timers (TCP_TIMEOUT_MIN).
Duration AllowanceForTicks() { return 3 * LongerTick(); }

// Of what code knows of a socket, what the kernel counts in ticks, in the unit that it is told in.
constexpr std::pair<const char*, Duration> kCountedInTicks[] = {
    {"tcpi_busy_time", 1us},      {"tcpi_rwnd_limited", 1us},   {"tcpi_sndbuf_limited", 1us},
    {"tcpi_last_data_sent", 1ms}, {"tcpi_last_data_recv", 1ms}, {"tcpi_last_ack_recv", 1ms},
};

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
        shell_(loop_, space_, FolderOf(plan_.path), plan_.machine_is_own) {
    RefuseOtherNetworks();
    PrepareCode();
    around_.files = files_;
    MakeTunnel();
    const bool ipv4_sockets = plan_.variant == Variant::kIpv4;
    around_.domain = ipv4_sockets ? AF_INET : AF_INET6;
    around_.mapped = plan_.variant == Variant::kMapped;
    around_.bind = {set_.tunnel.local, set_.bind_port};
    around_.connect = {set_.tunnel.remote, set_.connect_port};
    around_.folder = FolderOf(plan_.path);
    around_.tolerance = set_.tolerance;
    if (script_.init) RunInit(*script_.init);
  }

  void Run() override {
    try {
      RunEvents();
    } catch (...) {
      CleanUp();
      throw;
    }
    Go(Ahead::kWhileSetUp);
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

  void Log(Time time, const Bytes& octets, bool sent) {
    packet::Packet frame = packet::ReadIp(octets);
    frame.layers.insert(frame.layers.begin(),
                        packet::Ethernet{.destination = WireMac(sent ? 1 : 2),
                                         .source = WireMac(sent ? 2 : 1)});
    stack_.log().Add({time, FrameEvent{sent ? "peer" : "sut", sent ? "sut" : "peer",
                                       sent ? Fate::kSent : Fate::kReceived, Duration(0),
                                       packet::Write(frame)}});
  }

  void RunInit(const CommandEvent& command) {
    const Shell::Result result = shell_.Run(command.text);
    NoteOutput(result);
    FindCongestionControl(command, result);
    FindPacing(command, result);
    if (result.status == 0) {
      if (!paces_itself_) lack_ = LackDespiteSuccess(result, plan_.text);
      return;
    }
    const std::string lack = LackToldBy(result);
    throw Skip(lack.empty() ? fmt::format("the init command ends with {}: {}", result.status,
                                          OnOneLine(CleanText(result.output)))
                            : lack);
  }

  // A namespace may choose an algorithm only where the host allows it to all; who may administer
  // the network may choose any for a single socket.
  void FindCongestionControl(const CommandEvent& command, const Shell::Result& result) {
    constexpr std::string_view kSysctl = "tcp_congestion_control";
    if (result.output.find(kSysctl) == std::string::npos) return;
    std::string texts = command.text;
    std::istringstream words(command.text);
    for (std::string word; words >> word;) texts += "\n" + BeginOfFile(word);
    const std::string setting = std::string(kSysctl) + "=";
    const std::size_t found = texts.rfind(setting);
    if (found == std::string::npos) return;
    const std::string behind = texts.substr(found + setting.size());
    congestion_control_ = behind.substr(0, behind.find_first_not_of(
                                               "abcdefghijklmnopqrstuvwxyz0123456789_-"));
    stack_.log().Now(NoteEvent{fmt::format(
        "tcp_congestion_control is not to be set here: each socket is given {}",
        congestion_control_)});
  }

  // Without the qdisc fq, a socket that has a maximum is paced by TCP itself.
  void FindPacing(const CommandEvent& command, const Shell::Result& result) {
    static const std::regex kFairQueue(R"(qdisc\s+(add|replace)\s.*\sfq\b)");
    paces_itself_ = result.output.find("kind is unknown") != std::string::npos &&
                    std::regex_search(command.text, kFairQueue);
    if (!paces_itself_) return;
    stack_.log().Now(NoteEvent{"this kernel has no qdisc fq: each socket is given SO_MAX_PACING_RATE"});
  }

  static std::string BeginOfFile(const std::string& path) {
    std::ifstream file(path);
    std::string text(16 << 10, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    return text;
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

  Duration Since(Time time) const { return time - start_; }

  // Puts the times of an event on the axis of the script.
  void Place(const Event& event) {
    nominal_ = event.when.is_relative() ? nominal_ + event.when.from : event.when.from;
    from_ = event.when.from;
    to_ = event.when.to;
    ends_ = Duration(0);
    const auto* call = std::get_if<CallEvent>(&event.what);
    if (call != nullptr && call->returns) ends_ = *call->returns;
    if (event.when.kind == When::Kind::kAny) from_ = Duration(0);
    if (!event.when.is_relative() && event.when.kind != When::Kind::kAny) {
      delayed_ = Duration(0);
      return;
    }
    const auto* packet = std::get_if<PacketEvent>(&event.what);
    const bool inbound = packet != nullptr && packet->inbound;
    // What is injected in a row keeps its pace, whatever this process needs for each.
    const Duration base = inbound && last_was_injected_ ? last_from_ : last_done_;
    from_ += base;
    to_ += base;
    if (event.when.kind == When::Kind::kRelative) ends_ += base;
  }

  // When the event was over, for the one that counts from there. What this process and the answer of
  // the kernel need for an event counts for nothing, else it would add up.
  void Done(Time time, bool at_once = true) {
    really_done_ = last_done_ = Since(time);
    if (at_once && last_done_ > from_ && last_done_ - from_ <= kNothing) last_done_ = from_;
  }

  // Of what this process does itself. From what is late the script counts on, so that delays, beyond
  // what a line takes anyway, add up against the clock of the kernel.
  void NoteBegun(Time time) {
    const Duration delay = Since(time) - std::max(from_, really_done_before_) - kUsualForLine;
    if (delay > Duration(0)) delayed_ += delay;
    loop_.NoteLateness(delayed_);
  }

  // Of something that is to be at `at`.
  Duration Tolerance(Duration at) const {
    const Duration since = at - last_from_;
    const Duration part(static_cast<std::int64_t>(static_cast<double>(since.count()) *
                                                  set_.tolerance_percent / 100));
    return std::max(set_.tolerance, part);
  }

  // Sleeps until the event is due. Throws Inconclusive when this process was too late by itself.
  void WaitForDueTime(const Event& event) {
    const Time due = start_ + from_;
    loop_.RunUntil([] { return false; }, due);
    const Time now = Clock::now();
    const Duration late = now - due;
    really_done_before_ = really_done_;
    const Duration own = now - std::max(due, start_ + really_done_);
    loop_.NoteLateness(own);
    if (late <= Tolerance(from_)) return;
    if (own > Tolerance(from_)) {
      throw Inconclusive(fmt::format("line {}: was to be at {:.6f}, and this process was {} late",
                                     event.where.line, ToSeconds(from_), FormatDuration(own)));
    }
    Fail(event, fmt::format("at {:.6f}", ToSeconds(from_)),
         fmt::format("the event before it was late: it could be no earlier than at {:.6f}",
                     ToSeconds(Since(now))),
         late - Tolerance(from_));
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
      start_ = BehindNextTick();
      loop_.RunUntil([] { return false; }, start_);
      if (Clock::now() - start_ < kLate) break;
    }
    loop_.ForgetLateness();
    around_.start = start_;
  }

  void RunEvents() {
    Begin();
    for (const Event& event : script_.events) {
      Place(event);
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
      const auto* packet = std::get_if<PacketEvent>(&event.what);
      last_was_injected_ = packet != nullptr && packet->inbound;
      last_from_ = from_;
      if (event.when.kind == When::Kind::kAny || event.when.is_range()) nominal_ = last_done_;
    }
    FinishBlocked();
  }

  // --- Packets -------------------------------------------------------------------------------

  Flow& FlowOf(const Event& event, const PacketEvent& packet) {
    const auto* tcp = std::get_if<TcpPart>(&packet.what);
    if (tcp != nullptr && packet.inbound &&
        (current_ == nullptr || current_->state == Flow::State::kListening)) {
      return Accepting(*tcp);
    }
    if (current_ == nullptr) {
      throw SyntaxError(event.where, "there is no socket that this packet could be of");
    }
    if (current_->protocol == IPPROTO_UDP && current_->remote.port == 0) {
      current_->remote = around_.connect;
    }
    const bool first = tcp != nullptr && !packet.inbound && (tcp->flags & (kSyn | kAck)) == kSyn;
    if (first && current_->state == Flow::State::kConnecting) {
      current_->state = Flow::State::kSynSent;
      current_->script_local_isn = tcp->seq;
    }
    return *current_;
  }

  // A new connection to the socket that listens.
  Flow& Accepting(const TcpPart& tcp) {
    Flow& flow = NewFlow();
    flow.state = Flow::State::kSynReceived;
    flow.local = around_.bind;
    flow.remote = {set_.tunnel.remote, next_port_++};
    flow.script_remote_isn = flow.live_remote_isn = tcp.seq;
    return flow;
  }

  Flow& NewFlow() {
    flows_.push_back(std::make_unique<Flow>());
    current_ = flows_.back().get();
    return *current_;
  }

  void Inject(const Event& event, const PacketEvent& packet) {
    if (!packet.around.empty()) {
      throw Skip(fmt::format("line {}: encapsulation is not supported", event.where.line));
    }
    Flow& flow = FlowOf(event, packet);
    WaitForDueTime(event);
    const auto* tcp = std::get_if<TcpPart>(&packet.what);
    const bool has_ack = tcp != nullptr && (tcp->flags & kAck) != 0;
    if (flow.state == Flow::State::kSynAckSent && has_ack) {
      flow.state = Flow::State::kSynAckAnswered;
    } else if (flow.state == Flow::State::kSynSent && has_ack && (tcp->flags & kSyn) != 0) {
      flow.state = Flow::State::kConnected;
      flow.script_remote_isn = flow.live_remote_isn = tcp->seq;
    }
    const Bytes octets = packet::Write(MakePacket(packet, event.where, flow, set_.rules));
    const Time sent = tunnel_->Send(octets, tcp != nullptr ? set_.injected_segment : std::uint16_t{0});
    Log(sent, octets, true);
    NoteBegun(sent);
    Done(sent);
  }

  // A SYN from a port that is not known yet is of `flow`, unless it is one of another connection again.
  bool IsOf(const Flow& flow, const packet::Packet& packet) const {
    if (!flow.Sends(packet)) return false;
    return flow.IsFrom(packet) || std::none_of(flows_.begin(), flows_.end(), [&](const auto& other) {
             return other.get() != &flow && other->IsFrom(packet) && other->Sends(packet);
           });
  }

  // The next packet of the flow; none: there was none until then.
  std::optional<Arrived> Next(Flow& flow, Time deadline) {
    const auto is_next = [&] {
      while (!arrived_.empty() && !IsOf(flow, arrived_.front().packet)) {
        NoteStranger(arrived_.front());
        arrived_.pop_front();
      }
      return !arrived_.empty();
    };
    if (!loop_.RunUntil(is_next, deadline)) return std::nullopt;
    Arrived next = std::move(arrived_.front());
    arrived_.pop_front();
    return next;
  }

  void NoteStranger(const Arrived& stranger) {
    if (stranger.packet.Find<packet::Tcp>() == nullptr &&
        stranger.packet.Find<packet::Udp>() == nullptr) {
      return;
    }
    strangers_.push_back(fmt::format("{:.6f} > {}", ToSeconds(Since(stranger.time)),
                                     Written(stranger.packet, nullptr, true)));
  }

  // What the first packet tells of the connection.
  void Learn(Flow& flow, const PacketEvent& packet, const packet::Packet& seen) {
    if (const auto* udp = seen.Find<packet::Udp>()) {
      flow.local = {set_.tunnel.local, udp->source_port};
    }
    const auto* tcp = seen.Find<packet::Tcp>();
    const auto* part = std::get_if<TcpPart>(&packet.what);
    if (tcp == nullptr || part == nullptr || (tcp->flags & kSyn) == 0) return;
    const bool has_ack = (tcp->flags & kAck) != 0;
    if (flow.state == Flow::State::kSynReceived && has_ack) {
      flow.state = Flow::State::kSynAckSent;
      flow.script_local_isn = part->seq;
      flow.live_local_isn = tcp->seq;
    } else if (flow.state == Flow::State::kSynSent && !has_ack) {
      flow.local = {set_.tunnel.local, tcp->source_port};
      flow.live_local_isn = tcp->seq;
    }
  }

  std::string WhenExpected(const Event& event) const {
    if (event.when.kind == When::Kind::kAny) return "at any time";
    if (event.when.is_range()) {
      return fmt::format("from {:.6f} to {:.6f}", ToSeconds(from_), ToSeconds(to_));
    }
    return fmt::format("at {:.6f}, give or take {}{}", ToSeconds(from_),
                       FormatDuration(Tolerance(from_)),
                       ticks_ > Duration(0) ? ", or later by three ticks of this kernel" : "");
  }

  void Expect(const Event& event, const PacketEvent& packet) {
    if (!packet.around.empty()) {
      throw Skip(fmt::format("line {}: encapsulation is not supported", event.where.line));
    }
    Flow& flow = FlowOf(event, packet);
    const bool any_time = event.when.kind == When::Kind::kAny;
    const Duration last = event.when.is_range() ? to_ : from_;
    const Time deadline =
        any_time ? Clock::now() + kPatienceForAnyTime
                 : start_ + std::max(last, last_done_) + kPatienceForPacket + Tolerance(last);
    std::optional<Arrived> seen = Next(flow, deadline);
    const auto* tcp = std::get_if<TcpPart>(&packet.what);
    std::string expected = WhenExpected(event);
    if (!seen) {
      Fail(event, expected, "no packet came", ThatExplainsAbsence(kPatienceForPacket));
    }
    Learn(flow, packet, seen->packet);
    if (tcp != nullptr && !set_.rules.strict_segments) Join(*seen, flow, tcp->length, deadline);
    const std::string different =
        Judge(packet, event.where, seen->packet, flow, set_.rules, ToleranceOfTimestamp());
    const Duration at = Since(seen->time);
    // What a timer of the kernel sends tells where its next one begins.
    const bool at_once =
        event.when.kind == When::Kind::kRelative && event.when.from == Duration(0);
    Done(seen->time, at_once);
    if (any_time) from_ = at;
    if (!different.empty()) {
      const std::string observed = fmt::format("{}: {:.6f} > {}", different, ToSeconds(at),
                                               Written(seen->packet, &flow, true));
      if (!set_.packets_not_fatal) Fail(event, "as it is written", observed);
      Say(event, "as it is written", observed);
    }
    if (any_time) return;
    const Duration tolerance = Tolerance(from_);
    const Duration early = from_ - tolerance - at;
    const Duration late = at - (event.when.is_range() ? to_ : from_) - tolerance - ticks_;
    const Duration off = std::max(early, late);
    if (off <= Duration(0)) return;
    const std::string observed = fmt::format("at {:.6f}", ToSeconds(at));
    if (!set_.packets_not_fatal) Fail(event, expected, observed, off);
    Say(event, expected, observed);
  }

  Duration ToleranceOfTimestamp() const {
    const Duration part(static_cast<std::int64_t>(static_cast<double>(from_.count()) *
                                                  set_.tolerance_percent / 100));
    return std::max(set_.tolerance, part);
  }

  // What the script takes for one segment may come as several of the same size.
  void Join(Arrived& seen, Flow& flow, std::uint32_t length, Time deadline) {
    auto* tcp = seen.packet.Find<packet::Tcp>();
    if (tcp == nullptr) return;
    const std::size_t size = seen.packet.payload.size();
    bool joined = false;
    while (tcp->flags != 0 && seen.packet.payload.size() < length && size != 0) {
      loop_.RunUntil([&] { return !arrived_.empty(); }, deadline);
      if (arrived_.empty() || !IsOf(flow, arrived_.front().packet)) break;
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
    around_.drift = std::max(from_ - nominal_, Duration(0));
    SystemCall made = MakeSystemCall(call, event.where, around_);
    Before(call);
    const Agent::CallId id = stack_.agent().Start("system_call", made.parameters, made.text);
    if (call.returns) {
      blocked_ = Blocked{event, call, std::move(made), id, from_, ends_};
      Done(Clock::now());
      return;
    }
    constexpr Duration kPatience = 5s;
    if (!stack_.agent().Wait(id, Clock::now() + kPatience)) {
      Fail(event, "it returns", fmt::format("it has not returned within {}", FormatDuration(kPatience)));
    }
    const AgentReply reply = stack_.agent().Take(id);
    NoteBegun(reply.begin);
    Done(reply.end);
    Finish(event, call, made, reply);
  }

  // Waits for the call that blocks, and judges it.
  void FinishBlocked() {
    if (!blocked_) return;
    Blocked blocked = std::move(*blocked_);
    blocked_.reset();
    const Time deadline = std::max(Clock::now(), start_ + blocked.ends) + kPatienceForPacket;
    const std::string expected = fmt::format("it returns at {:.6f}", ToSeconds(blocked.ends));
    if (!stack_.agent().Wait(blocked.id, deadline)) {
      Fail(blocked.event, expected, "it has not returned", ThatExplainsAbsence(kPatienceForPacket));
    }
    const AgentReply reply = stack_.agent().Take(blocked.id);
    const Duration at = Since(reply.end);
    const Duration part(static_cast<std::int64_t>(
        static_cast<double>((blocked.ends - blocked.from).count()) * set_.tolerance_percent / 100));
    const Duration late = at - blocked.ends;
    const Duration off = (late > Duration(0) ? late - ticks_ : -late) - std::max(set_.tolerance, part);
    Finish(blocked.event, blocked.call, blocked.made, reply);
    really_done_ = last_done_ = std::max(last_done_, at);
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
    const auto found = std::find_if(flows_.begin(), flows_.end(), [&](const auto& flow) {
      return flow->live_descriptor == live->second;
    });
    return found == flows_.end() ? nullptr : found->get();
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
    flow->state = Flow::State::kConnecting;
    flow->remote = around_.connect;
    if (flow->local.port == 0) flow->local.address = set_.tunnel.local;
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
        wanted = ErrnoFromName(call.error);
        if (wanted == 0) {
          throw Skip(fmt::format("line {}: the error {} is not supported", event.where.line,
                                 CleanLine(call.error)));
        }
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
    if (call.name == "accept" || call.name == "accept4") return Accepted(result, pieces);
    Flow* const flow = FlowOfDescriptor(call);
    if (flow == nullptr) return;
    if (call.name == "listen") flow->state = Flow::State::kListening;
    if (call.name == "bind") flow->local = around_.bind;
    if (Disconnects(call)) flow->state = Flow::State::kNew;
  }

  void Opened(const CallEvent& call, std::int64_t live) {
    Flow& flow = NewFlow();
    flow.live_descriptor = live;
    const std::int64_t protocol = NumberOf(call.arguments.at(2));
    const std::int64_t type = NumberOf(call.arguments.at(1));
    constexpr std::int64_t kTypes = 15;  // without SOCK_NONBLOCK and the like
    const std::int64_t usual = (type & kTypes) == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
    flow.protocol = static_cast<int>(protocol != 0 ? protocol : usual);
    if (flow.protocol != IPPROTO_TCP) return;
    if (!congestion_control_.empty()) {
      Expression name;
      name.kind = Expression::Kind::kString;
      name.text = congestion_control_;
      SetOnSocket(live, IPPROTO_TCP, TCP_CONGESTION, name,
                  static_cast<std::int64_t>(congestion_control_.size()));
    }
    if (paces_itself_) {
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

  // The connection that was accepted, by the port of its other end.
  void Accepted(std::int64_t live, const SystemCall::Pieces& pieces) {
    Flow* found = nullptr;
    const std::uint16_t port = pieces.empty() || pieces[0].size() < 4
                                   ? std::uint16_t{0}
                                   : packet::Read16(pieces[0], 2);
    for (const auto& flow : flows_) {
      const bool answered = flow->state == Flow::State::kSynAckSent ||
                            flow->state == Flow::State::kSynAckAnswered;
      if (answered && (port == 0 || flow->remote.port == port)) found = flow.get();
    }
    if (found != nullptr) found->live_descriptor = live;
  }

  // --- Commands and code ---------------------------------------------------------------------

  void RunCommand(const Event& event, const CommandEvent& command) {
    WaitForDueTime(event);
    const Time began = Clock::now();
    const Shell::Result result = shell_.Run(command.text);
    const Time ended = Clock::now();
    Done(ended);
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

  void PrepareCode() {
    for (const Event& event : script_.events) {
      const auto* code = std::get_if<CodeEvent>(&event.what);
      if (code == nullptr) continue;
      try {
        code_.emplace(&event, Python(code->text));
      } catch (const Python::NotKnown&) {
        needs_python_ = true;
      }
    }
    for (const auto& [name, value] : NamesInCode()) names_[name] = value;
  }

  void ReadValues() {
    if (current_ == nullptr || current_->live_descriptor < 0) return;
    const bool memory = set_.code_option == "SO_MEMINFO";
    const int level = memory ? SOL_SOCKET : IPPROTO_TCP;
    const int name = memory ? SO_MEMINFO : TCP_INFO;
    const AgentReply reply = stack_.agent().Call(
        "system_call", ReadOption(current_->live_descriptor, level, name, kRoomForTcpInfo), "");
    if (reply.error != 0) return;
    const SystemCall::Pieces pieces = PiecesOf(reply.value);
    Bytes octets = pieces.at(0);
    std::uint32_t length = 0;
    for (std::size_t octet = 4; octet-- > 0;) length = length << 8 | pieces.at(1).at(octet);
    octets.resize(std::min<std::size_t>(length, octets.size()));
    for (const auto& [member, value] : memory ? MemoryInfoNames(octets) : TcpInfoNames(octets)) {
      names_[member] = value;
    }
  }

  void RunCode(const Event& event, const CodeEvent& code) {
    WaitForDueTime(event);
    if (blocked_ && !stack_.agent().StillBlocks(blocked_->id)) FinishBlocked();
    ReadValues();
    Done(Clock::now());
    if (needs_python_) return Collect(event, code);
    try {
      const std::string printed = RunAllowingTicks(code_.at(&event), code.text);
      if (!printed.empty()) stack_.log().Now(NoteEvent{CleanLog(printed)});
    } catch (const Python::Raised& raised) {
      Say(event, "no exception", raised.what());
    }
  }

  // An interval that is no whole number of ticks may be told as one more or less.
  std::string RunAllowingTicks(const Python& code, const std::string& text) {
    Python::Names names = names_;
    try {
      const std::string printed = code.Run(names);
      names_ = std::move(names);
      return printed;
    } catch (const Python::Raised&) {
      if (const auto printed = RunWithOtherTicks(code, text)) return *printed;
      throw;
    }
  }

  // As it goes with one of the values that may be meant; none: with none of them.
  std::optional<std::string> RunWithOtherTicks(const Python& code, const std::string& text) {
    std::vector<Python::Names> meant = {names_};
    for (const auto& [name, unit] : kCountedInTicks) {
      if (LongerTick() == Duration(0) || text.find(name) == std::string::npos) continue;
      const std::vector<Python::Names> as_told = meant;
      for (const std::int64_t ticks : {-1, 1}) {
        for (Python::Names names : as_told) {
          auto* const value = std::get_if<std::int64_t>(&names[name]);
          if (value == nullptr) continue;
          *value = std::max<std::int64_t>(*value + ticks * (Tick() / unit), 0);
          meant.push_back(std::move(names));
        }
      }
    }
    for (Python::Names& names : meant) {
      try {
        const std::string printed = code.Run(names);
        names_ = std::move(names);
        return printed;
      } catch (const Python::Raised&) {
        // With others, maybe.
      }
    }
    return std::nullopt;
  }

  // For python3, at the end: the values of now, and the code.
  void Collect(const Event& event, const CodeEvent& code) {
    for (const auto& [name, value] : names_) {
      if (const auto* number = std::get_if<std::int64_t>(&value)) {
        collected_ += fmt::format("{} = {}\n", name, *number);
      }
    }
    collected_ += code.text + "\n";
    (void)event;
  }

  void RunPythonAtEnd() {
    if (!needs_python_ || collected_.empty()) return;
    std::string quoted = collected_;
    const Shell::Result result = shell_.Run("python3 - <<'SOCKPROOF-END'\n" + quoted +
                                            "\nSOCKPROOF-END\n");
    NoteOutput(result);
    if (result.status == 0) return;
    if (const std::string lack = LackToldBy(result); !lack.empty()) throw Skip(lack);
    const Event& last = script_.events.back();
    Say(last, "the code of the script raises no exception", OnOneLine(CleanText(result.output)));
  }

  // --- The end -------------------------------------------------------------------------------

  void LookAtTheRest() {
    loop_.RunUntil([] { return false; }, Clock::now());
    for (const Arrived& arrived : arrived_) {
      const bool own = current_ != nullptr && current_->Sends(arrived.packet);
      if (own) {
        trailing_.push_back(fmt::format("{:.6f} > {}", ToSeconds(Since(arrived.time)),
                                        Written(arrived.packet, current_, true)));
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
  std::string congestion_control_;  // for each socket; empty: that of the namespace
  bool paces_itself_ = false;       // each socket, for want of fq
  std::string lack_;                // what the init command could not give; empty: nothing

  const Duration ticks_ = AllowanceForTicks();
  Time start_;
  Duration from_{0}, to_{0}, ends_{0};  // of the event that runs
  Duration nominal_{0};                 // the same if nothing before it had taken time of its own
  Duration last_from_{0};               // when the one before it was to be
  Duration last_done_{0};               // when it was over
  Duration really_done_{0};             // the same, whatever was taken for nothing
  Duration really_done_before_{0};      // that of the line before
  Duration delayed_{0};                 // by how much this machine has delayed all that follows
  bool last_was_injected_ = false;

  std::vector<std::unique_ptr<Flow>> flows_;
  Flow* current_ = nullptr;  // packets of the script are of this one
  std::uint16_t next_port_ = kFirstEphemeralPort;
  std::deque<Arrived> arrived_;
  std::optional<Blocked> blocked_;
  std::map<const Event*, Python> code_;
  Python::Names names_;
  bool needs_python_ = false;
  std::string collected_;
  std::vector<std::string> strangers_, trailing_;
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
