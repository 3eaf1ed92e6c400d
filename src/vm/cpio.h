// Archives in the form that the Linux kernel unpacks at boot (cpio "newc",
// Documentation/driver-api/early-userspace/buffer-format.rst).
#pragma once

#include <string>
#include <string_view>

namespace sockproof {

// An archive in memory, built entry by entry; the kernel makes the entries in that order, so that a
// folder must come before what is in it. Names have no leading slash.
class CpioArchive {
 public:
  void AddFolder(std::string_view name);
  void AddFile(std::string_view name, std::string_view content, bool executable = false);
  void AddLink(std::string_view name, std::string_view target);
  void AddCharacterDevice(std::string_view name, unsigned major, unsigned minor);

  // The whole archive; nothing can be added afterwards.
  std::string Finish();

 private:
  void Add(std::string_view name, unsigned mode, std::string_view content, unsigned major = 0,
           unsigned minor = 0);
  std::string bytes_;
  unsigned next_inode_ = 1;
};

}  // namespace sockproof
