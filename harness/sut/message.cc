#include "harness/sut/message.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

#include "harness/base/text.h"
#include "harness/sut/socket.h"

namespace sockproof {
namespace {

constexpr int kInt = 4;  // octets, wherever there is a socket API

ControlItem OfVersion(IpVersion version, const char* ipv4, const char* ipv6,
                      ControlItem::Value value) {
  const bool is_ipv4 = version == IpVersion::kIpv4;
  return {is_ipv4 ? "IPPROTO_IP" : "IPPROTO_IPV6", is_ipv4 ? ipv4 : ipv6, std::move(value)};
}

// Of the data of an item, so that room for it can be asked for.
int SizeOf(const ControlItem& item) {
  if (const auto* descriptors = std::get_if<std::vector<int>>(&item.value)) {
    return static_cast<int>(descriptors->size()) * kInt;
  }
  if (std::holds_alternative<Credentials>(item.value)) return 3 * kInt;
  if (std::holds_alternative<std::int64_t>(item.value)) return kInt;
  if (std::holds_alternative<PacketInfo>(item.value)) {
    return item.level == "IPPROTO_IP" ? 3 * kInt : 5 * kInt;
  }
  if (const auto* octets = std::get_if<std::string>(&item.value)) {
    return static_cast<int>(octets->size());
  }
  throw HarnessError("room for " + item.type + " is to be asked for in octets");
}

std::string QuotedLine(const std::string& data) {
  constexpr std::size_t kShown = 32;
  return fmt::format("\"{}\"{}", CleanLine(data.substr(0, kShown)),
                     data.size() > kShown ? "..." : "");
}

std::string TypesOf(const std::vector<ControlItem>& control) {
  std::vector<std::string> types;
  for (const ControlItem& item : control) types.push_back(item.type);
  return fmt::format("{}", fmt::join(types, ", "));
}

}  // namespace

void PrintTo(const Credentials& credentials, std::ostream* out) {
  *out << fmt::format("pid {}, uid {}, gid {}", credentials.pid, credentials.uid, credentials.gid);
}

std::int64_t ControlItem::number() const {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  throw HarnessError(type + " has no number");
}

ControlItem Rights(const std::vector<Socket>& sockets) {
  std::vector<int> descriptors;
  for (const Socket& socket : sockets) descriptors.push_back(socket.fd());
  return RightsOf(std::move(descriptors));
}

ControlItem RightsOf(std::vector<int> descriptors) {
  return {"SOL_SOCKET", "SCM_RIGHTS", std::move(descriptors)};
}

ControlItem Rights(int count) {
  return RightsOf(std::vector<int>(static_cast<std::size_t>(count), -1));
}

ControlItem SenderCredentials(const Credentials& credentials) {
  return {"SOL_SOCKET", "SCM_CREDENTIALS", credentials};
}

ControlItem HopLimit(IpVersion version, int hops) {
  return OfVersion(version, "IP_TTL", "IPV6_HOPLIMIT", std::int64_t{hops});
}

ControlItem TrafficClass(IpVersion version, int octet) {
  return OfVersion(version, "IP_TOS", "IPV6_TCLASS", std::int64_t{octet});
}

ControlItem ArrivedAt(IpVersion version, const PacketInfo& info) {
  return OfVersion(version, "IP_PKTINFO", "IPV6_PKTINFO", info);
}

ControlItem NumberItem(std::string level, std::string type, std::int64_t number) {
  return {std::move(level), std::move(type), number};
}

ControlItem OctetsItem(std::string level, std::string type, std::string octets) {
  return {std::move(level), std::move(type), std::move(octets)};
}

ControlRoom ControlRoom::Octets(int octets) {
  ControlRoom room;
  room.octets_ = octets;
  room.text_ = fmt::format("{} octets", octets);
  return room;
}

void ControlRoom::Add(const ControlItem& item) {
  data_sizes_.push_back(SizeOf(item));
  text_ += (text_.empty() ? "" : ", ") + item.type;
}

Message Message::Of(std::vector<std::string> parts) {
  Message message;
  message.parts_ = std::move(parts);
  return message;
}

Message Message::To(Name name) const {
  Message message = *this;
  message.name_ = std::move(name);
  return message;
}

Message Message::With(ControlItem item) const {
  Message message = *this;
  message.control_.push_back(std::move(item));
  return message;
}

Message Message::WithRawControl(std::string octets) const {
  Message message = *this;
  message.raw_control_ = std::move(octets);
  return message;
}

Message Message::WithControlLength(int length) const {
  Message message = *this;
  message.control_length_ = length;
  return message;
}

std::string Message::data() const { return fmt::format("{}", fmt::join(parts_, "")); }

std::string Message::ToString() const {
  std::string text = QuotedLine(data());
  if (!control_.empty()) text += " with " + TypesOf(control_);
  if (raw_control_) text += fmt::format(" with {} octets of control data", raw_control_->size());
  if (name_) text += " to " + name_->ToString();
  return text;
}

const Socket& Received::Passed(std::size_t index, SourceLocation where) const {
  if (index < sockets_.size()) return sockets_[index];
  throw Departure(fmt::format("  Expected: descriptor {} of those passed\n  Observed: {} have come",
                              index, sockets_.size()),
                  where);
}

std::optional<Credentials> Received::credentials() const {
  for (const ControlItem& item : control) {
    if (const auto* found = std::get_if<Credentials>(&item.value)) return *found;
  }
  return std::nullopt;
}

const ControlItem* Received::Find(const std::string& type) const {
  const auto found = std::find_if(control.begin(), control.end(),
                                  [&](const ControlItem& item) { return item.type == type; });
  return found == control.end() ? nullptr : &*found;
}

std::int64_t Received::Number(const std::string& type, SourceLocation where) const {
  if (const ControlItem* item = Find(type)) return item->number();
  throw Departure("  Expected: " + type + " comes with the message\n  Observed: " +
                      (control.empty() ? "no control data" : TypesOf(control)),
                  where);
}

bool Received::Has(const std::string& flag) const {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

void PrintTo(const Received& received, std::ostream* out) {
  *out << QuotedLine(received.data) << " (" << received.length << ") from "
       << received.from.ToString();
  if (!received.control.empty()) *out << " with " << TypesOf(received.control);
  for (const std::string& flag : received.flags) *out << ", " << flag;
}

}  // namespace sockproof
