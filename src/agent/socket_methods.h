// The methods of the protocol that every system with sockets has, made of the functions and names
// of one system: this kernel, or a stack in the agent's own process.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/names.h"
#include "src/agent/address.h"
#include "src/agent/call.h"
#include "src/agent/messages.h"
#include "src/agent/parameters.h"
#include "src/agent/socket_options.h"

namespace sockproof::agent {

// The functions fail as POSIX says: negative, with errno. The names are those that the system has;
// every other one is answered as unsupported.
struct SocketSystem {
  int (*socket)(int domain, int type, int protocol);
  int (*bind)(int fd, const sockaddr* address, socklen_t length);
  int (*connect)(int fd, const sockaddr* address, socklen_t length);
  int (*listen)(int fd, int backlog);
  int (*accept)(int fd, sockaddr* address, socklen_t* length, int flags);
  int (*getsockname)(int fd, sockaddr* address, socklen_t* length);
  int (*getpeername)(int fd, sockaddr* address, socklen_t* length);
  int (*shutdown)(int fd, int how);
  int (*close)(int fd);
  ssize_t (*send)(int fd, const void* data, std::size_t size, int flags);
  ssize_t (*sendto)(int fd, const void* data, std::size_t size, int flags, const sockaddr* address,
                    socklen_t length);
  ssize_t (*sendmsg)(int fd, const msghdr* message, int flags);
  ssize_t (*write)(int fd, const void* data, std::size_t size);
  ssize_t (*writev)(int fd, const iovec* vector, int count);
  ssize_t (*recv)(int fd, void* data, std::size_t size, int flags);
  ssize_t (*recvfrom)(int fd, void* data, std::size_t size, int flags, sockaddr* address,
                      socklen_t* length);
  ssize_t (*recvmsg)(int fd, msghdr* message, int flags);
  ssize_t (*read)(int fd, void* data, std::size_t size);
  ssize_t (*readv)(int fd, const iovec* vector, int count);
  GetOptionCall getsockopt;
  SetOptionCall setsockopt;
  int (*fcntl)(int fd, int command, int flags);
  int (*ioctl)(int fd, unsigned long request, int* value);
  int (*poll)(pollfd* fds, nfds_t count, int timeout);
  bool checks_pointers;  // whether a bad one is an error, and not the end of the process
  bool (*has_option)(std::string_view name);  // of those in harness/agent_protocol/options.cc

  using Names = agent_protocol::Constants (*)();
  Names address_families;
  Names socket_types;
  Names socket_flags;
  Names protocols;
  Names message_flags;
  Names poll_events;
  Names control_commands;
  Names file_status_flags;
  Names file_descriptor_flags;
  Names control_requests;
};

// One function a method; each is a Method::function.
template <const SocketSystem& kSystem>
struct SocketMethods {
  static json Socket(Parameters& parameters, Call& call) {
    const int domain = parameters.Constant("domain", kSystem.address_families());
    const int type = parameters.Constant("type", kSystem.socket_types()) |
                     parameters.Flags("flags", kSystem.socket_flags());
    const int protocol =
        parameters.Has("protocol") ? parameters.Constant("protocol", kSystem.protocols()) : 0;
    return call.Run([&] { return kSystem.socket(domain, type, protocol); });
  }

  static json Bind(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    SocketAddress address = Address(parameters);
    const sockaddr* name = At(parameters, "address", address.get(), address.length);
    return call.Run([&] { return kSystem.bind(fd, name, address.length); });
  }

  static json Connect(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    SocketAddress address = Address(parameters);
    const sockaddr* name = At(parameters, "address", address.get(), address.length);
    return call.Run([&] { return kSystem.connect(fd, name, address.length); });
  }

  static json Listen(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int backlog = parameters.Integer("backlog");
    return call.Run([&] { return kSystem.listen(fd, backlog); });
  }

  static json Accept(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int flags = parameters.Flags("flags", kSystem.socket_flags());
    SocketAddress address = ReadRoom(parameters);
    sockaddr* const name = At(parameters, "address", address.get(), address.length);
    socklen_t* const length = At(parameters, "address_length", &address.length);
    const int accepted = call.Run([&] { return kSystem.accept(fd, name, length, flags); });
    if (accepted < 0) return nullptr;
    return {{"fd", accepted}, {"address", Told(parameters, address)}};
  }

  static json GetSocketName(Parameters& parameters, Call& call) {
    return Name(parameters, call, kSystem.getsockname);
  }

  static json GetPeerName(Parameters& parameters, Call& call) {
    return Name(parameters, call, kSystem.getpeername);
  }

  static json Shutdown(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int how = parameters.Constant("how", agent_protocol::ShutdownDirections());
    return call.Run([&] { return kSystem.shutdown(fd, how); });
  }

  static json Close(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    return call.Run([&] { return kSystem.close(fd); });
  }

  static json Send(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    std::string data = parameters.Bytes("data");
    const int flags = parameters.Flags("flags", kSystem.message_flags());
    const char* const octets = DataAt(parameters, data);
    return call.Run([&] { return kSystem.send(fd, octets, data.size(), flags); });
  }

  static json SendTo(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    std::string data = parameters.Bytes("data");
    const int flags = parameters.Flags("flags", kSystem.message_flags());
    SocketAddress address = Address(parameters);
    const char* const octets = DataAt(parameters, data);
    const sockaddr* const name = At(parameters, "address", address.get(), address.length);
    return call.Run(
        [&] { return kSystem.sendto(fd, octets, data.size(), flags, name, address.length); });
  }

  static json Write(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    std::string data = parameters.Bytes("data");
    const char* const octets = DataAt(parameters, data);
    return call.Run([&] { return kSystem.write(fd, octets, data.size()); });
  }

  static json Receive(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int flags = parameters.Flags("flags", kSystem.message_flags());
    return ReceiveInto(parameters, call, [&](char* data, std::size_t size) {
      return kSystem.recv(fd, data, size, flags);
    });
  }

  static json ReceiveFrom(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int flags = parameters.Flags("flags", kSystem.message_flags());
    SocketAddress address = ReadRoom(parameters);
    sockaddr* const name = At(parameters, "address", address.get(), address.length);
    socklen_t* const length = At(parameters, "address_length", &address.length);
    json value = ReceiveInto(parameters, call, [&](char* data, std::size_t size) {
      return kSystem.recvfrom(fd, data, size, flags, name, length);
    });
    if (value.is_object()) value["address"] = Told(parameters, address);
    return value;
  }

  static json Read(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    return ReceiveInto(parameters, call,
                       [&](char* data, std::size_t size) { return kSystem.read(fd, data, size); });
  }

  static json SendMessage(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int flags = parameters.Flags("flags", kSystem.message_flags());
    OutgoingMessage message(parameters, kSystem.address_families());
    const msghdr* const header = HeaderAt(parameters, message.header());
    return call.Run([&] { return kSystem.sendmsg(fd, header, flags); });
  }

  static json ReceiveMessage(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int flags = parameters.Flags("flags", kSystem.message_flags());
    RoomForMessage room(parameters);
    msghdr* const header = HeaderAt(parameters, room.header());
    const ssize_t count = call.Run([&] { return kSystem.recvmsg(fd, header, flags); });
    return count < 0 ? json() : room.ToJson(count);
  }

  static json WriteVector(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    OutgoingData data(parameters);
    const auto parts = static_cast<int>(data.vector().size());
    const iovec* const vector = VectorAt(parameters, data.vector());
    return call.Run([&] { return kSystem.writev(fd, vector, parts); });
  }

  static json ReadVector(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    RoomForData room(parameters);
    const auto parts = static_cast<int>(room.vector().size());
    const iovec* const vector = VectorAt(parameters, room.vector());
    const ssize_t count = call.Run([&] { return kSystem.readv(fd, vector, parts); });
    return count < 0 ? json() : room.ToJson(count);
  }

  static json GetOption(Parameters& parameters, Call& call) {
    CheckOption(parameters);
    return GetSocketOption(parameters, call, kSystem.getsockopt, kSystem.checks_pointers);
  }

  static json SetOption(Parameters& parameters, Call& call) {
    CheckOption(parameters);
    return SetSocketOption(parameters, call, kSystem.setsockopt, kSystem.checks_pointers);
  }

  static json FileControl(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const int command = parameters.Constant("command", kSystem.control_commands());
    const bool of_descriptor = command == F_GETFD || command == F_SETFD;
    const agent_protocol::Constants names =
        of_descriptor ? kSystem.file_descriptor_flags() : kSystem.file_status_flags();
    if (command == F_SETFL || command == F_SETFD) {
      const int flags = parameters.Flags("flags", names);
      return call.Run([&] { return kSystem.fcntl(fd, command, flags); });
    }
    const int flags = call.Run([&] { return kSystem.fcntl(fd, command, 0); });
    if (flags < 0) return nullptr;
    return NamesOfFlags(names, flags);
  }

  static json DeviceControl(Parameters& parameters, Call& call) {
    const int fd = parameters.Integer("fd");
    const auto request =
        static_cast<unsigned long>(parameters.Constant("request", kSystem.control_requests()));
    int value = parameters.Has("value") ? parameters.Integer("value") : 0;
    call.Run([&] { return kSystem.ioctl(fd, request, &value); });
    return value;
  }

  static json Poll(Parameters& parameters, Call& call) {
    const int timeout = parameters.Integer("timeout_ms");
    std::vector<pollfd> fds = ReadPollEntries(parameters);
    pollfd* const entries = At(parameters, "fds", fds.data(), fds.size() * sizeof(pollfd));
    if (call.Run([&] { return kSystem.poll(entries, fds.size(), timeout); }) < 0) return nullptr;
    return PollEntriesToJson(fds);
  }

 protected:
  static std::vector<pollfd> ReadPollEntries(Parameters& parameters) {
    const json& list = parameters.Any("fds");
    if (!list.is_array()) parameters.Refuse("fds", "a list");
    std::vector<pollfd> fds;
    for (const json& element : list) {
      Parameters fields("fds", element);
      pollfd entry{};
      entry.fd = fields.Integer("fd");
      entry.events = static_cast<short>(fields.Flags("events", kSystem.poll_events()));
      fields.CheckAllRead();
      fds.push_back(entry);
    }
    return fds;
  }

  static json PollEntriesToJson(const std::vector<pollfd>& fds) {
    json value = json::array();
    for (const pollfd& entry : fds) {
      value.push_back(NamesOfFlags(kSystem.poll_events(), entry.revents));
    }
    return value;
  }

  // The argument of that name: `original`, or a bad pointer in its place.
  template <typename T>
  static T* At(Parameters& parameters, const char* argument, T* original,
               std::size_t size = sizeof(T)) {
    if (!kSystem.checks_pointers) return original;
    return static_cast<T*>(parameters.Pointer(argument, original, size));
  }

 private:
  // In base64 and with its envelope this still fits a line.
  static constexpr int kLongestData = 8 << 20;

  static const char* DataAt(Parameters& parameters, std::string& data) {
    return At(parameters, "data", data.data(), data.size());
  }

  static iovec* VectorAt(Parameters& parameters, std::vector<iovec>& vector) {
    if (!vector.empty()) {
      iovec& first = vector.front();
      first.iov_base = At(parameters, "data", static_cast<char*>(first.iov_base), first.iov_len);
    }
    return At(parameters, "vector", vector.data(), vector.size() * sizeof(iovec));
  }

  static msghdr* HeaderAt(Parameters& parameters, msghdr& header) {
    if (header.msg_iovlen > 0) {
      iovec& first = header.msg_iov[0];
      first.iov_base = At(parameters, "data", static_cast<char*>(first.iov_base), first.iov_len);
    }
    header.msg_iov = At(parameters, "vector", header.msg_iov, header.msg_iovlen * sizeof(iovec));
    header.msg_name =
        At(parameters, "address", static_cast<char*>(header.msg_name), header.msg_namelen);
    header.msg_control = At(parameters, "control", static_cast<char*>(header.msg_control), 0);
    return At(parameters, "message", &header);
  }

  static SocketAddress Address(Parameters& parameters) {
    return ReadAddress(parameters, kSystem.address_families());
  }

  // An address that the system told: with its length for who asked for one.
  static json Told(const Parameters& parameters, const SocketAddress& address) {
    return AddressToJson(address, parameters.Has("address_length"));
  }

  static void CheckOption(Parameters& parameters) {
    const std::string name = parameters.Text("name");
    if (!kSystem.has_option(name)) parameters.Unsupported("option " + name);
  }

  static json Name(Parameters& parameters, Call& call,
                   int (*get_name)(int, sockaddr*, socklen_t*)) {
    const int fd = parameters.Integer("fd");
    SocketAddress address = ReadRoom(parameters);
    sockaddr* const name = At(parameters, "address", address.get(), address.length);
    socklen_t* const length = At(parameters, "address_length", &address.length);
    if (call.Run([&] { return get_name(fd, name, length); }) < 0) return nullptr;
    return Told(parameters, address);
  }

  // Runs `receive`, which fills a buffer of the size that the request names.
  template <typename ReceiveCall>
  static json ReceiveInto(Parameters& parameters, Call& call, const ReceiveCall& receive) {
    std::string data(static_cast<std::size_t>(parameters.Integer("length", 0, kLongestData)), '\0');
    char* const room = At(parameters, "data", data.data(), data.size());
    const ssize_t count = call.Run([&] { return receive(room, data.size()); });
    if (count < 0) return nullptr;
    // With MSG_TRUNC the count may be larger than the buffer.
    data.resize(std::min(data.size(), static_cast<std::size_t>(count)));
    return {{"length", count}, {"data", agent_protocol::Base64Encode(data)}};
  }
};

}  // namespace sockproof::agent
