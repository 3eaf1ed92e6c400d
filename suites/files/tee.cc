// tee(2) of the Linux man-pages: what goes through a pipe to a socket, to another one too.
#include "harness/sut/tee.h"

#include <string>

#include "harness/test/test.h"

namespace sockproof {
namespace {

TEST_WITH_SOCKETS(TeeCall, WhatItDuplicatesCanBeSplicedToTwoSockets,
                  .claims = {"man:tee(2)-duplicates"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  auto [other_near, other_far] = ConnectedPair();
  auto [read, write] = sut.process().Pipe().value();
  auto [copy_read, copy_write] = sut.process().Pipe().value();
  ASSERT_THAT(write.Write("to both of them"), Returns(15));
  EXPECT_THAT(Tee(read, copy_write, 7), Returns(7));
  ASSERT_THAT(near.Splice(copy_read, 64), Returns(7));
  EXPECT_THAT(far.Receive(64), Returns("to both"));
  // What was duplicated is still there.
  ASSERT_THAT(other_near.Splice(read, 64), Returns(15));
  EXPECT_THAT(other_far.Receive(64), Returns("to both of them"));
}

TEST_WITH_SOCKETS(TeeCall, OfASocketIsInvalid, .claims = {"man:tee(2)-EINVAL"},
                  .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  auto [read, write] = sut.process().Pipe().value();
  ASSERT_THAT(far.Send("no pipe"), Returns(7));
  ASSERT_THAT(write.Write("a pipe"), Returns(6));
  EXPECT_THAT(Tee(near, write, 4), FailsWith(EINVAL));
  EXPECT_THAT(Tee(read, near, 4), FailsWith(EINVAL));
  EXPECT_THAT(Tee(read, write, 4), FailsWith(EINVAL)) << "both ends of one pipe";
}

TEST_WITH_SOCKETS(TeeCall, OfAPipeThatNobodyWritesToIsZero, .claims = {"man:tee(2)-end"},
                  .over = kOnce) {
  auto [read, write] = sut.process().Pipe().value();
  auto [copy_read, copy_write] = sut.process().Pipe().value();
  ASSERT_THAT(write.Close(), Succeeds());
  EXPECT_THAT(Tee(read, copy_write, 64), Returns(0));
}

TEST_WITH_SOCKETS(TeeCall, WithoutBlockingAnEmptyPipeIsEagain, .claims = {"man:tee(2)-EAGAIN"},
                  .over = kOnce) {
  auto [read, write] = sut.process().Pipe().value();
  auto [copy_read, copy_write] = sut.process().Pipe().value();
  EXPECT_THAT(Tee(read, copy_write, 64, {"SPLICE_F_NONBLOCK"}), FailsWith(EAGAIN));
}

TEST_WITH_SOCKETS(TeeCall, WaitsForWhatASocketIsSplicedInto, .claims = {"man:tee(2)-blocks"},
                  .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  auto [read, write] = sut.process().Pipe().value();
  auto [copy_read, copy_write] = sut.process().Pipe().value();
  Pending<int> copying = StartTee(read, copy_write, 64);
  ExpectStillBlocked(copying);
  ASSERT_THAT(far.Send("late"), Returns(4));
  ASSERT_THAT(write.Splice(near, 64), Returns(4));
  EXPECT_THAT(copying.Await(), Returns(4));
  EXPECT_THAT(copy_read.Read(64), Returns("late"));
}

}  // namespace
}  // namespace sockproof
