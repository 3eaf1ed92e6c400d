// How a departure is told: what the readings that were left would have allowed, and the rule that
// decides.
#pragma once

#include <set>
#include <string>

#include "harness/oracle/tcb.h"

namespace sockproof::oracle {

// A segment, or the lack of one, that no reading allows.
struct Departure {
  std::string expected;  // what would have been allowed, in each state the system may be in
  std::string section;   // of the rule that decides, "3.10.7.4, fifth check"
  std::string claim;     // its row in the catalogue, if any
  std::string sentence;  // what that says, in own words
};
Departure DepartureFrom(const Rule& rule, std::string expected);

// "RFC 9293 section 3.10.5", "POSIX listen()".
std::string SectionText(const std::string& section);

// "in FIN-WAIT-2: ACK seq=1 ack=2"; `instead`: in place of what may be sent next.
std::string InState(const Tcb& tcb, const Application& user);
std::string InState(const Tcb& tcb, const Application& user, const std::string& instead);

// Why `segment` was sent by none of these, the readings once all has arrived.
Departure Explain(const std::set<Tcb>& latest, const Segment& segment, Time now,
                  const Application& user, const Distance& distance);

// Why all of these should have sent something by now.
Departure ExplainMissing(const std::set<Tcb>& owing, const Application& user);

// What the checks of section 3.10.7 find in a segment that arrives now: "ACK with text, partly
// old". The same for segments that differ in numbers alone.
std::string Describe(const std::set<Tcb>& latest, const Segment& segment);

}  // namespace sockproof::oracle
