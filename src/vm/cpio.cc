#include "src/vm/cpio.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <iterator>
#include <utility>

namespace sockproof {

void CpioArchive::AddFolder(std::string_view name) { Add(name, S_IFDIR | 0755, ""); }

void CpioArchive::AddFile(std::string_view name, std::string_view content, bool executable) {
  Add(name, S_IFREG | (executable ? 0755 : 0644), content);
}

void CpioArchive::AddLink(std::string_view name, std::string_view target) {
  Add(name, S_IFLNK | 0777, target);
}

void CpioArchive::AddCharacterDevice(std::string_view name, unsigned major, unsigned minor) {
  Add(name, S_IFCHR | 0600, "", major, minor);
}

std::string CpioArchive::Finish() {
  Add("TRAILER!!!", 0, "");
  return std::move(bytes_);
}

void CpioArchive::Add(std::string_view name, unsigned mode, std::string_view content,
                      unsigned major, unsigned minor) {
  constexpr unsigned kLinks = 1;
  bytes_ += "070701";
  for (const unsigned field :
       {next_inode_++, mode, 0U, 0U, kLinks, 0U, static_cast<unsigned>(content.size()), 0U, 0U,
        major, minor, static_cast<unsigned>(name.size() + 1), 0U}) {
    fmt::format_to(std::back_inserter(bytes_), "{:08X}", field);
  }
  const auto pad = [this] { bytes_.resize((bytes_.size() + 3) / 4 * 4, '\0'); };
  bytes_ += name;
  bytes_ += '\0';
  pad();
  bytes_ += content;
  pad();
}

}  // namespace sockproof
