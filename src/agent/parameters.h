// The parameters of one request, read strictly: see README.md, "Parameters".
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/agent_protocol/names.h"

namespace sockproof::agent {

using nlohmann::json;

// A request that is answered with a JSON-RPC error.
class RpcError : public std::runtime_error {
 public:
  RpcError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

// A JSON object whose members are asked for by name. Everything throws RpcError: bad parameters for
// a member that is missing or of the wrong type, unsupported for a constant without a number here.
// Borrows the object. Not thread-safe.
class Parameters {
 public:
  // `context` opens error messages: the method, or the parameter that is this object.
  Parameters(std::string context, const json& object);

  bool Has(const std::string& name) const { return object_.contains(name); }

  const json& Any(const std::string& name);
  int Integer(const std::string& name, std::int64_t lowest = std::numeric_limits<int>::min(),
              std::int64_t highest = std::numeric_limits<int>::max());
  std::string Text(const std::string& name);
  bool Truth(const std::string& name);  // false when absent
  std::string Bytes(const std::string& name);
  int Constant(const std::string& name, agent_protocol::Constants constants);
  // A list of names, combined; 0 when absent.
  int Flags(const std::string& name, agent_protocol::Constants constants);

  // `original`, or what "bad_pointers" puts in the place of that argument of the call: memory that
  // may not be read, or not written, with as much of the `size` octets at `original` as may.
  void* Pointer(const std::string& argument, void* original, std::size_t size);

  // Throws when the object has members that nobody asked for: what they mean would be lost.
  void CheckAllRead() const;

  [[noreturn]] void Refuse(const std::string& name, const std::string& wanted) const;
  [[noreturn]] void Unsupported(const std::string& what) const;

 private:
  std::string context_;
  const json& object_;
  std::vector<std::string> read_;
};

}  // namespace sockproof::agent
