// The events of one test, on their way to a file, and back from it.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof {

// Appends each event to a descriptor as one line of JSON, at once and in one write, so that
// whatever happens to the process the events so far are kept. Not thread-safe.
class EventLog {
 public:
  // `fd` is borrowed; -1 keeps the events in memory only.
  explicit EventLog(int fd);

  // Each line, with its line feed, is given to `write`.
  using Writer = std::function<void(std::string_view line)>;
  explicit EventLog(Writer write);

  void Add(Event event);

  // Convenience: an event of now.
  template <typename What>
  void Now(What what) {
    Add(Event{Clock::now(), std::move(what)});
  }

  // From now on calls and their returns are held back, until EndHold() adds them, if `keep`, or
  // else if one is of a kind, by the words before its bracket, that is not yet in the log. Returns
  // whether it did. All other events are added as they come.
  void HoldCalls() { holding_ = true; }
  bool EndHold(bool keep);

  const std::vector<Event>& events() const { return events_; }
  int NextCallId() { return next_call_id_++; }

 private:
  Writer write_;
  void AddNow(Event event);

  int next_call_id_ = 1;
  bool holding_ = false;
  std::vector<Event> held_;
  std::set<std::string> called_;  // kinds of calls in the log
  std::vector<Event> events_;
};

// Reads what an EventLog wrote. A last line without end (the process was killed in mid-write) is
// left out; any other malformed line throws std::invalid_argument with its number.
std::vector<Event> ReadEvents(const std::string& path);

}  // namespace sockproof
