#include "src/agent/messages.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <utility>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/controls.h"
#include "src/agent/call.h"

namespace sockproof::agent {
namespace {

using agent_protocol::ControlKind;
using agent_protocol::ControlType;

constexpr std::size_t kMostParts = 2048;  // a system is to refuse more than its IOV_MAX
constexpr int kMostOctets = 8 << 20;      // in base64 and with its envelope this still fits a line
constexpr int kMostControl = 1 << 18;

// ---- structures and their octets ----

template <typename Value>
std::string OctetsOf(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// What is missing of a shorter one is zero.
template <typename Value>
Value ValueOf(std::string_view octets) {
  Value value{};
  std::memcpy(&value, octets.data(), std::min(octets.size(), sizeof(value)));
  return value;
}

template <typename Address>
std::string AddressText(int family, const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(family, &address, text.data(), text.size());
}

template <typename Address>
Address ReadAddressText(Parameters& fields, const std::string& name, int family) {
  Address address{};
  if (fields.Has(name) && inet_pton(family, fields.Text(name).c_str(), &address) != 1) {
    fields.Refuse(name, "an address of that family");
  }
  return address;
}

std::int64_t ReadNumber(Parameters& fields, const std::string& name, std::int64_t lowest,
                        std::int64_t highest) {
  const json& value = fields.Any(name);
  if (!value.is_number_integer() || value.get<std::int64_t>() < lowest ||
      value.get<std::int64_t>() > highest) {
    fields.Refuse(name,
                  "an integer from " + std::to_string(lowest) + " to " + std::to_string(highest));
  }
  return value.get<std::int64_t>();
}

std::int64_t ReadUnsigned32(Parameters& fields, const std::string& name) {
  return ReadNumber(fields, name, std::numeric_limits<int>::min(),
                    std::numeric_limits<std::uint32_t>::max());
}

std::string ReadDescriptors(Parameters& fields) {
  const json& list = fields.Any("fds");
  std::string octets;
  if (!list.is_array()) fields.Refuse("fds", "a list of descriptors");
  for (const json& fd : list) {
    if (!fd.is_number_integer()) fields.Refuse("fds", "a list of descriptors");
    octets += OctetsOf(fd.get<int>());
  }
  return octets;
}

// The data of one item of control data that is to be sent.
std::string ReadData(Parameters& fields, const ControlType* type) {
  if (fields.Has("octets") || type == nullptr) return fields.Bytes("octets");
  switch (type->kind) {
    case ControlKind::kInteger:
    case ControlKind::kOctetOrInteger:
      return OctetsOf(static_cast<int>(ReadUnsigned32(fields, "value")));
    case ControlKind::kUnsigned16:
      return OctetsOf(static_cast<std::uint16_t>(ReadNumber(fields, "value", 0, 0xffff)));
    case ControlKind::kUnsigned64:
      return OctetsOf(static_cast<std::uint64_t>(
          ReadNumber(fields, "value", 0, std::numeric_limits<std::int64_t>::max())));
    case ControlKind::kDescriptors:
      return ReadDescriptors(fields);
    case ControlKind::kCredentials:
      return OctetsOf(ucred{fields.Integer("pid"),
                            static_cast<uid_t>(ReadUnsigned32(fields, "uid")),
                            static_cast<gid_t>(ReadUnsigned32(fields, "gid"))});
    case ControlKind::kPacketInfo: {
      in_pktinfo info{};
      info.ipi_ifindex = fields.Has("ifindex") ? fields.Integer("ifindex") : 0;
      info.ipi_spec_dst = ReadAddressText<in_addr>(fields, "local", AF_INET);
      info.ipi_addr = ReadAddressText<in_addr>(fields, "destination", AF_INET);
      return OctetsOf(info);
    }
    case ControlKind::kPacketInfo6: {
      in6_pktinfo info{};
      if (fields.Has("ifindex"))
        info.ipi6_ifindex = static_cast<unsigned>(fields.Integer("ifindex"));
      info.ipi6_addr = ReadAddressText<in6_addr>(fields, "destination", AF_INET6);
      return OctetsOf(info);
    }
    case ControlKind::kTime:
    case ControlKind::kNanotime:
    case ControlKind::kNanotimes:
    case ControlKind::kExtendedError:
    case ControlKind::kAddress:
      break;  // only the system makes them
  }
  fields.Unsupported("control data of type " + std::string(type->name) + " without octets");
}

// {"level": ..., "type": ..., what the type has, ["length": cmsg_len]}, as an item behind others.
void AddControl(const json& item, std::vector<char>& control) {
  Parameters fields("control", item);
  const std::string level = fields.Text("level");
  const std::string name = fields.Text("type");
  const ControlType* type = agent_protocol::FindControl(level, name);
  cmsghdr head{};
  head.cmsg_level = fields.Constant("level", agent_protocol::OptionLevels());
  // One that has no name is a number.
  head.cmsg_type = type != nullptr ? type->number : fields.Constant("type", {});
  const std::string data = ReadData(fields, type);
  head.cmsg_len = CMSG_LEN(data.size());
  if (fields.Has("length")) {
    head.cmsg_len = static_cast<std::size_t>(fields.Integer("length"));
  }
  fields.CheckAllRead();
  const std::size_t begin = control.size();
  control.resize(begin + CMSG_SPACE(data.size()));
  std::memcpy(control.data() + begin, &head, sizeof(head));
  std::memcpy(control.data() + begin + CMSG_LEN(0), data.data(), data.size());
}

std::vector<char> ReadControl(Parameters& fields) {
  std::vector<char> control;
  if (fields.Has("raw_control")) {
    const std::string octets = fields.Bytes("raw_control");
    control.assign(octets.begin(), octets.end());
  } else if (fields.Has("control")) {
    const json& list = fields.Any("control");
    if (!list.is_array()) fields.Refuse("control", "a list");
    for (const json& item : list) AddControl(item, control);
  }
  if (control.size() > static_cast<std::size_t>(kMostControl)) {
    fields.Refuse("control", "at most " + std::to_string(kMostControl) + " octets");
  }
  return control;
}

// Room for items with so many octets of data each.
std::size_t ReadControlRoom(Parameters& fields) {
  const json& list = fields.Any("control_room");
  const auto refuse = [&] { fields.Refuse("control_room", "a list of octets, together 256 KiB"); };
  if (!list.is_array()) refuse();
  std::size_t room = 0;
  for (const json& size : list) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > kMostControl) refuse();
    room += CMSG_SPACE(size.get<std::size_t>());
    if (room > kMostControl) refuse();
  }
  return room;
}

// ---- what has come ----

json TimesToJson(std::string_view octets) {
  json times = json::array();
  for (std::size_t i = 0; (i + 1) * sizeof(timespec) <= octets.size(); ++i) {
    const auto time = ValueOf<timespec>(octets.substr(i * sizeof(timespec)));
    times.push_back({{"sec", time.tv_sec}, {"nsec", time.tv_nsec}});
  }
  return times;
}

SocketAddress AddressOfOctets(std::string_view octets) {
  SocketAddress address;
  address.length =
      static_cast<socklen_t>(std::min<std::size_t>(octets.size(), SocketAddress::kRoom));
  std::memcpy(address.storage, octets.data(), address.length);
  return address;
}

json ErrorToJson(std::string_view octets) {
  const auto error = ValueOf<sock_extended_err>(octets);
  json fields = {{"errno", ErrnoName(static_cast<int>(error.ee_errno))},
                 {"origin", error.ee_origin},
                 {"error_type", error.ee_type},
                 {"error_code", error.ee_code},
                 {"info", error.ee_info},
                 {"data", error.ee_data},
                 {"offender", nullptr}};
  if (octets.size() > sizeof(error)) {
    fields["offender"] = AddressToJson(AddressOfOctets(octets.substr(sizeof(error))));
  }
  return fields;
}

// Nothing for data that is shorter than what its type has.
json ValuesToJson(ControlKind kind, std::string_view octets) {
  const auto fits = [&](std::size_t size) { return octets.size() >= size; };
  switch (kind) {
    case ControlKind::kInteger:
      return fits(sizeof(int)) ? json{{"value", ValueOf<int>(octets)}} : json();
    case ControlKind::kOctetOrInteger:
      if (octets.size() == 1) return {{"value", ValueOf<std::uint8_t>(octets)}};
      return fits(sizeof(int)) ? json{{"value", ValueOf<int>(octets)}} : json();
    case ControlKind::kUnsigned16:
      return fits(2) ? json{{"value", ValueOf<std::uint16_t>(octets)}} : json();
    case ControlKind::kUnsigned64:
      return fits(8) ? json{{"value", ValueOf<std::uint64_t>(octets)}} : json();
    case ControlKind::kDescriptors: {
      json fds = json::array();
      for (std::size_t i = 0; (i + 1) * sizeof(int) <= octets.size(); ++i) {
        fds.push_back(ValueOf<int>(octets.substr(i * sizeof(int))));
      }
      return {{"fds", fds}};
    }
    case ControlKind::kCredentials: {
      if (!fits(sizeof(ucred))) return {};
      const auto value = ValueOf<ucred>(octets);
      return {{"pid", value.pid}, {"uid", value.uid}, {"gid", value.gid}};
    }
    case ControlKind::kTime: {
      const auto time = ValueOf<timeval>(octets);
      return {{"sec", time.tv_sec}, {"usec", time.tv_usec}};
    }
    case ControlKind::kNanotime: {
      const auto time = ValueOf<timespec>(octets);
      return {{"sec", time.tv_sec}, {"nsec", time.tv_nsec}};
    }
    case ControlKind::kNanotimes:
      return {{"times", TimesToJson(octets)}};
    case ControlKind::kPacketInfo: {
      if (!fits(sizeof(in_pktinfo))) return {};
      const auto info = ValueOf<in_pktinfo>(octets);
      return {{"ifindex", info.ipi_ifindex},
              {"local", AddressText(AF_INET, info.ipi_spec_dst)},
              {"destination", AddressText(AF_INET, info.ipi_addr)}};
    }
    case ControlKind::kPacketInfo6: {
      if (!fits(sizeof(in6_pktinfo))) return {};
      const auto info = ValueOf<in6_pktinfo>(octets);
      return {{"ifindex", info.ipi6_ifindex},
              {"destination", AddressText(AF_INET6, info.ipi6_addr)}};
    }
    case ControlKind::kExtendedError:
      return fits(sizeof(sock_extended_err)) ? ErrorToJson(octets) : json();
    case ControlKind::kAddress:
      return {{"address", AddressToJson(AddressOfOctets(octets))}};
  }
  return {};
}

json ItemToJson(const cmsghdr& head, std::string_view octets) {
  const ControlType* type = agent_protocol::FindControl(head.cmsg_level, head.cmsg_type);
  json item = json::object();
  if (type != nullptr) item = ValuesToJson(type->kind, octets);
  if (item.is_null() || type == nullptr) {
    item = {{"octets", agent_protocol::Base64Encode(octets)}};
  }
  item["level"] = agent_protocol::NameOf(agent_protocol::OptionLevels(), head.cmsg_level);
  item["type"] =
      type != nullptr ? std::string(type->name) : agent_protocol::NameOf({}, head.cmsg_type);
  return item;
}

// Items as far as there are octets: what a system tells of lengths is not believed.
json ControlToJson(const std::vector<char>& control, std::size_t told) {
  json list = json::array();
  const std::size_t end = std::min(told, control.size());
  for (std::size_t begin = 0; begin + sizeof(cmsghdr) <= end;) {
    cmsghdr head{};
    std::memcpy(&head, control.data() + begin, sizeof(head));
    if (head.cmsg_len < CMSG_LEN(0)) break;
    const std::size_t length = std::min<std::size_t>(head.cmsg_len, end - begin);
    const std::size_t data = std::min<std::size_t>(CMSG_LEN(0), length);
    list.push_back(ItemToJson(head, {control.data() + begin + data, length - data}));
    begin += CMSG_ALIGN(length);
  }
  return list;
}

}  // namespace

OutgoingData::OutgoingData(Parameters& fields) {
  if (!fields.Has("vector")) {
    parts_.push_back(fields.Bytes("data"));
  } else {
    const json& list = fields.Any("vector");
    const auto refuse = [&] { fields.Refuse("vector", "a list of data in base64"); };
    if (!list.is_array() || list.size() > kMostParts) refuse();
    for (const json& part : list) {
      if (!part.is_string()) refuse();
      auto octets = agent_protocol::Base64Decode(part.get_ref<const std::string&>());
      if (!octets) refuse();
      parts_.push_back(*std::move(octets));
    }
  }
  for (std::string& part : parts_) vector_.push_back({part.data(), part.size()});
}

RoomForData::RoomForData(Parameters& fields) {
  std::vector<std::size_t> lengths;
  if (!fields.Has("lengths")) {
    lengths.push_back(static_cast<std::size_t>(fields.Integer("length", 0, kMostOctets)));
  } else {
    const json& list = fields.Any("lengths");
    const auto refuse = [&] { fields.Refuse("lengths", "a list of lengths"); };
    if (!list.is_array() || list.size() > kMostParts) refuse();
    for (const json& length : list) {
      if (!length.is_number_unsigned() || length.get<std::uint64_t>() > kMostOctets) refuse();
      lengths.push_back(length.get<std::size_t>());
    }
  }
  std::size_t sum = 0;
  for (const std::size_t length : lengths) sum += length;
  if (sum > kMostOctets) fields.Refuse("lengths", "8 MiB at most, together");
  room_.resize(sum);
  char* at = room_.data();
  for (const std::size_t length : lengths)
    vector_.push_back({std::exchange(at, at + length), length});
}

json RoomForData::ToJson(ssize_t count) const {
  const std::size_t came = std::min(room_.size(), static_cast<std::size_t>(count));
  return {{"length", count},
          {"data", agent_protocol::Base64Encode(std::string_view(room_).substr(0, came))}};
}

OutgoingMessage::OutgoingMessage(Parameters& fields, agent_protocol::Constants families)
    : data_(fields), control_(ReadControl(fields)) {
  if (fields.Has("address")) {
    address_ = ReadAddress(fields, families);
    header_.msg_name = address_.get();
    header_.msg_namelen = address_.length;
  }
  header_.msg_iov = data_.vector().data();
  header_.msg_iovlen = data_.vector().size();
  header_.msg_controllen = control_.size();
  if (fields.Has("control_length")) {
    const int length =
        fields.Integer("control_length", std::numeric_limits<int>::min(), kMostControl);
    header_.msg_controllen = static_cast<std::size_t>(length);
    if (length > 0) control_.resize(std::max(control_.size(), static_cast<std::size_t>(length)));
  }
  if (!control_.empty()) header_.msg_control = control_.data();
}

RoomForMessage::RoomForMessage(Parameters& fields)
    : data_(fields), with_name_length_(fields.Has("address_length")), address_(ReadRoom(fields)) {
  header_.msg_name = address_.get();
  header_.msg_namelen = address_.length;
  header_.msg_iov = data_.vector().data();
  header_.msg_iovlen = data_.vector().size();
  if (fields.Has("control_room")) {
    control_.resize(ReadControlRoom(fields));
    header_.msg_controllen = control_.size();
  } else if (fields.Has("control_length")) {
    const int length =
        fields.Integer("control_length", std::numeric_limits<int>::min(), kMostControl);
    control_.resize(static_cast<std::size_t>(std::max(length, 0)));
    header_.msg_controllen = static_cast<std::size_t>(length);
  }
  if (!control_.empty()) header_.msg_control = control_.data();
}

json RoomForMessage::ToJson(ssize_t count) const {
  json value = data_.ToJson(count);
  SocketAddress address = address_;
  address.length = header_.msg_namelen;
  value["address"] = AddressToJson(address, with_name_length_);
  value["control"] = ControlToJson(control_, header_.msg_controllen);
  value["control_length"] = header_.msg_controllen;
  value["flags"] = agent_protocol::NamesOfFlags(agent_protocol::MessageFlags(), header_.msg_flags);
  return value;
}

}  // namespace sockproof::agent
