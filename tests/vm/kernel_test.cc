// Kernels as files: images that boot or not, and modules in the order in which they must be loaded.
#include "src/vm/kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "harness/base/errors.h"
#include "src/run/usage_error.h"
#include "src/vm/kernel_store.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void WriteFile(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

// The head of a bzImage, as far as it is looked at.
std::string Image(const std::string& release) {
  std::string image(4096, '\0');
  image.replace(0x202, 4, "HdrS");
  image[0x236] = 1;  // runs in 64-bit mode
  image[0x20f] = 4;  // the release is at 0x400 + 0x200
  image.replace(0x600, release.size() + 8, release + " (user@)");
  return image;
}

std::string Module(const std::string& depends) {
  return std::string(
             "\x7f"
             "ELF",
             4) +
         std::string("\0license=GPL\0depends=", 21) + depends + std::string("\0name=x\0", 8);
}

std::string WhyNot(const std::string& text) {
  try {
    FindKernel(text);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(Kernel, AnImageTellsItsRelease) {
  const TemporaryFolder folder;
  WriteFile(folder / "bzImage", Image("6.9.0-mine"));
  EXPECT_EQ(FindKernel(folder / "bzImage").release, "6.9.0-mine");
}

TEST(Kernel, WhatDoesNotBootIsRefusedWithTheReason) {
  const TemporaryFolder folder;
  WriteFile(folder / "text", "not a kernel");
  EXPECT_THAT(WhyNot(folder / "text"), HasSubstr("is no Linux kernel image for x86"));

  std::string arm(4096, '\0');
  arm.replace(0x38, 4, "ARMd");
  WriteFile(folder / "Image", arm);
  EXPECT_THAT(WhyNot(folder / "Image"), HasSubstr("is a kernel for arm64"));

  std::string old = Image("2.6.0");
  old[0x236] = 0;
  WriteFile(folder / "old", old);
  EXPECT_THAT(WhyNot(folder / "old"), HasSubstr("is a 32-bit kernel"));

  WriteFile(folder / "vmlinux",
            "\x7f"
            "ELF and more");
  EXPECT_THAT(WhyNot(folder / "vmlinux"), HasSubstr("bzImage"));
}

TEST(Kernel, WhatIsNotThereIsWrongUsage) {
  EXPECT_THROW(FindKernel("/nonexistent/vmlinuz"), UsageError);
  const TemporaryFolder folder;
  WriteFile(folder / "bzImage", Image("6.9.0"));
  EXPECT_THROW(FindKernel(folder / "bzImage", "/nonexistent"), UsageError);
}

TEST(Kernel, ABuiltTreeHasImageModulesAndConfiguration) {
  const TemporaryFolder tree;
  WriteFile(tree / "arch/x86/boot/bzImage", Image("6.9.0-mine"));
  WriteFile(tree / ".config", "CONFIG_VETH=m\n# CONFIG_SCTP is not set\n");
  WriteFile(tree / "drivers/net/veth.ko", Module(""));
  const Kernel kernel = FindKernel(tree / "");

  EXPECT_EQ(kernel.release, "6.9.0-mine");
  EXPECT_EQ(ModulesOf(kernel, {"veth"}).size(), 1U);
  EXPECT_FALSE(Lacks(kernel, "CONFIG_VETH"));
  EXPECT_TRUE(Lacks(kernel, "CONFIG_SCTP"));
}

TEST(Kernel, AnUnpackedPackageHasImageAndModules) {
  const TemporaryFolder folder;
  WriteFile(folder / "boot/vmlinuz-6.1.0-1-amd64", Image("6.1.0-1-amd64"));
  WriteFile(folder / "lib/modules/6.1.0-1-amd64/kernel/net/tcp_diag.ko", Module(""));
  const Kernel kernel = KernelIn(folder / "", "debian:6.1");

  EXPECT_EQ(kernel.name, "debian:6.1");
  EXPECT_EQ(ModulesOf(kernel, {"tcp_diag"}).size(), 1U);
}

TEST(Kernel, TwoImagesInAFolderAreOneTooMany) {
  const TemporaryFolder folder;
  WriteFile(folder / "boot/vmlinuz-1", Image("1"));
  WriteFile(folder / "boot/vmlinuz-2", Image("2"));
  EXPECT_THAT(WhyNot(folder / ""), HasSubstr("more than one kernel image"));
}

TEST(Kernel, ModulesComeAfterThoseTheyNeedAndOnce) {
  const TemporaryFolder tree;
  WriteFile(tree / "arch/x86/boot/bzImage", Image("6.9.0"));
  WriteFile(tree / "net/tcp_diag.ko", Module("inet-diag"));
  WriteFile(tree / "net/udp_diag.ko", Module("inet-diag"));
  WriteFile(tree / "net/inet_diag.ko", Module(""));
  std::vector<std::string> names;
  for (const KernelModule& module :
       ModulesOf(FindKernel(tree / ""), {"tcp_diag", "udp_diag", "built_in"})) {
    names.push_back(module.name);
  }
  EXPECT_THAT(names, ElementsAre("inet_diag", "tcp_diag", "udp_diag"));
}

TEST(Kernel, OnlyADistributionWithAVersionIsAFetchedName) {
  EXPECT_TRUE(IsFetchedName("debian:6.12"));
  EXPECT_FALSE(IsFetchedName("debian:"));
  EXPECT_FALSE(IsFetchedName("debian:6.12/../x"));
  EXPECT_FALSE(IsFetchedName("/boot/vmlinuz"));
}

}  // namespace
}  // namespace sockproof
