// The event log as a file: what is written survives, and what is broken is named.
#include "harness/trace/event_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

using testing::HasSubstr;

// A file of its own for each test, gone with the test.
class EventLogFile : public testing::Test {
 protected:
  EventLogFile() : fd_(mkstemp(path_.data())) {}
  ~EventLogFile() override { unlink(path_.c_str()); }

  void Append(const std::string& text) {
    ASSERT_EQ(write(fd_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  std::string path_ = testing::TempDir() + "event_log_XXXXXX";
  UniqueFd fd_;
};

TEST_F(EventLogFile, KeepsEveryEvent) {
  EventLog log(fd_.get());
  EXPECT_EQ(log.NextCallId(), 1);
  EXPECT_EQ(log.NextCallId(), 2);
  log.Now(NoteEvent{"first"});
  log.Add({FromNanoseconds(5), NoteEvent{"second\nline"}});
  // Already there, with the log still open.
  const std::vector<Event> events = ReadEvents(path_);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(std::get<NoteEvent>(events[0].what).text, "first");
  EXPECT_EQ(events[0].time, log.events()[0].time);
  EXPECT_EQ(std::get<NoteEvent>(events[1].what).text, "second\nline");
  EXPECT_EQ(events[1].time, FromNanoseconds(5));
}

TEST_F(EventLogFile, WritesEachEventAsOneLine) {
  EventLog log(fd_.get());
  log.Add({FromNanoseconds(5), NoteEvent{"two\nlines"}});
  std::ifstream file(path_);
  std::string line, rest;
  std::getline(file, line);
  EXPECT_EQ(line, R"({"kind":"note","text":"two\nlines","time":5})");
  EXPECT_FALSE(std::getline(file, rest));
}

TEST_F(EventLogFile, ReplacesWhatIsNotUtf8) {
  EventLog log(fd_.get());
  log.Now(NoteEvent{"\xff"});
  const auto events = ReadEvents(path_);
  EXPECT_EQ(std::get<NoteEvent>(events.at(0).what).text, "\xef\xbf\xbd");
}

TEST_F(EventLogFile, LeavesOutATruncatedLastLine) {
  EventLog log(fd_.get());
  log.Now(NoteEvent{"whole"});
  Append(R"({"kind":"note","text":"ha)");
  EXPECT_EQ(ReadEvents(path_).size(), 1u);
}

TEST_F(EventLogFile, LeavesOutALastLineWithoutItsEnd) {
  Append(R"({"kind":"note","text":"whole, but who knows","time":5})");
  EXPECT_EQ(ReadEvents(path_).size(), 0u);
}

TEST_F(EventLogFile, NamesAMalformedLine) {
  EventLog log(fd_.get());
  log.Now(NoteEvent{"fine"});
  Append("{\n");
  log.Now(NoteEvent{"fine"});
  try {
    ReadEvents(path_);
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr(path_ + ", line 2: "));
  }
}

TEST(EventLog, KeepsEventsInMemoryWithoutAFile) {
  EventLog log(-1);
  log.Now(NoteEvent{"x"});
  EXPECT_EQ(log.events().size(), 1u);
}

TEST(EventLog, ThrowsWhenItCannotWrite) {
  const UniqueFd read_only(open("/dev/null", O_RDONLY));
  EventLog log(read_only.get());
  EXPECT_THROW(log.Now(NoteEvent{"x"}), HarnessError);
}

TEST(ReadEvents, DoesNotWaitForAPipe) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_THROW(ReadEvents("/proc/self/fd/" + std::to_string(ends[0])), HarnessError);
  close(ends[0]);
  close(ends[1]);
}

TEST(ReadEvents, ThrowsWithoutAFile) {
  EXPECT_THROW(ReadEvents(testing::TempDir() + "no_such_event_log"), HarnessError);
}

}  // namespace
}  // namespace sockproof
