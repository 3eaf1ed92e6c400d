#include "src/packetdrill/script_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "harness/base/errors.h"

namespace sockproof::packetdrill {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestScript = 1 << 20;
constexpr Variant kVariants[] = {Variant::kIpv4, Variant::kIpv6, Variant::kMapped};

std::string TextOf(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) throw HarnessError(fmt::format("cannot read {}: {}", path, error.message()));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) ThrowErrno("cannot read " + path);
  if (size > kLargestScript) throw HarnessError(path + " has more than 1 MiB");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Family FamilyOf(Variant variant) {
  switch (variant) {
    case Variant::kIpv4:
      return kIpv4Family;
    case Variant::kIpv6:
      return kIpv6Family;
    default:
      return kMappedFamily;
  }
}

TestCase TestOf(ScriptPlan plan, const std::string& suite, Duration lasts) {
  TestCase test;
  test.suite = suite;
  test.name = fs::path(plan.path).stem().string();
  test.variant.name = VariantName(plan.variant);
  test.variant.family = FamilyOf(plan.variant);
  test.traits.lasts = lasts;
  test.file = plan.name;
  test.line = 1;
  test.of_user = true;
  test.make = [plan = std::move(plan)]() -> std::unique_ptr<TestBody> {
    return std::make_unique<ScriptTest>(plan);
  };
  return test;
}

// Of a script that is none, nothing is known before it runs.
Script ScriptOrNone(const std::string& text, const ScriptOptions& options) {
  try {
    Definitions definitions = UsualDefinitions(Variant::kIpv4);
    for (const auto& [name, value] : options.definitions) definitions[name] = value;
    return Parse(text, definitions);
  } catch (const SyntaxError&) {
    return {};
  }
}

}  // namespace

std::vector<std::string> ScriptsAt(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> scripts;
  for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_regular_file() && entry->path().extension() == ".pkt") {
      scripts.push_back(entry->path().string());
    }
  }
  if (error) throw HarnessError(fmt::format("cannot read {}: {}", path, error.message()));
  std::sort(scripts.begin(), scripts.end());
  return scripts;
}

std::vector<Variant> VariantsFor(const std::string& path, const Script& script) {
  const std::string* version = script.Find("ip_version");
  std::vector<Variant> variants;
  for (const Variant variant : kVariants) {
    const bool ipv6 = variant == Variant::kIpv6;
    if (path.ends_with(ipv6 ? "v4.pkt" : "v6.pkt")) continue;
    // packetdrill calls the third one ipv4-mapped-ipv6. A version that there is not is an error of all.
    const bool is_known = version != nullptr && (*version == "ipv4-mapped-ipv6" || std::any_of(
        std::begin(kVariants), std::end(kVariants), [&](Variant known) { return *version == VariantName(known); }));
    const bool is_meant = !is_known || *version == VariantName(variant) ||
                          (variant == Variant::kMapped && *version == "ipv4-mapped-ipv6");
    if (!is_meant) continue;
    variants.push_back(variant);
  }
  return variants;
}

std::vector<std::string> AddScripts(const std::string& path, const ScriptOptions& options) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  const fs::path given = whole.has_filename() ? whole : whole.parent_path();
  const bool is_folder = fs::is_directory(given);
  // What names of tests begin with: the folder that was given, or that of the file.
  const fs::path root = (is_folder ? given : given.parent_path()).parent_path();
  std::vector<std::string> patterns;
  for (const std::string& script : ScriptsAt(given.string())) {
    const std::string text = TextOf(script);
    const Script parsed = ScriptOrNone(text, options);
    const fs::path name = fs::path(script).lexically_relative(root);
    const std::string suite = name.parent_path().generic_string();
    for (const Variant variant : VariantsFor(script, parsed)) {
      TestCase test = TestOf({script, name.generic_string(), text, variant, options.options,
                              options.definitions, options.trailing, options.machine_is_own},
                             suite, PlannedDuration(parsed));
      patterns.push_back(test.id());
      AddTest(std::move(test));
    }
  }
  return patterns;
}

}  // namespace sockproof::packetdrill
