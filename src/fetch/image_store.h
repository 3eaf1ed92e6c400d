// Root file systems of container images, as podman or docker have them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace sockproof {

// The unpacked file system of an image that podman or docker has, which are asked in that order. It
// is kept in the cache under the image's id. `say` is told what is being done. Throws HarnessError
// when there is no engine or no such image.
std::filesystem::path RootOfImage(const std::string& image,
                                  const std::function<void(const std::string&)>& say);

}  // namespace sockproof
