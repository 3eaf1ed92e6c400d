// Tests that no file declares: their id tells all of them. What runs a test that it knows by its id
// alone, in a virtual machine for instance, makes them anew.
#pragma once

#include <optional>
#include <string>

#include "harness/test/registry.h"

namespace sockproof {

// Nothing for ids of others.
using MakeFromId = std::optional<TestCase> (*)(const std::string& id);

// Makes the maker known for as long as the program runs; to be a constant at namespace scope.
class MakerRegistration {
 public:
  explicit MakerRegistration(MakeFromId make);
};

// The test of this id; nothing when no maker knows it.
std::optional<TestCase> TestMadeFrom(const std::string& id);

}  // namespace sockproof
