// A sequence and what was seen of it, before the oracle.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/oracle/oracle.h"
#include "src/explore/record.h"
#include "src/explore/sequence.h"

namespace sockproof::explore {

// Where a system departs from what RFC 9293 allows.
struct Finding {
  std::size_t step = 0;  // the one that the system answers wrongly
  std::string states;    // in which it may be before: "FIN-WAIT-2", and whether its process is gone
  std::string symbol;    // the step: "close()", or of a segment what its checks find
  std::string reaction;  // "RST", "nothing"
  std::string observed;  // the segments of the reaction, with relative numbers
  oracle::Departure departure;
  std::string before;  // states and symbol of the step before
  // What explains it better: an earlier segment of the peer that was not taken. As Cause().
  std::string origin;

  // What is seen, without its origin.
  std::string Seen() const;
  // The same for what probably has the same cause.
  std::string Cause() const;
};

enum class Patience {
  // What is owed at once has to come before the next step. An answer that is late by more is taken
  // for missing.
  kNone,
  // All has the time that the RFC gives it, or half a second.
  kAll,
};

struct Judged {
  std::optional<Finding> finding;
  bool is_undecided = false;
  // Of each step, up to the one that departs: the states before it, and what its checks find,
  // "SYN-RECEIVED: RST, past RCV.NXT".
  std::vector<std::string> history;
};
// `stack`: what the system is known to have chosen.
Judged Judge(const Sequence& sequence, const Record& record, Patience patience,
             const oracle::Stack& stack = {});

// What the system did at each step, without numbers that are free to choose: "ACK seq=1 ack=1".
// What it sends again is left out: how often it does depends on how long a step takes.
std::string ReactionText(const StepRecord& step, const Record& record);

}  // namespace sockproof::explore
