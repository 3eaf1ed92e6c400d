#include "harness/sut/interfaces.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/names.h"
#include "harness/base/errors.h"
#include "harness/sut/call_at_once.h"
#include "harness/sut/known_names.h"
#include "harness/sut/name_json.h"
#include "harness/sut/stack.h"

namespace sockproof {

using nlohmann::json;

Interfaces::Interfaces(Socket by, std::optional<Process> in)
    : by_(std::move(by)), in_(in) {}

// `read` makes a T of the answer; an answer without what was asked for is the agent's mistake.
template <typename T, typename Reader>
Outcome<T> Interfaces::Ask(const std::string& request, json params, const std::string& about,
                           const Reader& read) const {
  CheckKnown("request of an interface", agent_protocol::InterfaceRequests(), {request});
  params["fd"] = by_.fd();
  params["request"] = request;
  if (in_) params["process"] = in_->pid();
  const std::string text = fmt::format("ioctl({}, {}, {})", by_.fd(), request, about);
  return CallAtOnce<T>(by_.stack(), "interface_ioctl", std::move(params), text,
                       [&](const json& value) {
                         try {
                           return read(value);
                         } catch (const json::exception&) {
                           throw HarnessError("the agent does not tell what " + request + " gave");
                         }
                       });
}

Outcome<std::string> Interfaces::NameOf(int index) const {
  return Ask<std::string>("SIOCGIFNAME", {{"number", index}}, std::to_string(index),
                          [](const json& value) { return value.at("name").get<std::string>(); });
}

Outcome<int> Interfaces::Number(const std::string& request, const std::string& name) const {
  return Ask<int>(request, {{"name", name}}, name,
                  [](const json& value) { return value.at("number").get<int>(); });
}

Outcome<int> Interfaces::SetNumber(const std::string& request, const std::string& name,
                                   int number) const {
  return Ask<int>(request, {{"name", name}, {"number", number}},
                  fmt::format("{}, {}", name, number), [](const json&) { return 0; });
}

Outcome<std::vector<std::string>> Interfaces::Flags(const std::string& name) const {
  return Ask<std::vector<std::string>>(
      "SIOCGIFFLAGS", {{"name", name}}, name,
      [](const json& value) { return value.at("flags").get<std::vector<std::string>>(); });
}

Outcome<int> Interfaces::SetFlags(const std::string& name,
                                  const std::vector<std::string>& flags) const {
  CheckKnown("flag of an interface", agent_protocol::InterfaceFlags(), flags);
  return Ask<int>("SIOCSIFFLAGS", {{"name", name}, {"flags", flags}},
                  fmt::format("{}, {}", name, fmt::join(flags, "|")),
                  [](const json&) { return 0; });
}

Outcome<Name> Interfaces::Address(const std::string& request, const std::string& name) const {
  return Ask<Name>(request, {{"name", name}}, name,
                   [](const json& value) { return NameFromJson(value.at("address")); });
}

Outcome<int> Interfaces::SetAddress(const std::string& request, const std::string& name,
                                    const Name& address) const {
  json params = {{"name", name}};
  PutName(params, address);
  return Ask<int>(request, std::move(params), fmt::format("{}, {}", name, address.ToString()),
                  [](const json&) { return 0; });
}

Outcome<int> Interfaces::Rename(const std::string& name, const std::string& to) const {
  return Ask<int>("SIOCSIFNAME", {{"name", name}, {"new_name", to}},
                  fmt::format("{}, {}", name, to), [](const json&) { return 0; });
}

Outcome<int> Interfaces::SetHardware(const std::string& request, const std::string& name,
                                     int family, const std::string& octets) const {
  json params = {
      {"name", name}, {"number", family}, {"octets", agent_protocol::Base64Encode(octets)}};
  return Ask<int>(request, std::move(params), name, [](const json&) { return 0; });
}

Outcome<std::string> Interfaces::Hardware(const std::string& name) const {
  return Ask<std::string>("SIOCGIFHWADDR", {{"name", name}}, name, [](const json& value) {
    const auto octets = agent_protocol::Base64Decode(value.at("octets").get<std::string>());
    if (!octets) throw HarnessError("the agent gives octets that are no base64");
    return *octets;
  });
}

Outcome<int> Interfaces::SetIpv6Address(const std::string& request, int index, const Name& address,
                                        int prefix_length) const {
  json params = {{"number", index}, {"prefix_length", prefix_length}};
  PutName(params, address);
  return Ask<int>(request, std::move(params),
                  fmt::format("{}, {}/{}", index, address.ToString(), prefix_length),
                  [](const json&) { return 0; });
}

Outcome<int> Interfaces::Make(const std::string& request, const std::string& name) const {
  return Ask<int>(request, {{"name", name}}, name, [](const json&) { return 0; });
}

Outcome<std::vector<std::pair<std::string, Name>>> Interfaces::List(int room) const {
  return CallAtOnce<std::vector<std::pair<std::string, Name>>>(
      by_.stack(), "interface_list", {{"fd", by_.fd()}, {"room", room}},
      fmt::format("ioctl({}, SIOCGIFCONF, {})", by_.fd(), room), [](const json& value) {
        std::vector<std::pair<std::string, Name>> list;
        for (const json& interface : value.at("interfaces")) {
          list.emplace_back(interface.at("name").get<std::string>(),
                            NameFromJson(interface.value("address", json())));
        }
        return list;
      });
}

Outcome<int> Interfaces::AskCount(json params) const {
  params["fd"] = by_.fd();
  return CallAtOnce<int>(by_.stack(), "interface_list", std::move(params),
                         fmt::format("ioctl({}, SIOCGIFCONF)", by_.fd()),
                         [](const json& value) { return value.at("length").get<int>(); });
}

Outcome<int> Interfaces::Count() const { return AskCount(json::object()); }

Outcome<int> Interfaces::CountWithBadPointer(const std::string& kind) const {
  return AskCount({{"bad_pointers", {{"interfaces", kind}}}});
}

}  // namespace sockproof
