#include "src/compare/evidence.h"

#include <algorithm>
#include <exception>
#include <filesystem>

#include "harness/trace/event_log.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = 4'000'000;  // of events; more is not read

int Rank(Answer answer) {
  switch (answer) {
    case Answer::kFail:
      return 0;
    case Answer::kKnownDeparture:
      return 1;
    case Answer::kPass:
      return 2;
    default:
      return 3;
  }
}

// Without what is measured anew each time.
std::string WithoutMeasurements(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto is_digit = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '9';
    };
    if (!is_digit(i)) {
      result += text[i++];
      continue;
    }
    std::size_t end = i;
    while (is_digit(end)) ++end;
    const bool decimal = end < text.size() && text[end] == '.' && is_digit(end + 1);
    const bool port = end - i == 5;
    if (decimal) {
      for (++end; is_digit(end);) ++end;
    }
    result += decimal || port ? "#" : text.substr(i, end - i);
    i = end;
  }
  return result;
}

std::string WhyOf(const TestCell& cell) {
  std::string why;
  if (cell.tests.empty()) return why;
  const TestResult& test = *cell.tests.front();
  for (const std::string& text : {test.departure, test.surprise, test.reason}) why += text + "\n";
  for (const FailureEvent& failure : test.failures) why += failure.text + "\n";
  return WithoutMeasurements(why);
}

bool SameObserved(const TestRow& row, const TestCell& a, const TestCell& b) {
  const std::vector<std::string> names = ObservedNames(row);
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return SameValue(ObservedIn(a, name), ObservedIn(b, name));
  });
}

}  // namespace

std::vector<Alike> SystemsAlike(const TestRow& row) {
  std::vector<Alike> groups;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const TestCell& cell = row.cells[i];
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const Alike& other) {
      const TestCell& first = row.cells[other.systems.front()];
      return first.answer == cell.answer && WhyOf(first) == WhyOf(cell) &&
             SameObserved(row, first, cell);
    });
    if (group == groups.end()) {
      groups.push_back({cell.answer, {i}});
    } else {
      group->systems.push_back(i);
    }
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Alike& a, const Alike& b) { return Rank(a.answer) < Rank(b.answer); });
  return groups;
}

std::string EvidenceFolder(const ComparedSystem& system, const TestResult& test) {
  const fs::path directory = fs::path(test.directory).lexically_normal();
  const bool elsewhere = directory.empty() || directory.is_absolute() ||
                         *directory.begin() == ".." || directory == "." ||
                         test.directory.find('\0') != std::string::npos;
  return elsewhere ? "" : fs::path(system.folder) / directory;
}

std::vector<Event> EventsOf(const ComparedSystem& system, const TestResult& test) {
  const std::string folder = EvidenceFolder(system, test);
  if (folder.empty()) return {};
  const fs::path file = fs::path(folder) / "events.jsonl";
  try {
    if (!fs::is_regular_file(file) || fs::file_size(file) > kMostBytes) return {};
    return ReadEvents(file);
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace sockproof
