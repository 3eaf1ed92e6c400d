#include "harness/sut/option_values.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "harness/agent_protocol/options.h"
#include "harness/base/errors.h"
#include "harness/sut/call_at_once.h"

namespace sockproof {
namespace {

using nlohmann::json;

constexpr std::uint16_t kReturnConstant = 0x06;  // BPF_RET | BPF_K

json ParamsOf(const Socket& socket, const std::string& option) {
  const agent_protocol::SocketOption* known = agent_protocol::FindOption(option);
  if (known == nullptr) throw HarnessError("no table knows the option " + option);
  return {{"fd", socket.fd()}, {"level", std::string(known->level)}, {"name", option}};
}

Outcome<int> Set(const Socket& socket, json params, const json& value, const std::string& shown) {
  const std::string name = params["name"];
  params["value"] = value;
  return CallAtOnce<int>(socket.stack(), "setsockopt", std::move(params),
                         fmt::format("setsockopt({}, {}, {})", socket.fd(), name, shown),
                         [](const json&) { return 0; });
}

template <typename T, typename Reader>
Outcome<T> Get(const Socket& socket, const std::string& option, const Reader& read) {
  return CallAtOnce<T>(socket.stack(), "getsockopt", ParamsOf(socket, option),
                       fmt::format("getsockopt({}, {})", socket.fd(), option), read);
}

}  // namespace

std::vector<FilterLine> FilterThatAnswers(std::uint32_t number) {
  return {{kReturnConstant, 0, 0, number}};
}

Outcome<int> SetFilter(const Socket& socket, const std::string& option,
                       const std::vector<FilterLine>& program) {
  json lines = json::array();
  for (const FilterLine& line : program) {
    lines.push_back({line.code, line.jump_true, line.jump_false, line.k});
  }
  return Set(socket, ParamsOf(socket, option), lines,
             fmt::format("{} instructions", program.size()));
}

Outcome<int> SetTime(const Socket& socket, const std::string& option,
                     std::chrono::microseconds time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const json value = {{"sec", seconds.count()}, {"usec", (time - seconds).count()}};
  return Set(socket, ParamsOf(socket, option), value, fmt::format("{} us", time.count()));
}

Outcome<std::chrono::microseconds> GetTime(const Socket& socket, const std::string& option) {
  return Get<std::chrono::microseconds>(socket, option, [](const json& value) {
    return std::chrono::seconds(value.at("sec").get<std::int64_t>()) +
           std::chrono::microseconds(value.at("usec").get<std::int64_t>());
  });
}

void PrintTo(const Lingering& lingering, std::ostream* out) {
  *out << "{" << (lingering.on ? 1 : 0) << ", " << lingering.seconds << "}";
}

Outcome<int> SetLingering(const Socket& socket, const Lingering& lingering) {
  const int on = lingering.on ? 1 : 0;
  return Set(socket, ParamsOf(socket, "SO_LINGER"), {{"onoff", on}, {"linger", lingering.seconds}},
             fmt::format("{{{}, {}}}", on, lingering.seconds));
}

Outcome<Lingering> GetLingering(const Socket& socket) {
  return Get<Lingering>(socket, "SO_LINGER", [](const json& value) {
    return Lingering{value.at("onoff").get<int>() != 0, value.at("linger").get<int>()};
  });
}

Outcome<int> SetOptionOfLength(const Socket& socket, const std::string& option, int value,
                               int length) {
  json params = ParamsOf(socket, option);
  params["length"] = length;
  return Set(socket, std::move(params), value, fmt::format("{}, optlen {}", value, length));
}

}  // namespace sockproof
