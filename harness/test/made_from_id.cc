#include "harness/test/made_from_id.h"

#include <vector>

namespace sockproof {
namespace {

std::vector<MakeFromId>& Makers() {
  static std::vector<MakeFromId> makers;
  return makers;
}

}  // namespace

MakerRegistration::MakerRegistration(MakeFromId make) { Makers().push_back(make); }

std::optional<TestCase> TestMadeFrom(const std::string& id) {
  for (const MakeFromId make : Makers()) {
    if (std::optional<TestCase> test = make(id)) return test;
  }
  return std::nullopt;
}

}  // namespace sockproof
