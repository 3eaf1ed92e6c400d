#include "harness/test/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "harness/base/errors.h"
#include "harness/claims/catalogue.h"
#include "harness/sut/stack.h"

namespace sockproof {
namespace {

// Before main(), in no order.
std::vector<const DeclaredTest*>& Declared() {
  static std::vector<const DeclaredTest*> tests;
  return tests;
}

std::vector<TestCase>& Added() {
  static std::vector<TestCase> tests;
  return tests;
}

bool g_tests_are_out = false;  // whether anyone holds what AllTests() gives

std::vector<Family> FamiliesOf(const TestTraits& traits) {
  const bool ipv4_only = *traits.ipv4_only_because != '\0';
  const bool ipv6_only = *traits.ipv6_only_because != '\0';
  std::vector<Family> families(traits.over.begin(), traits.over.end());
  std::erase_if(families, [&](const Family& family) {
    return (ipv4_only && family.ip == IpVersion::kIpv6) ||
           (ipv6_only && family.ip == IpVersion::kIpv4);
  });
  return families;
}

std::vector<Variant> VariantsOf(const TestTraits& traits) {
  const std::vector<Family> families = FamiliesOf(traits);
  const bool both_ips = families.size() == 2 && families[0].name == kIpv4Family.name &&
                        families[1].name == kIpv6Family.name;
  std::vector<Variant> variants;
  for (std::size_t row = 0; row < std::max<std::size_t>(traits.rows.count(), 1); ++row) {
    std::string row_name;
    if (traits.rows.count() > 0) row_name = traits.rows.name(row);
    for (const Family& family : families) {
      const std::string family_name(family.name);
      const char* between = row_name.empty() || family_name.empty() ? "" : "/";
      variants.push_back({row_name + between + family_name, family, row, both_ips});
    }
  }
  return variants;
}

void AppendCases(const DeclaredTest& test, std::vector<TestCase>& cases) {
  for (const Variant& variant : VariantsOf(test.traits)) {
    cases.push_back({test.suite,
                     test.name,
                     variant,
                     {{test.traits.claims.begin(), test.traits.claims.end()},
                      {test.traits.needs.begin(), test.traits.needs.end()},
                      test.traits.lasts,
                      test.traits.ipv4_only_because,
                      test.traits.ipv6_only_because},
                     test.file,
                     test.line,
                     test.make,
                     test.decides});
  }
}

}  // namespace

Variant OverIp(IpVersion ip) {
  const Family& family = ip == IpVersion::kIpv4 ? kIpv4Family : kIpv6Family;
  return {std::string(family.name), family};
}

std::string TestCase::id() const {
  return variant.name.empty() ? test() : test() + "/" + variant.name;
}

bool RegisterTest(const DeclaredTest& test) {
  Declared().push_back(&test);
  return true;
}

void AddTest(TestCase test) {
  const std::string id = test.id();
  if (g_tests_are_out) throw HarnessError(id + " comes after the tests have been looked at");
  const bool is_there =
      std::any_of(Added().begin(), Added().end(),
                  [&](const TestCase& other) { return other.id() == id; }) ||
      std::any_of(Declared().begin(), Declared().end(), [&](const DeclaredTest* other) {
        return other->suite == test.suite && other->name == test.name;
      });
  if (is_there) throw HarnessError("there are two tests " + id);
  Added().push_back(std::move(test));
}

std::string MistakeIn(const TestCase& test) {
  if (test.traits.claims.empty() && !test.of_user) {
    return fmt::format("{} cites no claim", test.id());
  }
  for (const std::string& claim : test.traits.claims) {
    if (test.of_user || FindClaim(claim) != nullptr) continue;
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
    std::vector<TestCase> tests = Added();
    for (const DeclaredTest* test : Declared()) AppendCases(*test, tests);
    std::stable_sort(tests.begin(), tests.end(), [](const TestCase& a, const TestCase& b) {
      return std::tie(a.suite, a.file, a.line) < std::tie(b.suite, b.file, b.line);
    });
    g_tests_are_out = true;
    return tests;
  }();
  return sorted;
}

}  // namespace sockproof
