// OCI runtimes: programs that run a bundle (https://github.com/opencontainers/runtime-spec).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sockproof {

// Where the files of one container are. All of it vanishes with the test.
struct ContainerFiles {
  std::filesystem::path folder;

  std::filesystem::path root() const { return folder / "root"; }
  std::filesystem::path network() const { return folder / "network"; }  // a namespace
  std::filesystem::path state() const { return folder / "state"; }      // of the runtime
  std::filesystem::path pid() const { return folder / "pid"; }          // of what serves sockets
  std::filesystem::path complaints() const { return folder / "complaints"; }  // standard error
  std::filesystem::path crash() const { return folder / "crash"; }            // of a stack
};

class Runtime {
 public:
  // The one of that name, or, without a name, the first that is there: runc, crun, runsc. Looked
  // for in PATH, in the folders for system programs, and last in `also_in`. Throws HarnessError,
  // with what would mend it, when there is none.
  static Runtime Find(const std::string& name, const std::filesystem::path& also_in);
  static const std::vector<std::string>& Names();
  // The one of that name that is this program.
  static Runtime At(const std::string& name, const std::filesystem::path& program);

  const std::string& name() const { return name_; }
  const std::string& program() const { return program_; }

  // Whether sockets in its containers are not of this kernel but of a stack that the runtime
  // brings.
  bool brings_stack() const { return name_ == "runsc"; }

  // What the program says of itself: "1.1.5+ds1". Runs it. Throws HarnessError.
  std::string Version() const;
  // Of a stack that it brings: "20240729.0".
  std::string StackRelease() const;

  // The arguments that run the bundle in the folder of `files` until its process has ended.
  std::vector<std::string> RunArguments(const ContainerFiles& files) const;

 private:
  Runtime(std::string name, std::string program)
      : name_(std::move(name)), program_(std::move(program)) {}
  std::string name_;
  std::string program_;
};

}  // namespace sockproof
