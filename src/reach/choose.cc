#include "src/reach/choose.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "harness/base/errors.h"
#include "harness/base/files.h"
#include "harness/base/program.h"
#include "harness/base/text.h"
#include "src/reach/line_choice.h"
#include "src/reach/source.h"
#include "src/run/usage_error.h"

namespace sockproof::reach {
namespace {

namespace fs = std::filesystem;

// Resolves names to those of the record.
class Chooser {
 public:
  Chooser(const fs::path& source, const Record& record) : source_(source), record_(record) {
    for (const auto& entry : record.functions) known_.insert(entry.first);
  }

  void AddFunction(const std::string& glob) {
    bool found = false;
    for (const std::string& name : known_) {
      if (fnmatch(glob.c_str(), name.c_str(), 0) != 0) continue;
      choice_.functions.insert(name);
      found = true;
    }
    if (known_.contains(glob) && !source_.empty()) AddWhereInlined(glob);
    if (found) return;
    if (!source_.empty() && AddCallers(glob, TextsOfSource())) return;
    throw UsageError(fmt::format(
        "no function '{}' is among this kernel's symbols{}", CleanLine(glob),
        source_.empty() ? "; where compilers put it into its callers, --source tells who they are"
                        : DidYouMean(glob, {known_.begin(), known_.end()})));
  }

  // A file that is no source, or is not there any longer.
  void AddFile(const std::string& file) {
    for (const char* part : {"Documentation/", "tools/", "samples/", "scripts/"}) {
      if (!file.starts_with(part)) continue;
      choice_.notes.push_back(CleanLine(file) + " is no part of a kernel: passed over");
      return;
    }
    CannotTell(CleanLine(file) + " is no source, or was removed");
  }

  void AddLines(const Lines& lines) {
    const std::string text = TextOf(lines.file);
    const Touched touched = FunctionsAt(lines, text);
    for (const std::string& name : touched.functions) AddFunctionOf(name, lines.file, text);
    if (!touched.outside.empty()) AddOutside(touched.outside.front(), text);
  }

  // As AddLines(), by lines of the record; false: it has none of this file that go with these. A place may be
  // a gap, as PlacesIn() names it.
  bool AddPlaces(const std::string& file, const std::vector<Lines>& places) {
    const auto recorded = record_.files.find(file);
    if (recorded == record_.files.end()) return false;
    const std::string text = TextOf(file);
    const std::optional<TouchedLines> touched = LinesTouched(recorded->second, text, places);
    if (!touched) return false;
    choice_.lines[file].insert(touched->lines.begin(), touched->lines.end());
    if (!touched->outside.empty()) {
      const int line = touched->outside.front();
      AddOutside({file, line, line}, recorded->second.text);
    }
    return true;
  }

  Choice Take() { return std::move(choice_); }

 private:
  static bool IsHeader(const std::string& file) { return file.ends_with(".h"); }

  std::string TextOf(const std::string& file) const {
    try {
      return ReadFile(source_ / file);
    } catch (const HarnessError&) {
      throw UsageError(fmt::format("there is no {} in {}", CleanLine(file), source_.string()));
    }
  }

  // All of the network's source.
  const std::vector<std::string>& TextsOfSource() {
    if (!texts_.empty()) return texts_;
    for (const char* part : {"net", "include/net", "include/linux"}) {
      std::error_code error;
      for (fs::recursive_directory_iterator at(source_ / part, error), end; !error && at != end;
           at.increment(error)) {
        const std::string extension = at->path().extension();
        if (at->is_regular_file() && (extension == ".c" || extension == ".h")) {
          texts_.push_back(ReadFile(at->path()));
        }
      }
    }
    return texts_;
  }

  void CannotTell(const std::string& why) {
    choice_.everything = true;
    choice_.notes.push_back(why + ": what it touches cannot be told");
  }

  bool AddCallers(const std::string& name, const std::vector<std::string>& texts) {
    const std::set<std::string> callers = KnownCallers(name, texts, known_);
    if (callers.empty()) return false;
    choice_.functions.insert(callers.begin(), callers.end());
    choice_.notes.push_back(fmt::format("{} has no symbol of its own: taken for who calls it, {}",
                                        name, Joined({callers.begin(), callers.end()})));
    return true;
  }

  // Compilers put short functions into their callers in the same file, symbol or not.
  void AddWhereInlined(const std::string& name, const std::string& text) {
    constexpr int kShort = 30;  // lines
    for (const Function& function : FunctionsIn(text)) {
      if (function.name != name || function.last - function.first > kShort) continue;
      const std::set<std::string> callers = KnownCallers(name, {text}, known_);
      choice_.functions.insert(callers.begin(), callers.end());
    }
  }
  void AddWhereInlined(const std::string& name) {
    for (const std::string& text : TextsOfSource()) {
      if (text.find(name) != std::string::npos) AddWhereInlined(name, text);
    }
  }

  void AddFunctionOf(const std::string& name, const std::string& file, const std::string& text) {
    if (known_.contains(name)) {
      choice_.functions.insert(name);
      AddWhereInlined(name, text);
    } else if (!AddCallers(name,
                           IsHeader(file) ? TextsOfSource() : std::vector<std::string>{text})) {
      AddWhole(file, text, fmt::format("{} of {} has no symbol, and nobody calls it", name, file));
    }
  }

  void AddOutside(const Lines& lines, const std::string& text) {
    AddWhole(lines.file, text, fmt::format("{}:{} is in no function", lines.file, lines.first));
  }

  void AddWhole(const std::string& file, const std::string& text, const std::string& why) {
    if (IsHeader(file)) return CannotTell(why);
    for (const Function& function : FunctionsIn(text)) {
      if (known_.contains(function.name)) choice_.functions.insert(function.name);
    }
    choice_.notes.push_back(why + ": taken for all of that file");
  }

  fs::path source_;
  const Record& record_;
  std::set<std::string> known_;
  std::vector<std::string> texts_;
  Choice choice_;
};

// "FILE:12-30", "FILE:12" or "FILE"; none: it is no file.
std::optional<Lines> AsLines(const std::string& item) {
  const std::size_t colon = item.find(':');
  const std::string file = item.substr(0, colon);
  if (!file.ends_with(".c") && !file.ends_with(".h")) return std::nullopt;
  if (colon == std::string::npos) return Lines{file, 1, 0};
  Lines lines{file, 0, 0};
  const char* const end = item.data() + item.size();
  auto parsed = std::from_chars(item.data() + colon + 1, end, lines.first);
  lines.last = lines.first;
  if (parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == '-') {
    parsed = std::from_chars(parsed.ptr + 1, end, lines.last);
  }
  if (parsed.ec != std::errc() || parsed.ptr != end || lines.first < 1 ||
      lines.last < lines.first) {
    throw UsageError(fmt::format("'{}' is not FILE.c:FIRST-LAST", CleanLine(item)));
  }
  return lines;
}

}  // namespace

std::set<std::string> Reaching(const Choice& choice, const Record& record) {
  std::set<std::string> tests = record.Reaching(choice.functions);
  for (const auto& [file, lines] : choice.lines) tests.merge(record.Reaching(file, lines));
  return tests;
}

std::vector<std::string> NamesIn(const Choice& choice) {
  std::vector<std::string> names;
  for (const auto& [file, lines] : choice.lines) {
    for (const int line : lines) names.push_back(fmt::format("{}:{}", file, line));
  }
  names.insert(names.end(), choice.functions.begin(), choice.functions.end());
  return names;
}

Choice ByItems(const std::vector<std::string>& items, const fs::path& source,
               const Record& record) {
  Chooser chooser(source, record);
  for (const std::string& item : items) {
    const std::optional<Lines> lines = AsLines(item);
    if (!lines) {
      chooser.AddFunction(item);
    } else if (source.empty()) {
      throw UsageError(fmt::format("for {} the kernel's source is needed: --source DIR", item));
    } else {
      const bool is_range = lines->last != 0;
      if (!is_range || !chooser.AddPlaces(lines->file, {*lines})) chooser.AddLines(*lines);
    }
  }
  return chooser.Take();
}

Choice ByChange(const std::string& change, const fs::path& source, const Record& record) {
  if (source.empty()) throw UsageError("for a change the kernel's source is needed: --source DIR");
  std::string diff;
  if (fs::is_regular_file(change)) {
    diff = ReadFile(change);
  } else {
    if (fs::exists(change) && !fs::is_directory(change)) {
      throw UsageError(CleanLine(change) + " is no regular file");
    }
    if (change.empty() || change.starts_with('-')) throw UsageError("'" + CleanLine(change) + "' is no revision");
    try {
      diff = RunProgram({"git", "-C", source.string(), "diff", "--unified=0", "--no-color",
                         "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/", change, "--"});
    } catch (const HarnessError& error) {
      throw UsageError(fmt::format("{} is neither a file nor a revision: {}", CleanLine(change),
                                   CleanLine(error.what())));
    }
  }
  const std::vector<Lines> changed = ChangedBy(diff);
  if (changed.empty()) throw UsageError(CleanLine(change) + " changes nothing");
  std::map<std::string, std::vector<Lines>> places;
  for (const Lines& place : PlacesIn(diff)) {
    if (place.first > 0) places[place.file].push_back(place);
  }
  Chooser chooser(source, record);
  std::set<std::string> by_lines;
  for (const auto& [file, of_file] : places) {
    if (chooser.AddPlaces(file, of_file)) by_lines.insert(file);
  }
  for (const Lines& lines : changed) {
    const bool is_source = lines.file.ends_with(".c") || lines.file.ends_with(".h");
    if (lines.first > 0 && by_lines.contains(lines.file)) continue;
    if (is_source && lines.first > 0) chooser.AddLines(lines);
    else chooser.AddFile(lines.file);
  }
  return chooser.Take();
}

}  // namespace sockproof::reach
