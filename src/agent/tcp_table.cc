#include "src/agent/tcp_table.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string_view>

#include "harness/agent_protocol/names.h"
#include "harness/base/unique_fd.h"
#include "src/agent/address.h"

namespace sockproof::agent {
namespace {

template <typename Number>
bool ReadHexadecimal(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, number, 16);
  return error == std::errc() && after == end;
}

// "0100007F:1F90": the address in words of 32 bits, each a number as this machine stores it; the
// port as a number.
std::optional<SocketAddress> ReadEndpoint(std::string_view text, int family) {
  constexpr std::size_t kDigitsOfAWord = 8;
  constexpr std::size_t kDigitsOfAPort = 4;
  const std::size_t words = family == AF_INET ? 1 : 4;
  if (text.size() != words * kDigitsOfAWord + 1 + kDigitsOfAPort) return std::nullopt;
  std::array<std::uint32_t, 4> address{};
  for (std::size_t i = 0; i < words; ++i) {
    if (!ReadHexadecimal(text.substr(i * kDigitsOfAWord, kDigitsOfAWord), address[i])) {
      return std::nullopt;
    }
  }
  std::uint16_t port = 0;
  if (!ReadHexadecimal(text.substr(text.size() - kDigitsOfAPort), port)) return std::nullopt;

  SocketAddress endpoint;
  if (family == AF_INET) {
    sockaddr_in inet{};
    inet.sin_family = AF_INET;
    inet.sin_port = htons(port);
    memcpy(&inet.sin_addr, address.data(), sizeof inet.sin_addr);
    memcpy(endpoint.storage, &inet, endpoint.length = sizeof inet);
  } else {
    sockaddr_in6 inet{};
    inet.sin6_family = AF_INET6;
    inet.sin6_port = htons(port);
    memcpy(&inet.sin6_addr, address.data(), sizeof inet.sin6_addr);
    memcpy(endpoint.storage, &inet, endpoint.length = sizeof inet);
  }
  return endpoint;
}

}  // namespace

const char* TcpTablePath(int family) {
  return family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6";
}

nlohmann::json TcpSocketsOf(const std::string& table, int family) {
  constexpr int kListen = 10;
  nlohmann::json sockets = nlohmann::json::array();
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string slot, local_text, remote_text, state_text, queues;
    fields >> slot >> local_text >> remote_text >> state_text >> queues;
    const std::optional<SocketAddress> local = ReadEndpoint(local_text, family);
    const std::optional<SocketAddress> remote = ReadEndpoint(remote_text, family);
    const std::size_t colon = queues.find(':');
    int state = 0;
    std::uint32_t send_queue = 0;
    std::uint32_t receive_queue = 0;
    if (!local || !remote || colon == std::string::npos || !ReadHexadecimal(state_text, state) ||
        !ReadHexadecimal(std::string_view(queues).substr(0, colon), send_queue) ||
        !ReadHexadecimal(std::string_view(queues).substr(colon + 1), receive_queue)) {
      continue;  // the line of names
    }
    sockets.push_back({{"state", agent_protocol::TcpStateName(state)},
                       {"local", AddressToJson(*local)},
                       {"remote", state == kListen ? nlohmann::json() : AddressToJson(*remote)},
                       {"receive_queue", receive_queue},
                       {"send_queue", send_queue}});
  }
  return sockets;
}

bool ShowsConnectionsWithoutDescriptor() {
  const UniqueFd sock_diag(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  return sock_diag && access(TcpTablePath(AF_INET), R_OK) == 0;
}

}  // namespace sockproof::agent
