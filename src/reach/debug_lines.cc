#include "src/reach/debug_lines.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <unordered_map>

#include "harness/base/errors.h"
#include "harness/base/program.h"

namespace sockproof::reach {
namespace {

namespace fs = std::filesystem;

// The words of a line.
std::vector<std::string_view> WordsOf(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

template <typename T>
std::optional<T> NumberOf(std::string_view text, int base) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A file as debug information names it, from the top of the source: "/src/net/ipv4/../core/sock.c"
// is "net/core/sock.c". Empty: it is not the network's.
std::string FromTop(const std::string& name, const fs::path& source) {
  for (fs::path rest = fs::path(name).lexically_normal(); !rest.empty();) {
    const std::string top = rest.begin()->string();
    if ((top == "net" || top == "include") && fs::is_regular_file(source / rest)) {
      return rest.generic_string();
    }
    fs::path shorter;
    for (auto part = std::next(rest.begin()); part != rest.end(); ++part) shorter /= *part;
    rest = shorter;
  }
  return "";
}

}  // namespace

DebugLines DebugLines::Of(const fs::path& vmlinux, const fs::path& source) {
  return {RunProgram({"objdump", "--wide", "--dwarf=decodedline", vmlinux.string()}), source};
}

// After a line "CU: FILE:" or "FILE:" come rows "NAME LINE ADDRESS ...", where LINE is '-' at the
// end of a stretch of code.
DebugLines::DebugLines(std::string_view printed, const fs::path& source) {
  std::unordered_map<std::string, std::string> files;  // as named, from the top
  std::map<std::pair<std::string, int>, std::size_t> numbers;
  const std::string* file = nullptr;
  while (!printed.empty()) {
    const std::size_t end = std::min(printed.find('\n'), printed.size());
    std::string_view line = printed.substr(0, end);
    printed.remove_prefix(std::min(end + 1, printed.size()));
    if (line.ends_with("[++]")) line.remove_suffix(4);
    if (line.ends_with(':')) {
      line.remove_suffix(1);
      if (line.starts_with("CU: ")) line.remove_prefix(4);
      const auto [place, is_new] = files.try_emplace(std::string(line));
      if (is_new) place->second = FromTop(place->first, source);
      file = &place->second;
      continue;
    }
    const std::vector<std::string_view> words = WordsOf(line);
    if (file == nullptr || words.size() < 3) continue;
    std::string_view hex = words[2];
    if (hex.starts_with("0x")) hex.remove_prefix(2);
    const auto address = NumberOf<std::uint64_t>(hex, 16);
    if (!address) continue;
    Row row{*address, kNone};
    const auto number = NumberOf<int>(words[1], 10);
    if (number && *number > 0 && !file->empty()) {
      const auto [place, is_new] = numbers.try_emplace({*file, *number}, numbered_.size());
      if (is_new) numbered_.push_back(place->first);
      row.number = place->second;
    } else if (!number && words[1] != "-") {
      continue;
    }
    // Rows that nobody asks for are needed only where others end.
    if (row.number == kNone && !rows_.empty() && rows_.back().number == kNone &&
        rows_.back().address <= row.address) {
      continue;
    }
    rows_.push_back(row);
  }
  // Where a stretch ends at an address at which another begins, the end comes first.
  std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
    return a.address != b.address ? a.address < b.address : a.number == kNone && b.number != kNone;
  });
}

std::set<std::size_t> DebugLines::At(std::uint64_t begin, std::uint64_t end) const {
  std::set<std::size_t> numbers;
  auto row = std::lower_bound(rows_.begin(), rows_.end(), begin,
                              [](const Row& one, std::uint64_t at) { return one.address < at; });
  // What began before goes on.
  const bool begins = row != rows_.end() && row->address == begin;
  if (!begins && row != rows_.begin()) {
    const Row& before = *std::prev(row);
    if (before.number != kNone) numbers.insert(before.number);
  }
  for (; row != rows_.end() && row->address < end; ++row) {
    if (row->number != kNone) numbers.insert(row->number);
  }
  return numbers;
}

}  // namespace sockproof::reach
