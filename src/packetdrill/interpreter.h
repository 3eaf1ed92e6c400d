// Runs a script: its calls by the agent of the system under test, its packets by tun0.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/test/registry.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

// IPv4, IPv6, IPv4 by sockets of IPv6.
enum class Variant { kIpv4, kIpv6, kMapped };

// "ipv4", "ipv6", "ipv4-mapped".
const char* VariantName(Variant variant);

// What becomes of packets that no line of the script expects.
enum class Trailing { kNote, kFail };

struct ScriptPlan {
  std::string path;  // absolute
  std::string name;  // as it is shown
  std::string text;
  Variant variant = Variant::kIpv4;
  std::vector<Option> options;  // before those of the script, which they override
  Definitions definitions;      // the same
  Trailing trailing = Trailing::kNote;
  bool machine_is_own = false;  // the test's: commands may change all of it
};

// The definitions that the scripts of google/packetdrill and of Linux expect from their runners.
Definitions UsualDefinitions(Variant variant);

// The script as the body of a test, to be made inside RunTest(): sets up what the script needs, its
// init command included. Throws what ends the test.
class ScriptTest final : public TestBody {
 public:
  explicit ScriptTest(ScriptPlan plan);
  void Run() override;

 private:
  const std::string name_;
  std::unique_ptr<TestBody> interpreter_;
};

// How long the script waits: the sum of its times.
Duration PlannedDuration(const Script& script);

}  // namespace sockproof::packetdrill
