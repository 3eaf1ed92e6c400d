// Strict reading of parameters (README.md, "Parameters").
#include "src/agent/parameters.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/protocol.h"

namespace sockproof::agent {
namespace {

constexpr const char* kBadPointers = "bad_pointers";

// Three pages: one for data, one that may not be touched, one that may only be read. Of one thread,
// for as long as it lives.
class PagesForBadPointers {
 public:
  static const PagesForBadPointers& OfThisThread() {
    thread_local const PagesForBadPointers pages;
    return pages;
  }

  std::size_t size() const { return page_; }
  void* forbidden() const { return memory_ + page_; }
  void* CutAfter(std::size_t octets, const void* content, std::size_t size) const {
    char* const begin = memory_ + page_ - octets;
    if (content != nullptr) std::memcpy(begin, content, std::min(octets, size));
    return begin;
  }
  void* ReadOnly(const void* content, std::size_t size) const {
    char* const begin = memory_ + 2 * page_;
    mprotect(begin, page_, PROT_READ | PROT_WRITE);
    if (content != nullptr) std::memcpy(begin, content, std::min(size, page_));
    mprotect(begin, page_, PROT_READ);
    return begin;
  }

 private:
  PagesForBadPointers()
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        memory_(static_cast<char*>(
            mmap(nullptr, 3 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    if (memory_ == MAP_FAILED) throw RpcError(agent_protocol::kInternalError, "no memory");
    mprotect(memory_ + page_, page_, PROT_NONE);
  }

  const std::size_t page_;
  char* const memory_;
};

}  // namespace

Parameters::Parameters(std::string context, const json& object)
    : context_(std::move(context)), object_(object) {
  if (!object_.is_object()) {
    throw RpcError(agent_protocol::kBadParameters, context_ + ": parameters must be an object");
  }
}

void Parameters::Refuse(const std::string& name, const std::string& wanted) const {
  throw RpcError(agent_protocol::kBadParameters, context_ + ": " + name + " must be " + wanted);
}

void Parameters::Unsupported(const std::string& what) const {
  throw RpcError(agent_protocol::kUnsupported, context_ + ": " + what + " is unsupported");
}

const json& Parameters::Any(const std::string& name) {
  const auto member = object_.find(name);
  if (member == object_.end()) Refuse(name, "given");
  read_.push_back(name);
  return *member;
}

int Parameters::Integer(const std::string& name, std::int64_t lowest, std::int64_t highest) {
  const json& value = Any(name);
  const std::string wanted =
      "an integer from " + std::to_string(lowest) + " to " + std::to_string(highest);
  if (!value.is_number_integer()) Refuse(name, wanted);
  // An unsigned number too large for the signed type would come out negative.
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    Refuse(name, wanted);
  }
  const auto number = value.get<std::int64_t>();
  if (number < lowest || number > highest) Refuse(name, wanted);
  return static_cast<int>(number);
}

std::string Parameters::Text(const std::string& name) {
  const json& value = Any(name);
  if (!value.is_string()) Refuse(name, "a string");
  return value.get<std::string>();
}

bool Parameters::Truth(const std::string& name) {
  if (!Has(name)) return false;
  const json& value = Any(name);
  if (!value.is_boolean()) Refuse(name, "true or false");
  return value.get<bool>();
}

std::string Parameters::Bytes(const std::string& name) {
  std::optional<std::string> bytes = agent_protocol::Base64Decode(Text(name));
  if (!bytes) Refuse(name, "base64");
  return *std::move(bytes);
}

int Parameters::Constant(const std::string& name, agent_protocol::Constants constants) {
  const std::string text = Text(name);
  const std::optional<std::int64_t> value = agent_protocol::ValueOf(constants, text);
  if (!value) Unsupported(name + " " + text);
  return static_cast<int>(*value);
}

int Parameters::Flags(const std::string& name, agent_protocol::Constants constants) {
  if (!Has(name)) return 0;
  const json& list = Any(name);
  if (!list.is_array()) Refuse(name, "a list of names");
  std::int64_t flags = 0;
  for (const json& element : list) {
    if (!element.is_string()) Refuse(name, "a list of names");
    const auto& text = element.get_ref<const std::string&>();
    const std::optional<std::int64_t> value = agent_protocol::ValueOf(constants, text);
    if (!value) Unsupported(std::string(name).append(" ").append(text));
    flags |= *value;
  }
  return static_cast<int>(flags);
}

void* Parameters::Pointer(const std::string& argument, void* original, std::size_t size) {
  if (!Has(kBadPointers)) return original;
  const json& pointers = Any(kBadPointers);
  if (!pointers.is_object()) Refuse(kBadPointers, "an object");
  const auto asked = pointers.find(argument);
  if (asked == pointers.end()) return original;
  read_.push_back(std::string(kBadPointers) + "." + argument);
  if (*asked == "null") return nullptr;
  const PagesForBadPointers& pages = PagesForBadPointers::OfThisThread();
  if (*asked == "unmapped") return pages.forbidden();
  if (*asked == "read-only") return pages.ReadOnly(original, size);
  // The first octets are there, and behind them a page that may not be touched.
  if (!asked->is_number_unsigned() || asked->get<std::uint64_t>() > pages.size()) {
    Refuse(kBadPointers, "null, unmapped, read-only or a number of octets");
  }
  return pages.CutAfter(asked->get<std::size_t>(), original, size);
}

void Parameters::CheckAllRead() const {
  if (Has(kBadPointers) && object_[kBadPointers].is_object()) {
    for (const auto& [argument, value] : object_[kBadPointers].items()) {
      if (std::find(read_.begin(), read_.end(), std::string(kBadPointers) + "." + argument) ==
          read_.end()) {
        Unsupported("a bad pointer for " + argument);
      }
    }
  }
  for (const auto& [name, value] : object_.items()) {
    if (std::find(read_.begin(), read_.end(), name) == read_.end()) {
      Unsupported("parameter " + name);
    }
  }
}

}  // namespace sockproof::agent
