#include "src/packetdrill/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "src/packetdrill/vocabulary.h"

namespace sockproof::packetdrill {
namespace {

template <typename Number>
Number NumberIn(const Option& option) {
  Number number{};
  const char* const end = option.value.data() + option.value.size();
  const auto [stop, error] = std::from_chars(option.value.data(), end, number);
  if (error != std::errc() || stop != end) {
    throw SyntaxError(option.where, fmt::format("--{}={} is no number in range", option.name,
                                                Shortened(CleanLine(option.value), 40)));
  }
  return number;
}

int PrefixOfMask(const IpAddress& mask) {
  int bits = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) bits += __builtin_popcount(mask.bytes()[i]);
  return bits;
}

bool HaveSamePrefix(const IpAddress& one, const IpAddress& other, int length) {
  for (int bit = 0; bit < length; ++bit) {
    const int differ = one.bytes()[bit / 8] ^ other.bytes()[bit / 8];
    if ((differ >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

class ConfigurationReader {
 public:
  explicit ConfigurationReader(Variant variant) : version_(VersionOf(variant)) {
    TunnelPlan& tunnel = read_.tunnel;
    const bool ipv6 = version_ == IpVersion::kIpv6;
    tunnel.local = IpAddress(ipv6 ? "fd3d:0a0b:17d6::1" : "192.168.0.1");
    tunnel.gateway = IpAddress(ipv6 ? "fd3d:0a0b:17d6:8888::1" : "192.168.0.1");
    tunnel.remote = IpAddress(ipv6 ? "fd3d:fa7b:d17d::1" : "192.0.2.1");
    tunnel.prefix_length = ipv6 ? 48 : 16;
    tunnel.remote_prefix_length = ipv6 ? 128 : 32;
    tunnel.mtu = ipv6 ? 1520 : 1500;
  }

  static IpVersion VersionOf(Variant variant) {
    return variant == Variant::kIpv6 ? IpVersion::kIpv6 : IpVersion::kIpv4;
  }

  void Take(const Option& option) {
    const std::string& name = option.name;
    if (name == "local_ip") return Address(option, read_.tunnel.local, nullptr);
    if (name == "gateway_ip") return Address(option, read_.tunnel.gateway, nullptr);
    if (name == "remote_ip") {
      return Address(option, read_.tunnel.remote, &read_.tunnel.remote_prefix_length);
    }
    if (name == "netmask_ip") {
      IpAddress mask;
      Address(option, mask, nullptr);
      if (mask != IpAddress()) read_.tunnel.prefix_length = PrefixOfMask(mask);
    } else if (name == "mtu") {
      read_.tunnel.mtu = NumberIn<std::uint16_t>(option);
    } else if (name == "mss") {
      read_.injected_segment = NumberIn<std::uint16_t>(option);
    } else if (name == "bind_port") {
      read_.bind_port = NumberIn<std::uint16_t>(option);
    } else if (name == "connect_port") {
      read_.connect_port = NumberIn<std::uint16_t>(option);
    } else if (name == "tolerance_usecs") {
      read_.tolerance = std::chrono::microseconds(NumberIn<std::uint32_t>(option));
    } else if (name == "tolerance_percent") {
      read_.tolerance_percent = NumberIn<double>(option);
    } else if (name == "tcp_ts_ecr_scaled") {
      read_.rules.any_timestamp_echo = true;
    } else if (name == "tcp_ts_tick_usecs") {
      read_.rules.timestamp_tick = std::chrono::microseconds(NumberIn<std::uint32_t>(option));
    } else if (name == "strict_segments") {
      read_.rules.strict_segments = true;
    } else if (name == "non_fatal") {
      read_.packets_not_fatal |= option.value.find("packet") != std::string::npos;
      read_.calls_not_fatal |= option.value.find("syscall") != std::string::npos;
    } else if (name == "code_sockopt") {
      read_.code_option = option.value;
    } else if (name == "ip_version") {
      CheckVersion(option);
    } else if (!IsIgnored(name) && !IsOptionElsewhere(name)) {
      throw SyntaxError(option.where, fmt::format("--{} is no option of scripts", Shortened(CleanLine(name), 40)));
    } else if (!IsIgnored(name)) {
      throw Skip(fmt::format("line {}: the option --{} is not supported", option.where.line,
                             CleanLine(name)));
    }
  }

  // Of a script that names addresses the other end has several.
  void HaveSeveralAddresses() { has_several_ = true; }

  Configuration Finished() {
    TunnelPlan& tunnel = read_.tunnel;
    if (has_several_) {
      tunnel.remote_prefix_length = std::min(tunnel.remote_prefix_length, version_ == IpVersion::kIpv4 ? 24 : 64);
    }
    if (!HaveSamePrefix(tunnel.local, tunnel.gateway, tunnel.prefix_length)) {
      throw SyntaxError(address_, fmt::format("the gateway {} is not on the network of {}",
                                              tunnel.gateway.ToString(), tunnel.local.ToString()));
    }
    read_.rules.mtu = static_cast<std::uint16_t>(read_.tunnel.mtu);
    return read_;
  }

 private:
  static bool IsIgnored(const std::string& name) {
    constexpr const char* kIgnored[] = {"debug",          "verbose",      "v",            "dry_run",
                                        "send_omit_free", "init_scripts", "code_command", "code_format"};
    return std::find(std::begin(kIgnored), std::end(kIgnored), name) != std::end(kIgnored);
  }

  static void CheckVersion(const Option& option) {
    for (const char* version : {"ipv4", "ipv6", "ipv4-mapped", "ipv4-mapped-ipv6"}) {
      if (option.value == version) return;
    }
    throw SyntaxError(option.where, fmt::format("--ip_version={} is none of ipv4, ipv6 and ipv4-mapped-ipv6",
                                                Shortened(CleanLine(option.value), 40)));
  }

  // One of the other version is for another variant.
  void Address(const Option& option, IpAddress& address, int* prefix_length) {
    const std::size_t slash = option.value.find('/');
    IpAddress read;
    try {
      read = IpAddress(option.value.substr(0, slash));
    } catch (const HarnessError&) {
      throw SyntaxError(option.where, fmt::format("--{}={} is no address", option.name,
                                                  Shortened(CleanLine(option.value), 40)));
    }
    if (read.version() != version_) return;
    address_ = option.where;
    address = read;
    if (prefix_length == nullptr) return;
    *prefix_length = read.version() == IpVersion::kIpv4 ? 32 : 128;
    if (slash != std::string::npos) {
      Option length = option;
      length.value = option.value.substr(slash + 1);
      *prefix_length = std::min<int>(NumberIn<std::uint8_t>(length), *prefix_length);
    }
  }

  const IpVersion version_;
  Configuration read_;
  Position address_;  // of the last one
  bool has_several_ = false;
};

}  // namespace

Configuration Configure(const ScriptPlan& plan, const Script& script) {
  ConfigurationReader reader(plan.variant);
  for (const Option& option : script.options) reader.Take(option);
  for (const Option& option : plan.options) reader.Take(option);
  const bool names = std::any_of(script.events.begin(), script.events.end(), [](const Event& event) {
    const auto* packet = std::get_if<PacketEvent>(&event.what);
    return packet != nullptr && !(packet->source_name.empty() && packet->destination_name.empty());
  });
  if (names) reader.HaveSeveralAddresses();
  return reader.Finished();
}

std::string WrongInOption(const Option& option) {
  ConfigurationReader reader(Variant::kIpv4);
  try {
    reader.Take(option);
  } catch (const SyntaxError& error) {
    return error.why();
  } catch (const Skip&) {
    // The tests say so.
  }
  return "";
}

}  // namespace sockproof::packetdrill
