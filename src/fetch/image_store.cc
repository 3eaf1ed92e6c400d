#include "src/fetch/image_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "src/fetch/cache.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kImagesKept = 4;

struct Image {
  std::string engine;  // a program
  std::string id;
};

// "sha256:0123..." of docker, "0123..." of podman.
std::string CleanId(std::string id) {
  id.erase(0, id.find(':') + 1);
  id.erase(std::find_if(id.begin(), id.end(), [](unsigned char c) { return isxdigit(c) == 0; }),
           id.end());
  return id.substr(0, 24);
}

Image Find(const std::string& image) {
  std::string failures;
  for (const char* name : {"podman", "docker"}) {
    const std::string engine = FindProgram(name);
    if (engine.empty()) continue;
    try {
      const std::string id =
          CleanId(RunProgram({engine, "image", "inspect", "--format", "{{.Id}}", image}));
      if (!id.empty()) return {engine, id};
    } catch (const HarnessError& error) {
      failures += fmt::format("{}{}", failures.empty() ? "" : "; ", error.what());
    }
  }
  if (failures.empty()) {
    throw HarnessError(
        "neither podman nor docker is installed, of which one has to have the image; an unpacked "
        "one can be named as rootfs:DIR");
  }
  throw HarnessError(fmt::format("no image {} here, and none is pulled: {}", image, failures));
}

// A container is made for it, never started and removed: by a process of its own, so that it is
// removed also when this one is killed.
void Export(const Image& image, const fs::path& archive) {
  RunProgram({"setsid", "--fork", "--wait", "sh", "-c",
              "container=$(\"$1\" create --network none \"$2\" /none) || exit\n"
              "\"$1\" export --output \"$3\" \"$container\"\n"
              "code=$?\n"
              "\"$1\" rm \"$container\" >/dev/null\n"
              "exit $code",
              "export", image.engine, image.id, archive.string()});
}

void RemoveTree(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder)) RunProgram({"chmod", "-R", "u+rwX", folder.string()});
  fs::remove_all(folder, ignored);
}

void RemoveOldImages(const fs::path& folder) {
  std::vector<fs::path> images;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) images.push_back(entry.path());
  }
  const auto newer = [](const fs::path& a, const fs::path& b) {
    return fs::last_write_time(a) > fs::last_write_time(b);
  };
  std::sort(images.begin(), images.end(), newer);
  for (std::size_t i = kImagesKept; i < images.size(); ++i) RemoveTree(images[i]);
}

}  // namespace

fs::path RootOfImage(const std::string& name, const std::function<void(const std::string&)>& say) {
  const Image image = Find(name);
  const fs::path images = CacheFolder("images");
  const fs::path folder = images / image.id;
  const FileLock lock(folder.string() + ".lock");
  if (!fs::exists(folder / "root")) {
    say("unpacking image " + name);
    const fs::path fresh = folder.string() + ".new";
    const fs::path archive = folder.string() + ".tar";
    RemoveTree(fresh);
    fs::create_directories(fresh / "root");
    Export(image, archive);
    // What the agent cannot use is left out: devices need root.
    RunProgram({"tar", "--extract", "--file", archive.string(), "--directory",
                (fresh / "root").string(), "--no-same-owner", "--exclude=dev/*"});
    fs::remove(archive);
    RemoveTree(folder);
    fs::rename(fresh, folder);
  }
  fs::last_write_time(folder, fs::file_time_type::clock::now());
  RemoveOldImages(images);
  return folder / "root";
}

}  // namespace sockproof
