// Events to and from JSON. Each kind lists its fields once, for both directions.
#include "harness/trace/event.h"

#include <array>
#include <concepts>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sockproof {
namespace {

using Json = nlohmann::json;

// An `E`, const when written, not const when read.
template <typename T, typename E>
concept AnyConst = std::same_as<std::remove_const_t<T>, E>;

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, CallEvent> {
  field("id", event.id);
  field("actor", event.actor);
  field("text", event.text);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, ReturnEvent> {
  field("id", event.id);
  field("actor", event.actor);
  field("text", event.text);
  field("begin", event.begin);
  field("signals", event.signals);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, BlockedEvent> {
  field("id", event.id);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, FrameEvent> {
  field("from", event.from);
  field("to", event.to);
  field("fate", event.fate);
  field("delay", event.delay);
  field("bytes", event.bytes);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, StateEvent> {
  field("actor", event.actor);
  field("socket", event.socket);
  field("state", event.state);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, ExpectationEvent> {
  field("actor", event.actor);
  field("text", event.text);
  field("met", event.met);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, FailureEvent> {
  field("file", event.file);
  field("line", event.line);
  field("text", event.text);
  field("claim", event.claim);
  field("explained_by", event.explained_by);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, DecisionEvent> {
  field("claim", event.claim);
  field("decision", event.decision);
  field("why", event.why);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, NoteEvent> {
  field("text", event.text);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, ObservationEvent> {
  field("name", event.name);
  field("value", event.value);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, MeasurementEvent> {
  field("name", event.name);
  field("unit", event.unit);
  field("observed", event.observed);
  field("documented", event.documented);
  field("lower", event.lower);
  field("upper", event.upper);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, MatrixEvent> {
  field("axes", event.axes);
}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, CellEvent> {
  field("at", event.at);
  field("observed", event.observed);
  field("expected", event.expected);
}

template <typename T>
void EachField(T&, auto) requires AnyConst<T, ReadyEvent> {}

template <typename T>
void EachField(T& event, auto field) requires AnyConst<T, VerdictEvent> {
  field("verdict", event.verdict);
  field("reason", event.reason);
  field("worst_lateness", event.worst_lateness);
}

// In the order of Event::what.
constexpr std::array<std::string_view, 15> kKinds{
    "call",     "return", "blocked",     "frame",       "state",  "expectation", "failure",
    "decision", "note",   "observation", "measurement", "matrix", "cell",        "ready",
    "verdict"};
static_assert(std::variant_size_v<decltype(Event::what)> == kKinds.size());

constexpr std::array<std::string_view, 6> kFates{"sent",    "received", "forwarded",
                                                 "dropped", "delayed",  "duplicated"};

constexpr std::array<std::string_view, 3> kDecisions{"begins", "not taken", "not reached"};

// Fields that came later: missing in older logs.
constexpr bool CameLater(std::string_view field) {
  return field == "claim" || field == "explained_by";
}

std::string ToHex(const Bytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 0xf]);
  }
  return hex;
}

std::uint8_t HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::uint8_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::uint8_t>(digit - 'a' + 10);
  throw std::invalid_argument(std::string("not a hexadecimal digit: ") + digit);
}

Bytes FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) throw std::invalid_argument("odd number of hexadecimal digits");
  Bytes bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    bytes.push_back(static_cast<std::uint8_t>(HexDigit(hex[at]) << 4 | HexDigit(hex[at + 1])));
  }
  return bytes;
}

Json Encode(int value) { return value; }
Json Encode(double value) { return value; }
Json Encode(bool value) { return value; }
Json Encode(const std::string& value) { return value; }
Json Encode(const std::vector<std::string>& value) { return value; }
Json Encode(Duration value) { return value.count(); }
Json Encode(const std::optional<Time>& value) {
  return value ? Json(ToNanoseconds(*value)) : Json();
}
Json Encode(const Bytes& value) { return ToHex(value); }
Json Encode(Fate value) { return kFates.at(static_cast<std::size_t>(value)); }
Json Encode(Decision value) { return kDecisions.at(static_cast<std::size_t>(value)); }
Json Encode(Verdict value) { return VerdictName(value); }

// What fits: to convert anything else is undefined.
template <typename T>
T WholeNumber(const Json& json) {
  if (!json.is_number_integer()) throw std::invalid_argument("not a whole number");
  const bool too_large = json.is_number_unsigned() && !std::in_range<T>(json.get<std::uint64_t>());
  if (too_large || !std::in_range<T>(json.get<std::int64_t>())) {
    throw std::invalid_argument("a number out of range");
  }
  return json.get<T>();
}

template <typename T>
void Decode(const Json& json, T& value) {
  json.get_to(value);
}
void Decode(const Json& json, int& value) { value = WholeNumber<int>(json); }
void Decode(const Json& json, Duration& value) { value = Duration(WholeNumber<std::int64_t>(json)); }
void Decode(const Json& json, std::optional<Time>& value) {
  value.reset();
  if (!json.is_null()) value = FromNanoseconds(WholeNumber<std::int64_t>(json));
}
void Decode(const Json& json, Bytes& value) { value = FromHex(json.get_ref<const std::string&>()); }
template <typename Enum>
void DecodeOneOf(const auto& names, const char* what, const Json& json, Enum& value) {
  const auto& name = json.get_ref<const std::string&>();
  for (std::size_t index = 0; index < names.size(); ++index) {
    if (names[index] == name) {
      value = static_cast<Enum>(index);
      return;
    }
  }
  throw std::invalid_argument(std::string("unknown ") + what + ": " + name);
}
void Decode(const Json& json, Fate& value) { DecodeOneOf(kFates, "fate", json, value); }
void Decode(const Json& json, Decision& value) { DecodeOneOf(kDecisions, "decision", json, value); }
void Decode(const Json& json, Verdict& value) {
  const auto& name = json.get_ref<const std::string&>();
  const auto verdict = VerdictFromName(name);
  if (!verdict) throw std::invalid_argument("unknown verdict: " + name);
  value = *verdict;
}

// Makes `what` the alternative number `wanted` and reads its fields.
template <std::size_t... Index>
void DecodeWhat(const Json& json, std::size_t wanted, decltype(Event::what)& what,
                std::index_sequence<Index...>) {
  const auto decode_if = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
    if (I != wanted) return;
    EachField(what.emplace<I>(), [&](const char* name, auto& value) {
      constexpr bool kIsFailure =
          std::is_same_v<std::variant_alternative_t<I, decltype(Event::what)>, FailureEvent>;
      if (kIsFailure && CameLater(name) && !json.contains(name)) return;
      Decode(json.at(name), value);
    });
  };
  (decode_if(std::integral_constant<std::size_t, Index>{}), ...);
}

}  // namespace

void to_json(nlohmann::json& json, const Event& event) {
  json = Json{{"time", ToNanoseconds(event.time)}, {"kind", kKinds[event.what.index()]}};
  std::visit(
      [&](const auto& what) {
        EachField(what, [&](const char* name, const auto& value) { json[name] = Encode(value); });
      },
      event.what);
}

void from_json(const nlohmann::json& json, Event& event) {
  const auto& kind = json.at("kind").get_ref<const std::string&>();
  std::size_t index = 0;
  while (index < kKinds.size() && kKinds[index] != kind) ++index;
  if (index == kKinds.size()) throw std::invalid_argument("unknown kind of event: " + kind);
  event.time = FromNanoseconds(WholeNumber<std::int64_t>(json.at("time")));
  DecodeWhat(json, index, event.what, std::make_index_sequence<kKinds.size()>{});
}

}  // namespace sockproof
