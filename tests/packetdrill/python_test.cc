#include "src/packetdrill/python.h"

#include <gmock/gmock.h>

namespace sockproof::packetdrill {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string Printed(const std::string& code, Python::Names names = {}) {
  return Python(code).Run(names);
}

TEST(PacketdrillPython, CalculatesAsPythonDoes) {
  EXPECT_EQ(Printed("print(7 // 2, -7 // 2, -7 % 3, 7 / 2, 2 + 3 * 4, (2 + 3) * 4)"),
            "3 -4 2 3.5 14 20\n");
  EXPECT_EQ(Printed("print(1 << 4 | 3, 6 & 3, 6 ^ 3, ~0, 0x10)"), "19 2 5 -1 16\n");
  EXPECT_EQ(Printed("print(1 < 2 < 3, 1 < 3 < 2, not 0, 1 and 2, 0 or 'x')"),
            "True False True 2 x\n");
  EXPECT_EQ(Printed("print('cwnd=%d of %s, %x' % (5, 'ten', 255))"), "cwnd=5 of ten, ff\n");
  EXPECT_EQ(Printed("print(abs(-3), min(2, 1), max(2, 1), int(2.7))"), "3 1 2 2\n");
}

TEST(PacketdrillPython, KeepsNames) {
  Python::Names names{{"tcpi_snd_cwnd", std::int64_t{10}}};
  Python("cwnd = tcpi_snd_cwnd; cwnd += 1  # one more").Run(names);
  EXPECT_EQ(names.at("cwnd"), Python::Value(std::int64_t{11}));
  EXPECT_EQ(Printed("assert tcpi_snd_cwnd == \\\n 10\nprint(cwnd)", names), "11\n");
}

TEST(PacketdrillPython, RaisesWhatDoesNotHold) {
  const auto says = [](const char* what) { return ThrowsMessage<Python::Raised>(HasSubstr(what)); };
  EXPECT_THAT([] { Printed("assert 1 == 2, 'one'"); }, says("assert 1 == 2 does not hold: one"));
  EXPECT_THAT([] { Printed("assert cwnd"); }, says("'cwnd' is not defined"));
  EXPECT_THAT([] { Printed("x = 1 // 0"); }, says("ZeroDivisionError"));
  EXPECT_THAT([] { Printed("x = 9223372036854775807 + 1"); }, says("OverflowError"));
}

TEST(PacketdrillPython, TellsWhichNameIsNotThere) {
  try {
    Printed("assert tcpi_snd_cwdn == 10");
    FAIL() << "nothing is raised";
  } catch (const Python::NoName& missing) {
    EXPECT_EQ(missing.name(), "tcpi_snd_cwdn");
  }
}

TEST(PacketdrillPython, LeavesTheRestToPython3) {
  for (const char* code : {"import os", "for i in [1]: pass", "x = [1, 2]", "x.y()", "f(1)",
                           "x = 'never", "if x: pass", "assert x in (1, 2)"}) {
    EXPECT_THROW(Python{code}, Python::NotKnown) << code;
  }
  EXPECT_THROW(Python(std::string(5000, '(')), Python::NotKnown);
  EXPECT_THROW(Python(std::string(5000, '-') + "1"), Python::NotKnown);
}

}  // namespace
}  // namespace sockproof::packetdrill
