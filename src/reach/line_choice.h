// From a change of a file to lines whose tests it may matter to, where it is recorded which tests
// reach which line.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "src/reach/record.h"
#include "src/reach/source.h"

namespace sockproof::reach {

struct TouchedLines {
  std::set<int> lines;  // of the recorded file: who reaches none of them is not concerned
  // Lines of the recorded file that do something and are in no function.
  std::vector<int> outside;
};

// `now` is the text of the file to which `places` belong: its lines, or a gap between two, which
// begins at line `first` and whose `last` is one less. Lines that are in the recorded file as well
// are themselves. What is new is reached by whoever reaches the statement behind it or, when that
// has no code or is not in the same block, anything in the block. A statement without code of its
// own is taken for its block too. None: the texts differ too much.
std::optional<TouchedLines> LinesTouched(const RecordedFile& recorded, const std::string& now,
                                         const std::vector<Lines>& places);

}  // namespace sockproof::reach
