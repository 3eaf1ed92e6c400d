#include "src/packetdrill/calls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>

#include "harness/agent_protocol/base64.h"
#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "src/packetdrill/symbols.h"

namespace sockproof::packetdrill {
namespace {

using nlohmann::json;
using Kind = Expression::Kind;

constexpr std::int64_t kMostOctets = 8 << 20;
constexpr std::size_t kControlRoom = 4096;

[[noreturn]] void NotSupported(Position where, const std::string& what) {
  throw Skip(fmt::format("line {}: {} is not supported", where.line, what));
}

template <typename Object>
Bytes BytesOf(const Object& object) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(&object);
  return {octets, octets + sizeof object};
}

template <typename Object>
Object ObjectIn(const Bytes& octets, std::size_t at = 0) {
  Object object{};
  if (at <= octets.size()) {
    memcpy(&object, octets.data() + at, std::min(sizeof object, octets.size() - at));
  }
  return object;
}

Bytes SocketAddress(const Endpoint& endpoint, bool mapped) {
  if (endpoint.address.version() == IpVersion::kIpv4 && !mapped) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    memcpy(&address.sin_addr, endpoint.address.bytes(), 4);
    return BytesOf(address);
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  if (endpoint.address.version() == IpVersion::kIpv6) {
    memcpy(&address.sin6_addr, endpoint.address.bytes(), 16);
  } else {
    address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&address.sin6_addr.s6_addr[12], endpoint.address.bytes(), 4);
  }
  return BytesOf(address);
}

const Expression* Member(const Expression& structure, std::string_view name) {
  for (const Expression& element : structure.elements) {
    if (element.kind == Kind::kMember && element.text == name) return &element.elements[0];
  }
  return nullptr;
}

std::string Differs(const std::string& what, std::int64_t expected, std::int64_t observed) {
  if (expected == observed) return "";
  return fmt::format("{} is {} in place of {}", what, observed, expected);
}

// Attributes of netlink in a control message: the statistics of SCM_TIMESTAMPING_OPT_STATS.
struct Attribute {
  std::uint16_t type = 0;
  Bytes value;
};

std::vector<Attribute> AttributesIn(const Bytes& octets) {
  constexpr std::size_t kHeader = 4;
  std::vector<Attribute> attributes;
  for (std::size_t at = 0; at + kHeader <= octets.size();) {
    const auto length = ObjectIn<std::uint16_t>(octets, at);
    if (length < kHeader || at + length > octets.size()) break;
    attributes.push_back({ObjectIn<std::uint16_t>(octets, at + 2),
                          Bytes(octets.begin() + static_cast<std::ptrdiff_t>(at + kHeader),
                                octets.begin() + static_cast<std::ptrdiff_t>(at + length))});
    at += (length + 3U) & ~3U;
  }
  return attributes;
}

struct ControlMessage {
  int level = 0;
  int type = 0;
  Bytes data;
};

std::vector<ControlMessage> ControlMessagesIn(const Bytes& octets, std::size_t length) {
  std::vector<ControlMessage> messages;
  const std::size_t end = std::min(length, octets.size());
  for (std::size_t at = 0; at + sizeof(cmsghdr) <= end;) {
    const auto header = ObjectIn<cmsghdr>(octets, at);
    if (header.cmsg_len < sizeof(cmsghdr) || at + header.cmsg_len > end) break;
    messages.push_back(
        {header.cmsg_level, header.cmsg_type,
         Bytes(octets.begin() + static_cast<std::ptrdiff_t>(at + sizeof(cmsghdr)),
               octets.begin() + static_cast<std::ptrdiff_t>(at + header.cmsg_len))});
    at += CMSG_ALIGN(header.cmsg_len);
  }
  return messages;
}

class Maker {
 public:
  Maker(const CallEvent& event, Position where, const CallSurroundings& around)
      : event_(event), where_(where), around_(around) {}

  SystemCall Make() {
    using Handler = void (Maker::*)();
    static const std::map<std::string_view, Handler> kHandlers = {
        {"socket", &Maker::Socket},
        {"bind", &Maker::Bind},
        {"listen", &Maker::Listen},
        {"accept", &Maker::Accept},
        {"accept4", &Maker::Accept},
        {"connect", &Maker::Connect},
        {"read", &Maker::Read},
        {"readv", &Maker::ReadVector},
        {"recv", &Maker::Receive},
        {"recvfrom", &Maker::Receive},
        {"recvmsg", &Maker::ReceiveMessage},
        {"write", &Maker::Write},
        {"writev", &Maker::WriteVector},
        {"send", &Maker::Send},
        {"sendto", &Maker::Send},
        {"sendmsg", &Maker::SendMessage},
        {"fcntl", &Maker::FileControl},
        {"ioctl", &Maker::DeviceControl},
        {"close", &Maker::Close},
        {"shutdown", &Maker::Shutdown},
        {"getsockopt", &Maker::GetOption},
        {"setsockopt", &Maker::SetOption},
        {"poll", &Maker::Poll},
        {"open", &Maker::Open},
        {"sendfile", &Maker::SendFile},
        {"epoll_create", &Maker::EpollCreate},
        {"epoll_create1", &Maker::EpollCreate},
        {"epoll_ctl", &Maker::EpollControl},
        {"epoll_wait", &Maker::EpollWait},
        {"pipe", &Maker::Pipe},
        {"splice", &Maker::Splice},
    };
    const auto handler = kHandlers.find(event_.name);
    if (handler == kHandlers.end()) NotSupported(where_, event_.name + "()");
    (this->*handler->second)();
    json memory = json::array();
    for (const Piece& piece : memory_) memory.push_back(piece.ToJson());
    call_.parameters = {{"name", name_}, {"arguments", arguments_}, {"memory", std::move(memory)}};
    if (keep_) call_.parameters["keep"] = true;
    call_.text = fmt::format("{}({})", event_.name, text_);
    return std::move(call_);
  }

 private:
  // --- What the call is given ----------------------------------------------------------------

  struct Piece {
    Bytes data;
    std::int64_t zeros = -1;  // in place of data
    bool returned = false;
    json pointers = json::array();

    json ToJson() const {
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
  };

  const Expression& Argument(std::size_t index) const {
    if (index < event_.arguments.size()) return event_.arguments[index];
    throw SyntaxError(where_, fmt::format("{}() needs more arguments", event_.name));
  }
  void CheckCount(std::size_t least, std::size_t most) const {
    const std::size_t count = event_.arguments.size();
    if (count >= least && count <= most) return;
    throw SyntaxError(where_, fmt::format("{}() with {} arguments", event_.name, count));
  }
  std::int64_t Number(std::size_t index) const { return NumberOf(Argument(index)); }
  bool IsEllipsis(std::size_t index) const { return Argument(index).kind == Kind::kEllipsis; }

  std::int64_t Descriptor(std::int64_t number, Position where) const {
    const auto found = around_.descriptors.find(number);
    if (found != around_.descriptors.end()) return found->second;
    if (number < 0) return number;
    throw SyntaxError(where, fmt::format("the script has no descriptor {} here", number));
  }
  std::int64_t Descriptor(std::size_t index) const {
    return Descriptor(Number(index), Argument(index).where);
  }

  void Add(std::int64_t number) { arguments_.push_back(number); }
  void AddPiece(std::size_t piece) { arguments_.push_back({{"memory", piece}}); }
  std::size_t Octets(Bytes data, bool returned = false) {
    memory_.push_back({std::move(data), -1, returned, json::array()});
    return memory_.size() - 1;
  }
  std::size_t Zeros(std::int64_t count, bool returned = false) {
    if (count < 0 || count > kMostOctets) {
      NotSupported(where_, fmt::format("a piece of {} octets", count));
    }
    memory_.push_back({{}, count, returned, json::array()});
    return memory_.size() - 1;
  }
  void Point(std::size_t from, std::size_t at, std::size_t to) {
    memory_[from].pointers.push_back({{"at", at}, {"memory", to}});
  }
  template <typename... Parts>
  void Say(fmt::format_string<Parts...> format, Parts&&... parts) {
    text_ = fmt::format(format, std::forward<Parts>(parts)...);
  }
  // As the script writes them, but for the descriptor.
  void SayArguments(std::size_t descriptors = 1) {
    for (std::size_t i = 0; i < event_.arguments.size(); ++i) {
      if (i != 0) text_ += ", ";
      text_ += i < descriptors ? std::to_string(Descriptor(i)) : Describe(event_.arguments[i]);
    }
  }

  // --- Sockets -------------------------------------------------------------------------------

  void Socket() {
    CheckCount(3, 3);
    name_ = "socket";
    Add(IsEllipsis(0) ? around_.domain : Number(0));
    Add(Number(1));
    Add(Number(2));
    SayArguments(0);
    CreatesResult();
  }

  void CreatesResult() {
    if (event_.result.kind == Kind::kEllipsis) return;
    const std::int64_t number = NumberOf(event_.result);
    if (number >= 0) call_.creates = {number};
  }

  // An address at `index`, its length behind it.
  void AddAddress(std::size_t index, const Endpoint& usual) {
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

  Bytes AddressIn(const Expression& structure) const {
    const Expression* family = Member(structure, "sa_family");
    const Expression* port = Member(structure, "sin_port");
    const Expression* address = Member(structure, "sin_addr");
    if (family == nullptr || port == nullptr || address == nullptr) {
      NotSupported(structure.where, "this form of an address");
    }
    const auto text_in = [&](const Expression& call) {
      if (call.kind != Kind::kCall || call.elements.size() != 1) {
        NotSupported(call.where, Describe(call));
      }
      return call.elements[0];
    };
    const std::int64_t number = NumberOf(text_in(*port));
    const IpAddress ip(text_in(*address).text);
    return SocketAddress({ip, static_cast<std::uint16_t>(number)},
                         NumberOf(*family) == AF_INET6);
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

  // --- Data ----------------------------------------------------------------------------------

  // The buffer at `index` of `size` octets, to be read into. NULL is one, too.
  void AddRoom(std::size_t index, std::int64_t size) {
    const Expression& buffer = Argument(index);
    if (buffer.kind == Kind::kString) {
      const std::string text = buffer.text;
      const std::size_t piece = Zeros(size, true);
      AddPiece(piece);
      Check([=, goes_on = buffer.goes_on](std::int64_t result, const SystemCall::Pieces& memory) {
        const Bytes& octets = memory[piece];
        const std::size_t count =
            std::min(octets.size(), static_cast<std::size_t>(std::max<std::int64_t>(result, 0)));
        const std::string seen(octets.begin(),
                               octets.begin() + static_cast<std::ptrdiff_t>(count));
        if (goes_on ? seen.starts_with(text) : seen == text) return std::string();
        return fmt::format("the data are \"{}\"", Shortened(CleanPart(seen), 60));
      });
    } else if (buffer.kind == Kind::kEllipsis) {
      AddPiece(Zeros(size));
    } else {
      Add(Number(index));
    }
  }

  void AddData(std::size_t index, std::int64_t size) {
    const Expression& buffer = Argument(index);
    if (buffer.kind == Kind::kString) {
      Bytes octets(buffer.text.begin(), buffer.text.end());
      octets.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(
          size, static_cast<std::int64_t>(octets.size()), kMostOctets)));
      AddPiece(Octets(std::move(octets)));
      call_.sends_text = true;
    } else if (buffer.kind == Kind::kEllipsis) {
      AddPiece(Zeros(size));
    } else {
      Add(Number(index));
    }
  }

  void Read() {
    CheckCount(3, 3);
    name_ = "read";
    Add(Descriptor(0));
    AddRoom(1, Number(2));
    Add(Number(2));
    SayArguments();
  }

  void Write() {
    CheckCount(3, 3);
    name_ = "write";
    Add(Descriptor(0));
    AddData(1, Number(2));
    Add(Number(2));
    SayArguments();
  }

  // recv() too.
  void Receive() {
    CheckCount(4, 6);
    name_ = "recvfrom";
    Add(Descriptor(0));
    AddRoom(1, Number(2));
    Add(Number(2));
    Add(Number(3));
    Add(0);
    Add(0);
    SayArguments();
  }

  void KeepIfZeroCopy(std::int64_t flags) { keep_ = (flags & MSG_ZEROCOPY) != 0; }

  // send() too.
  void Send() {
    CheckCount(4, 6);
    name_ = "sendto";
    Add(Descriptor(0));
    AddData(1, Number(2));
    Add(Number(2));
    Add(Number(3));
    KeepIfZeroCopy(Number(3));
    if (event_.arguments.size() > 5) {
      AddAddress(4, around_.connect);
    } else {
      Add(0);
      Add(0);
    }
    SayArguments();
  }

  // An array of iovec with its buffers; gives the piece and the number of elements.
  std::pair<std::size_t, std::size_t> Vector(const Expression& list, bool receives) {
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

  void ReadVector() { VectorCall("readv", true); }
  void WriteVector() { VectorCall("writev", false); }
  void VectorCall(const char* name, bool receives) {
    CheckCount(3, 3);
    name_ = name;
    Add(Descriptor(0));
    AddPiece(Vector(Argument(1), receives).first);
    Add(Number(2));
    SayArguments();
  }

  // --- Messages ------------------------------------------------------------------------------

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

  Bytes ControlFrom(const Expression& list) const {
    Bytes octets;
    for (const Expression& element : list.elements) {
      const Expression* level = Member(element, "cmsg_level");
      const Expression* type = Member(element, "cmsg_type");
      const Expression* data = Member(element, "cmsg_data");
      if (level == nullptr || type == nullptr || data == nullptr) {
        throw SyntaxError(element.where, "expected {cmsg_level=, cmsg_type=, cmsg_data=}");
      }
      const auto value = static_cast<std::int32_t>(NumberOf(*data));
      cmsghdr header{};
      header.cmsg_len = CMSG_LEN(sizeof value);
      header.cmsg_level = static_cast<int>(NumberOf(*level));
      header.cmsg_type = static_cast<int>(NumberOf(*type));
      const Bytes head = BytesOf(header);
      const Bytes tail = BytesOf(value);
      octets.insert(octets.end(), head.begin(), head.end());
      octets.insert(octets.end(), tail.begin(), tail.end());
      octets.resize(CMSG_ALIGN(octets.size()));
    }
    return octets;
  }

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

  struct Times {
    Time start;
    Duration tolerance;
    Duration drift;
  };

  static std::string WrongControl(const Expression& expected,
                                  const std::vector<ControlMessage>& observed,
                                  const Times& times) {
    if (expected.elements.size() != observed.size()) {
      return fmt::format("{} control messages in place of {}", observed.size(),
                         expected.elements.size());
    }
    for (std::size_t i = 0; i < observed.size(); ++i) {
      const Expression& element = expected.elements[i];
      const Expression* level = Member(element, "cmsg_level");
      const Expression* type = Member(element, "cmsg_type");
      const Expression* data = Member(element, "cmsg_data");
      if (level == nullptr || type == nullptr || data == nullptr) {
        throw SyntaxError(element.where, "expected {cmsg_level=, cmsg_type=, cmsg_data=}");
      }
      std::string wrong = Differs("cmsg_level", NumberOf(*level), observed[i].level);
      if (wrong.empty()) wrong = Differs("cmsg_type", NumberOf(*type), observed[i].type);
      if (wrong.empty()) wrong = WrongData(*data, observed[i].data, times);
      if (!wrong.empty()) return fmt::format("of control message {}: {}", i + 1, wrong);
    }
    return "";
  }

  static std::string WrongData(const Expression& expected, const Bytes& observed,
                               const Times& times) {
    if (expected.kind == Kind::kEllipsis) return "";
    if (expected.kind == Kind::kList) return WrongStatistics(expected, observed, times.tolerance);
    if (expected.kind != Kind::kStructure) {
      return Differs("the number", NumberOf(expected), ObjectIn<std::int32_t>(observed));
    }
    if (Member(expected, "ee_errno") != nullptr) return WrongError(expected, observed);
    const Expression* seconds = Member(expected, "scm_sec");
    const Expression* nanoseconds = Member(expected, "scm_nsec");
    if (seconds == nullptr || nanoseconds == nullptr) {
      NotSupported(expected.where, Describe(expected));
    }
    const auto stamp = ObjectIn<timespec>(observed);
    const Duration wanted = std::chrono::seconds(NumberOf(*seconds)) +
                            Duration(NumberOf(*nanoseconds));
    if (wanted == Duration(0)) return "";
    const Duration seen =
        Time(std::chrono::seconds(stamp.tv_sec) + Duration(stamp.tv_nsec)) - times.start;
    const Duration late = seen - wanted;
    if (late >= -times.tolerance && late <= times.tolerance + times.drift) return "";
    return fmt::format("the timestamp is {:.6f} in place of {:.6f}", ToSeconds(seen),
                       ToSeconds(wanted));
  }

  static std::string WrongError(const Expression& expected, const Bytes& observed) {
    const auto error = ObjectIn<sock_extended_err>(observed);
    const std::pair<const char*, std::uint32_t> kMembers[] = {
        {"ee_errno", error.ee_errno}, {"ee_origin", error.ee_origin}, {"ee_type", error.ee_type},
        {"ee_code", error.ee_code},   {"ee_info", error.ee_info},     {"ee_data", error.ee_data},
    };
    for (const auto& [name, value] : kMembers) {
      const Expression* member = Member(expected, name);
      if (member == nullptr || member->kind == Kind::kEllipsis) continue;
      const std::string wrong =
          Differs(name, static_cast<std::uint32_t>(NumberOf(*member)), value);
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  // [TCP_NLA_BUSY=10000, TCP_NLA_SND_CWND=...]
  static std::string WrongStatistics(const Expression& expected, const Bytes& observed,
                                     Duration tolerance) {
    const std::vector<Attribute> attributes = AttributesIn(observed);
    if (attributes.size() < expected.elements.size()) {
      return fmt::format("{} statistics in place of {}", attributes.size(),
                         expected.elements.size());
    }
    for (std::size_t i = 0; i < expected.elements.size(); ++i) {
      const Expression& element = expected.elements[i];
      if (element.kind != Kind::kAssign) throw SyntaxError(element.where, "expected NAME=value");
      const std::int64_t type = NumberOf(element.elements[0]);
      const std::string name = Describe(element.elements[0]);
      if (type != attributes[i].type) {
        return fmt::format("statistic {} is of type {} in place of {}", i + 1, attributes[i].type,
                           name);
      }
      if (element.elements[1].kind == Kind::kEllipsis) continue;
      const std::int64_t wanted = NumberOf(element.elements[1]);
      const auto value = static_cast<std::int64_t>(ObjectIn<std::uint64_t>(attributes[i].value));
      const bool is_time = type == TCP_NLA_BUSY || type == TCP_NLA_RWND_LIMITED ||
                           type == TCP_NLA_SNDBUF_LIMITED;
      // 0 is meant to be 0; any other time has the tolerance of the script.
      if (is_time && wanted != 0 &&
          std::chrono::abs(std::chrono::microseconds(value - wanted)) <= tolerance) {
        continue;
      }
      const std::string wrong = Differs(name, wanted, value);
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  // --- Control -------------------------------------------------------------------------------

  void FileControl() {
    CheckCount(2, 3);
    name_ = "fcntl";
    Add(Descriptor(0));
    Add(Number(1));
    Add(event_.arguments.size() > 2 ? Number(2) : 0);
    SayArguments();
  }

  void DeviceControl() {
    CheckCount(2, 3);
    name_ = "ioctl";
    Add(Descriptor(0));
    Add(Number(1));
    SayArguments();
    if (event_.arguments.size() < 3) return;
    const Expression& argument = Argument(2);
    if (argument.kind != Kind::kList || argument.elements.size() != 1) {
      Add(Number(2));
      return;
    }
    const std::size_t piece = Octets(BytesOf(std::int32_t{0}), true);
    AddPiece(piece);
    if (argument.elements[0].kind == Kind::kEllipsis) return;
    const std::int64_t wanted = NumberOf(argument.elements[0]);
    Check([=](std::int64_t, const SystemCall::Pieces& memory) {
      return Differs("the value", wanted, ObjectIn<std::int32_t>(memory[piece]));
    });
  }

  // The octets of an option's value, from 4 or 8 of [5] up to structures.
  Bytes OptionOctets(const Expression& value) const {
    if (value.kind == Kind::kString) return {value.text.begin(), value.text.end()};
    if (value.kind == Kind::kList && value.elements.size() == 1) {
      return BytesOf(static_cast<std::int32_t>(NumberOf(value.elements[0])));
    }
    if (value.kind == Kind::kList) {
      Bytes octets;
      for (const Expression& element : value.elements) {
        const Bytes part = BytesOf(static_cast<std::int32_t>(NumberOf(element)));
        octets.insert(octets.end(), part.begin(), part.end());
      }
      return octets;
    }
    if (value.kind == Kind::kCall && value.text == "inet6_addr" && value.elements.size() == 1) {
      const IpAddress address(value.elements[0].text);
      return {address.bytes(), address.bytes() + address.size()};
    }
    const Expression* on = Member(value, "onoff");
    const Expression* time = Member(value, "linger");
    if (on != nullptr && time != nullptr) {
      linger octets{};
      octets.l_onoff = static_cast<int>(NumberOf(*on));
      octets.l_linger = static_cast<int>(NumberOf(*time));
      return BytesOf(octets);
    }
    NotSupported(value.where, Describe(value));
  }

  void SetOption() {
    CheckCount(5, 5);
    name_ = "setsockopt";
    Add(Descriptor(0));
    Add(Number(1));
    Add(Number(2));
    Bytes octets = OptionOctets(Argument(3));
    const std::int64_t length = Number(4);
    if (length > static_cast<std::int64_t>(octets.size()) && length <= kMostOctets) {
      octets.resize(static_cast<std::size_t>(length));
    }
    AddPiece(Octets(std::move(octets)));
    Add(length);
    SayArguments();
  }

  void GetOption() {
    CheckCount(5, 5);
    name_ = "getsockopt";
    Add(Descriptor(0));
    Add(Number(1));
    Add(Number(2));
    const Expression& value = Argument(3);
    const Expression& room = Argument(4);
    if (room.kind != Kind::kList || room.elements.size() != 1) {
      throw SyntaxError(room.where, "expected [length]");
    }
    const bool any_length = room.elements[0].kind == Kind::kEllipsis;
    const std::int64_t length = any_length ? 256 : NumberOf(room.elements[0]);
    const std::size_t piece = Zeros(length, true);
    AddPiece(piece);
    const std::size_t size = Octets(BytesOf(static_cast<std::uint32_t>(length)), true);
    AddPiece(size);
    SayArguments();
    const bool any = value.kind == Kind::kEllipsis ||
                     (value.kind == Kind::kList && value.elements.size() == 1 &&
                      value.elements[0].kind == Kind::kEllipsis);
    Bytes wanted;
    if (!any) wanted = OptionOctets(value);
    const bool is_number = value.kind == Kind::kList && value.elements.size() == 1;
    Check([=](std::int64_t, const SystemCall::Pieces& memory) -> std::string {
      const auto seen_length = ObjectIn<std::uint32_t>(memory[size]);
      if (!any_length && seen_length != length) {
        return Differs("the length", length, seen_length);
      }
      if (any) return "";
      if (is_number) {
        return Differs("the value", ObjectIn<std::int32_t>(wanted),
                       ObjectIn<std::int32_t>(memory[piece]));
      }
      const Bytes seen(memory[piece].begin(),
                       memory[piece].begin() +
                           static_cast<std::ptrdiff_t>(
                               std::min<std::size_t>(seen_length, memory[piece].size())));
      const std::size_t compared = std::min(wanted.size(), seen.size());
      if (wanted.size() <= seen.size() + 1 &&
          std::equal(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(compared),
                     seen.begin())) {
        return "";
      }
      return fmt::format("the value is \"{}\"",
                         Shortened(CleanPart(std::string(seen.begin(), seen.end())), 60));
    });
  }

  // --- Readiness -----------------------------------------------------------------------------

  void Poll() {
    CheckCount(3, 3);
    name_ = "ppoll";
    const Expression& list = Argument(0);
    if (list.kind != Kind::kList) throw SyntaxError(list.where, "expected [{fd=, events=}, ...]");
    Bytes octets;
    std::vector<std::int64_t> wanted;
    for (const Expression& element : list.elements) {
      const Expression* fd = Member(element, "fd");
      const Expression* events = Member(element, "events");
      const Expression* revents = Member(element, "revents");
      if (fd == nullptr || events == nullptr) {
        throw SyntaxError(element.where, "expected {fd=, events=, revents=}");
      }
      pollfd entry{};
      entry.fd = static_cast<int>(Descriptor(NumberOf(*fd), fd->where));
      entry.events = static_cast<short>(NumberOf(*events));
      const Bytes part = BytesOf(entry);
      octets.insert(octets.end(), part.begin(), part.end());
      wanted.push_back(revents == nullptr || revents->kind == Kind::kEllipsis
                           ? -1
                           : NumberOf(*revents));
    }
    const std::size_t piece = Octets(std::move(octets), true);
    AddPiece(piece);
    Add(Number(1));
    const std::int64_t milliseconds = Number(2);
    if (milliseconds < 0) {
      Add(0);
    } else {
      timespec limit{};
      limit.tv_sec = milliseconds / 1000;
      limit.tv_nsec = milliseconds % 1000 * 1'000'000;
      AddPiece(Octets(BytesOf(limit)));
    }
    Add(0);
    Add(8);
    SayArguments(0);
    Check([=](std::int64_t, const SystemCall::Pieces& memory) -> std::string {
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto entry = ObjectIn<pollfd>(memory[piece], i * sizeof(pollfd));
        if (wanted[i] >= 0 && wanted[i] != entry.revents) {
          return fmt::format("revents {} are {:#x} in place of {:#x}", i + 1, entry.revents,
                             wanted[i]);
        }
      }
      return "";
    });
  }

  void EpollCreate() {
    CheckCount(1, 1);
    name_ = "epoll_create1";
    Add(event_.name == "epoll_create1" ? Number(0) : 0);
    SayArguments(0);
    CreatesResult();
  }

  // The data of an event: a live descriptor, or a number.
  epoll_event EpollEvent(const Expression& structure) const {
    const Expression* events = Member(structure, "events");
    if (events == nullptr) throw SyntaxError(structure.where, "expected {events=, fd=}");
    epoll_event event{};
    event.events = static_cast<std::uint32_t>(NumberOf(*events));
    if (const Expression* fd = Member(structure, "fd")) {
      event.data.fd = static_cast<int>(Descriptor(NumberOf(*fd), fd->where));
    }
    for (const char* name : {"ptr", "u32", "u64"}) {
      const Expression* number = Member(structure, name);
      if (number != nullptr) event.data.u64 = static_cast<std::uint64_t>(NumberOf(*number));
    }
    return event;
  }

  void EpollControl() {
    CheckCount(4, 4);
    name_ = "epoll_ctl";
    Add(Descriptor(0));
    Add(Number(1));
    Add(Descriptor(2));
    if (Argument(3).kind == Kind::kStructure) {
      AddPiece(Octets(BytesOf(EpollEvent(Argument(3)))));
    } else {
      Add(Number(3));
    }
    Say("{}, {}, {}, {}", Descriptor(0), Describe(Argument(1)), Descriptor(2),
        Describe(Argument(3)));
  }

  void EpollWait() {
    CheckCount(4, 4);
    name_ = "epoll_pwait";
    Add(Descriptor(0));
    const std::int64_t room = Number(2);
    const std::size_t piece =
        Zeros(std::clamp<std::int64_t>(room, 1, 4096) * static_cast<std::int64_t>(sizeof(epoll_event)),
              true);
    AddPiece(piece);
    Add(room);
    Add(Number(3));
    Add(0);
    Add(8);
    SayArguments();
    if (Argument(1).kind != Kind::kStructure) return;
    const epoll_event wanted = EpollEvent(Argument(1));
    Check([=](std::int64_t result, const SystemCall::Pieces& memory) -> std::string {
      if (result < 1) return "";
      const auto seen = ObjectIn<epoll_event>(memory[piece]);
      const std::uint32_t events = seen.events;
      if (events != wanted.events) {
        return fmt::format("events are {:#x} in place of {:#x}", events,
                           std::uint32_t{wanted.events});
      }
      return Differs("the data", static_cast<std::int64_t>(wanted.data.u64),
                     static_cast<std::int64_t>(seen.data.u64));
    });
  }

  // --- Files and pipes -----------------------------------------------------------------------

  void Open() {
    CheckCount(2, 3);
    name_ = "openat";
    Add(AT_FDCWD);
    const Expression& path = Argument(0);
    if (path.kind != Kind::kString) throw SyntaxError(path.where, "expected the path of a file");
    std::string where = around_.files;
    if (!path.text.starts_with("/")) where += around_.folder + "/";
    where += path.text;
    where.push_back('\0');
    AddPiece(Octets(Bytes(where.begin(), where.end())));
    Add(Number(1));
    Add(event_.arguments.size() > 2 ? Number(2) : 0644);
    SayArguments(0);
    CreatesResult();
  }

  // NULL, [5] or an integer.
  void AddOffset(std::size_t index) {
    const Expression& offset = Argument(index);
    if (offset.kind == Kind::kList && offset.elements.size() == 1) {
      AddPiece(Octets(BytesOf(NumberOf(offset.elements[0]))));
    } else {
      Add(Number(index));
    }
  }

  void SendFile() {
    CheckCount(4, 4);
    name_ = "sendfile";
    Add(Descriptor(0));
    Add(Descriptor(1));
    AddOffset(2);
    Add(Number(3));
    SayArguments(2);
  }

  void Pipe() {
    CheckCount(1, 1);
    name_ = "pipe2";
    const Expression& list = Argument(0);
    if (list.kind != Kind::kList || list.elements.size() != 2) {
      throw SyntaxError(list.where, "expected [reading, writing]");
    }
    const std::size_t piece = Zeros(2 * sizeof(std::int32_t), true);
    AddPiece(piece);
    Add(0);
    call_.creates = {NumberOf(list.elements[0]), NumberOf(list.elements[1])};
    call_.created_in = piece;
    SayArguments(0);
  }

  void Splice() {
    CheckCount(6, 6);
    name_ = "splice";
    Add(Descriptor(0));
    AddOffset(1);
    Add(Descriptor(2));
    AddOffset(3);
    Add(Number(4));
    Add(Number(5));
    Say("{}, {}, {}, {}, {}, {}", Descriptor(0), Describe(Argument(1)), Descriptor(2),
        Describe(Argument(3)), Describe(Argument(4)), Describe(Argument(5)));
  }

  void Check(std::function<std::string(std::int64_t, const SystemCall::Pieces&)> check) {
    call_.check = std::move(check);
  }

  const CallEvent& event_;
  const Position where_;
  const CallSurroundings& around_;
  std::string name_;
  json arguments_ = json::array();
  std::vector<Piece> memory_;
  std::string text_;
  bool keep_ = false;
  SystemCall call_;
};

}  // namespace

std::int64_t NumberOf(const Expression& expression) {
  switch (expression.kind) {
    case Kind::kInteger:
      return expression.number;
    case Kind::kWord:
      if (const auto value = SymbolValue(expression.text)) return *value;
      NotSupported(expression.where, "the name " + Shortened(CleanLine(expression.text), 60));
    case Kind::kOr: {
      std::int64_t all = 0;
      for (const Expression& element : expression.elements) all |= NumberOf(element);
      return all;
    }
    case Kind::kCall:
      if (expression.text == "htons" && expression.elements.size() == 1) {
        return htons(static_cast<std::uint16_t>(NumberOf(expression.elements[0])));
      }
      if (expression.text == "inet_addr" && expression.elements.size() == 1) {
        return inet_addr(expression.elements[0].text.c_str());
      }
      break;
    default:
      break;
  }
  NotSupported(expression.where, Describe(expression) + " as a number");
}

SystemCall MakeSystemCall(const CallEvent& event, Position where, const CallSurroundings& around) {
  return Maker(event, where, around).Make();
}

json ReadOption(std::int64_t live, int level, int name, std::size_t size) {
  const auto length = static_cast<std::uint32_t>(size);
  const Bytes octets = BytesOf(length);
  return {{"name", "getsockopt"},
          {"arguments", json::array({live, level, name, {{"memory", 0}}, {{"memory", 1}}})},
          {"memory",
           json::array({{{"length", size}, {"returned", true}},
                        {{"data", agent_protocol::Base64Encode(
                                      {reinterpret_cast<const char*>(octets.data()),
                                       octets.size()})},
                         {"returned", true}}})}};
}

SystemCall::Pieces PiecesOf(const json& value) {
  SystemCall::Pieces pieces;
  for (const json& entry : value.at("memory")) {
    Bytes& piece = pieces.emplace_back();
    if (!entry.is_string()) continue;
    const auto octets = agent_protocol::Base64Decode(entry.get<std::string>());
    if (octets) piece.assign(octets->begin(), octets->end());
  }
  return pieces;
}

}  // namespace sockproof::packetdrill
