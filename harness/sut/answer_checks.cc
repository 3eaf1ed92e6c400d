#include "harness/sut/answer_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/options.h"
#include "harness/base/errors.h"

namespace sockproof {
namespace {

using nlohmann::json;

constexpr int kDeepest = 16;
constexpr std::size_t kMostValues = 200000;
constexpr std::size_t kMostSignals = 64;
constexpr std::int64_t kLastNanosecond = std::int64_t{1} << 62;

std::string ShownText(std::string_view text) {
  constexpr std::size_t kShown = 40;
  const std::string start(text.substr(0, kShown));
  return json(start).dump(-1, ' ', true, json::error_handler_t::replace) +
         (text.size() > kShown ? fmt::format("... ({} octets)", text.size()) : "");
}

std::string Got(const json& value) {
  if (value.is_string()) return "the text " + ShownText(value.get_ref<const std::string&>());
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("a list of {}", value.size());
  if (value.is_null()) return "null";
  return value.dump();
}

[[noreturn]] void Refuse(const std::string& where, const json& value, const std::string& wanted) {
  throw HarnessError(fmt::format("{} is {}, {} expected", where, Got(value), wanted));
}

[[noreturn]] void ThrowNoProtocol(const std::string& why) {
  throw HarnessError("does not speak the protocol: " + why);
}

using ValueCheck = std::function<void(const std::string& where, const json& value)>;

ValueCheck Whole(std::int64_t least, std::int64_t most, const std::string& wanted) {
  return [=](const std::string& where, const json& value) {
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                          : value.is_number_integer() && value.get<std::int64_t>() >= least &&
                                value.get<std::int64_t>() <= most;
    if (!fits) Refuse(where, value, wanted);
  };
}

ValueCheck Int() {
  return Whole(std::numeric_limits<int>::min(), std::numeric_limits<int>::max(),
               "a whole number of 32 bits");
}

ValueCheck AnyWhole() {
  return Whole(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
               "a whole number");
}

ValueCheck Count() {
  return Whole(0, std::numeric_limits<std::int64_t>::max(), "a number from 0 on");
}

void CheckText(const std::string& where, const json& value) {
  if (!value.is_string()) Refuse(where, value, "text");
}

void CheckObject(const std::string& where, const json& value) {
  if (!value.is_object()) Refuse(where, value, "an object");
}

void CheckData(const std::string& where, const json& value) {
  CheckText(where, value);
  if (!agent_protocol::Base64Decode(value.get_ref<const std::string&>())) {
    Refuse(where, value, "base64");
  }
}

ValueCheck ListOf(ValueCheck element) {
  return [element = std::move(element)](const std::string& where, const json& value) {
    if (!value.is_array()) Refuse(where, value, "a list");
    for (std::size_t i = 0; i < value.size(); ++i) {
      element(fmt::format("{}[{}]", where, i), value[i]);
    }
  };
}

// Members that must be there. Others may be.
ValueCheck ObjectOf(std::map<std::string, ValueCheck> members) {
  return [members = std::move(members)](const std::string& where, const json& value) {
    CheckObject(where, value);
    for (const auto& [name, check] : members) {
      const auto found = value.find(name);
      if (found == value.end()) {
        throw HarnessError(fmt::format("{} has no member \"{}\"", where, name));
      }
      check(where + "." + name, *found);
    }
  };
}

void CheckAddress(const std::string& where, const json& value) {
  ObjectOf({{"family", CheckText}})(where, value);
  const std::string family = value["family"];
  if (family == "AF_INET" || family == "AF_INET6") {
    ObjectOf({{"address", CheckText}, {"port", Whole(0, 65535, "a port")}})(where, value);
  }
  if (value.contains("path")) CheckText(where + ".path", value["path"]);
  for (const char* octets : {"name", "octets"}) {
    if (value.contains(octets)) CheckData(where + "." + octets, value[octets]);
  }
  if (value.contains("length")) AnyWhole()(where + ".length", value["length"]);
  if (value.contains("scope_id")) {
    Whole(0, std::numeric_limits<std::uint32_t>::max(), "the number of an interface")(
        where + ".scope_id", value["scope_id"]);
  }
}

void CheckAddressOrNull(const std::string& where, const json& value) {
  if (!value.is_null()) CheckAddress(where, value);
}

void CheckReceived(const std::string& where, const json& value) {
  ObjectOf({{"length", Int()}, {"data", CheckData}})(where, value);
  if (value.contains("address")) CheckAddressOrNull(where + ".address", value["address"]);
}

void CheckCounters(const std::string& where, const json& value) {
  CheckObject(where, value);
  for (const auto& [name, count] : value.items()) {
    AnyWhole()(where + "." + name.substr(0, 40), count);
  }
}

void CheckHello(const std::string& where, const json& value) {
  ObjectOf({{"protocol", Int()}})(where, value);
  for (const char* name : {"name", "version", "os", "release", "machine", "clock"}) {
    if (value.contains(name)) CheckText(where + "." + name, value[name]);
  }
  if (value.contains("capabilities")) {
    ListOf(CheckText)(where + ".capabilities", value["capabilities"]);
  }
  if (!value.contains("facts")) return;
  CheckObject(where + ".facts", value["facts"]);
  for (const auto& [name, fact] : value["facts"].items()) {
    CheckText(where + ".facts." + name.substr(0, 40), fact);
  }
}

void CheckIntOrNames(const std::string& where, const json& value) {
  if (value.is_array()) {
    ListOf(CheckText)(where, value);
  } else {
    Int()(where, value);
  }
}

// An item of control data: what its type has is checked by who reads it.
void CheckControlItem(const std::string& where, const json& value) {
  ObjectOf({{"level", CheckText}, {"type", CheckText}})(where, value);
  for (const char* number :
       {"pid", "uid", "gid", "ifindex", "origin", "error_type", "error_code", "info", "data"}) {
    if (value.contains(number)) AnyWhole()(where + "." + number, value[number]);
  }
  if (value.contains("octets")) CheckData(where + ".octets", value["octets"]);
  if (value.contains("fds")) ListOf(Int())(where + ".fds", value["fds"]);
  if (value.contains("errno")) CheckText(where + ".errno", value["errno"]);
}

// One function for each kind of value in harness/agent_protocol/methods.def.
void CheckNumber(const std::string& where, const json& value) { Int()(where, value); }
void CheckNumbers(const std::string& where, const json& value) { ListOf(Int())(where, value); }
void CheckNumberOrNames(const std::string& where, const json& value) {
  CheckIntOrNames(where, value);
}
void CheckAny(const std::string&, const json&) {}
void CheckDescriptors(const std::string& where, const json& value) {
  CheckNumbers(where, value);
  if (value.size() != 2) Refuse(where, value, "two descriptors");
}
void CheckAccepted(const std::string& where, const json& value) {
  ObjectOf({{"fd", Int()}, {"address", CheckAddressOrNull}})(where, value);
}
void CheckMessage(const std::string& where, const json& value) {
  CheckReceived(where, value);
  ObjectOf({{"control", ListOf(CheckControlItem)},
            {"control_length", Count()},
            {"flags", ListOf(CheckText)}})(where, value);
}
void CheckReceivedList(const std::string& where, const json& value) {
  ListOf(CheckMessage)(where, value);
}
void CheckStatus(const std::string& where, const json& value) {
  ObjectOf({{"type", CheckText},
            {"mode", Int()},
            {"uid", AnyWhole()},
            {"gid", AnyWhole()},
            {"size", AnyWhole()}})(where, value);
}
void CheckInterface(const std::string& where, const json& value) {
  ObjectOf({{"name", CheckText}})(where, value);
  if (value.contains("number")) Int()(where + ".number", value["number"]);
  if (value.contains("flags")) ListOf(CheckText)(where + ".flags", value["flags"]);
  if (value.contains("address")) CheckAddress(where + ".address", value["address"]);
  if (value.contains("octets")) CheckData(where + ".octets", value["octets"]);
}
void CheckInterfaces(const std::string& where, const json& value) {
  ObjectOf({{"length", Int()}, {"interfaces", ListOf(CheckInterface)}})(where, value);
}
void CheckTruth(const std::string& where, const json& value) {
  if (!value.is_boolean()) Refuse(where, value, "true or false");
}
void CheckCompletion(const std::string& where, const json& value) {
  ObjectOf({{"more", CheckTruth}})(where, value);
  if (value.contains("errno")) CheckText(where + ".errno", value["errno"]);
  if (value.contains("fd")) Int()(where + ".fd", value["fd"]);
  if (value.contains("data")) CheckData(where + ".data", value["data"]);
  if (value.contains("events")) ListOf(CheckText)(where + ".events", value["events"]);
}
void CheckSelected(const std::string& where, const json& value) {
  ObjectOf({{"ready", Int()},
            {"read", CheckNumbers},
            {"write", CheckNumbers},
            {"except", CheckNumbers}})(where, value);
}
void CheckEnded(const std::string& where, const json& value) {
  CheckObject(where, value);
  if (value.contains("exited")) Int()(where + ".exited", value["exited"]);
  if (value.contains("signal")) CheckText(where + ".signal", value["signal"]);
}
void CheckEvents(const std::string& where, const json& value) {
  ListOf(ListOf(CheckText))(where, value);
}
void CheckEpollEvents(const std::string& where, const json& value) {
  ListOf(ObjectOf({{"fd", Int()}, {"events", ListOf(CheckText)}}))(where, value);
}
void CheckTcpSockets(const std::string& where, const json& value) {
  ListOf(ObjectOf({{"state", CheckText},
                   {"local", CheckAddress},
                   {"remote", CheckAddressOrNull},
                   {"receive_queue", Count()},
                   {"send_queue", Count()}}))(where, value);
}

struct MethodCheck {
  std::string_view method;
  void (*check)(const std::string& where, const json& value);
};

constexpr MethodCheck kMethodChecks[] = {
#define METHOD(name, function, waits, where, value, ...) {#name, Check##value},
#include "harness/agent_protocol/methods.def"
#undef METHOD
};

void CheckTcpInfo(const std::string& where, const json& value) {
  CheckObject(where, value);
  for (const auto& [name, member] : value.items()) {
    const std::string field = where + "." + name.substr(0, 40);
    if (name == "state") {
      CheckText(field, member);
    } else if (name == "options") {
      ListOf(CheckText)(field, member);
    } else if (!member.is_number_unsigned()) {
      AnyWhole()(field, member);
    }
  }
}

void CheckOption(const AskedCall& call, const std::string& where, const json& value) {
  const agent_protocol::SocketOption* option = agent_protocol::FindOption(call.option);
  if (call.as_bytes) {
    ObjectOf({{"bytes", CheckData}})(where, value);
  } else if (option != nullptr && option->kind == agent_protocol::OptionKind::kInteger) {
    Int()(where, value);
  } else if (option != nullptr && option->kind == agent_protocol::OptionKind::kTcpInfo) {
    CheckTcpInfo(where, value);
  }
}

void CheckSignals(const std::string& where, const json& value) {
  if (!value.is_array() || value.size() > kMostSignals) {
    Refuse(where, value, fmt::format("a list of at most {} signals", kMostSignals));
  }
  for (const json& name : value) {
    constexpr std::size_t kLongest = 20;
    if (!name.is_string() || !name.get_ref<const std::string&>().starts_with("SIG") ||
        name.get_ref<const std::string&>().size() > kLongest) {
      Refuse(where, name, "the name of a signal");
    }
  }
}

}  // namespace

json ParseAnswer(std::string_view line) {
  int depth = 0;
  std::size_t values = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    quoted = c == '"';
    depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    values += c == ',';
    if (depth > kDeepest) ThrowNoProtocol(fmt::format("JSON nested deeper than {}", kDeepest));
    if (values > kMostValues) {
      ThrowNoProtocol(fmt::format("a line with more than {} values", kMostValues));
    }
  }
  json message = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (message.is_discarded()) ThrowNoProtocol("a line that is not JSON: " + ShownText(line));
  if (!message.is_object()) ThrowNoProtocol(Got(message) + " in place of a JSON-RPC object");
  return message;
}

void CheckResult(const AskedCall& call, const json& result) {
  const std::string where = call.method + ": result";
  CheckObject(where, result);
  for (const char* name : {"begin", "end"}) {
    if (!result.contains(name)) {
      throw HarnessError(fmt::format("{} has no member \"{}\"", where, name));
    }
  }
  const Time begin = TimeIn(where + ".begin", result["begin"]);
  if (TimeIn(where + ".end", result["end"]) < begin) {
    throw HarnessError(call.method + " ended before it began");
  }
  if (result.contains("signals")) CheckSignals(where + ".signals", result["signals"]);
  if (result.contains("errno")) {
    CheckText(where + ".errno", result["errno"]);
    return;
  }
  if (!result.contains("value")) {
    throw HarnessError(where + " has neither \"value\" nor \"errno\"");
  }
  const std::string field = where + ".value";
  for (const MethodCheck& known : kMethodChecks) {
    if (known.method == call.method) known.check(field, result["value"]);
  }
  if (call.method == "getsockopt") CheckOption(call, field, result["value"]);
}

void CheckRefusal(const AskedCall& call, const json& error) {
  ObjectOf({{"code", Int()}, {"message", CheckText}})(call.method + ": error", error);
}

Time TimeIn(const std::string& where, const json& nanoseconds) {
  Whole(0, kLastNanosecond, "whole nanoseconds since 1970, up to 2116,")(where, nanoseconds);
  return FromNanoseconds(nanoseconds.get<std::int64_t>());
}

}  // namespace sockproof
