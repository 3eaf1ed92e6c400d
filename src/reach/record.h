// Which functions of a kernel each test reaches: recorded once, kept as a file.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sockproof::reach {

// A function's name as its source spells it: without what compilers put behind a copy of it, such
// as
// ".isra.0", ".constprop.0" or ".cold".
std::string SourceName(const std::string& symbol);

// A file of the source as it was when the kernel was recorded, and its lines that have code.
struct RecordedFile {
  std::string text;
  std::map<int, std::size_t>
      lines;  // each with the tests that reach it, as an index of Record::sets
};

struct Record {
  std::string kernel;              // as --sut names it: "vm:debian:6.1"
  std::string release;             // "6.1.0-50-amd64"
  std::vector<std::string> tests;  // ids of those that ran
  // Functions by SourceName(), each with the tests that reach it, as indices of `tests`; none for
  // those that no test reaches.
  std::map<std::string, std::set<std::size_t>> functions;
  // Where the kernel has debug information: by path from the top of the source.
  std::map<std::string, RecordedFile> files;
  std::vector<std::set<std::size_t>> sets;  // of indices of `tests`; no two are the same

  // The tests that reach any of these.
  std::set<std::string> Reaching(const std::set<std::string>& names) const;
  // And any of these lines of a file of `files`.
  std::set<std::string> Reaching(const std::string& file, const std::set<int>& lines) const;

  // Makes `tests` those that reach the line.
  void SetLine(const std::string& file, int line, const std::set<std::size_t>& tests);

  // Takes over what an older record knows of other tests. Of a file whose text is another now, no
  // lines are known any more.
  void AddTestsOf(const Record& older);

 private:
  std::map<std::set<std::size_t>, std::size_t> places_;  // in `sets`, of those of SetLine()
};

// As a file of JSON, where indices are ranges: "0-3,17".
std::string ToText(const Record& record);
// Throws HarnessError for what is no such file.
Record FromText(const std::string& text);

// Where the record of a kernel is kept. Throws HarnessError when there is no cache.
std::filesystem::path PlaceOf(const std::string& kernel);

// The record in that file; of no file, the one that is kept of the kernel. Throws UsageError when
// there is none, or something else in it.
Record ReadRecord(const std::string& kernel, const std::filesystem::path& file = {});

}  // namespace sockproof::reach
