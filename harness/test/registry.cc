#include "harness/test/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "harness/claims/catalogue.h"
#include "harness/sut/stack.h"

namespace sockproof {
namespace {

std::vector<TestCase>& Registered() {
  static std::vector<TestCase> tests;
  return tests;
}

}  // namespace

std::string TestCase::id() const {
  return suite + "." + name + "/" + std::string(IpVersionName(ip));
}

Duration TestCase::LastsOn(const Facts& facts) const {
  return traits.lasts == nullptr ? Duration(0) : traits.lasts(facts);
}

bool RegisterTest(std::string suite, std::string name, const char* file, int line,
                  TestTraits traits, std::function<std::unique_ptr<TestBody>()> make,
                  bool (*decides)()) {
  for (const IpVersion ip : {IpVersion::kIpv4, IpVersion::kIpv6}) {
    const std::string& other_only =
        ip == IpVersion::kIpv4 ? traits.ipv6_only_because : traits.ipv4_only_because;
    if (!other_only.empty()) continue;
    Registered().push_back({suite, name, ip, traits, file, line, make, decides});
  }
  return true;
}

std::string MistakeIn(const TestCase& test) {
  if (test.traits.claims.empty()) return fmt::format("{} cites no claim", test.id());
  for (const std::string& claim : test.traits.claims) {
    if (FindClaim(claim) != nullptr) continue;
    return fmt::format("{} cites {}, which is no claim of the catalogue", test.id(), claim);
  }
  for (const std::string& capability : test.traits.needs) {
    if (IsCapability(capability)) continue;
    return fmt::format("{} needs {}, which is no capability that any system could have", test.id(),
                       capability);
  }
  return "";
}

const std::vector<TestCase>& AllTests() {
  static const std::vector<TestCase> sorted = [] {
    std::vector<TestCase> tests = Registered();
    std::sort(tests.begin(), tests.end(), [](const TestCase& a, const TestCase& b) {
      return std::tie(a.suite, a.file, a.line, a.ip) < std::tie(b.suite, b.file, b.line, b.ip);
    });
    return tests;
  }();
  return sorted;
}

}  // namespace sockproof
