#include "harness/wire/scripted_peer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/errors.h"
#include "harness/trace/frame_view.h"
#include "harness/wire/addresses.h"
#include "harness/wire/neighbour.h"

namespace sockproof {
namespace {

constexpr std::uint16_t kEthernetMtu = 1500;

// No end sends by a timer what nobody asked for sooner: the shortest delay of an acknowledgment
// that is documented of a system tested (Linux, TCP_DELACK_MIN of include/net/tcp.h: HZ/25).
constexpr Duration kShortestTimer = 40ms;

std::uint16_t NaturalMss(IpVersion version) {
  return static_cast<std::uint16_t>(kEthernetMtu - (version == IpVersion::kIpv4 ? 40 : 60));
}

std::uint16_t DefaultMss(IpVersion version) { return version == IpVersion::kIpv4 ? 536 : 1220; }

// The value of an MSS option; none where there is no such option of four octets.
std::optional<std::uint16_t> MssOf(const Segment& segment) {
  const TcpOption* option = segment.FindOption(tcp_option::kMss);
  if (option == nullptr || option->data.size() != 2) return std::nullopt;
  return static_cast<std::uint16_t>(option->data[0] << 8 | option->data[1]);
}

// The shift that a Window Scale option asks for, at most 14 (RFC 7323 section 2.3); 0 of a
// malformed one.
std::uint8_t WindowShiftOf(const Segment& syn) {
  const TcpOption* option = syn.FindOption(tcp_option::kWindowScale);
  if (option == nullptr || option->data.size() != 1) return 0;
  return std::min<std::uint8_t>(option->data[0], 14);
}

// Whether this can be a part of some data, and not the last one.
bool IsPart(const Segment& segment) {
  return !segment.payload.empty() && (segment.flags & (kSyn | kFin | kRst | kUrg)) == 0;
}

// Two segments that follow each other, as the one that could have been sent in their place.
Segment Joined(const Segment& first, Segment second) {
  second.time = first.time;
  second.seq = first.seq;
  second.payload.insert(second.payload.begin(), first.payload.begin(), first.payload.end());
  return second;
}

// Flags that may come, or not, when the same octets are sent again: RFC 9293 section 3.9.1.2 leaves
// PSH to the sender, and RFC 3168 section 6.1.1.1 lets a SYN no longer ask for ECN.
constexpr TcpFlags kMayChange = kPsh | kEce | kCwr;

// What a failure says of segments that were skipped.
std::string Again(const std::string& retransmissions) {
  return retransmissions.empty() ? "" : " but what was seen before:" + retransmissions;
}

}  // namespace

// --- ScriptedTcp ---------------------------------------------------------------------------------

ScriptedTcp::ScriptedTcp(ScriptedPeer& peer, Endpoint local, std::optional<Endpoint> remote,
                         std::uint32_t initial)
    : iss(initial),
      snd_una(initial),
      snd_nxt(initial),
      snd_mss(DefaultMss(local.address.version())),
      syn_options{tcp_option::Mss(NaturalMss(local.address.version()))},
      peer_(peer),
      local_(local),
      remote_(remote) {}

// RFC 7323 section 5.4 wants a tick of 1 ms to 1 s.
std::uint32_t ScriptedTcp::TimestampNow() {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
          .count());
}

Segment ScriptedTcp::Send(const PartialSegment& partial) {
  if (!remote_) throw HarnessError("the scripted endpoint has no remote endpoint to send to yet");
  Segment natural;
  natural.source = local_;
  natural.destination = *remote_;
  natural.seq = snd_nxt;
  natural.ack = rcv_nxt;
  natural.window = rcv_wnd;
  Segment segment = partial.Over(natural);
  if (!partial.only_options()) {
    const bool is_natural = segment.Has(kSyn) ? syn_timestamps : snd_ts_ok() && !segment.Has(kRst);
    std::optional<TcpOption> timestamps;
    if (is_natural) timestamps = tcp_option::Timestamps(TimestampNow(), ts_recent_.value_or(0));
    timestamps = partial.TimestampsOver(timestamps);
    std::vector<TcpOption> options;
    if (segment.Has(kSyn)) options = syn_options;
    if (timestamps) {
      options.insert(options.end(), {tcp_option::Nop(), tcp_option::Nop(), *timestamps});
    }
    segment.options.insert(segment.options.begin(), options.begin(), options.end());
  }
  if (segment.Has(kSyn)) sent_syn_ = segment;
  segment.time = last_sent_ = peer_.SendSegment(segment);
  if (segment.seq == snd_nxt && !segment.Has(kRst)) snd_nxt += segment.length();
  return segment;
}

bool ScriptedTcp::Agreed(std::uint8_t option) const {
  return sent_syn_ && got_syn_ && sent_syn_->FindOption(option) != nullptr &&
         got_syn_->FindOption(option) != nullptr;
}

std::uint8_t ScriptedTcp::snd_wind_shift() const {
  return Agreed(tcp_option::kWindowScale) ? WindowShiftOf(*got_syn_) : 0;
}

std::uint8_t ScriptedTcp::rcv_wind_shift() const {
  return Agreed(tcp_option::kWindowScale) ? WindowShiftOf(*sent_syn_) : 0;
}

std::uint32_t ScriptedTcp::WindowOf(const Segment& segment) const {
  return std::uint32_t{segment.window} << (segment.Has(kSyn) ? 0 : snd_wind_shift());
}

Segment ScriptedTcp::Expect(const PartialSegment& partial, Within within, SourceLocation where) {
  return ExpectNext(partial, within.value, false, where);
}

Segment ScriptedTcp::ExpectEventually(const PartialSegment& partial, Within within,
                                      SourceLocation where) {
  return ExpectNext(partial, within.value, true, where);
}

Segment ScriptedTcp::ExpectNext(const PartialSegment& partial, Duration within,
                                bool pass_over_others, SourceLocation where) {
  const std::string wanted = partial.Describe(irs, iss);
  const auto report = [&](bool met) {
    peer_.log().Now(ExpectationEvent{peer_.sut(), wanted, met});
  };
  std::string passed_over;
  std::string retransmissions;
  std::optional<Segment> begun;  // the first part of the payload that is expected
  const Time start = Clock::now();
  while (peer_.loop().RunUntil([&] { return !arrived_.empty(); }, start + within)) {
    Segment segment = arrived_.front();
    arrived_.pop_front();
    if (IsEarlierWindowUpdate(segment)) {
      Consume(segment);
      continue;
    }
    const bool continues = begun && segment.seq == begun->seq + begun->length();
    const Segment joined = continues ? Joined(*begun, segment) : segment;
    if (IsAcceptable(partial, joined)) {
      Consume(segment);
      report(true);
      return joined;
    }
    if (IsPart(segment) && partial.PayloadBeginsWith(joined.payload) &&
        (continues || (!begun && (segment.seq == rcv_nxt || partial.BeginsAt(segment.seq))))) {
      Consume(segment);
      begun = joined;
      continue;
    }
    const std::string line = "\n            " + DescribeArrived(segment);
    if (IsRetransmission(segment)) {
      TakeAcknowledgment(segment);
      retransmissions += line;
      continue;
    }
    passed_over += line;
    if (pass_over_others) continue;
    report(false);
    // In the place of an acknowledgment another one is a wrong one.
    const bool is_too_many = BringsNothingNew(segment) && !wanted.starts_with("ACK");
    throw Departure(fmt::format("  Expected: {} as the next segment from {}\n  Observed:{}{}",
                                wanted, peer_.sut(), passed_over, Again(retransmissions)),
                    where, is_too_many ? kShortestTimer : Duration(0));
  }
  report(false);
  throw Departure(
      fmt::format("  Expected: {} from {} within {}\n  Observed: {}{}", wanted, peer_.sut(),
                  FormatDuration(within), passed_over.empty() ? "nothing" : "only" + passed_over,
                  Again(retransmissions)),
      where, ThatExplainsAbsence(within));
}

std::vector<Segment> ScriptedTcp::TakeArrived() {
  std::vector<Segment> taken;
  for (; !arrived_.empty(); arrived_.pop_front()) {
    if (IsRetransmission(arrived_.front())) {
      TakeAcknowledgment(arrived_.front());
      continue;
    }
    Consume(arrived_.front());
    taken.push_back(arrived_.front());
  }
  return taken;
}

void ScriptedTcp::ExpectSilence(Duration duration, SourceLocation where) {
  const Time end = Clock::now() + duration;
  peer_.loop().RunUntil([&] { return !arrived_.empty(); }, end);
  // However late this process looks: the kernel says when it came.
  if (arrived_.empty() || arrived_.front().time > end) return;
  throw Departure(fmt::format("  Expected: no segment from {} for {}\n  Observed: {}", peer_.sut(),
                              FormatDuration(duration), DescribeArrived(arrived_.front())),
                  where, BringsNothingNew(arrived_.front()) ? kShortestTimer : Duration(0));
}

// A segment too many that the far end's timers send while this end is late to answer: a bare
// acknowledgment, or sequence numbers that were all there before.
bool ScriptedTcp::BringsNothingNew(const Segment& segment) const {
  if (segment.Has(kRst) || segment.Has(kSyn)) return false;
  return segment.length() == 0 ||
         static_cast<std::int32_t>(segment.seq + segment.length() - rcv_nxt) <= 0;
}

bool ScriptedTcp::IsRetransmission(const Segment& segment) const {
  return segment.length() > 0 &&
         std::any_of(consumed_.begin(), consumed_.end(), [&](const Segment& before) {
           const bool the_fin_alone = before.Has(kFin) && segment.Has(kFin) &&
                                      segment.length() == 1 &&
                                      segment.seq + 1 == before.seq + before.length();
           return the_fin_alone ||
                  (before.seq == segment.seq && before.length() == segment.length() &&
                   ((before.flags ^ segment.flags) & ~kMayChange) == 0);
         });
}

bool ScriptedTcp::IsEarlierWindowUpdate(const Segment& segment) const {
  return segment.flags == kAck && segment.payload.empty() && segment.time < last_sent_ &&
         segment.seq == rcv_nxt && segment.ack == snd_una && snd_wnd_ &&
         segment.window != *snd_wnd_;
}

bool ScriptedTcp::AcknowledgesMore(const Segment& segment) const {
  return segment.Has(kAck) && static_cast<std::int32_t>(segment.ack - snd_una) > 0;
}

bool ScriptedTcp::IsAcceptable(const PartialSegment& partial, const Segment& segment) const {
  if (partial.Matches(segment)) return true;
  const bool opens_or_resets = segment.Has(kSyn) || segment.Has(kRst);
  if (opens_or_resets || !AcknowledgesMore(segment) || !IsRetransmission(segment)) return false;
  Segment bare_ack = segment;
  bare_ack.seq += segment.length();
  bare_ack.flags = static_cast<TcpFlags>(segment.flags & ~(kFin | kPsh));
  bare_ack.payload.clear();
  return partial.Matches(bare_ack);
}

void ScriptedTcp::TakeAcknowledgment(const Segment& segment) {
  if (AcknowledgesMore(segment)) snd_una = segment.ack;
}

void ScriptedTcp::Consume(const Segment& segment) {
  if (segment.Has(kSyn)) {
    got_syn_ = segment;
    irs = segment.seq;
    rcv_nxt = segment.seq;
    const IpVersion version = local_.address.version();
    snd_mss = std::min(MssOf(segment).value_or(DefaultMss(version)), NaturalMss(version));
  }
  if (const auto timestamps = segment.timestamps()) ts_recent_ = timestamps->first;
  if (segment.seq == rcv_nxt && !segment.Has(kRst)) rcv_nxt += segment.length();
  TakeAcknowledgment(segment);
  snd_wnd_ = segment.window;
  if (segment.length() > 0) consumed_.push_back(segment);
}

std::string ScriptedTcp::DescribeArrived(const Segment& segment) const {
  return Describe(segment, irs != 0 ? irs : segment.seq, iss);
}

// --- ScriptedPeer --------------------------------------------------------------------------------

ScriptedPeer::ScriptedPeer(EventLoop& loop, EventLog& log, WirePort& port, std::string actor,
                           int host, std::string sut, const Site& site)
    : loop_(loop),
      log_(log),
      port_(port),
      actor_(std::move(actor)),
      host_(host),
      sut_(std::move(sut)),
      site_(site),
      queues_(static_cast<std::size_t>(PacketKind::kOther) + 1, PacketQueue(loop, log, sut_)) {
  port_.OnFrame([this](Time time, const Bytes& frame) { TakeFrame(time, frame); });
}

ScriptedPeer::~ScriptedPeer() { port_.OnFrame(nullptr); }

IpAddress ScriptedPeer::Address(IpVersion version) const { return WireAddress(version, host_); }

ScriptedTcp& ScriptedPeer::Listen(IpVersion version, std::uint16_t port) {
  const auto initial = static_cast<std::uint32_t>(1'000'000 * (endpoints_.size() + 1));
  const auto shifted = static_cast<std::uint16_t>(port + site_.port_shift);
  endpoints_.emplace_back(new ScriptedTcp(*this, {Address(version), shifted}, std::nullopt,
                                          initial));  // private constructor
  return *endpoints_.back();
}

ScriptedTcp& ScriptedPeer::Towards(const Endpoint& remote, std::uint16_t local_port) {
  ScriptedTcp& endpoint = Listen(remote.address.version(), local_port);
  endpoint.remote_ = remote;
  return endpoint;
}

ScriptedTcp& ScriptedPeer::Towards(const Endpoint& remote, const Endpoint& forged_local) {
  ScriptedTcp& endpoint = Listen(remote.address.version(), forged_local.port);
  endpoint.local_ = forged_local;
  endpoint.remote_ = remote;
  return endpoint;
}

Time ScriptedPeer::SendFrame(Bytes frame) {
  const Time time = port_.Send(frame);
  log_.Add({time, FrameEvent{actor_, sut_, Fate::kSent, Duration(0), std::move(frame)}});
  return time;
}

Time ScriptedPeer::SendSegment(const Segment& segment) {
  return SendFrame(BuildFrame(segment, WireMac(host_), site_.sut_mac));
}

ScriptedUdp& ScriptedPeer::Udp(IpVersion version, std::uint16_t port) {
  const auto shifted = static_cast<std::uint16_t>(port + site_.port_shift);
  udp_endpoints_.emplace_back(
      new ScriptedUdp(*this, {Address(version), shifted}, std::nullopt));  // private constructor
  return *udp_endpoints_.back();
}

ScriptedUdp& ScriptedPeer::UdpTowards(const Endpoint& remote, std::uint16_t local_port) {
  const auto shifted = static_cast<std::uint16_t>(local_port + site_.port_shift);
  udp_endpoints_.emplace_back(
      new ScriptedUdp(*this, {Address(remote.address.version()), shifted}, remote));
  return *udp_endpoints_.back();
}

IpPacket ScriptedPeer::Make(const Endpoint& source, const Endpoint& destination,
                            const PartialPacket& partial) {
  return partial.Made(source, destination, ++identification_);
}

IpPacket ScriptedPeer::SendMade(IpPacket made, const PartialPacket& partial) {
  const MacAddress mac =
      partial.link().value_or(LinkAddressFor(made.destination().address, site_.sut_mac));
  const auto send = [&](packet::Packet one) {
    one.layers.insert(one.layers.begin(), packet::Ethernet{mac, WireMac(host_)});
    one.trailer.reset();
    made.time = SendFrame(packet::Write(one));
  };
  for (const packet::Packet& fragment : made.fragments) send(fragment);
  if (made.fragments.empty()) send(made.packet);
  if (made.packet.Find<packet::Arp>() != nullptr) return made;
  // As it went, with what was computed.
  made.packet = packet::ReadIp(packet::Write(made.packet));
  for (packet::Packet& fragment : made.fragments) {
    fragment = packet::ReadIp(packet::Write(fragment));
  }
  return made;
}

IpPacket ScriptedPeer::Send(IpVersion version, const PartialPacket& partial) {
  return SendMade(Make({Address(version), 0}, {WireAddress(version, site_.sut_host), 0}, partial),
                  partial);
}

IpPacket ScriptedPeer::Expect(const PartialPacket& partial, Within within, SourceLocation where) {
  return QueueOf(partial.kind()).Expect(partial, within, where);
}

IpPacket ScriptedPeer::ExpectEventually(const PartialPacket& partial, Within within,
                                        SourceLocation where) {
  return QueueOf(partial.kind()).ExpectEventually(partial, within, where);
}

IpPacket ScriptedPeer::ExpectAgain(const PartialPacket& partial, Within within,
                                   SourceLocation where) {
  return QueueOf(partial.kind()).ExpectAgain(partial, within, where);
}

void ScriptedPeer::ExpectSilence(PacketKind kind, Duration duration, SourceLocation where) {
  QueueOf(kind).ExpectSilence(duration, where);
}

std::size_t ScriptedPeer::waiting(PacketKind kind) const {
  return queues_.at(static_cast<std::size_t>(kind)).waiting();
}

std::vector<IpPacket> ScriptedPeer::TakeArrived(PacketKind kind) { return QueueOf(kind).Take(); }

Time ScriptedPeer::Report(const IcmpError& error, const IpPacket& about, const Reporting& how) {
  return ReportAbout(error, about.octets(), about.source(), how);
}

Time ScriptedPeer::Report(const IcmpError& error, const Segment& about) {
  return ReportAbout(error, packet::Write(IpPacketOf(about)), about.source, Reporting());
}

Time ScriptedPeer::ReportAbout(const IcmpError& error, const Bytes& octets, const Endpoint& to,
                               const Reporting& how) {
  const IpAddress from = how.from.value_or(Address(to.address.version()));
  return SendFrame(BuildFrame(error, octets, how.quote_at_most, from, to.address, WireMac(host_),
                              site_.sut_mac));
}

void ScriptedPeer::TakeFrame(Time time, const Bytes& frame) {
  log_.Add({time, FrameEvent{sut_, actor_, Fate::kReceived, Duration(0), frame}});
  if (const std::optional<Segment> segment = ParseSegment(frame, time)) {
    TakeSegment(*segment);
    return;
  }
  const FrameView view = DecodeFrame(frame);
  if (!view.is_resolution) {
    if (!view.is_noise) TakePacket(time, packet::ReadFrame(frame));
    return;
  }
  bool answered = false;
  for (const int host : std::set{host_, site_.gateway}) {
    std::optional<Bytes> answer = answer_neighbours_ ? NeighbourAnswer(frame, host) : std::nullopt;
    answered = answered || answer.has_value();
    if (answer) SendFrame(*std::move(answer));
  }
  if (!answered && !view.is_noise) TakePacket(time, packet::ReadFrame(frame));
}

void ScriptedPeer::TakePacket(Time time, packet::Packet frame) {
  const auto* ethernet = frame.Find<packet::Ethernet>();
  if (ethernet == nullptr) return;
  IpPacket arrived{.time = time, .from_link = ethernet->source, .to_link = ethernet->destination};
  frame.layers.erase(frame.layers.begin());
  arrived.packet = std::move(frame);
  if (packet::IsFragment(arrived.packet)) {
    auto whole = reassembly_.Take(arrived.packet);
    if (!whole) return;
    if (const std::optional<Segment> segment = SegmentIn(whole->packet, time)) {
      TakeSegment(*segment);
      return;
    }
    arrived.packet = std::move(whole->packet);
    arrived.fragments = std::move(whole->fragments);
  }
  const bool is_ip = arrived.packet.Find<packet::Ipv4>() != nullptr ||
                     arrived.packet.Find<packet::Ipv6>() != nullptr ||
                     arrived.packet.Find<packet::Arp>() != nullptr;
  if (!is_ip) return;
  const PacketKind kind = KindOf(arrived.packet);
  if (kind != PacketKind::kUdp) {
    QueueOf(kind).Put(std::move(arrived));
    return;
  }
  const auto taker = std::max_element(udp_endpoints_.begin(), udp_endpoints_.end(),
                                      [&](const auto& one, const auto& other) {
                                        return one->Fits(arrived) < other->Fits(arrived);
                                      });
  if (taker == udp_endpoints_.end() || (*taker)->Fits(arrived) == 0) return;
  (*taker)->arrived_.Put(std::move(arrived));
}

void ScriptedPeer::TakeSegment(const Segment& segment) {
  ScriptedTcp* taker = nullptr;
  for (const auto& endpoint : endpoints_) {
    if (endpoint->local_ != segment.destination) continue;
    if (endpoint->remote_ == segment.source) {
      taker = endpoint.get();
      break;
    }
    if (!endpoint->remote_ && taker == nullptr) taker = endpoint.get();
  }
  if (taker == nullptr) return;  // in the ladder all the same
  taker->remote_ = segment.source;
  taker->arrived_.push_back(segment);
}

}  // namespace sockproof
