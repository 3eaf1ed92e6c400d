// Events as lines of JSON in a file.
#include "harness/trace/event_log.h"

#include <errno.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "harness/base/errors.h"
#include "harness/base/files.h"

namespace sockproof {
namespace {

// A regular file takes a line in one write. More than one is needed only for a full disk (then the
// next one fails and says so) or a pipe.
void WriteLine(int fd, std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(fd, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ThrowErrno("cannot write to the event log");
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

// "connect" of "connect(3, 192.0.2.2:80)".
std::string KindOf(const CallEvent& call) { return call.text.substr(0, call.text.find('(')); }

}  // namespace

EventLog::EventLog(int fd) {
  if (fd >= 0) write_ = [fd](std::string_view line) { WriteLine(fd, line); };
}

EventLog::EventLog(Writer write) : write_(std::move(write)) {}

void EventLog::Add(Event event) {
  const bool is_of_call = std::holds_alternative<CallEvent>(event.what) ||
                          std::holds_alternative<ReturnEvent>(event.what) ||
                          std::holds_alternative<BlockedEvent>(event.what);
  if (holding_ && is_of_call) {
    held_.push_back(std::move(event));
  } else {
    AddNow(std::move(event));
  }
}

bool EventLog::EndHold(bool keep) {
  holding_ = false;
  std::vector<Event> held = std::exchange(held_, {});
  for (const Event& event : held) {
    const auto* call = std::get_if<CallEvent>(&event.what);
    if (call != nullptr && !called_.contains(KindOf(*call))) keep = true;
  }
  if (keep) {
    for (Event& event : held) AddNow(std::move(event));
  }
  return keep;
}

void EventLog::AddNow(Event event) {
  if (const auto* call = std::get_if<CallEvent>(&event.what)) called_.insert(KindOf(*call));
  events_.push_back(std::move(event));
  if (!write_) return;
  // Texts may quote what a broken system sent: bytes that are not UTF-8 are replaced, not refused.
  std::string line =
      nlohmann::json(events_.back()).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  line.push_back('\n');
  write_(line);
}

std::vector<Event> ReadEvents(const std::string& path) {
  const std::string text = ReadFile(path);
  std::vector<Event> events;
  int number = 0;
  std::string_view rest = text;
  for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos;
       rest.remove_prefix(end + 1)) {
    ++number;
    try {
      events.push_back(nlohmann::json::parse(rest.substr(0, end)).get<Event>());
    } catch (const nlohmann::json::exception&) {
      throw std::invalid_argument(path + ", line " + std::to_string(number) +
                                  ": not an event of a test");
    } catch (const std::exception& error) {
      throw std::invalid_argument(path + ", line " + std::to_string(number) + ": " + error.what());
    }
  }
  return events;
}

}  // namespace sockproof
