// A connection of the system under test in every state that it can be in, and whether what it does
// about a segment is what RFC 9293 section 3.10.7 allows. The rule itself is harness/oracle: this
// is how a test asks it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/oracle/segment_arrives.h"
#include "harness/test/test.h"
#include "suites/tcp/states/segments.h"

namespace sockproof::states {

// How a state is reached: which end opened the connection, and whether the application of the
// system under test still has its socket.
struct Way {
  bool is_passive = false;   // by accept(), its listener being there still
  bool is_orphaned = false;  // after close()
};

// A cell of the table, for the `.rows` of a test: "orphaned-rst-of-rcv-nxt".
struct Cell {
  struct Name {
    std::array<char, 64> text{};
    constexpr operator std::string_view() const { return text.data(); }  // NOLINT: as a string
  };
  Name name;
  Way way;
  const SegmentRow* segment = nullptr;
};

// Every segment in a state that is reached in these ways.
template <std::size_t N>
constexpr auto CellsOf(const Way (&ways)[N]) {
  std::array<Cell, N * kSegments.size()> cells{};
  std::size_t at = 0;
  for (const Way& way : ways) {
    const std::string_view prefix = way.is_orphaned  ? "orphaned-"
                                    : way.is_passive ? "passive-"
                                                     : "";
    for (const SegmentRow& segment : kSegments) {
      Cell& cell = cells[at++];
      cell.way = way;
      cell.segment = &segment;
      std::size_t length = 0;
      for (const char letter : prefix) cell.name.text[length++] = letter;
      for (const char letter : std::string_view(segment.name)) cell.name.text[length++] = letter;
    }
  }
  return cells;
}

inline constexpr Way kActive, kPassive{.is_passive = true}, kOrphaned{.is_orphaned = true};

// What the application of the system under test has been told.
struct Told {
  std::string text;     // delivered
  bool end = false;     // the end of the file
  bool failed = false;  // an error
};

// The TCB of the system under test in that state, by what it has sent and received.
oracle::Tcb TcbIn(TcpState state, Way way, const Numbers& numbers, std::uint16_t window_of_peer,
                  std::uint16_t window);

// What RFC 9293 allows when a segment arrives there.
std::vector<oracle::Tcb> Allowed(const oracle::Tcb& before, TcpState state, Way way,
                                 const Segment& segment);

// What is answered in that reading, and the state that it leads to: "ACK, TIME-WAIT".
std::string InWords(const oracle::Tcb& then);

class InEachState : public PeerTest {
 protected:
  // What came of a segment. `claim` is that of the rule which was followed, or which was not: empty
  // where no row of the catalogue says so (a choice that the RFC names in passing).
  struct Judgement {
    std::string claim;
    std::optional<Departure> departure;
  };
  // Brings a connection to that state (NotReached() where a system does not get there), sends the
  // segment of the cell, and looks at what is answered, at the state afterwards where the system
  // shows states, and at what the application is told.
  Judgement Judge(TcpState state, const Cell& cell,
                  SourceLocation where = SourceLocation::Current());

 private:
  struct Before {
    Connection connection;
    Numbers numbers;
    oracle::Tcb tcb;
  };
  struct Reaction {
    std::vector<Segment> answers;
    std::optional<TcpState> state;
    Told told;
  };

  Before Bring(TcpState state, Way way);
  Before Brought(TcpState state, Way way);
  Connection Opened(Way way, Segment& last);
  Reaction Observe(Before& before, TcpState state, Way way, bool must_answer);
  static Told Heard(Socket socket, TcpState state, Way way);
};

}  // namespace sockproof::states
