// A packetdrill script as a value: google/packetdrill's language, and of other dialects what they
// share with it. What is not understood is kept as Unsupported, so that the rest can be used.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/time.h"
#include "harness/net/ip.h"
#include "harness/packet/options.h"
#include "src/packetdrill/lexer.h"
#include "src/packetdrill/mptcp_option.h"

namespace sockproof::packetdrill {

// Something that this program does not know: a segment of another protocol, an option of another
// dialect. Its event cannot be run.
struct Unsupported {
  Position where;
  std::string what;  // "the TCP option mp_join_syn"
};

// --- Expressions -------------------------------------------------------------------------------

// Arguments and results of calls. Structures are kept as they are written; who makes the call
// knows which one it is.
struct Expression {
  enum class Kind {
    kEllipsis,   // ...
    kInteger,    // 5, -1, 0x1f
    kWord,       // SOL_SOCKET
    kString,     // "abc"; `elements` are empty
    kOr,         // elements[0] | elements[1] | ...
    kAssign,     // elements[0] = elements[1]
    kList,       // [elements]
    kStructure,  // {elements}, named ones as kMember
    kMember,     // text(elements[1]) = elements[0]; the argument may be missing
    kCall,       // text(elements): htons(80)
  };
  Kind kind = Kind::kEllipsis;
  std::int64_t number = 0;
  std::string text;  // of a string: its octets, escapes resolved
  std::vector<Expression> elements;
  Position where;
  bool goes_on = false;  // "abc"...: a string that is only the beginning
};

// As it was written, with single spaces.
std::string Describe(const Expression& expression);

// --- Packets -----------------------------------------------------------------------------------

enum class EcnCheck { kNone, kEct0, kEct1, kCe, kAnyEct };

// What is said of an IP header; what is not said is not checked, and sent as usual.
struct IpInfo {
  std::optional<EcnCheck> ecn;
  std::optional<std::uint8_t> traffic_class;
  std::optional<std::uint32_t> flow_label;
  std::optional<std::uint8_t> hop_limit;
};

struct IpHeader {
  IpInfo info;
  IpAddress source, destination;
};
struct GreHeader {
  std::uint16_t flags = 0;  // RFC 2784, RFC 2890: the bits of the first two octets
  std::uint16_t checksum = 0, offset = 0;
  std::uint32_t key = 0, sequence = 0;
};
struct MplsLabel {
  std::uint32_t label = 0;
  std::uint8_t traffic_class = 0;
  bool bottom = false;
  std::uint8_t ttl = 0;
};
using Encapsulation = std::variant<IpHeader, GreHeader, std::vector<MplsLabel>>;

struct TcpPart {
  std::uint16_t flags = 0;  // the nine bits from AE to FIN; without the first three if there is `ace`
  std::optional<std::uint8_t> ace;  // the bits AE, CWR and ECE as a counter (RFC 9768)
  std::uint32_t seq = 0;
  std::uint32_t length = 0;
  std::optional<std::uint32_t> ack;
  std::optional<std::uint16_t> window;
  std::uint16_t urgent_pointer = 0;
  // In the numbers of the script; none: may be any.
  std::optional<std::vector<TcpOption>> options;
  MptcpOptions mptcp;  // in whose place there stands one without a value
};
struct UdpPart {
  std::uint32_t length = 0;
};
// A segment or datagram that an ICMP message is about.
struct Echoed {
  enum class Kind { kTcp, kUdp, kRaw } kind = Kind::kTcp;
  std::uint32_t seq = 0;
  std::uint32_t length = 0;
};
struct IcmpPart {
  std::string type;
  std::string code;  // empty: 0
  Position type_where, code_where;
  std::optional<std::uint32_t> mtu;
  std::optional<std::uint16_t> id;
  Echoed about;
};

struct PacketEvent {
  bool inbound = false;  // '<': to be injected; else '>': expected
  IpInfo ip;
  std::vector<Encapsulation> around;
  std::uint16_t source_port = 0, destination_port = 0;  // 0: those of the connection
  std::string source_name, destination_name;            // of addresses; empty: not said
  std::variant<TcpPart, UdpPart, IcmpPart> what;
};

// --- The script --------------------------------------------------------------------------------

struct CallEvent {
  std::string name;
  std::vector<Expression> arguments;
  Expression result;
  std::string error;                // "EINPROGRESS"; empty: none is expected
  Position name_where, error_where;
  std::optional<Duration> returns;  // of a call that blocks: when, on the same axis as its event
};
struct CommandEvent {
  std::string text;
};
struct CodeEvent {
  std::string text;  // Python
};

struct When {
  enum class Kind { kAbsolute, kRelative, kAny, kAbsoluteRange, kRelativeRange };
  Kind kind = Kind::kAbsolute;
  Duration from{0};
  Duration to{0};  // of a range

  bool is_relative() const { return kind == Kind::kRelative || kind == Kind::kRelativeRange; }
  bool is_range() const { return kind == Kind::kAbsoluteRange || kind == Kind::kRelativeRange; }
};

struct Event {
  When when;
  std::variant<PacketEvent, CallEvent, CommandEvent, CodeEvent, Unsupported> what;
  Position where;
  std::string source;  // as it is written, on one line
};

struct Option {
  std::string name;
  std::string value;  // empty: none
  Position where;
};

struct Script {
  std::vector<Option> options;  // without --define
  std::optional<CommandEvent> init;
  std::vector<Event> events;
  std::optional<CommandEvent> cleanup;

  // The first thing that is not understood; none: all is.
  const Unsupported* FirstUnsupported() const;
  // The last value of an option, nullptr when it is not there.
  const std::string* Find(const std::string& option) const;
};

// By name, as written after --define: "\"reno\"", "5", "IPPROTO_TCP".
using Definitions = std::map<std::string, std::string>;

// `definitions` win over those of the script. Throws SyntaxError.
Script Parse(std::string_view text, const Definitions& definitions = {});

}  // namespace sockproof::packetdrill
