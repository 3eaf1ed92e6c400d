#include "src/reach/record.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/base/errors.h"
#include "harness/base/files.h"
#include "harness/base/text.h"
#include "src/fetch/cache.h"
#include "src/run/usage_error.h"

namespace sockproof::reach {
namespace {

using Json = nlohmann::json;

constexpr const char* kFormat = "sockproof-reach-1";

std::string Ranges(const std::set<std::size_t>& indices) {
  std::string text;
  for (auto at = indices.begin(); at != indices.end();) {
    const std::size_t first = *at;
    std::size_t last = first;
    while (++at != indices.end() && *at == last + 1) last = *at;
    if (!text.empty()) text += ',';
    text += first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
  }
  return text;
}

[[noreturn]] void NoRecord(const std::string& why) {
  throw HarnessError("this is no record of 'sockproof reach': " + why);
}

// Takes a number from the beginning of `text`.
std::size_t TakeNumber(std::string_view& text, std::size_t below) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number >= below)
    NoRecord("a function names a test that is not there");
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::set<std::size_t> Indices(std::string_view text, std::size_t below) {
  std::set<std::size_t> indices;
  while (!text.empty()) {
    const std::size_t first = TakeNumber(text, below);
    std::size_t last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      last = TakeNumber(text, below);
    }
    for (std::size_t i = first; i <= last; ++i) indices.insert(indices.end(), i);
    if (text.starts_with(','))
      text.remove_prefix(1);
    else if (!text.empty())
      NoRecord("a list of tests goes on with '" + std::string(1, text[0]) + "'");
  }
  return indices;
}

}  // namespace

std::string SourceName(const std::string& symbol) { return symbol.substr(0, symbol.find('.')); }

std::set<std::string> Record::Reaching(const std::set<std::string>& names) const {
  std::set<std::string> ids;
  for (const std::string& name : names) {
    const auto found = functions.find(name);
    if (found == functions.end()) continue;
    for (const std::size_t index : found->second) ids.insert(tests[index]);
  }
  return ids;
}

std::set<std::string> Record::Reaching(const std::string& file, const std::set<int>& lines) const {
  std::set<std::string> ids;
  const auto found = files.find(file);
  if (found == files.end()) return ids;
  for (const int line : lines) {
    const auto set = found->second.lines.find(line);
    if (set == found->second.lines.end()) continue;
    for (const std::size_t index : sets[set->second]) ids.insert(tests[index]);
  }
  return ids;
}

void Record::SetLine(const std::string& file, int line, const std::set<std::size_t>& of_line) {
  const auto [place, is_new] = places_.try_emplace(of_line, sets.size());
  if (is_new) sets.push_back(of_line);
  files[file].lines[line] = place->second;
}

void Record::AddTestsOf(const Record& older) {
  const std::set<std::string> own(tests.begin(), tests.end());
  std::map<std::size_t, std::size_t> places;
  for (std::size_t i = 0; i < older.tests.size(); ++i) {
    if (own.contains(older.tests[i])) continue;
    places[i] = tests.size();
    tests.push_back(older.tests[i]);
  }
  for (const auto& [name, indices] : older.functions) {
    for (const std::size_t index : indices) {
      const auto place = places.find(index);
      if (place != places.end()) functions[name].insert(place->second);
    }
  }
  // Indices of other tests than before: all sets are made anew.
  const std::map<std::string, RecordedFile> own_files = std::exchange(files, {});
  const std::vector<std::set<std::size_t>> own_sets = std::exchange(sets, {});
  places_.clear();
  for (const auto& [name, file] : own_files) {
    const auto known = older.files.find(name);
    if (known == older.files.end() || known->second.text != file.text) continue;
    files[name].text = file.text;
    std::map<int, std::set<std::size_t>> lines;
    for (const auto& [line, set] : file.lines) lines[line] = own_sets[set];
    for (const auto& [line, set] : known->second.lines) {
      std::set<std::size_t>& all = lines[line];
      for (const std::size_t index : older.sets[set]) {
        const auto place = places.find(index);
        if (place != places.end()) all.insert(place->second);
      }
    }
    for (const auto& [line, set] : lines) SetLine(name, line, set);
  }
}

std::string ToText(const Record& record) {
  Json functions = Json::object();
  for (const auto& [name, indices] : record.functions) functions[name] = Ranges(indices);
  Json files = Json::object();
  for (const auto& [name, file] : record.files) {
    Json lines = Json::object();
    for (const auto& [line, set] : file.lines) lines[std::to_string(line)] = set;
    files[name] = {{"text", file.text}, {"lines", std::move(lines)}};
  }
  Json sets = Json::array();
  for (const std::set<std::size_t>& set : record.sets) sets.push_back(Ranges(set));
  return Json{{"format", kFormat},     {"kernel", record.kernel}, {"release", record.release},
              {"tests", record.tests}, {"functions", functions},  {"files", files},
              {"sets", sets}}
             .dump(1, ' ', false, Json::error_handler_t::replace) +
         '\n';
}

Record FromText(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("format", Json()) != kFormat)
    NoRecord("it is something else");
  Record record;
  try {
    json.at("kernel").get_to(record.kernel);
    json.at("release").get_to(record.release);
    json.at("tests").get_to(record.tests);
    for (const auto& [name, tests] : json.at("functions").items()) {
      record.functions[name] = Indices(tests.get<std::string>(), record.tests.size());
    }
    for (const auto& set : json.value("sets", Json::array())) {
      record.sets.push_back(Indices(set.get<std::string>(), record.tests.size()));
    }
    const Json files = json.value("files", Json::object());
    for (const auto& [name, file] : files.items()) {
      RecordedFile& recorded = record.files[name];
      file.at("text").get_to(recorded.text);
      for (const auto& [line, set] : file.at("lines").items()) {
        int number = 0;
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
        const std::size_t index = set.get<std::size_t>();
        if (error != std::errc() || end != line.data() + line.size() || number < 1 ||
            index >= record.sets.size()) {
          NoRecord("a file has a line that cannot be");
        }
        recorded.lines[number] = index;
      }
    }
  } catch (const Json::exception& error) {
    NoRecord(error.what());
  }
  return record;
}

std::filesystem::path PlaceOf(const std::string& kernel) {
  std::string name;
  for (const char c : kernel) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    name += plain ? std::string(1, c) : fmt::format("-{:02x}", static_cast<unsigned char>(c));
  }
  return CacheFolder("reach") / (name + ".json");
}

Record ReadRecord(const std::string& kernel, const std::filesystem::path& file) {
  const std::filesystem::path place = file.empty() ? PlaceOf(kernel) : file;
  if (!std::filesystem::is_regular_file(place)) {
    if (!file.empty()) throw UsageError("there is no file " + CleanLine(file.string()));
    throw UsageError(fmt::format("nothing is recorded of {}; 'sockproof reach -s {}' does it",
                                 CleanLine(kernel), ShellQuoted(kernel)));
  }
  try {
    return FromText(ReadFile(place));
  } catch (const HarnessError& error) {
    throw UsageError(fmt::format("{}: {}", CleanLine(place.string()), CleanLine(error.what())));
  }
}

}  // namespace sockproof::reach
