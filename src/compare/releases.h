// What became of a test from one release of Linux to the next.
#pragma once

#include <string>
#include <vector>

#include "src/compare/comparison.h"

namespace sockproof {

// Oldest first, where all are Linux and no two of one release, "6.1" and "6.12"; else as they are.
void OrderByRelease(std::vector<ComparedSystem>& systems);

// "holds since 6.12", "departs since 6.1", "otherwise since 6.12" (it holds or departs on both, and something else
// that was observed is not the same); several of them with commas between. Of systems without an answer nothing is
// said: since 6.12 may mean since a release between that and the one before it here. Empty where nothing changes,
// and where the systems are not different releases of Linux.
std::string SinceRelease(const Comparison& comparison, const TestRow& row);

}  // namespace sockproof
