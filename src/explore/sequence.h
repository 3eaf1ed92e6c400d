// What an application and its peer do to a connection, step by step, as values and as text:
//
//   connect()
//   SYN,ACK
//   shutdown(SHUT_WR)
//   FIN,ACK ack-1
//
// A step is a call of the application of the system under test, a segment of the peer, or a wait.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/time.h"
#include "harness/net/ip.h"
#include "harness/packet/tcp_flags.h"

namespace sockproof::explore {

// A segment of the peer. What is not said is what a TCP would put there: SEG.SEQ = SND.NXT (its ISS
// in a SYN), SEG.ACK = RCV.NXT, the window 65535, no text.
struct PeerSegment {
  TcpFlags flags = 0;
  bool is_seq_of_syn = false;           // "seq=ISS": SEG.SEQ counts from its ISS, as in a SYN
  std::int32_t seq_offset = 0;          // "seq-1"
  bool is_ack_of_syn = false;           // "ack=IRS": SEG.ACK counts from the ISS of the system
  std::int32_t ack_offset = 0;          // "ack+1000"
  std::uint16_t text = 0;               // "len=4": octets of data
  std::optional<std::uint16_t> window;  // "window=0"
  bool is_damaged = false;              // "bad-checksum"
  bool is_old = false;                  // "old-timestamp": TSval is less than the last one
  bool is_lost = false;                 // "lost": counts as sent, and never arrives
  bool operator==(const PeerSegment&) const = default;
};

enum class CallName {
  kSocket,   // a socket, and nothing else
  kConnect,  // socket() and a connect() that does not wait
  kListen,   // socket(), bind() and listen()
  kAccept,   // does not wait
  kSend,     // does not wait
  kRecv,     // does not wait
  kShutdownWr,
  kShutdownRd,
  kClose,  // of the connection's socket; where there is none, of the listener
  kAbort,  // the same with SO_LINGER on and 0
  kPoll,   // does not wait
  kError,  // getsockopt(SO_ERROR)
};

struct Call {
  CallName name = CallName::kSocket;
  int octets = 0;  // of send() and recv()
  bool operator==(const Call&) const = default;
};

struct Wait {
  int milliseconds = 0;
  bool operator==(const Wait&) const = default;
};

using Step = std::variant<Call, PeerSegment, Wait>;

// "SYN,ACK ack+1000", "send(5)", "wait(200 ms)".
std::string StepText(const Step& step);
// Throws std::invalid_argument for anything else.
Step ParseStep(std::string_view text);

// What the peer's SYN offers beside an MSS.
enum class Options {
  kNone,
  kAll,  // window scale, SACK, timestamps
};

struct Sequence {
  IpVersion ip = IpVersion::kIpv4;
  Options options = Options::kNone;
  std::vector<Step> steps;
  bool operator==(const Sequence&) const = default;
};

inline constexpr std::size_t kMostSteps = 1000;
inline constexpr std::size_t kMostSequences = 1000;  // in one text

// The form of a .seq file: "#" begins a comment, "---" the next sequence.
std::string SequencesText(const std::vector<Sequence>& sequences);
// Takes text of others: throws std::invalid_argument, with the line, for anything that is none.
std::vector<Sequence> ParseSequences(std::string_view text);

// The same in one line: "ipv4;none;connect();SYN,ACK|ipv6;..."
std::string OneLine(const std::vector<Sequence>& sequences);
std::vector<Sequence> ParseOneLine(std::string_view text);

}  // namespace sockproof::explore
