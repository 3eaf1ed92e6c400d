#include "harness/sut/name.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "harness/base/text.h"

namespace sockproof {
namespace {

std::string Shown(const UnixName& name) {
  if (name.unnamed()) return "unnamed";
  std::string text = name.octets;
  std::replace(text.begin(), text.end(), '\0', '@');
  return CleanLine(text);
}

}  // namespace

Name Name::WithLength(int length) const {
  Name name = *this;
  name.length_ = length;
  return name;
}

Name Name::WithScope(std::uint32_t scope_id) const {
  Name name = *this;
  name.scope_id_ = scope_id;
  return name;
}

std::string Name::ToString() const {
  if (const Endpoint* ip = endpoint()) {
    return ip->ToString() + (scope_id_ != 0 ? fmt::format("%{}", scope_id_) : "");
  }
  if (const UnixName* local = unix_name()) return Shown(*local);
  return raw() != nullptr ? raw()->family : "no name";
}

void PrintTo(const Name& name, std::ostream* out) { *out << name.ToString(); }

}  // namespace sockproof
