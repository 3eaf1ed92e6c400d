// Octets of one direction of a connection, as far as they are known.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

namespace sockproof {

class Octets {
 public:
  // `octets` begin at `place`. Where another one was put before, it is open from now on.
  void Put(std::uint64_t place, std::string_view octets) {
    constexpr std::size_t kMost = 65536;
    for (const char octet : octets) {
      const auto [found, is_new] = known_.try_emplace(place++, octet);
      if (!is_new && found->second != octet) found->second = kOpen;
      if (known_.size() >= kMost) return;
    }
  }
  void Forget() { known_.clear(); }

  // Whether one of these is another than is known to be there. Looks no further than the octets are
  // plain ASCII, which calls show as they are.
  bool Contradict(std::uint64_t place, std::string_view octets) const {
    for (const char octet : octets) {
      const auto found = known_.find(place++);
      if (found == known_.end() || !IsPlain(found->second)) return false;
      if (found->second != octet) return true;
    }
    return false;
  }

  static bool IsPlain(char octet) {
    return octet >= ' ' && octet <= '~' && octet != '"' && octet != '\\';
  }

 private:
  static constexpr char kOpen = 0;
  std::map<std::uint64_t, char> known_;
};

}  // namespace sockproof
