#include "src/explore/alphabet.h"

#include <numeric>
#include <string>

namespace sockproof::explore {
namespace {

struct Weighted {
  const char* step;
  int weight;
};

// What is done, and how often: what keeps a connection alive more often than what ends it.
constexpr Weighted kSteps[] = {
    // First check: the sequence number. Past any window, and at its edges.
    {"ACK seq-1", 1},
    {"ACK seq+1048576", 1},
    {"ACK len=4 seq+1048576", 1},
    {"ACK len=4 seq-4", 2},
    {"ACK len=4 seq-2", 2},
    {"ACK len=4 seq+4", 2},
    {"ACK len=8 seq-8", 1},
    // Second check: RST.
    {"RST", 1},
    {"RST seq+10", 1},
    {"RST seq-1", 1},
    {"RST seq+1048576", 1},
    {"RST,ACK", 1},
    {"RST,ACK ack+1000", 1},
    // Fourth check: SYN.
    {"SYN seq=ISS", 2},
    {"SYN seq+10", 1},
    {"SYN seq+1048576", 1},
    {"SYN,ACK seq=ISS", 2},
    {"SYN,ACK ack+1000", 1},
    {"SYN,FIN seq=ISS", 1},
    {"SYN seq=ISS len=4", 1},
    // Fifth check: ACK.
    {"ACK", 6},
    {"ACK ack=IRS", 2},
    {"ACK ack-1", 1},
    {"ACK ack+1000", 2},
    {"ACK len=4 ack=IRS", 1},
    {"ACK len=4 ack+1000", 1},
    {"ACK window=0", 1},
    {"no-flags", 1},
    {"no-flags len=4", 1},
    // Sixth and seventh check: URG, text.
    {"ACK,URG len=1", 1},
    {"ACK len=4", 6},
    {"ACK len=1000", 1},
    {"ACK len=4 bad-checksum", 1},
    {"ACK len=4 lost", 1},
    {"ACK len=4 old-timestamp", 1},
    // Eighth check: FIN.
    {"FIN,ACK", 4},
    {"FIN,ACK len=4", 2},
    {"FIN,ACK seq+4", 1},
    {"FIN,ACK ack-1", 2},
    {"FIN,ACK seq-1", 2},
    {"FIN", 1},
    // Calls.
    {"accept()", 3},
    {"send(5)", 4},
    {"recv(64)", 4},
    {"shutdown(SHUT_WR)", 4},
    {"shutdown(SHUT_RD)", 2},
    {"close()", 3},
    {"abort()", 1},
    {"poll()", 1},
    {"getsockopt(SO_ERROR)", 1}};

// All sequences of a batch wait when one does. So most have no wait, and a hundred in a row the
// same. After five minutes data and FIN that have not come are missed.
constexpr std::uint64_t kRow = 100;
constexpr int kWaitWeight = 5;
constexpr const char* kWaits[] = {nullptr,        nullptr,          nullptr, nullptr,
                                  "wait(100 ms)", "wait(1500 ms)",  nullptr, "wait(61000 ms)",
                                  nullptr,        "wait(301000 ms)"};

// The ways into each state.
constexpr const char* kWays[] = {
    "socket()",                                                   // CLOSED
    "listen()",                                                   // LISTEN
    "connect()",                                                  // SYN-SENT
    "listen();SYN seq=ISS",                                       // SYN-RECEIVED
    "connect();SYN seq=ISS",                                      // the same, both opened
    "connect();SYN,ACK seq=ISS",                                  // ESTABLISHED
    "listen();SYN seq=ISS;ACK;accept()",                          // the same, accepted
    "listen();SYN seq=ISS;ACK",                                   // and not yet
    "connect();SYN,ACK seq=ISS;send(5)",                          // with data under way
    "connect();SYN,ACK seq=ISS;ACK len=4",                        // with data that nobody has read
    "connect();SYN,ACK seq=ISS;shutdown(SHUT_WR)",                // FIN-WAIT-1
    "connect();SYN,ACK seq=ISS;close()",                          // the same, its process gone
    "connect();SYN,ACK seq=ISS;shutdown(SHUT_WR);ACK",            // FIN-WAIT-2
    "connect();SYN,ACK seq=ISS;close();ACK",                      // the same, its process gone
    "connect();SYN,ACK seq=ISS;FIN,ACK",                          // CLOSE-WAIT
    "connect();SYN,ACK seq=ISS;shutdown(SHUT_WR);FIN,ACK ack-1",  // CLOSING
    "connect();SYN,ACK seq=ISS;FIN,ACK;close()",                  // LAST-ACK
    "connect();SYN,ACK seq=ISS;FIN,ACK;shutdown(SHUT_WR)",        // the same, the process there
    "connect();SYN,ACK seq=ISS;shutdown(SHUT_WR);ACK;FIN,ACK",    // TIME-WAIT
    "connect();SYN,ACK seq=ISS;close();FIN,ACK"};                 // the same, its process gone

constexpr std::uint64_t kWayCount = std::size(kWays), kStepCount = std::size(kSteps);

std::vector<Step> WayInto(std::size_t way) {
  return ParseOneLine(std::string("ipv4;none;") + kWays[way]).front().steps;
}

// SplitMix64: few lines, and the same everywhere and always.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
    return mixed ^ mixed >> 31;
  }
  int Below(int limit) { return static_cast<int>(Next() % static_cast<std::uint64_t>(limit)); }

 private:
  std::uint64_t state_;
};

const char* Chosen(Random& random, const char* wait) {
  std::vector<Weighted> steps(std::begin(kSteps), std::end(kSteps));
  if (wait != nullptr) steps.push_back({wait, kWaitWeight});
  int at = random.Below(std::accumulate(steps.begin(), steps.end(), 0,
                                        [](int sum, const auto& one) { return sum + one.weight; }));
  for (const Weighted& one : steps) {
    at -= one.weight;
    if (at < 0) return one.step;
  }
  return kSteps[0].step;
}

}  // namespace

std::uint64_t CountOf(const Plan& plan) {
  return plan.pairs ? kWayCount * kStepCount * kStepCount : UINT64_MAX;
}

Sequence MakeSequence(const Plan& plan, std::uint64_t number) {
  Sequence sequence;
  const std::uint64_t turn = plan.pairs ? number / kWayCount : number;
  if (plan.ipv6 && turn % 2 == 1) sequence.ip = IpVersion::kIpv6;
  if (plan.pairs) {
    // The ways alternate, so that a part of the pairs is a sample of all of them.
    sequence.steps = WayInto(number % kWayCount);
    const std::uint64_t pair = number / kWayCount;
    sequence.steps.push_back(ParseStep(kSteps[pair / kStepCount % kStepCount].step));
    sequence.steps.push_back(ParseStep(kSteps[pair % kStepCount].step));
    return sequence;
  }
  Random random(plan.seed * 0x100000000 + number);
  random.Next();
  if (random.Below(4) == 0) sequence.options = Options::kAll;
  sequence.steps = WayInto(static_cast<std::size_t>(random.Below(kWayCount)));
  const char* const wait = plan.waits ? kWaits[number / kRow % std::size(kWaits)] : nullptr;
  for (int i = 0; i < plan.steps; ++i) {
    sequence.steps.push_back(ParseStep(Chosen(random, wait)));
  }
  return sequence;
}

}  // namespace sockproof::explore
