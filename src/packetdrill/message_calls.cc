// sendmsg() and recvmsg(), with control messages.
#include <sys/socket.h>

#include <cstddef>
#include <optional>

#include "src/packetdrill/call_builder.h"
#include "src/packetdrill/control_messages.h"
#include "src/packetdrill/octets.h"
#include "src/packetdrill/structures.h"

namespace sockproof::packetdrill {
namespace {

// The most control data that are taken.
constexpr std::size_t kControlRoom = 4096;

class MessageCallBuilder : public CallBuilder {
 public:
  using CallBuilder::CallBuilder;

  void SendMessage() {
    CheckCount(3, 3);
    name_ = "sendmsg";
    Add(Descriptor(0));
    AddMessage(1, false);
    Add(Number(2));
    KeepIfZeroCopy(Number(2));
    SayArguments();
  }

  void ReceiveMessage() {
    CheckCount(3, 3);
    name_ = "recvmsg";
    Add(Descriptor(0));
    const Message message = AddMessage(1, true);
    Add(Number(2));
    SayArguments();
    std::optional<std::int64_t> flags;
    if (message.flags != nullptr && message.flags->kind != Kind::kEllipsis) {
      flags = NumberOf(*message.flags);
    }
    const Expression none;
    const Expression messages = message.messages != nullptr ? *message.messages : none;
    const Times times{around_.start, around_.tolerance, around_.drift};
    Check([=](std::int64_t, const SystemCall::Pieces& memory) {
      const auto header = ObjectIn<msghdr>(memory[message.header]);
      if (flags && *flags != header.msg_flags) {
        return fmt::format("msg_flags are {:#x} in place of {:#x}", header.msg_flags, *flags);
      }
      return WrongControl(messages, ControlMessagesIn(memory[message.control],
                                                      header.msg_controllen),
                          times);
    });
  }

 private:
  // struct msghdr, and where its parts are.
  struct Message {
    std::size_t header = 0;
    std::size_t control = 0;
    const Expression* flags = nullptr;
    const Expression* messages = nullptr;
  };

  Message AddMessage(std::size_t index, bool receives) {
    const Expression& structure = Argument(index);
    if (structure.kind != Kind::kStructure) throw SyntaxError(structure.where, "expected {msg_...}");
    const Expression* vector = Member(structure, "msg_iov");
    if (vector == nullptr) throw SyntaxError(structure.where, "a message needs msg_iov");
    Message message;
    message.flags = Member(structure, "msg_flags");
    message.messages = Member(structure, "msg_control");
    msghdr header{};
    const auto [array, count] = Vector(*vector, receives);
    header.msg_iovlen = count;
    const Bytes address = SocketAddress(around_.connect, around_.mapped);
    const bool has_name = Member(structure, "msg_name") != nullptr;
    const std::size_t name =
        receives ? Zeros(sizeof(sockaddr_storage)) : Octets(address);
    if (has_name) {
      header.msg_namelen = receives ? static_cast<socklen_t>(sizeof(sockaddr_storage))
                                    : static_cast<socklen_t>(address.size());
    }
    Bytes sent;
    if (!receives && message.messages != nullptr) sent = ControlFrom(*message.messages);
    header.msg_controllen = receives ? kControlRoom : sent.size();
    const bool has_control = header.msg_controllen != 0;
    message.control = receives ? Zeros(kControlRoom, true) : Octets(std::move(sent));
    message.header = Octets(BytesOf(header), receives);
    Point(message.header, offsetof(msghdr, msg_iov), array);
    if (has_name) Point(message.header, offsetof(msghdr, msg_name), name);
    if (has_control) Point(message.header, offsetof(msghdr, msg_control), message.control);
    AddPiece(message.header);
    return message;
  }
};

}  // namespace

std::span<const NamedCall> MessageCalls() {
  static constexpr NamedCall kCalls[] = {
      {"recvmsg", &MadeBy<MessageCallBuilder, &MessageCallBuilder::ReceiveMessage>},
      {"sendmsg", &MadeBy<MessageCallBuilder, &MessageCallBuilder::SendMessage>},
  };
  return kCalls;
}

}  // namespace sockproof::packetdrill
