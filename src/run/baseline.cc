#include "src/run/baseline.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "src/run/selection.h"
#include "src/run/usage_error.h"
#include "src/run/user_file.h"
#include "src/run/user_toml.h"

namespace sockproof {

// Generated from baselines/*.toml.
std::vector<std::pair<std::string_view, std::string_view>> BaselineFiles();

namespace {

constexpr std::size_t kSearchedBytes = 65536;

using Expression = std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)>;

Expression Compiled(const std::string& expression) {
  int error = 0;
  PCRE2_SIZE place = 0;
  const auto* const pattern = reinterpret_cast<PCRE2_SPTR>(expression.data());
  Expression compiled(
      pcre2_compile(pattern, expression.size(), PCRE2_MULTILINE, &error, &place, nullptr),
      pcre2_code_free);
  if (!compiled) {
    std::array<PCRE2_UCHAR, 256> words{};
    pcre2_get_error_message(error, words.data(), words.size());
    throw std::invalid_argument(fmt::format("no regular expression: {} at character {}",
                                            reinterpret_cast<const char*>(words.data()), place));
  }
  return compiled;
}

// Lines and columns, which count characters, as places in the bytes of a text.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text), starts_{0} {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }

  std::size_t StartOfLine(std::size_t line) const {
    return line <= starts_.size() ? starts_[line - 1] : text_.size();
  }

  std::size_t Of(const toml::source_position& position) const {
    std::size_t at = StartOfLine(position.line);
    if (at == 0 && text_.starts_with("\xef\xbb\xbf")) at += 3;
    for (toml::source_index column = 1; column < position.column && at < text_.size(); ++column) {
      do {
        ++at;
      } while (at < text_.size() && (static_cast<unsigned char>(text_[at]) & 0xc0) == 0x80);
    }
    return at;
  }

  TextRange Of(const toml::node& node) const {
    return {Of(node.source().begin), Of(node.source().end)};
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

// The last line that a value or anything in it is on.
std::size_t LastLine(const toml::node& node) {
  std::size_t last = std::max(node.source().begin.line, node.source().end.line);
  const auto look_inside = [&last](const toml::node& inner) {
    last = std::max(last, LastLine(inner));
  };
  if (const toml::table* table = node.as_table()) {
    for (const auto& [key, value] : *table) look_inside(value);
  } else if (const toml::array* array = node.as_array()) {
    for (const toml::node& value : *array) look_inside(value);
  }
  return last;
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& name)
      : text_(text), name_(name), places_(text) {}

  std::vector<KnownDeparture> Parse() {
    const toml::table file = ParseUserToml(text_, name_);
    std::vector<KnownDeparture> entries;
    for (const auto& [kind, value] : file) {
      if (kind != "departure") {
        Refuse(kind.source().begin.line, fmt::format("unknown key '{}'", kind.str()));
      }
      const toml::array* tables = value.as_array();
      for (std::size_t i = 0; tables != nullptr && i < tables->size(); ++i) {
        const toml::table* table = tables->get(i)->as_table();
        if (table == nullptr || table->is_inline()) tables = nullptr;
        if (tables != nullptr) entries.push_back(Entry(*table));
      }
      if (tables == nullptr) {
        Refuse(kind.source().begin.line, "each departure is a table of its own, [[departure]]");
      }
    }
    return entries;
  }

 private:
  [[noreturn]] void Refuse(std::size_t line, const std::string& problem) const {
    throw UsageError(fmt::format("{}:{}: {}", name_, line, problem));
  }

  KnownDeparture Entry(const toml::table& table) const {
    const std::size_t line = table.source().begin.line;
    KnownDeparture entry;
    entry.file = name_;
    entry.line = static_cast<int>(line);
    entry.lines = {places_.StartOfLine(line), places_.StartOfLine(LastLine(table) + 1)};
    for (const auto& [key, value] : table) {
      const std::size_t at = key.source().begin.line;
      if (key == "test") {
        entry.tests = value.is_array() ? Texts(key, value) : std::vector{Text(key, value)};
      } else if (key == "departs") {
        entry.departs = Text(key, value);
        entry.how = places_.Of(value);
        try {
          Compiled(entry.departs);
        } catch (const std::invalid_argument& error) {
          Refuse(at, fmt::format("departs is {}", error.what()));
        }
      } else if (key == "claims") {
        entry.claims = Claims(key, value);
        entry.claims_at = places_.Of(value);
      } else if (key == "passes") {
        entry.passes = value.value_exact<bool>().value_or(false);
        entry.how = places_.Of(value);
        if (!entry.passes) Refuse(at, "passes can only be true");
      } else if (key == "sometimes") {
        entry.sometimes = value.value_exact<bool>().value_or(false);
        if (!entry.sometimes) Refuse(at, "sometimes can only be true");
      } else if (key == "why") {
        entry.why = Text(key, value);
      } else if (key == "link") {
        entry.link = Text(key, value);
      } else if (key == "when" && value.is_table()) {
        AddConditions("", *value.as_table(), entry);
      } else if (key == "when") {
        Refuse(at, "when is no table; it looks like { os = \"Linux\", release = \">=6.5\" }");
      } else {
        Refuse(at,
               fmt::format("unknown key '{}'; there are test, departs, sometimes, claims, passes, "
                           "why, link, when",
                           key.str()));
      }
    }
    for (const auto& [name, lacks] :
         {std::pair("test", entry.tests.empty()), {"why", entry.why.empty()}}) {
      if (lacks) Refuse(line, fmt::format("a departure without '{}'", name));
    }
    if (entry.departs.empty() != entry.passes) {
      Refuse(line, "a departure needs either 'departs' or 'passes'");
    }
    if (entry.passes && !entry.claims.empty()) Refuse(line, "'claims' goes with 'departs'");
    if (entry.passes && entry.sometimes) Refuse(line, "'sometimes' goes with 'departs'");
    return entry;
  }

  // Those of a list; of anything else, none.
  std::vector<std::string> Texts(const toml::key& key, const toml::node& value) const {
    std::vector<std::string> texts;
    const toml::array* const array = value.as_array();
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
      texts.push_back(Text(key, *array->get(i)));
    }
    return texts;
  }

  std::vector<std::string> Claims(const toml::key& key, const toml::node& value) const {
    std::vector<std::string> claims = Texts(key, value);
    if (claims.empty()) {
      Refuse(key.source().begin.line, "claims is no list of ids like [\"rfc9293:MUST-12\"]");
    }
    return claims;
  }

  std::string Text(const toml::key& key, const toml::node& value) const {
    std::string text = value.value_exact<std::string>().value_or("");
    if (text.empty()) {
      Refuse(key.source().begin.line,
             fmt::format("{} is {}", key.str(), value.is_string() ? "empty" : "no text in quotes"));
    }
    return text;
  }

  // Dots in keys and tables in tables come to the same: sysctl.net.ipv4.tcp_ecn = "1".
  void AddConditions(const std::string& prefix, const toml::table& table,
                     KnownDeparture& entry) const {
    for (const auto& [key, value] : table) {
      const std::string fact = prefix + std::string(key.str());
      const std::size_t at = key.source().begin.line;
      try {
        if (value.is_table()) {
          AddConditions(fact + ".", *value.as_table(), entry);
        } else if (const auto present = value.value_exact<bool>()) {
          entry.when[fact] = FactCondition::Present(*present);
        } else if (const auto number = value.value_exact<std::int64_t>()) {
          entry.when[fact] = FactCondition::Parse(std::to_string(*number));
        } else if (const auto text = value.value_exact<std::string>()) {
          entry.when[fact] = FactCondition::Parse(*text);
        } else {
          Refuse(at, fmt::format("when.{} is neither text nor a whole number nor true", fact));
        }
      } catch (const std::invalid_argument& error) {
        Refuse(at, fmt::format("when.{}: {}", fact, error.what()));
      }
    }
  }

  std::string_view text_;
  const std::string& name_;
  Places places_;
};

bool Holds(const KnownDeparture& entry, const Facts& facts) {
  return std::all_of(entry.when.begin(), entry.when.end(), [&facts](const auto& condition) {
    return condition.second.Holds(facts.Find(condition.first));
  });
}

}  // namespace

std::string KnownDeparture::place() const { return fmt::format("{}:{}", file, line); }

bool KnownDeparture::Means(const std::string& id) const {
  return std::any_of(tests.begin(), tests.end(),
                     [&id](const std::string& pattern) { return MeansTest(pattern, id); });
}

std::string KnownDeparture::named() const { return fmt::format("{}", fmt::join(tests, ", ")); }

std::vector<KnownDeparture> ParseBaseline(std::string_view toml, const std::string& name) {
  return Parser(toml, name).Parse();
}

std::vector<KnownDeparture> ReadBaseline(const std::string& path) {
  return ParseBaseline(ReadUserFile(path), path);
}

std::vector<KnownDeparture> ShippedBaseline() {
  std::vector<KnownDeparture> entries;
  for (const auto& [name, text] : BaselineFiles()) {
    for (KnownDeparture& entry : ParseBaseline(text, std::string(name))) {
      entry.shipped = true;
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

bool IsFoundIn(const std::string& expression, const std::string& text) {
  const Expression compiled = Compiled(expression);
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  // Negative: not found, or not to be found out because it backtracks without end.
  return pcre2_match(compiled.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                     std::min(text.size(), kSearchedBytes), 0, 0, match.get(), nullptr) >= 0;
}

Baseline::Baseline(const std::vector<KnownDeparture>& entries, const Facts& facts) {
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(entries_),
               [&facts](const KnownDeparture& entry) { return Holds(entry, facts); });
}

const KnownDeparture* Baseline::Find(const std::string& id) const {
  const auto found = std::find_if(entries_.rbegin(), entries_.rend(),
                                  [&id](const KnownDeparture& entry) { return entry.Means(id); });
  return found == entries_.rend() ? nullptr : &*found;
}

void Baseline::Judge(TestResult& result) const {
  const KnownDeparture* known = Find(result.id);
  if (known == nullptr || known->passes) return;
  if (result.verdict == Verdict::kPass) {
    if (known->sometimes) return;
    result.surprise = "departs no longer, as it is recorded to: " + known->why;
    return;
  }
  if (result.verdict != Verdict::kFail) return;
  const bool as_recorded = std::any_of(
      result.failures.begin(), result.failures.end(),
      [&known](const FailureEvent& failure) { return IsFoundIn(known->departs, failure.text); });
  std::string others;  // claims that were not to depart
  for (const CitedClaim* claim : result.DepartedClaims()) {
    const bool known_to =
        known->claims.empty() ||
        std::find(known->claims.begin(), known->claims.end(), claim->id) != known->claims.end();
    if (!known_to) others += (others.empty() ? "" : ", ") + claim->id;
  }
  if (as_recorded && !others.empty()) {
    result.surprise = "departs from " + others + " too, which is not recorded: " + known->why;
  } else if (as_recorded) {
    result.departure = known->why + (known->link.empty() ? "" : " (" + known->link + ")");
  } else {
    result.surprise = "departs in another way than recorded: " + known->why;
  }
}

std::vector<std::string> Baseline::Files() const {
  std::vector<std::string> files;
  for (const KnownDeparture& entry : entries_) {
    const std::string file = entry.file + (entry.shipped ? " (shipped)" : "");
    if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  }
  return files;
}

std::vector<std::string> Baseline::Stale(const RunResult& run,
                                         const std::vector<std::string>& suite) const {
  std::set<std::string> passed;
  std::set<const KnownDeparture*> passed_by_some;
  for (const TestResult& result : run.tests) {
    if (result.verdict != Verdict::kPass) continue;
    passed.insert(result.id);
    passed_by_some.insert(Find(result.id));
  }
  std::vector<std::string> stale;
  for (const KnownDeparture& entry : entries_) {
    const auto tell = [&](const std::string& tests, const char* why) {
      stale.push_back(fmt::format("{}: {}: {}", entry.place(), tests, why));
    };
    for (const std::string& pattern : entry.tests) {
      if (entry.shipped) break;
      const bool names_any =
          std::any_of(suite.begin(), suite.end(),
                      [&pattern](const std::string& id) { return MeansTest(pattern, id); });
      if (!names_any) tell(pattern, "there is no such test");
    }
    if (entry.passes || entry.sometimes || passed_by_some.count(&entry) == 0) continue;
    const bool departs_no_longer =
        std::all_of(suite.begin(), suite.end(), [&](const std::string& id) {
          return passed.count(id) != 0 || !entry.Means(id) || Find(id) != &entry;
        });
    if (departs_no_longer) tell(entry.named(), "departs no longer");
  }
  return stale;
}

}  // namespace sockproof
