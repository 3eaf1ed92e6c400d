#include "src/reach/source.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <optional>
#include <utility>
#include <sstream>
#include <string_view>

namespace sockproof::reach {
namespace {

bool IsOfName(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// The word before the first '(' of a function's head: its name.
std::string NameIn(const std::string& head) {
  const std::size_t paren = head.find('(');
  if (paren == std::string::npos) return "";
  std::size_t end = paren;
  while (end > 0 && head[end - 1] == ' ') --end;
  std::size_t begin = end;
  while (begin > 0 && IsOfName(head[begin - 1])) --begin;
  const std::string name = head.substr(begin, end - begin);
  const std::size_t define = name.find("SYSCALL_DEFINE");
  if (define == std::string::npos) return name;
  const std::string first = head.substr(paren + 1, head.find_first_of(",)", paren) - paren - 1);
  return (define == 0 ? "__x64_sys_" : "__ia32_compat_sys_") + first;
}

// Whether the text has the name as a word of its own.
bool Mentions(const std::string& text, const std::string& name) {
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; ++at) {
    const bool begins = at == 0 || !IsOfName(text[at - 1]);
    const std::size_t end = at + name.size();
    if (begins && (end == text.size() || !IsOfName(text[end]))) return true;
  }
  return false;
}

// What follows the sign in a hunk's head: "+12,3" is {12, 3}; "+12" is {12, 1}.
std::optional<std::pair<int, int>> Range(std::string_view head, char sign) {
  const std::size_t plus = head.find(sign);
  if (plus == std::string_view::npos) return std::nullopt;
  const char* const end = head.data() + head.size();
  int first = 0;
  int count = 1;
  auto parsed = std::from_chars(head.data() + plus + 1, end, first);
  if (parsed.ec != std::errc()) return std::nullopt;
  if (parsed.ptr != end && *parsed.ptr == ',') {
    parsed = std::from_chars(parsed.ptr + 1, end, count);
    if (parsed.ec != std::errc()) return std::nullopt;
  }
  return std::pair(first, count);
}

}  // namespace

std::vector<Function> FunctionsIn(const std::string& text) {
  std::vector<Function> functions;
  std::istringstream lines(text);
  std::string head;  // what came since the last end of something
  int head_begin = 0;
  std::optional<Function> open;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (open) {
      open->body += line + '\n';
      if (!line.starts_with('}')) continue;
      open->last = number;
      functions.push_back(*std::exchange(open, std::nullopt));
      head.clear();
      continue;
    }
    const bool ends = line.empty() || line[0] == '#' || line[0] == '}' || line.ends_with(';') ||
                      line.starts_with("/*") || line.starts_with(" *") || line.starts_with("//");
    if (line == "{" && !NameIn(head).empty()) {
      open = Function{NameIn(head), head_begin, 0, ""};
    } else if (ends) {
      head.clear();
    } else {
      if (head.empty()) head_begin = number;
      head += line + ' ';
    }
  }
  return functions;
}

namespace {

// What a diff does to new files, in its order.
struct DiffReader {
  std::function<void(const std::string& file, int line)> added;
  std::function<void(const std::string& file, int before)> taken_away;  // the first of several lines
  std::function<void(const std::string& file)> removed;

  void Read(const std::string& diff) const;
};

void DiffReader::Read(const std::string& diff) const {
  std::istringstream lines(diff);
  std::string file;
  std::string old_file;
  int at = 0;        // line of the new file
  int left = 0;      // lines of the hunk's new side that are still to come
  int old_left = 0;  // and of its old side
  bool gap = false;
  const auto name_in = [](const std::string& line) {
    const std::string name = line.substr(4, line.find('\t') - 4);
    return name.starts_with("a/") || name.starts_with("b/") ? name.substr(2) : name;
  };
  for (std::string line; std::getline(lines, line);) {
    const bool between_hunks = left <= 0 && old_left <= 0;
    if (between_hunks && line.starts_with("--- ")) {
      old_file = name_in(line);
    } else if (between_hunks && line.starts_with("+++ ")) {
      file = name_in(line);
      if (file != "/dev/null") continue;
      removed(old_file);
      file.clear();
    } else if (between_hunks && line.starts_with("@@ ")) {
      const auto range = Range(line, '+');
      const auto old_range = Range(line, '-');
      if (!range || !old_range) continue;
      at = range->second == 0 ? range->first + 1 : range->first;
      left = range->second;
      old_left = old_range->second;
      gap = false;
    } else if (line.starts_with('+') && left > 0) {
      if (!file.empty()) added(file, at);
      ++at;
      --left;
      gap = false;
    } else if (line.starts_with('-') && old_left > 0) {
      if (!gap && !file.empty()) taken_away(file, at);
      --old_left;
      gap = true;
    } else if ((line.empty() || line.starts_with(' ')) && left > 0) {
      ++at;
      --left;
      --old_left;
      gap = false;
    }
  }
}

}  // namespace

std::vector<Lines> ChangedBy(const std::string& diff) {
  std::vector<Lines> changed;
  const auto add = [&](const std::string& file, int first, int last) {
    if (!changed.empty() && changed.back().file == file && changed.back().last + 1 >= first) {
      changed.back().last = std::max(changed.back().last, last);
    } else {
      changed.push_back({file, first, last});
    }
  };
  DiffReader{[&](const std::string& file, int line) { add(file, line, line); },
             [&](const std::string& file, int before) { add(file, std::max(before - 1, 1), before); },
             [&](const std::string& file) { changed.push_back({file, 0, 0}); }}
      .Read(diff);
  return changed;
}

std::vector<Lines> PlacesIn(const std::string& diff) {
  std::vector<Lines> places;
  DiffReader{[&](const std::string& file, int line) {
               const bool goes_on = !places.empty() && places.back().file == file && places.back().last == line - 1;
               if (goes_on) places.back().last = line;
               else places.push_back({file, line, line});
             },
             [&](const std::string& file, int before) { places.push_back({file, before, before - 1}); },
             [&](const std::string& file) { places.push_back({file, 0, 0}); }}
      .Read(diff);
  return places;
}

Touched FunctionsAt(const Lines& lines, const std::string& text) {
  Touched touched;
  const std::vector<Function> functions = FunctionsIn(text);
  std::istringstream all(text);
  int number = 0;
  for (std::string line; std::getline(all, line);) {
    ++number;
    if (number < lines.first || (lines.last != 0 && number > lines.last)) continue;
    const auto in = std::find_if(functions.begin(), functions.end(), [&](const Function& function) {
      return function.first <= number && number <= function.last;
    });
    if (in != functions.end()) {
      touched.functions.insert(in->name);
    } else if (line.find_first_not_of(" \t") != std::string::npos && !line.starts_with("/*") &&
               !line.starts_with(" *") && !line.starts_with("//")) {
      touched.outside.push_back({lines.file, number, number});
    }
  }
  return touched;
}

std::set<std::string> KnownCallers(const std::string& name, const std::vector<std::string>& texts,
                                   const std::set<std::string>& known) {
  std::vector<Function> functions;
  for (const std::string& text : texts) {
    for (Function& function : FunctionsIn(text)) functions.push_back(std::move(function));
  }
  std::set<std::string> callers;
  std::set<std::string> seen = {name};
  std::vector<std::string> to_look = {name};
  while (!to_look.empty()) {
    const std::string callee = to_look.back();
    to_look.pop_back();
    for (const Function& function : functions) {
      if (seen.contains(function.name) || !Mentions(function.body, callee)) continue;
      seen.insert(function.name);
      if (known.contains(function.name)) {
        callers.insert(function.name);
      } else {
        to_look.push_back(function.name);
      }
    }
  }
  return callers;
}

}  // namespace sockproof::reach
