// Conversations for the tests of the oracle.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "harness/oracle/oracle.h"

namespace sockproof::oracle {

inline constexpr std::uint32_t kIss = 5000, kIrs = 1000;  // of the system, of its peer

// One end of a connection and its peer. Numbers are relative; time passes by what is said.
class Conversation {
 public:
  explicit Conversation(Distance distance = {}, Oracle::Start start = Oracle::Start::kClosed,
                        Stack stack = {},
                        std::shared_ptr<Challenges> challenges = std::make_shared<Challenges>())
      : oracle_(start, distance, stack, std::move(challenges)) {}

  Application& user() { return oracle_.application(); }
  const Oracle& oracle() const { return oracle_; }

  Conversation& In(std::uint16_t flags, std::uint32_t seq, std::uint32_t ack,
                   std::uint32_t text = 0) {
    now_ += 100us;
    if (!departure_) oracle_.Arrives(Make(flags, kIrs + seq, kIss + ack, text), now_);
    return *this;
  }
  Conversation& InRaw(const Segment& segment) {
    now_ += 100us;
    if (!departure_) oracle_.Arrives(segment, now_);
    return *this;
  }
  Conversation& Returns(Returned returned) {
    if (!departure_) departure_ = oracle_.Returns(returned, now_);
    return *this;
  }
  Conversation& Shows(State state) {
    if (!departure_) departure_ = oracle_.Shows(state, now_);
    return *this;
  }
  // The application ends its sending side now.
  Conversation& Finishes() {
    user().finished = now_;
    return *this;
  }
  Conversation& Out(std::uint16_t flags, std::uint32_t seq, std::uint32_t ack,
                    std::uint32_t text = 0) {
    return OutRaw(Make(flags, kIss + seq, kIrs + ack, text));
  }
  Conversation& OutRaw(const Segment& segment) {
    now_ += 100us;
    if (!departure_) departure_ = oracle_.Sends(segment, now_);
    return *this;
  }
  Conversation& Later(Duration duration) {
    now_ += duration;
    if (!departure_) departure_ = oracle_.Until(now_);
    return *this;
  }
  // The three segments of an active or passive open.
  Conversation& Active() { return Out(kSyn, 0, 0).In(kSyn | kAck, 0, 1).Out(kAck, 1, 1); }
  Conversation& Passive() { return In(kSyn, 0, 0).Out(kSyn | kAck, 0, 1).In(kAck, 1, 1); }

  bool IsAllowed() const { return !departure_.has_value(); }
  // The claims of SHOULDs that were not followed.
  std::set<std::string> Unfollowed() const {
    std::set<std::string> claims;
    for (const Rule* rule : oracle_.unfollowed()) claims.insert(rule->claim);
    return claims;
  }
  Departure departure() const { return departure_.value_or(Departure()); }

  static Segment Make(std::uint16_t flags, std::uint32_t seq, std::uint32_t ack,
                      std::uint32_t text) {
    Segment segment;
    segment.flags = flags;
    segment.seq = seq;
    segment.ack = (flags & kAck) != 0 ? ack : 0;
    segment.text = text;
    if (text > 0) segment.flags |= kPsh;
    segment.window = 10000;
    if ((flags & kSyn) != 0) segment.mss = 1460;
    return segment;
  }

 private:
  Oracle oracle_;
  Time now_ = FromNanoseconds(1'000'000'000'000);
  std::optional<Departure> departure_;
};

inline Segment WithWindow(Segment segment, std::uint16_t window) {
  segment.window = window;
  return segment;
}

inline Segment AckOf(std::uint32_t seq, std::uint32_t ack, std::uint16_t window,
                     std::uint32_t text = 0) {
  return WithWindow(Conversation::Make(kAck, kIss + seq, kIrs + ack, text), window);
}

// An application that is known to have opened the connection, and to write `written` octets.
inline Conversation Known(std::uint64_t written = 0) {
  Conversation conversation;
  conversation.user().is_known = true;
  conversation.user().opens = 1;
  conversation.user().written = written;
  return std::move(conversation.Active());
}

}  // namespace sockproof::oracle
