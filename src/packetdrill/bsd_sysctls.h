// Sysctls that FreeBSD's scripts set, as far as Linux has the same by another name.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sockproof::packetdrill {

// What is to be done on Linux for a sysctl of FreeBSD.
struct LinuxEqual {
  struct Change {
    std::string name;  // "net.ipv4.tcp_sack"
    // The value from the one before it, without an end of line.
    std::function<std::string(const std::string& before)> value;
  };
  std::vector<Change> changes;  // none: Linux does so anyway
  std::string why;              // of none: the reason
};

// Whether FreeBSD calls something so: "net.inet.tcp.rfc1323".
bool IsBsdSysctl(std::string_view name);

// None: Linux has no equal for that value.
std::optional<LinuxEqual> EqualOnLinux(const std::string& name, const std::string& value);

}  // namespace sockproof::packetdrill
