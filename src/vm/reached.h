// Which code of a guest's kernel each test of a run reaches, as src/reach/plugin.c tells it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "harness/test/registry.h"

namespace sockproof {

// Code that QEMU translated as one: it is run from its first instruction on.
struct CodeBlock {
  std::uint64_t begin = 0;  // an address
  std::uint64_t size = 0;   // bytes
};

struct ReachRequest {
  std::filesystem::path plugin;  // empty: nobody wants to know
  // Called in the process that runs the machine, when it has ended, for each test that ran in it.
  std::function<void(const TestCase& test, const std::vector<CodeBlock>& reached)> take;
};

// Of this run; to be filled before tests are run. Not thread-safe.
ReachRequest& ReachOfRun();

// What the plugin wrote: the blocks of each stretch between two marks, the first stretch being the one
// before the first mark. Throws HarnessError for what it cannot have written.
std::vector<std::vector<CodeBlock>> ParseReached(std::string_view written);

}  // namespace sockproof
