// Systems made wrong on purpose, to prove of each test that it can fail. A mutant sits between the
// system under test and the harness (on the wire, in the agent's replies, in what is read of the
// system), so no test knows of it. The list is data: mutants.toml, compiled in.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/time.h"
#include "harness/net/sock_diag.h"
#include "harness/sut/system.h"
#include "harness/trace/event.h"
#include "harness/wire/segment.h"

namespace sockproof {

// Which segments a mutation of the wire touches, and what it does to them. Members are the keys of
// a [[wire]] table.
struct WireMutation {
  bool sent_by_system = true;    // on = "sent" or "received"
  TcpFlags with = 0;             // all of these flags
  TcpFlags without = 0;          // none of these
  std::optional<bool> payload;   // with payload, without; not set: both
  std::optional<bool> options;   // with options, without
  std::optional<bool> repeated;  // a segment that occupies sequence space, seen before
  int skip = 0;                  // leaves the first so many matching ones alone
  int times = -1;                // touches so many; -1: all

  enum class Action { kEdit, kDrop, kDuplicate, kDelay, kEditedCopy };
  Action action = Action::kEdit;  // kEditedCopy: the segment, and after it an edited copy
  Duration delay{0};
  std::int64_t add_seq = 0;
  std::int64_t add_ack = 0;
  TcpFlags set_flags = 0;
  TcpFlags clear_flags = 0;
  std::int64_t add_urgent = 0;  // to the urgent pointer
  std::optional<std::uint16_t> window;
  std::optional<std::uint8_t> hop_limit;
  std::optional<std::uint8_t> traffic_class;
  std::optional<std::uint8_t> reserved;  // the reserved bits
  std::optional<std::uint16_t> mss;      // in the MSS option, which is added where it is missing
  bool flip_payload = false;             // every bit of its first octet
  bool cut_payload = false;              // its last octet is lost
  bool remove_options = false;
  bool bad_checksum = false;
  bool good_checksum = false;  // where it was wrong
};

// A lie of the agent about one method. Keys of a [[call]] table.
struct CallMutation {
  std::string method;
  nlohmann::json only_if;               // parameters that the call must have for the lie
  nlohmann::json set_params;            // parameters replaced before the call is made
  nlohmann::json add_params;            // numbers added to parameters
  std::optional<std::string> fails;     // errno instead of success
  std::optional<std::string> succeeds;  // value (JSON text) instead of an errno
  std::optional<std::string> error;     // another errno instead of an errno
  std::optional<std::int64_t> add;      // to an integer value
  std::optional<std::string> data;      // "empty", "cut", "flip": what becomes of received data
  std::optional<int> add_port;          // to the port of an address in the value
  std::optional<std::string> events;    // "none", or the name of one that is added
  bool no_signals = false;
  double late = 0;   // the return is stamped this fraction of the call later
  double early = 0;  // ... earlier
};

// What inet_diag or a counter seems to show. Keys of a [[reading]] table.
struct ReadingMutation {
  std::optional<TcpState> state;     // sockets in this state ...
  std::optional<TcpState> shown_as;  // ... seem to be in that one; not set: are not shown
  Duration after{0};                 // only once they have been seen so long
  int add_queue = 0;                 // to the queue lengths
  int add_counter = 0;               // to every counter
};

// A fact that is not true: the system does otherwise. Keys of a [[fact]] table.
struct FactMutation {
  std::string name;  // a sysctl
  int add = 0;       // to what the system says
};

struct Mutant {
  std::string id;    // "wire/rst-lost"
  std::string what;  // in words
  std::optional<WireMutation> wire;
  std::optional<CallMutation> call;
  std::optional<ReadingMutation> reading;
  std::optional<FactMutation> fact;
};

// All mutants, in the order of the list. Throws HarnessError when the list is malformed.
const std::vector<Mutant>& AllMutants();

// The mutants of a list in TOML. Throws HarnessError with the line of what is wrong.
std::vector<Mutant> ParseMutants(std::string_view toml);

// Whether the mutant would find something to do in a test that went like this. May be wrong in one
// direction only: true for a mutant that then does nothing.
bool MayApply(const Mutant& mutant, const std::vector<Event>& events);

// `system`, made wrong. Both are borrowed and must outlive the result. What a mutant does is noted
// in the log of the test: "mutant wire/rst-lost: dropped".
std::unique_ptr<System> MakeMutantSystem(System& system, const Mutant& mutant);

}  // namespace sockproof
