#include "src/reach/line_choice.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>

namespace sockproof::reach {
namespace {

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Lines [old_first, old_first + old_count) became [new_first, new_first + new_count); from 1.
struct Difference {
  int old_first = 1;
  int old_count = 0;
  int new_first = 1;
  int new_count = 0;
};

// What differs between two texts, as few lines as possible: E. W. Myers, "An O(ND) Difference
// Algorithm and Its Variations". None: more lines than `most`.
std::optional<std::vector<Difference>> DifferencesOf(const std::vector<std::string>& before,
                                                     const std::vector<std::string>& after,
                                                     int most) {
  const int n = static_cast<int>(before.size());
  const int m = static_cast<int>(after.size());
  // furthest[d][k + d]: how far in `before` d steps lead on diagonal k = x - y.
  std::vector<std::vector<int>> furthest;
  const auto at = [&furthest](int d, int k) {
    return furthest[static_cast<std::size_t>(d)][static_cast<std::size_t>(k + d)];
  };
  const auto goes_down = [&at](int d, int k) {
    return k == -d || (k != d && at(d - 1, k - 1) < at(d - 1, k + 1));
  };
  for (int d = 0; d <= most; ++d) {
    furthest.emplace_back(static_cast<std::size_t>(2 * d + 1));
    for (int k = -d; k <= d; k += 2) {
      int x = d == 0 ? 0 : goes_down(d, k) ? at(d - 1, k + 1) : at(d - 1, k - 1) + 1;
      while (x < n && x - k < m && x - k >= 0 &&
             before[static_cast<std::size_t>(x)] == after[static_cast<std::size_t>(x - k)])
        ++x;
      furthest.back()[static_cast<std::size_t>(k + d)] = x;
      if (x < n || x - k < m) continue;
      // The way back.
      std::vector<Difference> differences;
      int old_line = n;
      int new_line = m;
      for (int step = d; step > 0; --step) {
        const int diagonal = old_line - new_line;
        const bool down = goes_down(step, diagonal);
        const int from = down ? diagonal + 1 : diagonal - 1;
        const int from_old = at(step - 1, from);
        const int from_new = from_old - from;
        Difference* next = differences.empty() ? nullptr : &differences.back();
        const int end_old = down ? from_old : from_old + 1;
        const int end_new = down ? from_new + 1 : from_new;
        if (next == nullptr || next->old_first != end_old + 1 || next->new_first != end_new + 1) {
          differences.push_back({end_old + 1, 0, end_new + 1, 0});
          next = &differences.back();
        }
        (down ? next->new_first : next->old_first) -= 1;
        (down ? next->new_count : next->old_count) += 1;
        old_line = from_old;
        new_line = from_new;
      }
      std::reverse(differences.begin(), differences.end());
      return differences;
    }
  }
  return std::nullopt;
}

std::string Trimmed(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return line.substr(begin, line.find_last_not_of(" \t") + 1 - begin);
}

// Columns before the first character that is none.
int Indentation(const std::string& line) {
  int columns = 0;
  for (const char c : line) {
    if (c == '\t')
      columns += 8 - columns % 8;
    else if (c == ' ')
      ++columns;
    else
      break;
  }
  return columns;
}

bool IsLabel(const std::string& trimmed) {
  return trimmed.ends_with(':') && !trimmed.starts_with("case ") && trimmed != "default:" &&
         std::all_of(trimmed.begin(), trimmed.end() - 1, [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
         });
}

// Nothing, a comment, or the name of a place: it does nothing.
bool IsIdle(const std::string& line) {
  const std::string text = Trimmed(line);
  return text.empty() || text.starts_with("/*") || text.starts_with("//") || text == "*" ||
         text.starts_with("* ") || text.starts_with("*/") || IsLabel(text);
}

// Of variables without a value: new ones do nothing.
bool IsDeclaration(const std::string& line) {
  const std::string text = Trimmed(line);
  const std::string first = text.substr(0, text.find(' '));
  return text.ends_with(';') && first.size() < text.size() && first != "return" &&
         first != "goto" && first != "else" &&
         std::all_of(text.begin(), text.end() - 1, [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                  std::string_view("_ \t*,[]").find(c) != std::string_view::npos;
         });
}

bool EndsStatement(const std::string& line) {
  const std::string text = Trimmed(line);
  return text.empty() || text.back() == ';' || text.back() == '{' || text.back() == '}' ||
         text.back() == ':' || text.ends_with("*/") || text.starts_with('#');
}

class Toucher {
 public:
  explicit Toucher(const RecordedFile& recorded)
      : recorded_(recorded),
        lines_(LinesOf(recorded.text)),
        functions_(FunctionsIn(recorded.text)) {}

  const std::vector<std::string>& lines() const { return lines_; }

  bool HasFunction(const std::string& name) const {
    return std::any_of(functions_.begin(), functions_.end(),
                       [&name](const Function& function) { return function.name == name; });
  }

  // A line that is there; false: it does nothing.
  bool Touch(int number) {
    if (HasCode(number)) {
      touched_.lines.insert(number);
      return true;
    }
    if (IsIdle(Line(number))) return false;
    const Function* const function = FunctionAt(number);
    if (function == nullptr) {
      touched_.outside.push_back(number);
      return true;
    }
    if (!TouchStatement(number, *function))
      TouchBlock(number, Indentation(Line(number)), *function);
    return true;
  }

  // What is put in before line `number`, and is that far indented.
  void TouchGap(int number, int indentation) {
    const Function* const function = FunctionAt(number);
    if (function == nullptr || number == function->first) {
      touched_.outside.push_back(number);
      return;
    }
    int before = number - 1;
    while (before > function->first && DoesNothing(before)) --before;
    if (!EndsStatement(Line(before))) {  // in the middle of it
      Touch(before);
      return;
    }
    int behind = number;
    while (behind < function->last && DoesNothing(behind)) ++behind;
    const std::string next = Trimmed(Line(behind));
    const bool goes_on = !next.starts_with('}') && !next.starts_with("case ") &&
                         next != "default:" && !next.starts_with("else");
    if (goes_on && HasCode(behind))
      touched_.lines.insert(behind);
    else
      TouchBlock(number, indentation, *function);
  }

  TouchedLines Take() { return std::move(touched_); }

 private:
  const std::string& Line(int number) const { return lines_[static_cast<std::size_t>(number - 1)]; }
  bool DoesNothing(int number) const { return IsIdle(Line(number)) || IsDeclaration(Line(number)); }
  bool HasCode(int number) const { return recorded_.lines.contains(number); }

  const Function* FunctionAt(int number) const {
    for (const Function& function : functions_) {
      if (function.first <= number && number <= function.last) return &function;
    }
    return nullptr;
  }

  // Lines with code in [first, last]; false: there are none.
  bool TouchRange(int first, int last) {
    bool any = false;
    for (auto at = recorded_.lines.lower_bound(first);
         at != recorded_.lines.end() && at->first <= last; ++at) {
      touched_.lines.insert(at->first);
      any = true;
    }
    return any;
  }

  // All lines of the statement, when it has several; false: none has code.
  bool TouchStatement(int number, const Function& function) {
    if (Trimmed(Line(number)).starts_with('}')) return false;
    int first = number;
    while (first > function.first + 1 && !EndsStatement(Line(first - 1)) &&
           !IsIdle(Line(first - 1)))
      --first;
    int last = number;
    while (last < function.last && !EndsStatement(Line(last))) ++last;
    return TouchRange(first, last);
  }

  // The block around what is indented so at that line.
  void TouchBlock(int number, int indentation, const Function& function) {
    const auto is_outside = [&](int line) {
      const std::string& text = Line(line);
      return !IsIdle(text) && !text.starts_with('#') && Indentation(text) < indentation;
    };
    int first = number - 1;
    while (first > function.first && !is_outside(first)) --first;
    int last = number;
    while (last < function.last && !is_outside(last)) ++last;
    if (TouchRange(first + 1, last - 1)) return;
    if (first <= function.first || indentation == 0) {
      TouchRange(function.first, function.last);
      return;
    }
    if (HasCode(first))
      touched_.lines.insert(first);
    else
      TouchBlock(first, Indentation(Line(first)), function);
  }

  const RecordedFile& recorded_;
  const std::vector<std::string> lines_;
  const std::vector<Function> functions_;
  TouchedLines touched_;
};

}  // namespace

std::optional<TouchedLines> LinesTouched(const RecordedFile& recorded, const std::string& now,
                                         const std::vector<Lines>& places) {
  constexpr int kMost = 2000;  // lines that differ
  Toucher toucher(recorded);
  const std::vector<std::string> lines = LinesOf(now);
  const std::vector<Function> functions = FunctionsIn(now);
  const auto differences = DifferencesOf(toucher.lines(), lines, kMost);
  if (!differences) return std::nullopt;
  const int count = static_cast<int>(lines.size());

  const auto is_new_function = [&](int line) {
    return std::any_of(functions.begin(), functions.end(), [&](const Function& function) {
      return function.first <= line && line <= function.last && !toucher.HasFunction(function.name);
    });
  };
  std::set<const Difference*> done;
  const auto touch_difference = [&](const Difference& difference) {
    if (!done.insert(&difference).second) return;
    bool any = false;
    for (int i = 0; i < difference.old_count; ++i)
      any = toucher.Touch(difference.old_first + i) || any;
    if (any) return;
    for (int line = difference.new_first; line < difference.new_first + difference.new_count;
         ++line) {
      const std::string& text = lines[static_cast<std::size_t>(line - 1)];
      if (IsIdle(text) || IsDeclaration(text) || is_new_function(line)) continue;
      toucher.TouchGap(difference.old_first, Indentation(text));
      return;
    }
  };
  for (const Lines& place : places) {
    const bool is_gap = place.last == place.first - 1;
    const int last = place.last == 0 && !is_gap ? count : std::min(place.last, count);
    bool told = false;
    int shift = 0;  // from lines of now to recorded ones
    std::size_t next = 0;
    for (int line = std::max(place.first, 1); line <= (is_gap ? place.first : last); ++line) {
      while (next < differences->size() &&
             (*differences)[next].new_first + (*differences)[next].new_count <= line &&
             !((*differences)[next].new_count == 0 && (*differences)[next].new_first == line)) {
        const Difference& passed = (*differences)[next++];
        shift = passed.old_first + passed.old_count - passed.new_first - passed.new_count;
      }
      const Difference* const here = next < differences->size() ? &(*differences)[next] : nullptr;
      const bool is_here = here != nullptr && here->new_first <= line &&
                           (line < here->new_first + here->new_count || here->new_count == 0);
      if (is_here) {
        touch_difference(*here);
        told = true;
        if (here->new_count == 0) {  // lines are gone before this one
          ++next;
          shift = here->old_first + here->old_count - here->new_first;
          if (!is_gap) toucher.Touch(line + shift);
        }
      } else if (!is_gap) {
        toucher.Touch(line + shift);
        told = true;
      }
    }
    // What was taken away was not there when it was recorded either.
    if (is_gap && !told && place.first <= count)
      toucher.TouchGap(place.first + shift,
                       Indentation(lines[static_cast<std::size_t>(place.first - 1)]));
  }
  return toucher.Take();
}

}  // namespace sockproof::reach
