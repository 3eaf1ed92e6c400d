#include "harness/base/event_loop.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <stdexcept>

#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    read_end = UniqueFd(ends[0]);
    write_end = UniqueFd(ends[1]);
  }
  void Write() { ASSERT_EQ(write(write_end.get(), "x", 1), 1); }
  void Read() {
    char byte;
    ASSERT_EQ(read(read_end.get(), &byte, 1), 1);
  }
  UniqueFd read_end, write_end;
};

TEST(EventLoop, CallsTheHandlerOfAReadableDescriptor) {
  EventLoop loop;
  Pipe pipe;
  int calls = 0;
  loop.Watch(pipe.read_end.get(), [&] {
    pipe.Read();
    ++calls;
  });
  pipe.Write();
  EXPECT_TRUE(loop.RunUntil([&] { return calls == 1; }, Clock::now() + 10s));
}

TEST(EventLoop, AsksBeforeItWaits) {
  EventLoop loop;
  EXPECT_TRUE(loop.RunUntil([] { return true; }, Clock::now() - 1s));
}

TEST(EventLoop, HandlesWhatHadArrivedWhenTheDeadlineIsOver) {
  EventLoop loop;
  Pipe pipe;
  bool seen = false;
  loop.Watch(pipe.read_end.get(), [&] {
    pipe.Read();
    seen = true;
  });
  pipe.Write();
  EXPECT_TRUE(loop.RunUntil([&] { return seen; }, Clock::now() - 1s));
}

TEST(EventLoop, GivesUpAtTheDeadlineAlthoughThereIsAlwaysSomethingToDo) {
  EventLoop loop;
  Pipe pipe;
  loop.Watch(pipe.read_end.get(), [] {});  // leaves it readable
  pipe.Write();
  const Time deadline = Clock::now() + 20ms;
  EXPECT_FALSE(loop.RunUntil([] { return false; }, deadline));
  EXPECT_GE(Clock::now(), deadline);
}

TEST(EventLoop, TimersFireInOrderAndNotBeforeTheirTime) {
  EventLoop loop;
  std::vector<int> fired;
  const Time start = Clock::now();
  loop.At(start + 20ms, [&] { fired.push_back(2); });
  loop.At(start + 10ms, [&] { fired.push_back(1); });
  const EventLoop::TimerId cancelled = loop.At(start + 5ms, [&] { fired.push_back(0); });
  loop.Cancel(cancelled);
  EXPECT_TRUE(loop.RunUntil([&] { return fired.size() == 2; }, start + 10s));
  EXPECT_THAT(fired, testing::ElementsAre(1, 2));
  EXPECT_GE(Clock::now(), start + 20ms);
}

TEST(EventLoop, AHandlerMayUnwatchItself) {
  EventLoop loop;
  Pipe pipe;
  int calls = 0;
  loop.Watch(pipe.read_end.get(), [&] {
    loop.Unwatch(pipe.read_end.get());
    ++calls;
  });
  pipe.Write();
  EXPECT_FALSE(loop.RunUntil([] { return false; }, Clock::now() + 20ms));
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, ExceptionsOfHandlersPassThrough) {
  EventLoop loop;
  loop.At(Clock::now(), [] { throw std::runtime_error("broken"); });
  EXPECT_THROW(loop.RunUntil([] { return false; }, Clock::now() + 10s), std::runtime_error);
}

TEST(EventLoop, KnowsHowLateItWasServed) {
  EventLoop loop;
  bool fired = false;
  loop.At(Clock::now() - 50ms, [&] { fired = true; });  // nobody ran the loop in time
  loop.RunUntil([&] { return fired; }, Clock::now() + 10s);
  EXPECT_GE(loop.worst_lateness(), 50ms);
}

}  // namespace
}  // namespace sockproof
