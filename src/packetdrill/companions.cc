#include "src/packetdrill/companions.h"

#include <unistd.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "src/packetdrill/lexer.h"

namespace sockproof::packetdrill {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFoldersOfPrograms[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};
constexpr std::uintmax_t kLargestFile = 1 << 20;

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Collector {
 public:
  void AddScript(const fs::path& path) {
    const std::string& text = AddFile(path);
    try {
      for (const Token& token : Tokens(text)) {
        if (token.kind == Token::Kind::kCommand) LookAt(token.text, path.parent_path());
      }
    } catch (const SyntaxError&) {
      // The test says so.
    }
  }

  Companions Take() {
    for (const char* name : {"sh", "env", "cat"}) AddProgram(name);
    return std::move(companions_);
  }

 private:
  const std::string& AddFile(const fs::path& path) {
    std::string& text = companions_.files[path.string()];
    if (text.empty()) text = Contents(path);
    return text;
  }

  void LookAt(const std::string& text, const fs::path& folder) {
    static const std::regex kWord(R"([\w./+-]+)");
    for (std::sregex_iterator word(text.begin(), text.end(), kWord), end; word != end; ++word) {
      const std::string name = word->str();
      if (name.find('/') == std::string::npos) {
        AddProgram(name);
      } else if (name.starts_with("./") || name.starts_with("../")) {
        AddFolderOf((folder / name).lexically_normal());
      } else if (name.starts_with("/")) {
        AddProgram(fs::path(name).filename().string());
      }
    }
  }

  void AddFolderOf(const fs::path& file) {
    std::error_code error;
    if (!fs::is_regular_file(file, error) || !folders_.insert(file.parent_path()).second) return;
    for (const auto& entry : fs::directory_iterator(file.parent_path(), error)) {
      if (!entry.is_regular_file(error) || entry.file_size(error) > kLargestFile) continue;
      if (entry.path().extension() != ".pkt") LookAt(AddFile(entry.path()), entry.path().parent_path());
    }
  }

  void AddProgram(const std::string& name) {
    if (name.empty() || name == "." || name == ".." || !names_.insert(name).second) return;
    if (name.starts_with("python")) return;  // it would need its library
    for (const char* folder : kFoldersOfPrograms) {
      std::error_code error;
      const fs::path real = fs::canonical(folder, error);
      if (error || access((real / name).c_str(), X_OK) != 0 || fs::is_directory(real / name)) continue;
      companions_.programs.insert(real / name);
      return;
    }
  }

  Companions companions_;
  std::set<fs::path> folders_;
  std::set<std::string> names_;
};

}  // namespace

Companions CompanionsOf(const std::vector<std::string>& scripts) {
  Collector collector;
  for (const std::string& script : scripts) collector.AddScript(script);
  return collector.Take();
}

}  // namespace sockproof::packetdrill
