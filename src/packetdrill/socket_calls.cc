// Sockets made, named, connected and closed.
#include <sys/socket.h>

#include "src/packetdrill/call_builder.h"
#include "src/packetdrill/octets.h"
#include "src/packetdrill/structures.h"

namespace sockproof::packetdrill {
namespace {

class SocketCallBuilder : public CallBuilder {
 public:
  using CallBuilder::CallBuilder;

  void Socket() {
    CheckCount(3, 3);
    name_ = "socket";
    Add(IsEllipsis(0) ? around_.domain : Number(0));
    Add(Number(1));
    Add(Number(2));
    SayArguments(0);
    CreatesResult();
  }

  void Bind() {
    CheckCount(3, 3);
    name_ = "bind";
    Add(Descriptor(0));
    AddAddress(1, around_.bind);
    Say("{}, {}", Descriptor(0), AddressText(1, around_.bind));
  }

  std::string AddressText(std::size_t index, const Endpoint& usual) const {
    return IsEllipsis(index) ? usual.ToString() : Describe(Argument(index));
  }

  void Connect() {
    CheckCount(3, 3);
    name_ = "connect";
    Add(Descriptor(0));
    AddAddress(1, around_.connect);
    Say("{}, {}", Descriptor(0), AddressText(1, around_.connect));
  }

  void Listen() {
    CheckCount(2, 2);
    name_ = "listen";
    Add(Descriptor(0));
    Add(Number(1));
    SayArguments();
  }

  void Accept() {
    CheckCount(3, 4);
    name_ = "accept4";
    Add(Descriptor(0));
    if (!IsEllipsis(1) && Number(1) == 0) {
      Add(0);
      Add(0);
    } else {
      AddPiece(Zeros(sizeof(sockaddr_storage), true));
      AddPiece(Octets(BytesOf(std::uint32_t{sizeof(sockaddr_storage)})));
    }
    Add(event_.arguments.size() > 3 ? Number(3) : 0);
    SayArguments();
    CreatesResult();
  }

  void Close() {
    CheckCount(1, 1);
    name_ = "close";
    Add(Descriptor(0));
    SayArguments();
    call_.closes = Number(0);
  }

  void Shutdown() {
    CheckCount(2, 2);
    name_ = "shutdown";
    Add(Descriptor(0));
    Add(Number(1));
    SayArguments();
  }
};

}  // namespace

std::span<const NamedCall> SocketCalls() {
  static constexpr NamedCall kCalls[] = {
      {"socket", &MadeBy<SocketCallBuilder, &SocketCallBuilder::Socket>},
      {"bind", &MadeBy<SocketCallBuilder, &SocketCallBuilder::Bind>},
      {"listen", &MadeBy<SocketCallBuilder, &SocketCallBuilder::Listen>},
      {"accept", &MadeBy<SocketCallBuilder, &SocketCallBuilder::Accept>},
      {"accept4", &MadeBy<SocketCallBuilder, &SocketCallBuilder::Accept>},
      {"connect", &MadeBy<SocketCallBuilder, &SocketCallBuilder::Connect>},
      {"close", &MadeBy<SocketCallBuilder, &SocketCallBuilder::Close>},
      {"shutdown", &MadeBy<SocketCallBuilder, &SocketCallBuilder::Shutdown>},
  };
  return kCalls;
}

}  // namespace sockproof::packetdrill
