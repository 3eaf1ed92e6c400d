#include "src/packetdrill/call_builder.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>

#include "harness/agent_protocol/base64.h"
#include "src/packetdrill/octets.h"
#include "src/packetdrill/structures.h"

namespace sockproof::packetdrill {

using nlohmann::json;

SystemCall CallBuilder::Finish() {
  json memory = json::array();
  for (const Piece& piece : memory_) memory.push_back(piece.ToJson());
  call_.parameters = {{"name", name_}, {"arguments", arguments_}, {"memory", std::move(memory)}};
  if (keep_) call_.parameters["keep"] = true;
  call_.text = fmt::format("{}({})", event_.name, text_);
  return std::move(call_);
}

json CallBuilder::Piece::ToJson() const {
  json piece;
  if (zeros >= 0) {
    piece["length"] = zeros;
  } else {
    piece["data"] = agent_protocol::Base64Encode(
        {reinterpret_cast<const char*>(data.data()), data.size()});
  }
  if (returned) piece["returned"] = true;
  if (!pointers.empty()) piece["pointers"] = pointers;
  return piece;
}

const Expression& CallBuilder::Argument(std::size_t index) const {
  if (index < event_.arguments.size()) return event_.arguments[index];
  throw SyntaxError(where_, fmt::format("{}() needs more arguments", event_.name));
}

void CallBuilder::CheckCount(std::size_t least, std::size_t most) const {
  const std::size_t count = event_.arguments.size();
  if (count >= least && count <= most) return;
  throw SyntaxError(where_, fmt::format("{}() with {} arguments", event_.name, count));
}

std::int64_t CallBuilder::Descriptor(std::int64_t number, Position where) const {
  const auto found = around_.descriptors.find(number);
  if (found != around_.descriptors.end()) return found->second;
  if (number < 0) return number;
  throw SyntaxError(where, fmt::format("the script has no descriptor {} here", number));
}

std::size_t CallBuilder::Octets(Bytes data, bool returned) {
  memory_.push_back({std::move(data), -1, returned, json::array()});
  return memory_.size() - 1;
}

std::size_t CallBuilder::Zeros(std::int64_t count, bool returned) {
  if (count < 0 || count > kMostOctets) {
    NotSupported(where_, fmt::format("a piece of {} octets", count));
  }
  memory_.push_back({{}, count, returned, json::array()});
  return memory_.size() - 1;
}

void CallBuilder::Point(std::size_t from, std::size_t at, std::size_t to) {
  memory_[from].pointers.push_back({{"at", at}, {"memory", to}});
}

void CallBuilder::SayArguments(std::size_t descriptors) {
  for (std::size_t i = 0; i < event_.arguments.size(); ++i) {
    if (i != 0) text_ += ", ";
    text_ += i < descriptors ? std::to_string(Descriptor(i)) : Describe(event_.arguments[i]);
  }
}

void CallBuilder::KeepIfZeroCopy(std::int64_t flags) { keep_ = (flags & MSG_ZEROCOPY) != 0; }

void CallBuilder::CreatesResult() {
  if (event_.result.kind == Kind::kEllipsis) return;
  const std::int64_t number = NumberOf(event_.result);
  if (number >= 0) call_.creates = {number};
}

void CallBuilder::AddAddress(std::size_t index, const Endpoint& usual) {
  const Expression& address = Argument(index);
  Bytes octets;
  if (address.kind == Kind::kEllipsis) {
    octets = SocketAddress(usual, around_.mapped);
  } else if (address.kind == Kind::kStructure) {
    octets = AddressIn(address);
  } else {
    const std::int64_t family = NumberOf(address);
    if (family == 0 && index + 1 < event_.arguments.size() && !IsEllipsis(index + 1) &&
        Number(index + 1) == 0 && event_.name != "connect") {
      Add(0);
      Add(0);
      return;
    }
    sockaddr_storage storage{};
    storage.ss_family = static_cast<sa_family_t>(family);
    octets = BytesOf(storage);
  }
  const auto length = static_cast<std::int64_t>(octets.size());
  AddPiece(Octets(std::move(octets)));
  Add(IsEllipsis(index + 1) ? length : Number(index + 1));
}

std::pair<std::size_t, std::size_t> CallBuilder::Vector(const Expression& list, bool receives) {
  if (list.kind != Kind::kList) throw SyntaxError(list.where, "expected [{..., length}, ...]");
  const std::size_t array =
      Zeros(static_cast<std::int64_t>(std::max<std::size_t>(list.elements.size(), 1) *
                                      sizeof(iovec)));
  memory_[array].data.resize(list.elements.size() * sizeof(iovec));
  memory_[array].zeros = -1;
  for (std::size_t i = 0; i < list.elements.size(); ++i) {
    const Expression& element = list.elements[i];
    if (element.kind != Kind::kStructure || element.elements.size() != 2) {
      throw SyntaxError(element.where, "expected {..., length}");
    }
    const Expression& base = element.elements[0];
    const auto length = static_cast<std::uint64_t>(NumberOf(element.elements[1]));
    std::size_t buffer = 0;
    if (base.kind == Kind::kString && !receives) {
      Bytes octets(base.text.begin(), base.text.end());
      octets.resize(std::max<std::size_t>(octets.size(), std::min<std::uint64_t>(length, kMostOctets)));
      buffer = Octets(std::move(octets));
      call_.sends_text = true;
    } else if (base.kind == Kind::kEllipsis || base.kind == Kind::kString) {
      buffer = Zeros(static_cast<std::int64_t>(length));
    } else {
      NotSupported(base.where, Describe(base));
    }
    Point(array, i * sizeof(iovec), buffer);
    memcpy(memory_[array].data.data() + i * sizeof(iovec) + offsetof(iovec, iov_len), &length,
           sizeof length);
  }
  return {array, list.elements.size()};
}

}  // namespace sockproof::packetdrill
