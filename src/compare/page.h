// A comparison as one HTML file: for people, for a link, for a browser without a network.
#pragma once

#include <filesystem>
#include <string>

#include "src/compare/comparison.h"

namespace sockproof {

struct PageOptions {
  std::filesystem::path path;  // of the file to be, from which links to evidence lead
  bool by_claim = false;       // what is shown first
  // A page has less than this many bytes of ladders; where they do not fit a link stands for one.
  std::size_t most_ladder_bytes = 1'100'000;
};

// Nothing in the page is fetched from anywhere, and its content security policy allows neither that
// nor any script or style but its own. Without scripts all of it is there, apart from the filters.
// Whatever results say is shown as text. Reads the events of tests from the results' folders, as
// far as they are there, for ladders.
std::string RenderPage(const Comparison& comparison, const PageOptions& options);

}  // namespace sockproof
