// Network interfaces as the system under test shows them by ioctl(): netdevice(7).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/sut/name.h"
#include "harness/sut/outcome.h"
#include "harness/sut/process.h"
#include "harness/sut/socket.h"

namespace sockproof {

// The calls are made by that socket, whatever its family, in that process; none: the agent's own.
//
//   EXPECT_THAT(Interfaces(socket).Number("SIOCGIFMTU", "lo"), Returns(1500));
class Interfaces {
 public:
  explicit Interfaces(Socket by, std::optional<Process> in = std::nullopt);

  // SIOCGIFNAME.
  Outcome<std::string> NameOf(int index) const;
  // SIOCGIFINDEX, SIOCGIFMTU, SIOCGIFMETRIC, SIOCGIFTXQLEN; SIOCGIFHWADDR: the type of the
  // hardware.
  Outcome<int> Number(const std::string& request, const std::string& name) const;
  // SIOCSIFMTU, SIOCSIFMETRIC, SIOCSIFTXQLEN.
  Outcome<int> SetNumber(const std::string& request, const std::string& name, int number) const;
  // SIOCGIFFLAGS, SIOCSIFFLAGS: "IFF_UP".
  Outcome<std::vector<std::string>> Flags(const std::string& name) const;
  Outcome<int> SetFlags(const std::string& name, const std::vector<std::string>& flags) const;
  // SIOCGIFADDR, SIOCGIFNETMASK, SIOCSIFADDR and so on.
  Outcome<Name> Address(const std::string& request, const std::string& name) const;
  Outcome<int> SetAddress(const std::string& request, const std::string& name,
                          const Name& address) const;
  // SIOCSIFNAME.
  Outcome<int> Rename(const std::string& name, const std::string& to) const;
  // SIOCSIFHWADDR, SIOCSIFHWBROADCAST, SIOCADDMULTI, SIOCDELMULTI: a link-layer address and the
  // family that it is given with; SIOCGIFHWADDR reads all 14 octets of one.
  Outcome<int> SetHardware(const std::string& request, const std::string& name, int family,
                           const std::string& octets) const;
  Outcome<std::string> Hardware(const std::string& name) const;
  // SIOCSIFADDR and SIOCDIFADDR of a socket of AF_INET6, by the index of the interface.
  Outcome<int> SetIpv6Address(const std::string& request, int index, const Name& address,
                              int prefix_length) const;
  // A request without more than a name.
  Outcome<int> Make(const std::string& request, const std::string& name) const;
  // SIOCGIFCONF: names and addresses, with room for so many.
  Outcome<std::vector<std::pair<std::string, Name>>> List(int room) const;
  // The same without a buffer, which tells how many there are.
  Outcome<int> Count() const;
  // The same with a bad pointer in place of the structure: "null", "unmapped".
  Outcome<int> CountWithBadPointer(const std::string& kind) const;

 private:
  template <typename T, typename Reader>
  Outcome<T> Ask(const std::string& request, nlohmann::json params, const std::string& about,
                 const Reader& read) const;
  Outcome<int> AskCount(nlohmann::json params) const;

  Socket by_;
  std::optional<Process> in_;
};

}  // namespace sockproof
