// Reads the list of mutants.
#include "harness/mutants/mutant.h"

#define TOML_HEADER_ONLY 1
#include <fmt/format.h>
#include <toml++/toml.h>

#include <sstream>
#include <utility>

#include "harness/base/errors.h"

namespace sockproof {

// Generated from mutants.toml.
std::vector<std::pair<std::string_view, std::string_view>> MutantFiles();

namespace {

// One table. Every key must be asked for, so that a misspelt one is an error.
class Reader {
 public:
  Reader(std::string kind, const toml::table& table) : kind_(std::move(kind)), table_(table) {}

  template <typename T>
  std::optional<T> Find(const std::string& key) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return std::nullopt;
    const auto value = node->value<T>();
    if (!value) Refuse(*node, "has a value of the wrong type", key);
    return value;
  }
  template <typename T>
  T Get(const std::string& key, T otherwise) {
    return Find<T>(key).value_or(std::move(otherwise));
  }
  int Number(const std::string& key, int otherwise) {
    return static_cast<int>(Get<std::int64_t>(key, otherwise));
  }
  template <typename T>
  std::optional<T> Unsigned(const std::string& key) {
    const auto number = Find<std::int64_t>(key);
    if (!number) return std::nullopt;
    return static_cast<T>(*number);
  }
  std::string Text(const std::string& key) {
    const auto value = Find<std::string>(key);
    if (!value) Refuse(table_, "is missing", key);
    return *value;
  }

  TcpFlags Flags(const std::string& key) {
    static const std::map<std::string, TcpFlag> kFlags = {
        {"FIN", kFin}, {"SYN", kSyn}, {"RST", kRst}, {"PSH", kPsh},
        {"ACK", kAck}, {"URG", kUrg}, {"ECE", kEce}, {"CWR", kCwr}};
    TcpFlags flags = 0;
    std::istringstream words(Get<std::string>(key, ""));
    for (std::string word; words >> word;) {
      const auto flag = kFlags.find(word);
      if (flag == kFlags.end()) Refuse(table_, "names no TCP flag: " + word, key);
      flags |= flag->second;
    }
    return flags;
  }

  std::optional<TcpState> State(const std::string& key) {
    const auto name = Find<std::string>(key);
    if (!name) return std::nullopt;
    for (int state = 0; state <= static_cast<int>(TcpState::kClosed); ++state) {
      if (TcpStateName(static_cast<TcpState>(state)) == *name) return static_cast<TcpState>(state);
    }
    Refuse(table_, "names no TCP state: " + *name, key);
  }

  // A flat table of strings and integers.
  nlohmann::json Object(const std::string& key) {
    known_.push_back(key);
    nlohmann::json object = nlohmann::json::object();
    const toml::node* node = table_.get(key);
    if (node == nullptr) return object;
    if (!node->is_table()) Refuse(*node, "must be a table", key);
    for (const auto& [name, value] : *node->as_table()) {
      if (const auto text = value.value<std::string>(); text && value.is_string()) {
        object[std::string(name.str())] = *text;
      } else if (const auto number = value.value<std::int64_t>()) {
        object[std::string(name.str())] = *number;
      } else {
        Refuse(value, "must hold strings and integers", key);
      }
    }
    return object;
  }

  template <typename T>
  T OneOf(const std::string& key, const std::map<std::string, T>& words,
          const std::string& otherwise) {
    const auto found = words.find(Get<std::string>(key, otherwise));
    if (found == words.end()) Refuse(table_, "has an unknown value", key);
    return found->second;
  }

  void RefuseOtherKeys() {
    for (const auto& [key, value] : table_) {
      if (std::find(known_.begin(), known_.end(), key.str()) == known_.end()) {
        Refuse(value, "is unknown here", std::string(key.str()));
      }
    }
  }

  [[noreturn]] void Refuse(const toml::node& node, const std::string& problem,
                           const std::string& key) const {
    throw HarnessError(fmt::format("list of mutants, line {}: key '{}' of [[{}]] {}",
                                   node.source().begin.line, key, kind_, problem));
  }

 private:
  std::string kind_;
  const toml::table& table_;
  std::vector<std::string> known_;
};

WireMutation ReadWire(Reader& reader) {
  using Action = WireMutation::Action;
  WireMutation wire;
  wire.sent_by_system = reader.OneOf<bool>("on", {{"sent", true}, {"received", false}}, "sent");
  wire.with = reader.Flags("with");
  wire.without = reader.Flags("without");
  wire.payload = reader.Find<bool>("payload");
  wire.options = reader.Find<bool>("options");
  wire.repeated = reader.Find<bool>("repeated");
  wire.skip = reader.Number("skip", 0);
  wire.times = reader.Number("times", -1);
  wire.action = reader.OneOf<Action>("do",
                                     {{"edit", Action::kEdit},
                                      {"drop", Action::kDrop},
                                      {"duplicate", Action::kDuplicate},
                                      {"delay", Action::kDelay},
                                      {"edited-copy", Action::kEditedCopy}},
                                     "edit");
  wire.delay = std::chrono::milliseconds(reader.Number("delay_ms", 0));
  wire.add_seq = reader.Number("add_seq", 0);
  wire.add_ack = reader.Number("add_ack", 0);
  wire.set_flags = reader.Flags("set");
  wire.clear_flags = reader.Flags("clear");
  wire.add_urgent = reader.Number("add_urgent", 0);
  wire.window = reader.Unsigned<std::uint16_t>("window");
  wire.hop_limit = reader.Unsigned<std::uint8_t>("hop_limit");
  wire.traffic_class = reader.Unsigned<std::uint8_t>("traffic_class");
  wire.reserved = reader.Unsigned<std::uint8_t>("reserved");
  wire.mss = reader.Unsigned<std::uint16_t>("mss");
  wire.flip_payload = reader.Get("flip_payload", false);
  wire.cut_payload = reader.Get("cut_payload", false);
  wire.remove_options = reader.Get("remove_options", false);
  wire.good_checksum = reader.Get("good_checksum", false);
  wire.bad_checksum = reader.Get("bad_checksum", false);
  return wire;
}

CallMutation ReadCall(Reader& reader) {
  CallMutation call;
  call.method = reader.Text("method");
  call.only_if = reader.Object("only_if");
  call.set_params = reader.Object("set_params");
  call.add_params = reader.Object("add_params");
  call.fails = reader.Find<std::string>("fails");
  call.succeeds = reader.Find<std::string>("succeeds");
  call.error = reader.Find<std::string>("error");
  call.add = reader.Find<std::int64_t>("add");
  call.data = reader.Find<std::string>("data");
  if (const auto port = reader.Find<std::int64_t>("add_port"))
    call.add_port = static_cast<int>(*port);
  call.events = reader.Find<std::string>("events");
  call.no_signals = reader.Get("no_signals", false);
  call.late = reader.Get("late", 0.0);
  call.early = reader.Get("early", 0.0);
  return call;
}

ReadingMutation ReadReading(Reader& reader) {
  ReadingMutation reading;
  reading.state = reader.State("state");
  reading.shown_as = reader.State("shown_as");
  reading.after = std::chrono::milliseconds(reader.Number("after_ms", 0));
  reading.add_queue = reader.Number("add_queue", 0);
  reading.add_counter = reader.Number("add_counter", 0);
  return reading;
}

FactMutation ReadFact(Reader& reader) { return {reader.Text("name"), reader.Number("add", 0)}; }

}  // namespace

std::vector<Mutant> ParseMutants(std::string_view toml_text) {
  std::vector<Mutant> mutants;
  try {
    const toml::table list = toml::parse(toml_text);
    for (const auto& [kind_key, tables] : list) {
      const std::string kind(kind_key.str());
      if (!tables.is_array_of_tables()) throw HarnessError("list of mutants: stray key " + kind);
      for (const toml::node& node : *tables.as_array()) {
        Reader reader(kind, *node.as_table());
        Mutant mutant;
        mutant.id = kind + "/" + reader.Text("id");
        mutant.what = reader.Text("what");
        if (kind == "wire") {
          mutant.wire = ReadWire(reader);
        } else if (kind == "call") {
          mutant.call = ReadCall(reader);
        } else if (kind == "reading") {
          mutant.reading = ReadReading(reader);
        } else if (kind == "fact") {
          mutant.fact = ReadFact(reader);
        } else {
          reader.Refuse(node, "is of an unknown kind", "id");
        }
        reader.RefuseOtherKeys();
        mutants.push_back(std::move(mutant));
      }
    }
  } catch (const toml::parse_error& error) {
    throw HarnessError(fmt::format("list of mutants, line {}: {}", error.source().begin.line,
                                   std::string(error.description())));
  }
  return mutants;
}

const std::vector<Mutant>& AllMutants() {
  static const std::vector<Mutant> mutants = ParseMutants(MutantFiles().at(0).second);
  return mutants;
}

}  // namespace sockproof
