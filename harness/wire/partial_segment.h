// Partial segments: the words in which tests speak of segments. One vocabulary for both
// directions: a field left unset has its natural value when sent (the one a correct TCP would
// put there now) and is not looked at when expected.
//
//   peer.Expect(Fin().Seq(peer.rcv_nxt));       peer.Send(Data("still here"));
//   peer.Expect(Rst());                         peer.Send(Ack().Ack(peer.rcv_nxt - 1));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/wire/segment.h"

namespace sockproof {

// A value type. SYN, FIN, RST and URG are always compared; ACK is, unless the kind says that both
// are right; PSH, ECE and CWR are compared only when With() or Without() names them.
class PartialSegment {
 public:
  // `flags` are those set; `open` those that are not compared when expected.
  PartialSegment(std::string name, TcpFlags flags, TcpFlags open);

  PartialSegment& Seq(std::uint32_t seq);
  PartialSegment& Ack(std::uint32_t ack);
  PartialSegment& Window(std::uint16_t window);
  PartialSegment& Payload(const std::string& text);
  PartialSegment& Payload(Bytes payload);
  PartialSegment& With(TcpFlags flags);
  PartialSegment& Without(TcpFlags flags);
  PartialSegment& UrgentPointer(std::uint16_t pointer);
  // Sent: appended to the natural options. Expected: such an option must be there.
  PartialSegment& Option(TcpOption option);
  // Only when sent: exactly these options, none of the natural ones.
  PartialSegment& OnlyOptions(std::vector<TcpOption> options);
  // The numbers of a Timestamps option, RFC 7323 section 3. Sent: in place of the natural ones, also
  // where the connection has agreed on none. Expected: such an option with them must be there.
  PartialSegment& TsVal(std::uint32_t ts_val);
  PartialSegment& TsEcr(std::uint32_t ts_ecr);
  // Sent: without the natural one. Expected: there must be none.
  PartialSegment& NoTimestamps();
  // The blocks of a SACK option, RFC 2018 section 3: left edge, and right edge one past the last
  // octet; at most 4, 3 beside timestamps. Expected: just these, in this order; none: no SACK option.
  PartialSegment& Sack(std::vector<tcp_option::SackBlock> blocks);
  // The ECN codepoint of the IP header, RFC 3168 section 5. Expected: this one; the DSCP is open.
  PartialSegment& NotEct();
  PartialSegment& Ect0();
  PartialSegment& Ect1();
  PartialSegment& Ce();
  PartialSegment& Source(Endpoint source);
  PartialSegment& HopLimit(std::uint8_t hops);
  PartialSegment& TrafficClass(std::uint8_t traffic_class);

  // Only when sent, to make what no stack makes.
  PartialSegment& BadChecksum();
  PartialSegment& DataOffset(std::uint8_t words);
  PartialSegment& ReservedBits(std::uint8_t bits);
  PartialSegment& RawOptions(Bytes options);
  PartialSegment& IpOptions(Bytes options);

  // Only when expected on a programmable wire: sent by that stack ("client", "server").
  PartialSegment& From(const std::string& actor);
  template <typename Stack>
  requires requires(const Stack& stack) { stack.actor(); }
  PartialSegment& From(const Stack& stack) { return From(stack.actor()); }
  const std::string& from() const { return from_; }

  bool Matches(const Segment& segment) const;
  // Whether this sequence number is asked for.
  bool BeginsAt(std::uint32_t seq) const { return seq_ == seq; }
  // Whether the payload that is wanted begins with all of this one.
  bool PayloadBeginsWith(const Bytes& payload) const;

  // What the Timestamps option of a segment is, when sent, whose natural one is `natural`.
  std::optional<TcpOption> TimestampsOver(std::optional<TcpOption> natural) const;

  // Fills `natural` with every field that is set here.
  Segment Over(Segment natural) const;
  bool only_options() const { return only_options_.has_value() || raw_options_.has_value(); }

  // "FIN seq=1 ack=1", numbers relative to the given initial ones.
  std::string Describe(std::uint32_t initial_seq, std::uint32_t initial_ack) const;
  // The same without sequence numbers, where no initial ones are known: "FIN from client".
  std::string Describe() const;

 private:
  std::string name_;
  TcpFlags flags_;
  TcpFlags open_;
  std::optional<std::uint32_t> seq_, ack_;
  std::optional<std::uint16_t> window_, urgent_pointer_;
  std::optional<Bytes> payload_;
  std::vector<TcpOption> options_;
  std::optional<std::vector<TcpOption>> only_options_;
  std::optional<std::uint32_t> ts_val_, ts_ecr_;
  bool no_timestamps_ = false;
  std::optional<std::vector<tcp_option::SackBlock>> sack_;
  std::optional<std::uint8_t> ecn_;
  std::optional<Endpoint> source_;
  std::optional<std::uint8_t> hop_limit_, traffic_class_, data_offset_, reserved_;
  std::optional<Bytes> raw_options_, ip_options_;
  bool bad_checksum_ = false;
  std::string from_;
};

PartialSegment Syn();                          // SYN without ACK
PartialSegment SynAck();                       // SYN and ACK
PartialSegment Ack();                          // ACK alone, no payload
PartialSegment Data(const std::string& text);  // ACK with this payload
PartialSegment Data(Bytes payload);            //
PartialSegment AnyData();                      // ACK, with some payload
PartialSegment Fin();                          // FIN and ACK; expected: payload or none
PartialSegment Rst();                          // RST; expected: with or without ACK
PartialSegment AnySegment();                   // expected only: any flags
PartialSegment Flags(TcpFlags flags);          // exactly these of SYN FIN RST URG ACK

}  // namespace sockproof
