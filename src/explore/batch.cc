#include "src/explore/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "harness/agent_protocol/base64.h"
#include "harness/claims/documented.h"
#include "harness/sut/agent_reply.h"
#include "harness/sut/endpoint_json.h"
#include "harness/test/context.h"
#include "harness/wire/addresses.h"
#include "harness/wire/neighbour.h"
#include "harness/wire/segment.h"

namespace sockproof::explore {
namespace {

using nlohmann::json;

constexpr const char* kQuietSuite = "Explored";
constexpr const char* kLoggedSuite = "Replayed";

constexpr int kSutHost = 1, kPeerHost = 2;
constexpr std::uint16_t kFirstPeerPort = 20000;   // one for each sequence
constexpr std::uint16_t kFirstListenPort = 9000;  // the same
constexpr std::uint16_t kBarrierPort = 19999;
constexpr std::uint16_t kClosedPort = 81;  // where nothing on the system listens
constexpr int kBacklog = 4;
constexpr std::uint32_t kFirstIss = 1'000'000;
constexpr std::uint32_t kFirstTimestamp = 1000, kOldTimestamp = 1;
constexpr std::uint16_t kMss = 1400;
constexpr std::uint8_t kScale = 2;
constexpr Duration kBarrierTime = 2s;
// What is sent late may be a delayed acknowledgment, which comes within 0.5 s (MUST-40), and what
// the oracle takes for overdue (harness/oracle/sends.cc).
constexpr Duration kLast = 650ms;
// Between two steps. Alone a sequence would else be over within a millisecond, by which systems
// count in timestamps, and in company not.
constexpr Duration kPace = 3ms;

// As the oracle sees a segment.
oracle::Segment Seen(const Segment& segment) {
  oracle::Segment seen;
  seen.flags = static_cast<std::uint16_t>(segment.flags | segment.reserved << 8);
  seen.seq = segment.seq;
  seen.ack = segment.ack;
  seen.text = static_cast<std::uint32_t>(segment.payload.size());
  seen.window = segment.window;
  seen.is_ipv6 = segment.source.address.version() == IpVersion::kIpv6;
  if (!segment.checksum_valid) seen.defect = "bad checksum";
  if (const TcpOption* mss = segment.FindOption(tcp_option::kMss)) {
    seen.mss = tcp_option::MssOf(*mss);
  }
  if (const TcpOption* scale = segment.FindOption(tcp_option::kWindowScale)) {
    if (scale->data.size() == 1) seen.scale = scale->data[0];
  }
  if (const auto timestamps = segment.timestamps()) {
    seen.timestamps = {timestamps->first, timestamps->second};
  }
  return seen;
}

// The world in which all sequences run: the system, and the wire to it.
struct World {
  Stack& sut;
  bool is_logged;

  void Send(const Segment& segment, SeenSegment* seen) {
    Bytes frame = BuildFrame(segment, WireMac(kPeerHost), sut.Mac());
    const Time time = sut.wire().Send(frame);
    if (seen != nullptr) *seen = {true, time, Seen(segment)};
    Log(time, "peer", sut.actor(), Fate::kSent, std::move(frame));
  }
  void Log(Time time, const std::string& from, const std::string& to, Fate fate, Bytes frame) {
    if (is_logged) {
      sut.log().Add({time, FrameEvent{from, to, fate, Duration(0), std::move(frame)}});
    }
  }
};

// One sequence under way: the socket of the application, and the peer.
class Player {
 public:
  Player(World& world, const Sequence& sequence, std::size_t index)
      : world_(world),
        sequence_(sequence),
        local_{WireAddress(sequence.ip, kPeerHost), PortAt(kFirstPeerPort, index)},
        listening_{world.sut.Address(sequence.ip), PortAt(kFirstListenPort, index)},
        remote_{listening_},
        iss_(kFirstIss * static_cast<std::uint32_t>(index + 1)),
        snd_nxt_(iss_) {}

  const Sequence& sequence() const { return sequence_; }
  const Record& record() const { return record_; }

  // Takes the step of this number; none: what comes now, comes late.
  void Begin(std::size_t number) {
    record_.steps.emplace_back();
    StepRecord& now = record_.steps.back();
    now.begin = Clock::now();
    if (number >= sequence_.steps.size()) return;
    const Step& step = sequence_.steps[number];
    if (const auto* call = std::get_if<Call>(&step)) {
      std::string outcome = Make(*call);
      record_.steps.back().outcome = std::move(outcome);
    } else if (const auto* segment = std::get_if<PeerSegment>(&step)) {
      Send(*segment);
    }
  }
  void End(Time now) { record_.steps.back().end = now; }

  // A segment of the system for this peer.
  void Take(const Segment& segment) {
    if (record_.steps.empty()) return;
    record_.steps.back().segments.push_back({false, segment.time, Seen(segment)});
    remote_ = segment.source;
    knows_remote_ = true;
    if (segment.Has(kSyn)) {
      has_timestamps_ = sequence_.options == Options::kAll && segment.timestamps();
      // A connection anew; it may be one that began with a later SYN of this end.
      if (!irs_ || *irs_ != segment.seq) {
        irs_ = segment.seq;
        rcv_nxt_ = segment.seq + 1;
        if (segment.Has(kAck) && !segment.Has(kRst)) {
          snd_nxt_ = segment.ack;
          iss_ = segment.ack - 1;
        }
      }
    } else if (irs_ && !segment.Has(kRst)) {
      const std::uint32_t end = segment.seq + segment.length();
      if (oracle::AtMost(segment.seq, rcv_nxt_)) rcv_nxt_ = oracle::Later(rcv_nxt_, end);
    }
    if (const auto timestamps = segment.timestamps()) ts_recent_ = timestamps->first;
  }

  // For systems that live on.
  void CleanUp() {
    while (!opened_.empty()) Close(opened_.back(), true);
    if (!knows_remote_) return;
    Send(PeerSegment{.flags = kRst});
    Send(PeerSegment{.flags = kRst, .seq_offset = -1});
  }

 private:
  std::uint16_t PortAt(std::uint16_t first, std::size_t index) const {
    return static_cast<std::uint16_t>(first + index + world_.sut.PortShift());
  }

  void Send(const PeerSegment& what) {
    // Before the system has sent anything its port is not known, unless it listens.
    const bool has_target = knows_remote_ || listener_ >= 0 || is_closed_;
    if (!has_target) {
      record_.steps.back().outcome = "absent";
      return;
    }
    Segment segment;
    segment.source = local_;
    segment.destination = remote_;
    segment.flags = what.flags;
    segment.seq =
        (what.is_seq_of_syn ? iss_ : snd_nxt_) + static_cast<std::uint32_t>(what.seq_offset);
    if (segment.Has(kAck)) {
      segment.ack = (what.is_ack_of_syn ? irs_.value_or(0) : rcv_nxt_) +
                    static_cast<std::uint32_t>(what.ack_offset);
    }
    segment.window = what.window.value_or(UINT16_MAX);
    segment.payload.assign(what.text, 'a');
    segment.checksum_valid = !what.is_damaged;
    if (segment.Has(kUrg)) segment.urgent_pointer = what.text;
    AddOptions(what, segment);
    if (!what.is_lost) {
      SeenSegment seen;
      world_.Send(segment, &seen);
      record_.steps.back().segments.push_back(seen);
    }
    const bool is_next = segment.seq == snd_nxt_;
    if (is_next && !what.is_damaged && !segment.Has(kRst)) snd_nxt_ += segment.length();
  }

  void AddOptions(const PeerSegment& what, Segment& segment) {
    const bool offers = sequence_.options == Options::kAll;
    if (segment.Has(kSyn)) {
      segment.options.push_back(tcp_option::Mss(kMss));
      if (offers) {
        segment.options.push_back(tcp_option::SackPermitted());
        segment.options.push_back(tcp_option::WindowScale(kScale));
      }
    }
    if (!offers || (!has_timestamps_ && !segment.Has(kSyn))) return;
    const std::uint32_t value = what.is_old ? kOldTimestamp : ++timestamp_;
    segment.options.push_back(tcp_option::Timestamps(value, segment.Has(kAck) ? ts_recent_ : 0));
  }

  // --- calls ---

  // Empty when it succeeded, with the value in `value_`; else the name of the errno.
  std::string Try(const std::string& method, json parameters, const std::string& text) {
    const AgentReply reply = world_.sut.agent().Call(method, std::move(parameters),
                                                     world_.is_logged ? text : std::string());
    value_ = reply.value;
    return reply.error == 0 ? "" : ErrnoName(reply.error);
  }

  int NewSocket() {
    const char* domain = sequence_.ip == IpVersion::kIpv4 ? "AF_INET" : "AF_INET6";
    const std::string error = Try("socket", {{"domain", domain}, {"type", "SOCK_STREAM"}},
                                  fmt::format("socket({}, SOCK_STREAM)", domain));
    if (!error.empty()) throw HarnessError("socket(): " + error);
    const int fd = value_.get<int>();
    opened_.push_back(fd);
    return fd;
  }

  void DoNotBlock(int fd) {
    const std::string error =
        Try("fcntl", {{"fd", fd}, {"command", "F_SETFL"}, {"flags", {"O_NONBLOCK"}}},
            fmt::format("fcntl({}, F_SETFL, O_NONBLOCK)", fd));
    if (!error.empty()) throw HarnessError("fcntl(): " + error);
  }

  std::string Close(int fd, bool abort) {
    if (abort) {
      const std::string error = Try("setsockopt",
                                    {{"fd", fd},
                                     {"level", "SOL_SOCKET"},
                                     {"name", "SO_LINGER"},
                                     {"value", {{"onoff", 1}, {"linger", 0}}}},
                                    fmt::format("setsockopt({}, SO_LINGER, {{1, 0}})", fd));
      // What has no connection any more may refuse it.
      if (!error.empty() && error != "EINVAL") return error;
    }
    const std::string error = Try("close", {{"fd", fd}}, fmt::format("close({})", fd));
    std::erase(opened_, fd);
    if (fd == fd_) {
      fd_ = -1;
    } else if (fd == listener_) {
      listener_ = -1;
    }
    return error;
  }

  std::string Make(const Call& call) {
    switch (call.name) {
      case CallName::kSocket:
        fd_ = NewSocket();
        is_closed_ = true;
        return "0";
      case CallName::kConnect:
        return Connect();
      case CallName::kListen:
        return Listen();
      case CallName::kAccept:
        return Accept();
      default:
        break;
    }
    const int fd = fd_ >= 0 ? fd_ : listener_;
    if (fd < 0) return "absent";
    std::string error;
    switch (call.name) {
      case CallName::kSend:
        error = Try("send",
                    {{"fd", fd},
                     {"data", agent_protocol::Base64Encode(
                                  std::string(static_cast<std::size_t>(call.octets), 'b'))},
                     {"flags", {"MSG_DONTWAIT", "MSG_NOSIGNAL"}}},
                    fmt::format("send({}, data, {}, MSG_DONTWAIT|MSG_NOSIGNAL)", fd, call.octets));
        return error.empty() ? std::to_string(value_.get<int>()) : error;
      case CallName::kRecv:
        error = Try("recv", {{"fd", fd}, {"length", call.octets}, {"flags", {"MSG_DONTWAIT"}}},
                    fmt::format("recv({}, {}, MSG_DONTWAIT)", fd, call.octets));
        return error.empty() ? std::to_string(value_.at("length").get<int>()) : error;
      case CallName::kShutdownWr:
      case CallName::kShutdownRd: {
        const char* how = call.name == CallName::kShutdownWr ? "SHUT_WR" : "SHUT_RD";
        error =
            Try("shutdown", {{"fd", fd}, {"how", how}}, fmt::format("shutdown({}, {})", fd, how));
        break;
      }
      case CallName::kClose:
      case CallName::kAbort:
        error = Close(fd, call.name == CallName::kAbort);
        break;
      case CallName::kPoll: {
        const json set = json::array({{{"fd", fd}, {"events", {"POLLIN", "POLLOUT"}}}});
        error = Try("poll", {{"fds", set}, {"timeout_ms", 0}},
                    fmt::format("poll({}: POLLIN|POLLOUT, 0 ms)", fd));
        if (!error.empty()) return error;
        auto ready = value_.at(0).get<std::vector<std::string>>();
        std::sort(ready.begin(), ready.end());
        return ready.empty() ? "0" : fmt::format("{}", fmt::join(ready, "|"));
      }
      default:
        error = Try("getsockopt", {{"fd", fd}, {"level", "SOL_SOCKET"}, {"name", "SO_ERROR"}},
                    fmt::format("getsockopt({}, SO_ERROR)", fd));
        if (!error.empty()) return error;
        return value_.is_string() ? value_.get<std::string>() : value_.dump();
    }
    return error.empty() ? "0" : error;
  }

  std::string Connect() {
    fd_ = NewSocket();
    DoNotBlock(fd_);
    const std::string error = Try("connect", {{"fd", fd_}, {"address", EndpointToJson(local_)}},
                                  fmt::format("connect({}, {})", fd_, local_.ToString()));
    return error.empty() ? "0" : error;
  }

  std::string Listen() {
    listener_ = NewSocket();
    DoNotBlock(listener_);
    std::string error = Try("bind", {{"fd", listener_}, {"address", EndpointToJson(listening_)}},
                            fmt::format("bind({}, {})", listener_, listening_.ToString()));
    if (error.empty()) {
      error = Try("listen", {{"fd", listener_}, {"backlog", kBacklog}},
                  fmt::format("listen({}, {})", listener_, kBacklog));
    }
    return error.empty() ? "0" : error;
  }

  std::string Accept() {
    const int on = listener_ >= 0 ? listener_ : fd_;
    if (on < 0) return "absent";
    const std::string error = Try("accept", {{"fd", on}}, fmt::format("accept({})", on));
    if (!error.empty()) return error;
    fd_ = value_.at("fd").get<int>();
    opened_.push_back(fd_);
    return "accepted";
  }

  World& world_;
  const Sequence& sequence_;
  Endpoint local_, listening_;
  Endpoint remote_;
  bool knows_remote_ = false;
  bool is_closed_ = false;
  std::uint32_t iss_, snd_nxt_, rcv_nxt_ = 0;
  std::optional<std::uint32_t> irs_;
  bool has_timestamps_ = false;
  std::uint32_t timestamp_ = kFirstTimestamp, ts_recent_ = 0;
  int fd_ = -1, listener_ = -1;
  std::vector<int> opened_;
  json value_;
  Record record_;
};

class Batch : public TestBody {
 public:
  Batch(std::vector<Sequence> sequences, Logged logged)
      : sequences_(std::move(sequences)),
        world_{TestContext::Current().StartStack({"sut", kSutHost, kPeerHost}),
               logged == Logged::kAll} {
    MeetPeer();
    // How many challenge ACKs there may be is the system's choice (RFC 5961 section 7).
    for (const auto& [sysctl, value] : {std::pair{"net.ipv4.tcp_invalid_ratelimit", "0"},
                                        {"net.ipv4.tcp_challenge_ack_limit", "2147483647"}}) {
      try {
        world_.sut.SetSysctl(sysctl, value);
      } catch (const Skip&) {
      }
    }
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
      players_.push_back(std::make_unique<Player>(world_, sequences_[i], i));
    }
    more_ = OwnSettlingTime(world_.sut.facts());
  }
  ~Batch() override { world_.sut.wire().OnFrame(nullptr); }

  void Run() override {
    std::size_t longest = 0;
    for (const Sequence& sequence : sequences_) longest = std::max(longest, sequence.steps.size());
    for (std::size_t number = 0; number < longest; ++number) Take(number);
    for (const auto& player : players_) player->Begin(kMostSteps);
    LetPass(kLast);
    Barrier();
    for (const auto& player : players_) player->End(Clock::now());
    for (std::size_t i = 0; i < players_.size(); ++i) {
      world_.sut.log().Now(ObservationEvent{std::to_string(i), RecordText(players_[i]->record())});
    }
    if (world_.sut.Can("fresh")) return;
    for (const auto& player : players_) player->CleanUp();
    Barrier();
  }

 private:
  // Who has which address is known before the first segment.
  void MeetPeer() {
    Stack& sut = world_.sut;
    for (const IpVersion ip : {IpVersion::kIpv4, IpVersion::kIpv6}) {
      if (std::none_of(sequences_.begin(), sequences_.end(),
                       [&](const Sequence& one) { return one.ip == ip; })) {
        continue;
      }
      Introduce(sut.loop(), sut.wire(), ip, kSutHost, sut.Mac(), kPeerHost,
                [](Time, const Bytes&, bool) {});
    }
    sut.wire().OnFrame([this](Time time, Bytes frame) { Take(time, std::move(frame)); });
  }

  void Take(Time time, Bytes frame) {
    if (const std::optional<Segment> segment = ParseSegment(frame, time)) {
      const std::size_t port = segment->destination.port - world_.sut.PortShift();
      if (port == kBarrierPort) ++answered_;
      if (port >= kFirstPeerPort && port - kFirstPeerPort < players_.size()) {
        players_[port - kFirstPeerPort]->Take(*segment);
      }
      if (port != kBarrierPort) {
        world_.Log(time, world_.sut.actor(), "peer", Fate::kReceived, std::move(frame));
      }
    } else if (const std::optional<Bytes> answer = NeighbourAnswer(frame, kPeerHost)) {
      world_.sut.wire().Send(*answer);
    }
  }

  void Take(std::size_t number) {
    int wait = 0;
    for (const auto& player : players_) {
      const std::vector<Step>& steps = player->sequence().steps;
      if (number >= steps.size()) continue;
      player->Begin(number);
      if (const auto* step = std::get_if<Wait>(&steps[number])) {
        wait = std::max(wait, step->milliseconds);
      }
    }
    LetPass(std::max<Duration>(std::chrono::milliseconds(wait), kPace));
    Barrier();
    const Time now = Clock::now();
    for (const auto& player : players_) {
      if (number < player->sequence().steps.size()) player->End(now);
    }
  }

  void LetPass(Duration duration) {
    if (duration == Duration(0)) return;
    world_.sut.loop().RunUntil([] { return false; }, Clock::now() + duration);
  }

  // Whatever comes at once has come: the system has answered what was sent last.
  void Barrier() {
    Segment segment;
    const IpVersion ip = sequences_.front().ip;
    segment.source = {WireAddress(ip, kPeerHost),
                      static_cast<std::uint16_t>(kBarrierPort + world_.sut.PortShift())};
    segment.destination = world_.sut.At(ip, kClosedPort);
    segment.flags = kSyn;
    segment.seq = ++barriers_;
    const bool is_logged = std::exchange(world_.is_logged, false);
    world_.Send(segment, nullptr);
    world_.is_logged = is_logged;
    const int before = answered_;
    const bool is_answered =
        world_.sut.loop().RunUntil([&] { return answered_ > before; }, Clock::now() + kBarrierTime);
    if (!is_answered) {
      TestContext::Current().CheckAgentsAnswer();
      throw Departure(
          "  Expected: a SYN to a port where nobody listens is answered with RST\n"
          "  Observed: nothing, after the steps of this sequence",
          SourceLocation::Current(), Duration(0));
    }
    LetPass(more_);
  }

  const std::vector<Sequence> sequences_;
  World world_;
  std::vector<std::unique_ptr<Player>> players_;
  Duration more_{0};
  std::uint32_t barriers_ = 0;
  int answered_ = 0;
};

TestCase CaseOf(const char* suite, std::string name, Logged logged) {
  TestCase test;
  test.suite = suite;
  test.name = std::move(name);
  test.file = "explore";
  test.of_user = true;  // the oracle cites, not the test
  test.traits.lasts = std::chrono::nanoseconds(24h);
  test.make = [name = test.name, logged] {
    return std::make_unique<Batch>(ParseOneLine(name), logged);
  };
  return test;
}

}  // namespace

TestCase BatchOf(const std::vector<Sequence>& sequences, Logged logged) {
  return CaseOf(logged == Logged::kAll ? kLoggedSuite : kQuietSuite, OneLine(sequences), logged);
}

std::optional<TestCase> BatchFromId(const std::string& id) {
  for (const auto& [suite, logged] :
       {std::pair{kQuietSuite, Logged::kNothing}, {kLoggedSuite, Logged::kAll}}) {
    const std::string prefix = std::string(suite) + ".";
    if (id.starts_with(prefix)) return CaseOf(suite, id.substr(prefix.size()), logged);
  }
  return std::nullopt;
}

std::vector<Record> RecordsIn(const std::vector<Event>& events, std::size_t sequences) {
  std::vector<Record> records;
  for (const Event& event : events) {
    const auto* observed = std::get_if<ObservationEvent>(&event.what);
    if (observed == nullptr) continue;
    if (observed->name != std::to_string(records.size()) || records.size() == sequences) {
      throw std::invalid_argument("records in another order than sequences");
    }
    records.push_back(ParseRecord(observed->value));
  }
  return records;
}

}  // namespace sockproof::explore
