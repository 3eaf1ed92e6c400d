// The oracle: whether what one end of a connection sends is allowed by RFC 9293. It keeps every
// reading of the connection that explains the segments so far; when none is left, the segment is a
// departure.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/oracle/calls.h"
#include "harness/oracle/departure.h"
#include "harness/oracle/round_trips.h"
#include "harness/oracle/tcb.h"

namespace sockproof::oracle {

// One end of one connection, between two endpoints, also if it is opened more than once. Segments
// are given in order of time. After a departure or when undecided, it takes nothing more.
class Oracle {
 public:
  enum class Start {
    kClosed,    // nothing was there before the first segment
    kUnderWay,  // the capture may begin in the middle
  };
  // `stack`: what the system is known to have chosen. `challenges`: of all connections of its host.
  Oracle(Start start, Distance distance, Stack stack = {},
         std::shared_ptr<Challenges> challenges = std::make_shared<Challenges>());

  // What is known of the application: to be brought up to date before the segments that follow.
  Application& application() { return user_; }

  // A segment of the peer at the place of the capture.
  void Arrives(const Segment& segment, Time now);

  // A segment of the system.
  std::optional<Departure> Sends(const Segment& segment, Time now);

  // Nothing was seen until `now`.
  std::optional<Departure> Until(Time now);

  // By `now` the system has taken in all that was sent to it, and done what it does at once:
  // answers that nothing delays (RST, SYN,ACK, challenge ACKs) have been seen, or never come.
  std::optional<Departure> Settled(Time now);

  // What was sent may be sent again at once: a router asks for smaller packets.
  void MayRepeat();

  // The connection may have ended without a segment: a hard ICMP error (SHLD-26), or an address
  // that does not resolve.
  void MayHaveEnded();

  // The application has aborted the connection (3.10.5): in states without a reset it may be gone.
  void MayHaveAborted();

  // A call of the application has returned, which is not yet in application().
  std::optional<Departure> Returns(const Returned& returned, Time now);

  // The system says that the connection is in this state; kClosed: that it knows none.
  std::optional<Departure> Shows(State shown, Time now);

  // A call of the application returned that shows that the handshake is over, or that there is no
  // connection any more. No effect if no reading agrees.
  void IsKnownToBeOpen();

  // Whether there may be no connection any more, once all has arrived.
  bool MayBeClosed() const;

  // The states that it may be in, once all has arrived.
  std::set<State> States() const;
  bool MayBeIn(State state) const { return States().contains(state); }
  // What the system may have chosen, by what it has done so far; none after a departure.
  std::set<Stack> Stacks() const;
  // What the checks of section 3.10.7 find in a segment that arrives now: "ACK with text, partly
  // old". The same for segments that differ in numbers alone.
  std::string Describe(const Segment& segment) const {
    return oracle::Describe(AllArrived(possible_), segment);
  }

  // What it should have done and has not: of a SHOULD (RFC 2119), which is no departure.
  const std::set<const Rule*>& unfollowed() const { return unfollowed_; }

  // Why nothing can be said: "more than 4096 readings". Empty otherwise.
  const std::string& undecided() const { return undecided_; }
  // Whether it has seen anything to start from.
  bool HasBegun() const { return is_begun_; }
  // Whether what it has said rests on the numbers that it took for those of a connection from
  // before the capture: the ones of its first segment, which may be one that was sent again.
  bool RestsOnAssumptions() const { return is_assumed_; }
  std::size_t readings() const { return possible_.size(); }

 private:
  using Set = std::set<Tcb>;
  struct Arrival {
    Segment segment;
    Time time;
  };

  void Begin(const Segment& segment, Time now);
  Set Processed(const Tcb& tcb) const;
  Set AllArrived(const Set& readings) const;
  std::optional<Departure> Advance(Time now);
  Set Accepting(const Segment& segment, Time now, bool with_losses);
  template <typename What>
  std::optional<Departure> Hold(const What& what, Time now, Set& kept);
  bool CountsTooMuch(std::size_t readings);
  bool IsCopy(const Segment& segment);
  bool IsAnyAssumed() const;

  Distance distance_;
  Application user_;
  bool is_begun_;
  bool is_assumed_ = false;
  Set possible_;
  std::vector<Arrival> arrivals_;
  RoundTrips round_trips_;
  std::shared_ptr<Challenges> challenges_;
  std::set<std::array<std::uint32_t, 3>> sent_;  // SEG.SEQ, SEG.LEN and SEG.ACK
  std::size_t steps_ = 0;
  std::set<const Rule*> unfollowed_;
  std::string undecided_;
};

}  // namespace sockproof::oracle
