// Systems altered on purpose. A mutant is made wrong, to prove of each test that it can fail; a
// variant is made otherwise within what the documents allow, to prove that a test fails no system
// that conforms. An alteration sits between the system under test and the harness (on the wire, in
// the agent's replies, in what is read of the system) or is a setting of the system, so no test
// knows of it. The lists are data, compiled in: mutants.toml and variants.toml.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/base/time.h"
#include "harness/net/ip.h"
#include "harness/net/sock_diag.h"
#include "harness/sut/system.h"
#include "harness/trace/event.h"
#include "harness/wire/segment.h"

namespace sockproof {

// Which segments an alteration concerns. Members are keys of a [[wire]] table, and of the table
// `seen_in` of a [[setting]].
struct SegmentSelection {
  bool sent_by_system = true;          // on = "sent" or "received"
  TcpFlags with = 0;                   // all of these flags
  TcpFlags without = 0;                // none of these
  std::optional<bool> payload;         // with payload, without; not set: both
  std::optional<bool> options;         // with options, without
  std::optional<bool> repeated;        // a segment that occupies sequence space, seen before
  std::optional<bool> ip_options;      // with IP options, without
  std::optional<std::uint8_t> option;  // with a TCP option of this kind
  // Of the connection that it belongs to; `when` names one of them.
  enum class When {
    kAlways,
    kConnected,          // the system has sent a SYN in it
    kOwnFinUnconfirmed,  // it follows a FIN of the system that is not acknowledged yet
    kKeepaliveProbe,     // it lies one below what the system sends next
    kAnswersOutOfOrder,  // it answers a segment that lies ahead of what the system expects
    kAhead,              // received: data that lies ahead of what the system expects
    kConfirmsData,       // it is the first to acknowledge some data
    kWrapped,            // received: its number is below the one that its sender began with
    kBeyondLastWindow,   // data past the window that was told last, of whatever connection
    kConfirmsNothing,    // received: an empty one that acknowledges what the last one did
    kOddResetOfSyn,      // received: it resets a SYN, and its number is not 0
    kWindowShrank,       // its receiver has taken back room that it had offered
    kWindowClosed,       // sent: the window that was told before is 0
  };
  When when = When::kAlways;
  int skip = 0;    // leaves the first so many matching ones alone
  int times = -1;  // touches so many; -1: all
  // Of a variant: not those that are signed (RFC 2385, RFC 5925), which it could not sign again.
  bool spares_signed = false;
};

// What becomes of those segments. Further keys of a [[wire]] table.
struct WireAlteration : SegmentSelection {
  enum class Action {
    kEdit,
    kDrop,
    kDuplicate,
    kDelay,
    kEditedCopy,    // the segment, and after it an edited copy
    kEditedBefore,  // an edited copy, and after it the segment
    kRecallFin,     // the segment, and after it an edited copy of the system's last FIN, if any
    kSplit,         // its data in two segments
    kFinApart,      // its data, and after it its FIN
    kRenumber,      // all of the system's sequence numbers, so that its first SYN has `isn`
    kRenumberEach,  // likewise the numbers of each connection, by `isn`, `isn_step`, `isn_clock`
  };
  Action action = Action::kEdit;
  Duration delay{0};
  std::int64_t add_seq = 0;
  std::int64_t add_ack = 0;
  TcpFlags set_flags = 0;
  TcpFlags clear_flags = 0;
  std::int64_t add_urgent = 0;  // to the urgent pointer
  std::optional<std::uint16_t> window;
  std::optional<std::uint16_t> window_at_most;
  std::optional<std::uint16_t> window_at_least;
  bool window_is_signed = false;  // from 32768 on it becomes 0
  std::optional<std::uint8_t> hop_limit;
  std::optional<std::uint8_t> traffic_class;
  std::optional<std::uint8_t> reserved;  // the reserved bits
  std::optional<std::uint16_t> mss;      // in the MSS option, which is added where it is missing
  std::optional<std::uint16_t> ip_id;    // identification of an IPv4 header
  std::uint32_t isn = 0;
  std::uint32_t isn_step = 0;                // added for each connection
  bool isn_clock = false;                    // added: a clock that ticks each 4 us
  bool flip_payload = false;                 // every bit of its first octet
  bool cut_payload = false;                  // its last octet is lost
  bool no_payload = false;                   // all of them are
  bool garbage_octet = false;                // an octet of data, where it has none
  int more_payload = 0;                      // so many octets more, where it has some
  std::optional<std::uint8_t> window_scale;  // in the Window Scale option, where there is one
  int window_shift = 0;                      // of the window: to the left; negative: to the right
  std::int64_t add_ts_val = 0;               // to the numbers of timestamps, where there are any
  std::int64_t add_ts_ecr = 0;
  // What becomes of the blocks of a SACK option.
  enum class Sack { kAsItIs, kReversed, kFirstOnly, kShifted };
  Sack sack = Sack::kAsItIs;
  std::optional<std::uint8_t> remove_option;  // by its kind
  Bytes extra_options;                        // put behind the others, where there is room for them
  bool remove_options = false;
  // Of the option of the kind `has_option`: this octet of its data, every bit of it or set to a
  // value.
  std::optional<std::size_t> option_octet;
  std::optional<std::uint8_t> option_value;
  std::optional<std::string> signed_by;  // signed anew by this key, RFC 2385
  // Authenticated anew, RFC 5925: by KeyID, RNextKeyID and key, "7 5 the key".
  std::optional<std::string> authenticated_by;
  // How the same options are laid out.
  enum class Layout {
    kAsTheyAre,
    kReversed,
    kNopsFirst,
    kNopsLast,
    kEndPadded,     // without NOPs, padded after End of Option List
    kMssOnly,       // all others left out
    kExperimental,  // and one of kind 253
    kGarbageAfterEnd,
    kWithoutLength,  // an option that lacks its length octet
    kWithoutMss,
    kWindowScaled,  // a Window Scale option, added where it is missing
  };
  Layout layout = Layout::kAsTheyAre;
  Bytes new_ip_options;  // of an IPv4 header
  bool remove_ip_options = false;
  // Where a segment that is sent seems to come from.
  enum class Source { kAsItIs, kAnother, kUnspecified };
  Source source = Source::kAsItIs;
  // Packets that nobody may take, which the system takes as if addressed or sent properly.
  enum class Takes { kNothingElse, kToManyHosts, kFromNoHost };
  Takes takes = Takes::kNothingElse;
  // ICMP errors received, instead of segments.
  enum class Icmp { kNone, kAny, kSourceQuench, kTooBig, kSoft };
  Icmp icmp = Icmp::kNone;
  bool icmp_as_port_unreachable = false;
  bool icmp_in_flight = false;  // it quotes what was sent last, whatever it quoted
  bool bad_checksum = false;
  bool good_checksum = false;  // where it was wrong
};

// Which packets that carry no TCP, or are fragments, an alteration concerns. Keys of a [[packet]]
// table.
struct PacketSelection {
  bool sent_by_system = true;  // on = "sent" or "received"
  enum class What { kAny, kUdp, kIcmp, kGroups, kNeighbours, kFragment, kOther, kTcp };
  What what = What::kAny;                  // of neighbours only where that is said
  std::optional<bool> asks;                // of neighbours: a request, an answer
  std::optional<bool> ipv4;                // of that version of IP, of the other
  std::optional<std::uint8_t> type, code;  // of ICMP
  std::optional<bool> payload;             // with payload, without
  std::optional<bool> to_many;             // to a group or to all, to one
  std::optional<bool> headers;             // with IP options or extension headers, without
  std::optional<bool> defect;              // with something wrong, without
  std::optional<std::uint8_t> hops_below;
  std::optional<std::size_t> longer_than;  // its payload, in octets
  int skip = 0;                            // leaves the first so many matching ones alone
  int times = -1;                          // touches so many; -1: all
};

// What becomes of those packets. Further keys of a [[packet]] table.
struct PacketAlteration : PacketSelection {
  enum class Action {
    kEdit,
    kDrop,
    kDuplicate,
    kDelay,
    kEditedCopy,   // the packet, and after it an edited copy
    kPutTogether,  // of fragments: as a receiver that lets the later octets count
    kFillGaps,     // the same, which takes what is missing for zeros once the last one is there
    kCutUp,        // in fragments, the first of 8 octets
    kEnd,          // neither it nor what comes after it, without TCP, comes through, either way
  };
  Action action = Action::kEdit;
  Duration delay{0};
  bool repaired = false;         // whatever was wrong with it
  bool without_headers = false;  // its IP options and extension headers
  std::optional<std::uint8_t> hop_limit, traffic_class;
  std::optional<int> source_host, destination_host, link_host;  // numbers of the address plan
  std::optional<IpAddress> source;                              // of packets of its version of IP
  std::optional<std::uint8_t> protocol;         // of what follows its last IP header
  std::optional<std::uint8_t> quoted_protocol;  // of the packet that an ICMP error quotes
  std::optional<bool> dont_fragment;
  std::optional<std::uint16_t> identification;
  int add_source_port = 0, add_destination_port = 0;
  std::optional<std::uint8_t> new_type, new_code;  // of ICMP
  std::optional<std::uint32_t> new_rest;           // of its four octets by type
  std::int64_t add_rest = 0;
  // Of neighbours, numbers of the address plan: whose link-layer address is told, and who is asked
  // for or told of.
  std::optional<int> told_host, named_host;
  bool without_link_address = false;      // IPv6: it tells none
  bool flip_payload = false;              // every bit of its last octet
  std::optional<std::size_t> flip_octet;  // every bit of this one of its payload, from 0
  bool cut_payload = false;               // its last octet is lost
  bool quotes_last = false;               // an ICMP error: the ports of the system's last datagram
  std::optional<std::size_t> payload_at_most;
  std::size_t more_octets = 0;  // of garbage, behind its payload
  bool offset_by_8 = false;     // of fragments but the first: 8 octets too far
  bool offset_0 = false;        // of fragments: as if it were the first
  enum class Checksum { kAsItIs, kBad, kNone, kZeroForOnes };
  Checksum checksum = Checksum::kAsItIs;  // of UDP
};

// What the agent says otherwise about one method. Keys of a [[call]] table.
struct CallAlteration {
  std::string method;
  nlohmann::json only_if;                  // parameters that the call must have for it
  nlohmann::json set_params;               // parameters replaced before the call is made
  nlohmann::json add_params;               // numbers added to parameters
  std::vector<std::string> empty_params;   // lists made empty
  nlohmann::json set_fields;               // fields replaced in a value that has several
  std::optional<std::string> fails;        // errno instead of success
  std::optional<std::string> succeeds;     // value (JSON text) instead of an errno
  std::optional<std::string> error;        // another errno instead of an errno ...
  std::optional<std::string> in_place_of;  // ... of this one only
  std::optional<std::int64_t> add;         // to an integer value
  std::optional<std::string> data;         // "empty", "cut", "flip": what becomes of received data
  std::optional<int> add_port;             // to the port of an address in the value
  std::optional<std::string> events;       // "none", or the name of one that is added
  std::optional<std::string> without_event;  // the name of one that is left out
  bool no_signals = false;
  double late = 0;   // the return is stamped this fraction of the call later
  double early = 0;  // ... earlier
};

// What inet_diag or a counter seems to show. Keys of a [[reading]] table.
struct ReadingAlteration {
  std::optional<TcpState> state;     // sockets in this state ...
  std::optional<TcpState> shown_as;  // ... seem to be in that one; not set: are not shown
  Duration after{0};                 // only once they have been seen so long
  int add_queue = 0;                 // to the queue lengths
  int add_counter = 0;               // to every counter
};

// A sysctl that has no effect. Keys of a [[sysctl]] table.
struct SysctlAlteration {
  std::string name;
};

// A fact that is not true: the system does otherwise. Keys of a [[fact]] table.
struct FactAlteration {
  std::string name;  // a sysctl
  int add = 0;       // to what the system says
};

// How the system is set up, from before the test begins. Keys of a [[setting]] table.
struct SettingAlteration {
  std::map<std::string, std::string> sysctls;  // name: value
  // Metrics of all routes of the system, by their names in ip-route(8): initcwnd, initrwnd,
  // rto_min (ms), quickack, mtu, advmss, window, hoplimit. Where its kernel is the one here.
  std::map<std::string, std::uint32_t> route;
  std::uint32_t mtu = 0;  // of its link, likewise; 0: as it is
  // Where the setting shows. Not set: anywhere.
  std::optional<SegmentSelection> seen_in;
};

struct Alteration {
  std::string id;    // "wire/rst-lost"
  std::string what;  // in words
  // Of a mutant: the claims that it breaks, as ids or globs.
  std::vector<std::string> breaks;
  // Of a variant: the document and what it says that allows this, and claims (ids or globs) that do
  // not hold of it all the same: of the documentation of the one system, or SHOULDs and MAYs.
  std::string allowed_by;
  std::vector<std::string> departs_from;

  std::optional<WireAlteration> wire;
  std::optional<PacketAlteration> packet;
  std::optional<CallAlteration> call;
  std::optional<ReadingAlteration> reading;
  std::optional<SysctlAlteration> sysctl;
  std::optional<FactAlteration> fact;
  std::optional<SettingAlteration> setting;

  // What it acts on, one word each: the keys of its table that are no choice of what it concerns,
  // "sysctl NAME", "route NAME", "method NAME".
  std::set<std::string> touches;

  bool Breaks(std::string_view claim) const;
  bool DepartsFrom(std::string_view claim) const;
};

// Those of one system at once, borrowed; none: the system as it is.
using Alterations = std::vector<const Alteration*>;

// Whether both can be made at once: they act on nothing in common, so neither undoes the other.
bool CanBeTogether(const Alteration& a, const Alteration& b);

// All mutants and all variants, each in the order of its list. Throw HarnessError when the list is
// malformed.
const std::vector<Alteration>& AllMutants();
const std::vector<Alteration>& AllVariants();

// The mutant or variant of that id. Throws HarnessError when there is none.
const Alteration& FindAlteration(std::string_view id);

// Which list a text is: a mutant has `breaks`, a variant must have `allowed_by`.
enum class AlterationKind { kMutant, kVariant };

// Claims that no alteration can break, and why. Keys of an [[unbroken]] table of mutants.toml.
struct Unbroken {
  std::vector<std::string> claims;  // ids
  std::string why;
};
const std::vector<Unbroken>& AllUnbroken();
// Why nothing breaks this claim; empty where something should.
std::string WhyUnbroken(std::string_view claim);

// The alterations of a list in TOML. Throws HarnessError with the line of what is wrong.
std::vector<Alteration> ParseAlterations(std::string_view toml, AlterationKind kind);

// How a test went, its frames read once for all alterations.
struct TestCourse {
  explicit TestCourse(std::vector<Event> events);

  struct Frame {
    Fate fate;
    Bytes octets;
    packet::Packet packet;
    std::optional<Segment> segment;  // nothing when there is none
  };
  std::vector<Event> events;
  std::vector<Frame> frames;
};

// Whether the alteration would find something to do in a test that went like this. May be wrong in
// one direction only: true for one that then does nothing.
bool MayApply(const Alteration& alteration, const TestCourse& course);

// Whether it did something in a test that went like this.
bool WasApplied(const Alteration& alteration, const std::vector<Event>& events);

// `system`, altered: what it sends meets the alterations in this order, what is sent to it in the
// reverse one. All are borrowed and must outlive the result. What each does is noted in the log of
// the test: "alteration wire/rst-lost applied".
std::unique_ptr<System> MakeAlteredSystem(System& system, Alterations alterations);

}  // namespace sockproof
