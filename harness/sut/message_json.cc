#include "harness/sut/message_json.h"

#include <nlohmann/json.hpp>
#include <string>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/controls.h"
#include "harness/agent_protocol/names.h"
#include "harness/base/errors.h"
#include "harness/sut/known_names.h"
#include "harness/sut/name_json.h"
#include "harness/sut/socket.h"

namespace sockproof {
namespace {

using agent_protocol::Base64Encode;
using nlohmann::json;

std::string OctetsIn(const json& text) {
  const auto octets = agent_protocol::Base64Decode(text.get<std::string>());
  if (!octets) throw HarnessError("the agent's data is not base64");
  return *octets;
}

struct ValueToJson {
  json operator()(std::int64_t number) const { return {{"value", number}}; }
  json operator()(const std::vector<int>& descriptors) const { return {{"fds", descriptors}}; }
  json operator()(const Credentials& credentials) const {
    return {{"pid", credentials.pid}, {"uid", credentials.uid}, {"gid", credentials.gid}};
  }
  json operator()(const PacketInfo& info) const {
    json fields = {{"ifindex", info.ifindex}};
    if (info.local) fields["local"] = info.local->ToString();
    if (info.destination) fields["destination"] = info.destination->ToString();
    return fields;
  }
  json operator()(const std::string& octets) const { return {{"octets", Base64Encode(octets)}}; }
  template <typename Other>
  json operator()(const Other&) const {
    throw HarnessError("control data that only a system makes is to be sent");
  }
};

json ItemToJson(const ControlItem& item) {
  CheckKnown("level of control data", agent_protocol::OptionLevels(), {item.level});
  if (agent_protocol::FindControl(item.level, item.type) == nullptr &&
      !agent_protocol::ValueOf({}, item.type)) {
    throw HarnessError("no table knows the control data " + item.type + " of " + item.level);
  }
  json fields = std::visit(ValueToJson(), item.value);
  fields["level"] = item.level;
  fields["type"] = item.type;
  if (item.length) fields["length"] = *item.length;
  return fields;
}

Duration DurationIn(const json& time) {
  const auto nanoseconds = time.contains("usec") ? time["usec"].get<std::int64_t>() * 1000
                                                 : time.at("nsec").get<std::int64_t>();
  return std::chrono::seconds(time.at("sec").get<std::int64_t>()) + Duration(nanoseconds);
}

std::optional<IpAddress> AddressIn(const json& item, const char* name) {
  if (!item.contains(name)) return std::nullopt;
  return IpAddress(item[name].get<std::string>());
}

ControlItem::Value ValueIn(const json& item) {
  if (item.contains("octets")) return OctetsIn(item["octets"]);
  if (item.contains("value")) return item["value"].get<std::int64_t>();
  if (item.contains("fds")) return item["fds"].get<std::vector<int>>();
  if (item.contains("pid")) {
    return Credentials{item["pid"].get<int>(), item.at("uid").get<std::int64_t>(),
                       item.at("gid").get<std::int64_t>()};
  }
  if (item.contains("ifindex")) {
    return PacketInfo{item["ifindex"].get<int>(), AddressIn(item, "local"),
                      AddressIn(item, "destination")};
  }
  if (item.contains("errno")) {
    return ExtendedError{ErrnoFromName(item["errno"].get<std::string>()),
                         item.at("origin").get<int>(),
                         item.at("error_type").get<int>(),
                         item.at("error_code").get<int>(),
                         item.at("info").get<std::uint32_t>(),
                         item.at("data").get<std::uint32_t>(),
                         NameFromJson(item.at("offender"))};
  }
  if (item.contains("address")) return NameFromJson(item["address"]);
  if (item.contains("sec")) return std::vector<Duration>{DurationIn(item)};
  std::vector<Duration> times;
  for (const json& time : item.at("times")) times.push_back(DurationIn(time));
  return times;
}

}  // namespace

void PutMessage(json& params, const Message& message) {
  if (message.parts().size() == 1) {
    params["data"] = Base64Encode(message.parts().front());
  } else {
    params["vector"] = json::array();
    for (const std::string& part : message.parts()) params["vector"].push_back(Base64Encode(part));
  }
  if (message.name()) PutName(params, *message.name());
  for (const ControlItem& item : message.control()) params["control"].push_back(ItemToJson(item));
  if (message.raw_control()) params["raw_control"] = Base64Encode(*message.raw_control());
  if (message.control_length()) params["control_length"] = *message.control_length();
}

void PutRoom(json& params, const std::vector<std::size_t>& lengths, const ControlRoom& room) {
  if (lengths.size() == 1) {
    params["length"] = lengths.front();
  } else {
    params["lengths"] = lengths;
  }
  if (room.octets()) {
    params["control_length"] = *room.octets();
  } else if (!room.none()) {
    params["control_room"] = room.data_sizes();
  }
}

Received ReceivedFromJson(const Socket& by, const json& value) {
  Received received;
  received.data = OctetsIn(value.at("data"));
  received.length = value.at("length").get<std::size_t>();
  received.from = NameFromJson(value.at("address"));
  received.flags = value.at("flags").get<std::vector<std::string>>();
  received.control_length = value.at("control_length").get<std::size_t>();
  for (const json& item : value.at("control")) {
    ControlItem& told = received.control.emplace_back();
    told.level = item.at("level").get<std::string>();
    told.type = item.at("type").get<std::string>();
    told.value = ValueIn(item);
    if (const auto* descriptors = std::get_if<std::vector<int>>(&told.value)) {
      for (const int fd : *descriptors) received.sockets_.push_back(by.WithDescriptor(fd));
    }
  }
  return received;
}

}  // namespace sockproof
