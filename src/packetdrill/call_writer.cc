#include "src/packetdrill/call_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "harness/base/text.h"
#include "src/packetdrill/export.h"
#include "src/packetdrill/symbols.h"

namespace sockproof::packetdrill {
namespace {

bool IsDecimal(std::string_view text) {
  if (text.starts_with("-")) text.remove_prefix(1);
  return !text.empty() && text.size() < 16 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsErrno(const std::string& text) {
  return text.size() > 1 && text[0] == 'E' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

}  // namespace

std::string CallWriter::Write(const CallSpan& span) {
  call_ = ParseCall(span.call().text);
  what_ = span.call().text;
  result_ = std::get<ReturnEvent>(span.return_event->what).text;
  static const std::map<std::string_view, std::string (CallWriter::*)()> kWriters = {
      {"socket", &CallWriter::Socket},         {"bind", &CallWriter::Bind},
      {"listen", &CallWriter::Plain},          {"shutdown", &CallWriter::Plain},
      {"connect", &CallWriter::Connect},       {"accept", &CallWriter::Accept},
      {"accept4", &CallWriter::Accept},        {"send", &CallWriter::Send},
      {"sendto", &CallWriter::Send},           {"write", &CallWriter::Send},
      {"recv", &CallWriter::Receive},          {"read", &CallWriter::Receive},
      {"recvfrom", &CallWriter::ReceiveFrom},  {"close", &CallWriter::Close},
      {"setsockopt", &CallWriter::SetOption},  {"getsockopt", &CallWriter::GetOption},
      {"fcntl", &CallWriter::Control},         {"ioctl", &CallWriter::DeviceControl},
      {"poll", &CallWriter::Poll},             {"getsockname", &CallWriter::Nothing},
      {"getpeername", &CallWriter::Nothing},
  };
  const auto writer = kWriters.find(call_.name);
  if (writer == kWriters.end()) Refuse("has no place in a script");
  return (this->*writer->second)();
}

std::string CallWriter::ConnectWithoutWaiting(const std::string& descriptor) {
  return fmt::format("connect({}, ..., ...) = -1 EINPROGRESS", descriptor);
}

std::string CallWriter::MakeBlocking(const std::string& descriptor) {
  return fmt::format("fcntl({}, F_SETFL, O_RDWR) = 0", descriptor);
}

std::string CallWriter::MakeNonblocking(const std::string& descriptor) {
  return fmt::format("fcntl({}, F_SETFL, O_RDWR|O_NONBLOCK) = 0", descriptor);
}

void CallWriter::Refuse(const std::string& why) const {
  throw NotExpressible(fmt::format("{} {}", Shortened(CleanLine(what_), 80), why));
}

const std::string& CallWriter::Argument(std::size_t index) const {
  if (index < call_.arguments.size()) return call_.arguments[index];
  Refuse("is not understood");
}

std::string CallWriter::Descriptor() const {
  const std::string& number = Argument(0);
  if (!IsDecimal(number)) Refuse("is not understood");
  if (!open_.contains(number)) Refuse("is of a descriptor that the test did not open by socket() or accept()");
  return number;
}

std::string CallWriter::Known(const std::string& words) const {
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t end = std::min(words.find('|', at), words.size());
    const std::string word = words.substr(at, end - at);
    if (!IsDecimal(word) && !SymbolValue(word)) Refuse(fmt::format("has {}, which scripts do not know", word));
    at = end + 1;
  }
  return words;
}

std::string CallWriter::With(const std::string& arguments, const std::string& name) const {
  const std::string& called = name.empty() ? call_.name : name;
  return fmt::format("{}({}) = {}", called, arguments, Result());
}

std::string CallWriter::Result() const {
  const std::string word = result_.substr(0, result_.find_first_of(": "));
  if (IsDecimal(word)) return word;
  if (IsErrno(word) && SymbolValue(word)) return fmt::format("-1 {}", word);
  Refuse(fmt::format("returned {}, which no script can expect", Shortened(CleanLine(result_), 40)));
}

std::string CallWriter::Opens(std::string text) {
  const std::string number = Result();
  if (IsDecimal(number)) open_.insert(number);
  return text;
}

std::string CallWriter::Socket() {
  const std::string& domain = Argument(0);
  const std::string type = Known(Argument(1));
  if (domain != "AF_INET" && domain != "AF_INET6") Refuse("is no socket of IP");
  if (!type.starts_with("SOCK_STREAM")) Refuse("is no socket of TCP");
  const std::string protocol =
      call_.arguments.size() > 2 && Argument(2) != "0" ? Known(Argument(2)) : "IPPROTO_TCP";
  const bool is_usual = (domain == "AF_INET6") == is_ipv6_;
  return Opens(With(fmt::format("{}, {}, {}", is_usual ? "..." : domain, type, protocol)));
}

std::string CallWriter::Bind() { return With(fmt::format("{}, ..., ...", Descriptor())); }

std::string CallWriter::Connect() {
  if (Argument(1).find(':') == std::string::npos) Refuse("does not connect to an address");
  return With(fmt::format("{}, ..., ...", Descriptor()));
}

std::string CallWriter::Plain() { return With(fmt::format("{}, {}", Descriptor(), Known(Argument(1)))); }

std::string CallWriter::Close() {
  const std::string number = Descriptor();
  open_.erase(number);
  return With(number);
}

std::string CallWriter::Accept() {
  const std::string flags =
      call_.name == "accept4" ? fmt::format(", {}", Known(Argument(1))) : std::string();
  return Opens(With(fmt::format("{}, ..., ...{}", Descriptor(), flags)));
}

std::string CallWriter::Send() {
  std::string rest;
  for (std::size_t i = 2; i < std::min<std::size_t>(call_.arguments.size(), 4); ++i) {
    rest += fmt::format(", {}", Known(Argument(i)));
  }
  if (call_.arguments.size() > 4) rest += ", ..., ...";
  return With(fmt::format("{}, ...{}", Descriptor(), rest));
}

std::string CallWriter::Receive() {
  const std::string flags =
      call_.arguments.size() > 2 ? fmt::format(", {}", Known(Argument(2))) : std::string();
  return With(fmt::format("{}, ..., {}{}", Descriptor(), Known(Argument(1)), flags));
}

std::string CallWriter::ReceiveFrom() {
  return With(fmt::format("{}, ..., {}, {}", Descriptor(), Known(Argument(1)), Known(Argument(2))), "recv");
}

const agent_protocol::SocketOption& CallWriter::Option() const {
  const agent_protocol::SocketOption* option = agent_protocol::FindOption(Argument(1));
  if (option == nullptr) Refuse("is not understood");
  return *option;
}

std::string CallWriter::OptionText(const agent_protocol::SocketOption& option) const {
  const auto text = [](std::string_view name, int number) {
    return SymbolValue(name) ? std::string(name) : std::to_string(number);
  };
  return fmt::format("{}, {}, {}", Descriptor(), text(option.level, option.level_number),
                     text(option.name, option.number));
}

std::string CallWriter::SetOption() {
  const agent_protocol::SocketOption& option = Option();
  const std::string& value = Argument(2);
  if (option.kind == agent_protocol::OptionKind::kLinger && value.starts_with("{")) {
    std::string seconds = Argument(3);
    if (seconds.ends_with("}")) seconds.pop_back();
    return With(fmt::format("{}, {{onoff={}, linger={}}}, 8", OptionText(option), Known(value.substr(1)),
                            Known(seconds)));
  }
  if (option.kind != agent_protocol::OptionKind::kInteger || !IsDecimal(value)) Refuse("has a value that scripts cannot give");
  return With(fmt::format("{}, [{}], 4", OptionText(option), value));
}

std::string CallWriter::GetOption() {
  const agent_protocol::SocketOption* option = agent_protocol::FindOption(Argument(1));
  const bool is_told = option != nullptr && option->kind == agent_protocol::OptionKind::kInteger &&
                       call_.arguments.size() == 2 && IsDecimal(result_);
  if (!is_told) return Nothing();
  return fmt::format("getsockopt({}, [{}], [4]) = 0", OptionText(*option), result_);
}

std::string CallWriter::Control() {
  if (Argument(1) == "F_GETFL" || Argument(1) == "F_GETFD") return Nothing();
  if (Argument(1) == "F_SETFL") {
    return With(fmt::format("{}, F_SETFL, O_RDWR|{}", Descriptor(), Known(Argument(2))));
  }
  Refuse("has no place in a script");
}

std::string CallWriter::DeviceControl() {
  if (call_.arguments.size() > 2) Refuse("has no place in a script");
  if (!IsDecimal(result_)) return Nothing();
  return fmt::format("ioctl({}, {}, [{}]) = 0", Descriptor(), Known(Argument(1)), result_);
}

std::string CallWriter::Poll() {
  const std::string asked = Argument(0);
  const std::size_t colon = asked.find(": ");
  std::string limit = Argument(1);
  if (call_.arguments.size() != 2 || colon == std::string::npos || !limit.ends_with(" ms")) {
    Refuse("is not understood");
  }
  limit.resize(limit.size() - 3);
  call_.arguments[0] = asked.substr(0, colon);
  const std::string events = Known(asked.substr(colon + 2));
  const std::string ready = Known(result_);
  return fmt::format("poll([{{fd={}, events={}, revents={}}}], 1, {}) = {}", Descriptor(), events, ready,
                     Known(limit), ready == "0" ? 0 : 1);
}

std::string CallWriter::Nothing() { return ""; }

}  // namespace sockproof::packetdrill
