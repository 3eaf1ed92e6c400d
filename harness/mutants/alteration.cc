// Reads the lists of mutants and variants.
#include "harness/mutants/alteration.h"

#define TOML_HEADER_ONLY 1
#include <fmt/format.h>
#include <fnmatch.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "harness/base/errors.h"
#include "harness/claims/catalogue.h"

namespace sockproof {

// Generated from mutants.toml and variants.toml, in that order.
std::vector<std::pair<std::string_view, std::string_view>> AlterationFiles();

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

  std::vector<std::string> Texts(const std::string& key) {
    known_.push_back(key);
    std::vector<std::string> texts;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return texts;
    if (!node->is_array()) Refuse(*node, "must be a list", key);
    for (const toml::node& entry : *node->as_array()) {
      const auto text = entry.value<std::string>();
      if (!text || !entry.is_string()) Refuse(entry, "must hold strings", key);
      texts.push_back(*text);
    }
    return texts;
  }

  // Octets: "131083" is a list of three.
  Bytes Octets(const std::string& key) {
    Bytes octets;
    const std::string digits = Get<std::string>(key, "");
    if (digits.size() % 2 != 0 ||
        digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
      Refuse(table_, "must be octets in hexadecimal", key);
    }
    for (std::size_t i = 0; i < digits.size(); i += 2) {
      octets.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    return octets;
  }

  const toml::table* Table(const std::string& key) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node != nullptr && !node->is_table()) Refuse(*node, "must be a table", key);
    return node == nullptr ? nullptr : node->as_table();
  }

  // A flat table of strings, numbers, truths and lists of strings: {flags = ["MSG_PEEK"]}.
  nlohmann::json Object(const std::string& key) {
    known_.push_back(key);
    nlohmann::json object = nlohmann::json::object();
    const toml::node* node = table_.get(key);
    if (node == nullptr) return object;
    if (!node->is_table()) Refuse(*node, "must be a table", key);
    for (const auto& [name, value] : *node->as_table()) {
      object[std::string(name.str())] = Json(value, key);
    }
    return object;
  }

  // Lists and tables of these, too.
  nlohmann::json Json(const toml::node& node, const std::string& key) const {
    if (node.is_string()) return *node.value<std::string>();
    if (node.is_integer()) return *node.value<std::int64_t>();
    if (node.is_boolean()) return *node.value<bool>();
    if (const toml::array* list = node.as_array()) {
      nlohmann::json elements = nlohmann::json::array();
      for (const toml::node& element : *list) elements.push_back(Json(element, key));
      return elements;
    }
    if (!node.is_table()) Refuse(node, "must hold strings, integers, true or false", key);
    nlohmann::json members = nlohmann::json::object();
    for (const auto& [name, member] : *node.as_table()) {
      members[std::string(name.str())] = Json(member, key);
    }
    return members;
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

  [[noreturn]] void RefuseHere(const std::string& problem, const std::string& key) const {
    Refuse(table_, problem, key);
  }
  [[noreturn]] void Refuse(const toml::node& node, const std::string& problem,
                           const std::string& key) const {
    throw HarnessError(fmt::format("list of alterations, line {}: key '{}' of [[{}]] {}",
                                   node.source().begin.line, key, kind_, problem));
  }

 private:
  std::string kind_;
  const toml::table& table_;
  std::vector<std::string> known_;
};

void ReadSelection(Reader& reader, SegmentSelection& selection) {
  using When = SegmentSelection::When;
  selection.sent_by_system =
      reader.OneOf<bool>("on", {{"sent", true}, {"received", false}}, "sent");
  selection.with = reader.Flags("with");
  selection.without = reader.Flags("without");
  selection.payload = reader.Find<bool>("payload");
  selection.options = reader.Find<bool>("options");
  selection.repeated = reader.Find<bool>("repeated");
  selection.ip_options = reader.Find<bool>("has_ip_options");
  selection.option = reader.Unsigned<std::uint8_t>("has_option");
  selection.when = reader.OneOf<When>("when",
                                      {{"always", When::kAlways},
                                       {"connected", When::kConnected},
                                       {"own-fin-unconfirmed", When::kOwnFinUnconfirmed},
                                       {"keepalive-probe", When::kKeepaliveProbe},
                                       {"answers-out-of-order", When::kAnswersOutOfOrder},
                                       {"ahead", When::kAhead},
                                       {"confirms-data", When::kConfirmsData},
                                       {"wrapped", When::kWrapped},
                                       {"beyond-last-window", When::kBeyondLastWindow},
                                       {"confirms-nothing", When::kConfirmsNothing},
                                       {"odd-reset-of-syn", When::kOddResetOfSyn},
                                       {"window-shrank", When::kWindowShrank},
                                       {"window-closed", When::kWindowClosed}},
                                      "always");
  selection.skip = reader.Number("skip", 0);
  selection.times = reader.Number("times", -1);
}

WireAlteration ReadWire(Reader& reader) {
  using Action = WireAlteration::Action;
  using Layout = WireAlteration::Layout;
  using Source = WireAlteration::Source;
  using Takes = WireAlteration::Takes;
  using Icmp = WireAlteration::Icmp;
  WireAlteration wire;
  ReadSelection(reader, wire);
  wire.action = reader.OneOf<Action>("do",
                                     {{"edit", Action::kEdit},
                                      {"drop", Action::kDrop},
                                      {"duplicate", Action::kDuplicate},
                                      {"delay", Action::kDelay},
                                      {"edited-copy", Action::kEditedCopy},
                                      {"edited-before", Action::kEditedBefore},
                                      {"recall-fin", Action::kRecallFin},
                                      {"split", Action::kSplit},
                                      {"fin-apart", Action::kFinApart},
                                      {"renumber", Action::kRenumber},
                                      {"renumber-each", Action::kRenumberEach}},
                                     "edit");
  wire.delay = std::chrono::milliseconds(reader.Number("delay_ms", 0));
  wire.add_seq = reader.Get<std::int64_t>("add_seq", 0);
  wire.add_ack = reader.Get<std::int64_t>("add_ack", 0);
  wire.set_flags = reader.Flags("set");
  wire.clear_flags = reader.Flags("clear");
  wire.add_urgent = reader.Number("add_urgent", 0);
  wire.window = reader.Unsigned<std::uint16_t>("window");
  wire.window_at_most = reader.Unsigned<std::uint16_t>("window_at_most");
  wire.window_at_least = reader.Unsigned<std::uint16_t>("window_at_least");
  wire.window_is_signed = reader.Get("window_is_signed", false);
  wire.hop_limit = reader.Unsigned<std::uint8_t>("hop_limit");
  wire.traffic_class = reader.Unsigned<std::uint8_t>("traffic_class");
  wire.reserved = reader.Unsigned<std::uint8_t>("reserved");
  wire.mss = reader.Unsigned<std::uint16_t>("mss");
  wire.ip_id = reader.Unsigned<std::uint16_t>("ip_id");
  wire.isn = reader.Unsigned<std::uint32_t>("isn").value_or(0);
  wire.isn_step = reader.Unsigned<std::uint32_t>("isn_step").value_or(0);
  wire.isn_clock = reader.Get("isn_clock", false);
  wire.flip_payload = reader.Get("flip_payload", false);
  wire.cut_payload = reader.Get("cut_payload", false);
  wire.no_payload = reader.Get("no_payload", false);
  wire.garbage_octet = reader.Get("garbage_octet", false);
  wire.more_payload = reader.Number("more_payload", 0);
  wire.source = reader.OneOf<Source>("source",
                                     {{"as-it-is", Source::kAsItIs},
                                      {"another", Source::kAnother},
                                      {"unspecified", Source::kUnspecified}},
                                     "as-it-is");
  wire.takes = reader.OneOf<Takes>("takes",
                                   {{"nothing-else", Takes::kNothingElse},
                                    {"to-many-hosts", Takes::kToManyHosts},
                                    {"from-no-host", Takes::kFromNoHost}},
                                   "nothing-else");
  wire.icmp = reader.OneOf<Icmp>("icmp",
                                 {{"none", Icmp::kNone},
                                  {"any", Icmp::kAny},
                                  {"source-quench", Icmp::kSourceQuench},
                                  {"too-big", Icmp::kTooBig},
                                  {"soft", Icmp::kSoft}},
                                 "none");
  wire.icmp_as_port_unreachable = reader.Get("icmp_as_port_unreachable", false);
  wire.icmp_in_flight = reader.Get("icmp_in_flight", false);
  wire.window_scale = reader.Unsigned<std::uint8_t>("window_scale");
  wire.window_shift = reader.Number("window_shift", 0);
  wire.add_ts_val = reader.Get<std::int64_t>("add_ts_val", 0);
  wire.add_ts_ecr = reader.Get<std::int64_t>("add_ts_ecr", 0);
  wire.sack = reader.OneOf<WireAlteration::Sack>("sack",
                                                 {{"as-it-is", WireAlteration::Sack::kAsItIs},
                                                  {"reversed", WireAlteration::Sack::kReversed},
                                                  {"first-only", WireAlteration::Sack::kFirstOnly},
                                                  {"shifted", WireAlteration::Sack::kShifted}},
                                                 "as-it-is");
  wire.remove_option = reader.Unsigned<std::uint8_t>("remove_option");
  wire.extra_options = reader.Octets("extra_options");
  wire.remove_options = reader.Get("remove_options", false);
  wire.option_octet = reader.Unsigned<std::uint8_t>("option_octet");
  wire.option_value = reader.Unsigned<std::uint8_t>("option_value");
  wire.signed_by = reader.Find<std::string>("signed_by");
  wire.authenticated_by = reader.Find<std::string>("authenticated_by");
  wire.layout = reader.OneOf<Layout>("layout",
                                     {{"as-it-is", Layout::kAsTheyAre},
                                      {"reversed", Layout::kReversed},
                                      {"nops-first", Layout::kNopsFirst},
                                      {"nops-last", Layout::kNopsLast},
                                      {"end-padded", Layout::kEndPadded},
                                      {"mss-only", Layout::kMssOnly},
                                      {"experimental", Layout::kExperimental},
                                      {"garbage-after-end", Layout::kGarbageAfterEnd},
                                      {"without-length", Layout::kWithoutLength},
                                      {"without-mss", Layout::kWithoutMss},
                                      {"window-scaled", Layout::kWindowScaled}},
                                     "as-it-is");
  wire.new_ip_options = reader.Octets("ip_options");
  wire.remove_ip_options = reader.Get("remove_ip_options", false);
  wire.good_checksum = reader.Get("good_checksum", false);
  wire.bad_checksum = reader.Get("bad_checksum", false);
  return wire;
}

PacketAlteration ReadPacket(Reader& reader) {
  using Action = PacketAlteration::Action;
  using Checksum = PacketAlteration::Checksum;
  using What = PacketSelection::What;
  PacketAlteration packet;
  packet.sent_by_system = reader.OneOf<bool>("on", {{"sent", true}, {"received", false}}, "sent");
  packet.what = reader.OneOf<What>("of",
                                   {{"any", What::kAny},
                                    {"udp", What::kUdp},
                                    {"icmp", What::kIcmp},
                                    {"groups", What::kGroups},
                                    {"neighbours", What::kNeighbours},
                                    {"fragment", What::kFragment},
                                    {"other", What::kOther}},
                                   "any");
  packet.ipv4 = reader.Find<bool>("ipv4");
  packet.type = reader.Unsigned<std::uint8_t>("type");
  packet.code = reader.Unsigned<std::uint8_t>("code");
  packet.asks = reader.Find<bool>("asks");
  packet.payload = reader.Find<bool>("payload");
  packet.to_many = reader.Find<bool>("to_many");
  packet.headers = reader.Find<bool>("headers");
  packet.defect = reader.Find<bool>("defect");
  packet.hops_below = reader.Unsigned<std::uint8_t>("hops_below");
  packet.longer_than = reader.Unsigned<std::size_t>("longer_than");
  packet.skip = reader.Number("skip", 0);
  packet.times = reader.Number("times", -1);
  packet.action = reader.OneOf<Action>("do",
                                       {{"edit", Action::kEdit},
                                        {"drop", Action::kDrop},
                                        {"duplicate", Action::kDuplicate},
                                        {"delay", Action::kDelay},
                                        {"edited-copy", Action::kEditedCopy},
                                        {"put-together", Action::kPutTogether},
                                        {"fill-gaps", Action::kFillGaps},
                                        {"cut-up", Action::kCutUp},
                                        {"end", Action::kEnd}},
                                       "edit");
  packet.delay = std::chrono::milliseconds(reader.Number("delay_ms", 0));
  packet.repaired = reader.Get("repaired", false);
  packet.without_headers = reader.Get("without_headers", false);
  packet.hop_limit = reader.Unsigned<std::uint8_t>("hop_limit");
  packet.traffic_class = reader.Unsigned<std::uint8_t>("traffic_class");
  packet.source_host = reader.Unsigned<int>("source_host");
  packet.destination_host = reader.Unsigned<int>("destination_host");
  packet.link_host = reader.Unsigned<int>("link_host");
  if (const auto source = reader.Find<std::string>("source")) packet.source = IpAddress(*source);
  packet.protocol = reader.Unsigned<std::uint8_t>("protocol");
  packet.quoted_protocol = reader.Unsigned<std::uint8_t>("quoted_protocol");
  packet.dont_fragment = reader.Find<bool>("dont_fragment");
  packet.identification = reader.Unsigned<std::uint16_t>("identification");
  packet.add_source_port = reader.Number("add_source_port", 0);
  packet.add_destination_port = reader.Number("add_destination_port", 0);
  packet.new_type = reader.Unsigned<std::uint8_t>("new_type");
  packet.new_code = reader.Unsigned<std::uint8_t>("new_code");
  packet.new_rest = reader.Unsigned<std::uint32_t>("new_rest");
  packet.add_rest = reader.Get<std::int64_t>("add_rest", 0);
  packet.told_host = reader.Unsigned<int>("told_host");
  packet.named_host = reader.Unsigned<int>("named_host");
  packet.without_link_address = reader.Get("without_link_address", false);
  packet.flip_payload = reader.Get("flip_payload", false);
  packet.flip_octet = reader.Unsigned<std::size_t>("flip_octet");
  packet.cut_payload = reader.Get("cut_payload", false);
  packet.quotes_last = reader.Get("quotes_last", false);
  packet.payload_at_most = reader.Unsigned<std::size_t>("payload_at_most");
  packet.more_octets = reader.Unsigned<std::size_t>("more_octets").value_or(0);
  packet.offset_by_8 = reader.Get("offset_by_8", false);
  packet.offset_0 = reader.Get("offset_0", false);
  packet.checksum = reader.OneOf<Checksum>("checksum",
                                           {{"as-it-is", Checksum::kAsItIs},
                                            {"bad", Checksum::kBad},
                                            {"none", Checksum::kNone},
                                            {"zero-for-ones", Checksum::kZeroForOnes}},
                                           "as-it-is");
  return packet;
}

CallAlteration ReadCall(Reader& reader) {
  CallAlteration call;
  call.method = reader.Text("method");
  call.only_if = reader.Object("only_if");
  call.set_params = reader.Object("set_params");
  call.add_params = reader.Object("add_params");
  call.empty_params = reader.Texts("empty_params");
  call.set_fields = reader.Object("set_fields");
  call.fails = reader.Find<std::string>("fails");
  call.succeeds = reader.Find<std::string>("succeeds");
  call.error = reader.Find<std::string>("error");
  call.in_place_of = reader.Find<std::string>("in_place_of");
  call.add = reader.Find<std::int64_t>("add");
  call.data = reader.Find<std::string>("data");
  if (const auto port = reader.Find<std::int64_t>("add_port"))
    call.add_port = static_cast<int>(*port);
  call.events = reader.Find<std::string>("events");
  call.without_event = reader.Find<std::string>("without_event");
  call.no_signals = reader.Get("no_signals", false);
  call.late = reader.Get("late", 0.0);
  call.early = reader.Get("early", 0.0);
  return call;
}

ReadingAlteration ReadReading(Reader& reader) {
  ReadingAlteration reading;
  reading.state = reader.State("state");
  reading.shown_as = reader.State("shown_as");
  reading.after = std::chrono::milliseconds(reader.Number("after_ms", 0));
  reading.add_queue = reader.Number("add_queue", 0);
  reading.add_counter = reader.Number("add_counter", 0);
  return reading;
}

FactAlteration ReadFact(Reader& reader) { return {reader.Text("name"), reader.Number("add", 0)}; }

SettingAlteration ReadSetting(Reader& reader) {
  SettingAlteration setting;
  const auto sysctls = reader.Object("sysctls");
  for (const auto& [name, value] : sysctls.items()) {
    setting.sysctls[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  const auto route = reader.Object("route");
  for (const auto& [name, value] : route.items()) {
    if (!value.is_number_integer()) reader.RefuseHere("must hold integers", "route");
    setting.route[name] = value.get<std::uint32_t>();
  }
  setting.mtu = reader.Unsigned<std::uint32_t>("mtu").value_or(0);
  if (const toml::table* table = reader.Table("seen_in")) {
    Reader seen_in("seen_in", *table);
    ReadSelection(seen_in, setting.seen_in.emplace());
    seen_in.RefuseOtherKeys();
  }
  return setting;
}

bool AnyMatches(const std::vector<std::string>& globs, std::string_view claim) {
  const std::string id(claim);
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return fnmatch(glob.c_str(), id.c_str(), 0) == 0;
  });
}

// Keys that say what an alteration is and concerns, not what it does.
bool IsChoice(std::string_view key) {
  static const std::set<std::string_view> choices = {
      "id",      "what",        "breaks",      "allowed_by", "departs_from", "on",
      "with",    "without",     "payload",     "options",    "repeated",     "has_ip_options",
      "when",    "has_option",  "skip",        "times",      "of",           "ipv4",
      "type",    "code",        "to_many",     "headers",    "defect",       "hops_below",
      "only_if", "longer_than", "in_place_of", "asks"};
  return choices.contains(key);
}

std::set<std::string> TouchedBy(const Alteration& alteration, const toml::table& table) {
  if (alteration.call) return {"method " + alteration.call->method};
  std::set<std::string> touched;
  if (alteration.setting) {
    for (const auto& [name, value] : alteration.setting->sysctls) touched.insert("sysctl " + name);
    for (const auto& [name, value] : alteration.setting->route) touched.insert("route " + name);
    if (alteration.setting->mtu != 0) touched.insert("route mtu");
    return touched;
  }
  for (const auto& [key, value] : table) {
    if (IsChoice(key.str())) continue;
    touched.insert(key.str() == "do" ? value.value_or(std::string()) : std::string(key.str()));
  }
  return touched;
}

Alteration ReadAlteration(const std::string& kind, const toml::table& table, AlterationKind list) {
  Reader reader(kind, table);
  Alteration alteration;
  alteration.id = kind + "/" + reader.Text("id");
  alteration.what = reader.Text("what");
  if (list == AlterationKind::kMutant) {
    alteration.breaks = reader.Texts("breaks");
  } else {
    alteration.allowed_by = reader.Text("allowed_by");
    alteration.departs_from = reader.Texts("departs_from");
  }
  if (kind == "wire") {
    alteration.wire = ReadWire(reader);
    alteration.wire->spares_signed = list == AlterationKind::kVariant;
  } else if (kind == "packet") {
    alteration.packet = ReadPacket(reader);
  } else if (kind == "call") {
    alteration.call = ReadCall(reader);
  } else if (kind == "reading") {
    alteration.reading = ReadReading(reader);
  } else if (kind == "sysctl") {
    alteration.sysctl = SysctlAlteration{reader.Text("name")};
  } else if (kind == "fact") {
    alteration.fact = ReadFact(reader);
  } else if (kind == "setting") {
    alteration.setting = ReadSetting(reader);
  } else {
    reader.RefuseHere("is of an unknown kind", "id");
  }
  reader.RefuseOtherKeys();
  alteration.touches = TouchedBy(alteration, table);
  return alteration;
}

}  // namespace

bool Alteration::Breaks(std::string_view claim) const { return AnyMatches(breaks, claim); }
bool Alteration::DepartsFrom(std::string_view claim) const {
  return AnyMatches(departs_from, claim);
}

bool CanBeTogether(const Alteration& a, const Alteration& b) {
  return std::none_of(a.touches.begin(), a.touches.end(),
                      [&](const std::string& what) { return b.touches.contains(what); });
}

std::vector<Alteration> ParseAlterations(std::string_view toml_text, AlterationKind list) {
  std::vector<Alteration> alterations;
  try {
    const toml::table tables_by_kind = toml::parse(toml_text);
    for (const auto& [kind_key, tables] : tables_by_kind) {
      const std::string kind(kind_key.str());
      if (!tables.is_array_of_tables()) {
        throw HarnessError("list of alterations: stray key " + kind);
      }
      if (kind == "unbroken" && list == AlterationKind::kMutant) continue;
      for (const toml::node& node : *tables.as_array()) {
        alterations.push_back(ReadAlteration(kind, *node.as_table(), list));
      }
    }
  } catch (const toml::parse_error& error) {
    throw HarnessError(fmt::format("list of alterations, line {}: {}", error.source().begin.line,
                                   std::string(error.description())));
  }
  return alterations;
}

const std::vector<Alteration>& AllMutants() {
  static const std::vector<Alteration> mutants =
      ParseAlterations(AlterationFiles().at(0).second, AlterationKind::kMutant);
  return mutants;
}

const std::vector<Unbroken>& AllUnbroken() {
  static const std::vector<Unbroken> all = [] {
    std::vector<Unbroken> unbroken;
    const toml::table tables = toml::parse(AlterationFiles().at(0).second);
    const toml::array* list = tables["unbroken"].as_array();
    if (list == nullptr) return unbroken;
    for (const toml::node& node : *list) {
      Reader reader("unbroken", *node.as_table());
      unbroken.push_back({reader.Texts("claims"), reader.Text("why")});
      reader.RefuseOtherKeys();
    }
    return unbroken;
  }();
  return all;
}

std::string WhyUnbroken(std::string_view claim) {
  for (const Unbroken& unbroken : AllUnbroken()) {
    if (std::find(unbroken.claims.begin(), unbroken.claims.end(), claim) != unbroken.claims.end()) {
      return unbroken.why;
    }
  }
  const Claim* known = FindClaim(claim);
  return known != nullptr && known->level == "MAY" ? "a permission, which no system breaks" : "";
}

const std::vector<Alteration>& AllVariants() {
  static const std::vector<Alteration> variants =
      ParseAlterations(AlterationFiles().at(1).second, AlterationKind::kVariant);
  return variants;
}

const Alteration& FindAlteration(std::string_view id) {
  for (const auto* list : {&AllMutants(), &AllVariants()}) {
    for (const Alteration& alteration : *list) {
      if (alteration.id == id) return alteration;
    }
  }
  throw HarnessError(fmt::format("there is no mutant or variant {}", id));
}

}  // namespace sockproof
