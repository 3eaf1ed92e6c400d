// Which lines of the source the code of a kernel comes from, by the debug information of its
// vmlinux.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sockproof::reach {

class DebugLines {
 public:
  // By objdump of binutils, of a kernel built with CONFIG_DEBUG_INFO. Only the network's files:
  // those below net/ and include/ of `source`. Throws HarnessError when there is no objdump.
  static DebugLines Of(const std::filesystem::path& vmlinux, const std::filesystem::path& source);

  // From what objdump --dwarf=decodedline prints.
  DebugLines(std::string_view printed, const std::filesystem::path& source);

  // Numbers of the lines of which any code is in [begin, end): indices of Numbered().
  std::set<std::size_t> At(std::uint64_t begin, std::uint64_t end) const;
  // Each line with code: the path of its file from the top of the source, and the line.
  const std::vector<std::pair<std::string, int>>& Numbered() const { return numbered_; }

 private:
  // From this address on, to that of the next row.
  struct Row {
    std::uint64_t address = 0;
    std::size_t number = 0;  // of the line; kNone: of no file of the network
  };
  static constexpr std::size_t kNone = ~std::size_t{0};

  std::vector<std::pair<std::string, int>> numbered_;
  std::vector<Row> rows_;  // by address
};

}  // namespace sockproof::reach
