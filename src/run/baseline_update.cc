#include "src/run/baseline_update.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "src/report/text.h"
#include "src/run/selection.h"

namespace sockproof {
namespace {

constexpr std::size_t kMostOfAFailure = 160;  // bytes of what was observed
constexpr const char* kNewFile =
    "# Known departures, for 'sockproof run --baseline'. Of an entry that says TODO, nobody has "
    "found "
    "out\n# why yet.\n";

// --- how a test failed ---------------------------------------------------------------------------

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsOfWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string Trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("Google Test trace:")) break;
    if (!Trimmed(line).empty()) lines.push_back(Trimmed(line));
  }
  return lines;
}

// The part of a failure's text that says what was observed; its lines joined by newlines.
std::string Observed(const std::string& failure) {
  const std::vector<std::string> lines = Lines(failure);
  for (std::size_t i = lines.size(); i-- > 0;) {
    const std::string& line = lines[i];
    if (line == "Observed:" || line == "Actual:") {
      return i + 1 < lines.size() ? line + "\n" + lines[i + 1] : line;
    }
    if (line.starts_with("Observed: ") || line.starts_with("Actual: ")) return line;
    const std::size_t compared = line.find(", actual: ");
    if (compared != std::string::npos) return line.substr(compared + 2);
  }
  // Of two values that should be equal, the first one is the observed one.
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].starts_with("Which is: ")) return lines[i - 1] + "\n" + lines[i];
  }
  return lines.empty() ? "" : lines.back();
}

// What stands at a place of a text, and the expression that is found there.
struct Token {
  std::size_t length;
  std::string expression;
};

bool IsAddress(const std::string& word) {
  const auto count = [&word](char c) { return std::count(word.begin(), word.end(), c); };
  const bool digits_first = IsDigit(word.front()) || word.front() == '[' || word.find(':') < 5;
  return (count('.') >= 3 && IsDigit(word.front())) || (count(':') >= 2 && digits_first);
}

Token TokenAt(const std::string& text, std::size_t at) {
  const char c = text[at];
  const char before = at > 0 ? text[at - 1] : ' ';
  if (std::isspace(static_cast<unsigned char>(c)) != 0) {
    const std::size_t end = std::min(text.find_first_not_of(" \t\n\v\f\r", at), text.size());
    const bool one = end == at + 1 && c == ' ';
    return {end - at, one ? " " : "\\s+"};
  }
  if (!IsOfWord(before)) {
    const std::size_t end =
        std::min(text.find_first_not_of("0123456789abcdefABCDEF.:[]", at), text.size());
    if (end > at && IsAddress(text.substr(at, end - at))) return {end - at, "\\S+"};
  }
  if (IsDigit(c) && !IsOfWord(before)) {
    std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    const bool fraction = end + 1 < text.size() && text[end] == '.' && IsDigit(text[end + 1]);
    if (fraction) end = std::min(text.find_first_not_of("0123456789", end + 1), text.size());
    for (const std::string_view unit : {" ns", " us", " ms", " s"}) {
      const std::size_t after = end + unit.size();
      const bool ends = after >= text.size() || !IsOfWord(text[after]);
      if (text.compare(end, unit.size(), unit) == 0 && ends) {
        return {after - at, "[\\d.]+ [num]?s"};
      }
    }
    if (fraction) return {end - at, "[\\d.]+"};
    // Descriptors, the first of a call's arguments, and whatever is larger than a count.
    const bool varies = end - at > 2 || before == '(';
    return {end - at, varies ? "\\d+" : text.substr(at, end - at)};
  }
  constexpr std::string_view kSpecial = "\\^$.|?*+()[]{}";
  return {1, (kSpecial.find(c) != std::string_view::npos ? "\\" : "") + std::string(1, c)};
}

// --- texts of files ------------------------------------------------------------------------------

std::string Quoted(const std::string& text) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return c == '\'' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (plain) return "'" + text + "'";
  std::string quoted = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      quoted += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    }
  }
  return quoted + "\"";
}

std::string List(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + Quoted(text);
  return "[" + list + "]";
}

// Removes an entry and the empty line after it, if there is one before it too.
void Remove(std::string& text, TextRange lines) {
  const auto empty_line_at = [&text](std::size_t at) -> std::size_t {
    return text.compare(at, 1, "\n") == 0 ? 1 : text.compare(at, 2, "\r\n") == 0 ? 2 : 0;
  };
  const std::string_view before = std::string_view(text).substr(0, lines.begin);
  const bool empty_before =
      before.empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
  if (empty_before) lines.end += empty_line_at(lines.end);
  text.erase(lines.begin, lines.end - lines.begin);
}

// "6.18" of "6.18.44-generic"; the whole text when it does not begin so.
std::string Series(const std::string& release) {
  std::size_t end = release.find_first_not_of("0123456789");
  if (end == std::string::npos || end == 0 || release[end] != '.') return release;
  end = release.find_first_not_of("0123456789", end + 1);
  return release.substr(0, end);
}

// --- the update ----------------------------------------------------------------------------------

class Updater {
 public:
  Updater(const std::string& text, const std::string& name, const RunResult& run,
          const std::vector<KnownDeparture>& before, const std::vector<std::string>& suite)
      : name_(name), run_(run), before_(before), ids_(suite.begin(), suite.end()) {
    update_.text = text;
    for (const auto& [fact, value] : run.facts) facts_.Set(fact, value);
    for (const TestResult& test : run.tests) {
      ids_.insert(test.id);
      results_[test.id] = &test;
    }
  }

  BaselineUpdate Run() {
    // One entry after the other, because each change moves those behind it and may bring one that
    // it overruled into force.
    do {
      Read();
    } while (ChangeAnEntry());
    AddEntries();
    return std::move(update_);
  }

 private:
  void Read() {
    entries_ = ParseBaseline(update_.text, name_);
    std::vector<KnownDeparture> all = before_;
    all.insert(all.end(), entries_.begin(), entries_.end());
    baseline_ = Baseline(all, facts_);
  }

  bool Passed(const TestResult& test) const { return test.verdict == Verdict::kPass; }
  bool Failed(const TestResult& test) const {
    return test.verdict == Verdict::kFail && !test.failures.empty();
  }

  // Whether a PASS or FAIL is not as recorded.
  bool Surprises(const TestResult& test) const {
    if (!Passed(test) && !Failed(test)) return false;
    TestResult judged = test;
    judged.departure.clear();
    judged.surprise.clear();
    baseline_.Judge(judged);
    return Passed(test) ? !judged.surprise.empty() : judged.departure.empty();
  }

  bool DepartsAs(const std::string& expression, const TestResult& test) const {
    return std::any_of(
        test.failures.begin(), test.failures.end(),
        [&expression](const FailureEvent& failure) { return IsFoundIn(expression, failure.text); });
  }

  // The tests that are judged by an entry of this file; null for one that was not run.
  std::vector<const TestResult*> JudgedBy(const KnownDeparture& entry) const {
    std::vector<const TestResult*> judged;
    for (const std::string& id : ids_) {
      const KnownDeparture* found = baseline_.Find(id);
      const bool this_entry = found != nullptr && found->file == name_ && !found->shipped &&
                              found->lines.begin == entry.lines.begin;
      if (!this_entry) continue;
      const auto result = results_.find(id);
      judged.push_back(result == results_.end() ? nullptr : result->second);
    }
    return judged;
  }

  // Drops or changes the first entry all of whose tests want that. Returns whether there was one.
  bool ChangeAnEntry() {
    for (const KnownDeparture& entry : entries_) {
      const std::vector<const TestResult*> tests = JudgedBy(entry);
      const auto all = [&tests](const std::function<bool(const TestResult&)>& holds) {
        return !tests.empty() &&
               std::all_of(tests.begin(), tests.end(), [&holds](const TestResult* test) {
                 return test != nullptr && holds(*test);
               });
      };
      if (!all([this](const TestResult& test) { return Surprises(test); })) continue;
      if (all([this](const TestResult& test) { return Passed(test); })) {
        Drop(entry, "departs no longer");
        return true;
      }
      if (!all([this](const TestResult& test) { return Failed(test); })) continue;
      if (entry.passes) {
        Drop(entry, "does not pass");
        return true;
      }
      const std::string departs = DepartsLike(tests.front()->failures.front().text);
      if (departs.empty() ||
          !all([&](const TestResult& test) { return DepartsAs(departs, test); })) {
        continue;
      }
      update_.changes.push_back(
          fmt::format("changed {}: departs = {}", entry.named(), Quoted(departs)));
      // The later place first, so that the other one stays where it is.
      const std::pair how(entry.how, Quoted(departs));
      const std::pair claims(entry.claims_at, List(DepartedOf(tests)));
      const bool claims_first = claims.first.begin > how.first.begin;
      for (const auto& [place, value] :
           {claims_first ? claims : how, claims_first ? how : claims}) {
        if (place.end > place.begin)
          update_.text.replace(place.begin, place.end - place.begin, value);
      }
      return true;
    }
    return false;
  }

  // The claims from which any of the tests departs, in their order.
  static std::vector<std::string> DepartedOf(const std::vector<const TestResult*>& tests) {
    std::vector<std::string> ids;
    for (const TestResult* test : tests) {
      for (const CitedClaim* claim : test->DepartedClaims()) {
        if (std::find(ids.begin(), ids.end(), claim->id) == ids.end()) ids.push_back(claim->id);
      }
    }
    return ids;
  }

  void Drop(const KnownDeparture& entry, const char* because) {
    update_.changes.push_back(
        fmt::format("dropped {}, which {}: {}", entry.named(), because, entry.why));
    Remove(update_.text, entry.lines);
  }

  void AddEntries() {
    std::set<std::string> done;
    for (const TestResult& test : run_.tests) {
      if (done.contains(test.id) || !Surprises(test)) continue;
      const std::string departs =
          Failed(test) ? DepartsLike(test.failures.front().text) : std::string();
      if (Failed(test) && departs.empty()) continue;
      // All cases of a test in one entry, when they are alike.
      const std::string both = test.id.substr(0, test.id.find('/'));
      std::vector<const TestResult*> alike;
      bool all_alike = true;
      for (const std::string& id : ids_) {
        if (!MeansTest(both, id)) continue;
        const auto found = results_.find(id);
        const bool same = found != results_.end() && !done.contains(id) &&
                          found->second->verdict == test.verdict && Surprises(*found->second) &&
                          (Passed(test) || DepartsAs(departs, *found->second));
        if (same) alike.push_back(found->second);
        all_alike = all_alike && same;
      }
      if (all_alike) {
        for (const TestResult* other : alike) done.insert(other->id);
      }
      // Of a test that tells its claims apart, which departed.
      const std::vector<const TestResult*> these =
          all_alike ? alike : std::vector<const TestResult*>{&test};
      const bool some_departed = std::any_of(
          these.begin(), these.end(), [](const TestResult* one) { return ClaimsDiffer(*one); });
      Add(all_alike ? both : test.id, departs,
          some_departed ? DepartedOf(these) : std::vector<std::string>());
    }
  }

  // An entry at the end; without `departs`, one that says that the test passes.
  void Add(const std::string& test, const std::string& departs,
           const std::vector<std::string>& claims) {
    std::string& text = update_.text;
    std::string entry = fmt::format("[[departure]]\ntest = {}\n", Quoted(test));
    entry += departs.empty() ? "passes = true\n" : fmt::format("departs = {}\n", Quoted(departs));
    if (!departs.empty() && !claims.empty()) entry += fmt::format("claims = {}\n", List(claims));
    entry += fmt::format("why = \"{}: look into it\"\n", kToDo);
    std::string when;
    for (const char* name : {"os", "release"}) {
      const std::optional<std::string> value = facts_.Find(name);
      if (!value || value->empty()) continue;
      when += fmt::format("{}{} = {}", when.empty() ? "" : ", ", name, Quoted(Series(*value)));
    }
    if (!when.empty()) entry += fmt::format("when = {{ {} }}\n", when);

    if (text.empty()) text = kNewFile;
    entry.insert(0, text.ends_with('\n') ? "\n" : "\n\n");
    const bool windows = text.find("\r\n") != std::string::npos;
    for (const char c : entry) text += c == '\n' && windows ? "\r\n" : std::string(1, c);
    update_.changes.push_back(departs.empty()
                                  ? fmt::format("added {}: passes", test)
                                  : fmt::format("added {}: departs = {}", test, Quoted(departs)));
  }

  const std::string& name_;
  const RunResult& run_;
  const std::vector<KnownDeparture>& before_;
  std::set<std::string> ids_;
  std::map<std::string, const TestResult*> results_;
  Facts facts_;
  std::vector<KnownDeparture> entries_;
  Baseline baseline_;
  BaselineUpdate update_;
};

}  // namespace

std::string DepartsLike(const std::string& failure) {
  const std::string observed = Observed(failure);
  std::string expression;
  std::size_t at = 0;
  const auto inside_character = [&observed](std::size_t place) {
    return (static_cast<unsigned char>(observed[place]) & 0xc0) == 0x80;
  };
  while (at < observed.size() && (at < kMostOfAFailure || inside_character(at))) {
    const Token token = TokenAt(observed, at);
    expression += token.expression;
    at += token.length;
  }
  // To the end of its line, so that "POLLIN" is not found in "POLLIN|POLLHUP".
  if (at >= observed.size() && !expression.empty() && IsFoundIn(expression + "$", failure)) {
    expression += "$";
  }
  return expression;
}

BaselineUpdate UpdateBaseline(const std::string& text, const std::string& name,
                              const RunResult& run, const std::vector<KnownDeparture>& before,
                              const std::vector<std::string>& suite) {
  return Updater(text, name, run, before, suite).Run();
}

}  // namespace sockproof
