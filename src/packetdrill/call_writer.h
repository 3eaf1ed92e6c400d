// The calls of a test as lines of a script.
#pragma once

#include <set>
#include <string>

#include "harness/agent_protocol/options.h"
#include "harness/trace/call_text.h"
#include "harness/trace/timeline.h"

namespace sockproof::packetdrill {

class CallWriter {
 public:
  // `is_ipv6`: sockets that are of this version are as scripts make them by "...".
  explicit CallWriter(bool is_ipv6) : is_ipv6_(is_ipv6) {}

  // The call with what it returned; empty when it is left out, since it changes nothing and scripts have no
  // words for it. Throws NotExpressible.
  std::string Write(const CallSpan& span);

  // A connect() that waits for longer than the test: as one that does not wait.
  static std::string ConnectWithoutWaiting(const std::string& descriptor);
  static std::string MakeBlocking(const std::string& descriptor);
  static std::string MakeNonblocking(const std::string& descriptor);

 private:
  [[noreturn]] void Refuse(const std::string& why) const;
  const std::string& Argument(std::size_t index) const;
  std::string Descriptor() const;
  // MSG_PEEK|MSG_DONTWAIT, 0, 16: what scripts know.
  std::string Known(const std::string& words) const;
  std::string With(const std::string& arguments, const std::string& name = "") const;
  // "5", "-1 EPIPE": of "5: "hello"" and "4 from 192.0.2.2:40000" the number.
  std::string Result() const;
  std::string Opens(std::string text);

  std::string Socket();
  std::string Bind();
  std::string Connect();
  std::string Plain();
  std::string Close();
  std::string Accept();
  // send(3, data, 4, 0), sendto(3, data, 4, 0, address), write(3, data, 4)
  std::string Send();
  // recv(3, 64, 0), read(3, 64)
  std::string Receive();
  std::string ReceiveFrom();

  const agent_protocol::SocketOption& Option() const;
  // "3, SOL_SOCKET, SO_ERROR", by number what has no name in scripts.
  std::string OptionText(const agent_protocol::SocketOption& option) const;
  std::string SetOption();
  std::string GetOption();
  std::string Control();
  std::string DeviceControl();
  // poll(3: POLLIN, 2000 ms)
  std::string Poll();
  std::string Nothing();

  const bool is_ipv6_;
  std::set<std::string> open_;
  CallText call_;
  std::string what_;
  std::string result_;
};

}  // namespace sockproof::packetdrill
