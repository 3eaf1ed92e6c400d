// What both ends of the agent protocol share: base64, names of constants, options.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <set>
#include <string>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/names.h"
#include "harness/agent_protocol/options.h"

namespace sockproof::agent_protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(Base64, MatchesTheTestVectorsOfRfc4648Section10) {
  const std::pair<std::string, std::string> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(Base64Encode(bytes), text);
    EXPECT_THAT(Base64Decode(text), Optional(bytes));
  }
}

TEST(Base64, CarriesEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_THAT(Base64Decode(Base64Encode(bytes)), Optional(bytes));
}

TEST(Base64, RefusesWhatNoEncoderMakes) {
  for (const char* text :
       {"Zg", "Zg=", "Z===", "====", "Zm9v\n", "Zm 9", "Zh==", "Zm9=", "Zg==Zg==", "-_-_"}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

TEST(Names, GoBothWays) {
  EXPECT_THAT(ValueOf(ShutdownDirections(), "SHUT_WR"), Optional(SHUT_WR));
  EXPECT_EQ(NameOf(ShutdownDirections(), SHUT_WR), "SHUT_WR");
}

TEST(Names, WithoutANumberAreNothing) {
  EXPECT_EQ(ValueOf(ShutdownDirections(), "SHUT_UP"), std::nullopt);
  EXPECT_EQ(NameOf(ShutdownDirections(), 77), "0x4d");
}

TEST(Names, OfNumbersAreHexadecimal) {
  EXPECT_THAT(ValueOf(ShutdownDirections(), "0x4d"), Optional(77));
  for (const char* text : {"0x", "0xg", "0x1 ", "0x100000000", "77", "0X4d"}) {
    EXPECT_EQ(ValueOf(ShutdownDirections(), text), std::nullopt) << text;
  }
}

TEST(Names, OfFlagsAreOneForEachBit) {
  EXPECT_THAT(NamesOfFlags(FileStatusFlags(), O_RDWR | O_NONBLOCK),
              ElementsAre("O_RDWR", "O_NONBLOCK"));
  EXPECT_THAT(NamesOfFlags(EpollEvents(), EPOLLIN | EPOLLET), ElementsAre("EPOLLIN", "EPOLLET"));
  EXPECT_THAT(NamesOfFlags(PollEvents(), 0), IsEmpty());
}

TEST(Names, OfFlagsKeepUnknownBits) {
  EXPECT_THAT(NamesOfFlags(SocketFlags(), SOCK_NONBLOCK | 0x10000000),
              ElementsAre("SOCK_NONBLOCK", "0x10000000"));
}

TEST(Names, OfTcpStatesAreThoseOfRfc9293) {
  EXPECT_EQ(TcpStateName(TCP_ESTABLISHED), "ESTABLISHED");
  EXPECT_EQ(TcpStateName(TCP_SYN_RECV), "SYN-RECEIVED");
  EXPECT_EQ(TcpStateName(TCP_FIN_WAIT2), "FIN-WAIT-2");
  EXPECT_EQ(TcpStateName(TCP_CLOSE), "CLOSED");
  EXPECT_EQ(TcpStateName(TCP_CLOSING), "CLOSING");
  EXPECT_EQ(TcpStateName(0), "0x0");
}

TEST(OptionTable, FindsByNameAndByNumber) {
  const SocketOption* option = FindOption("TCP_USER_TIMEOUT");
  ASSERT_NE(option, nullptr);
  EXPECT_EQ(option->level, "IPPROTO_TCP");
  EXPECT_EQ(option, FindOption(IPPROTO_TCP, TCP_USER_TIMEOUT));
  EXPECT_EQ(FindOption("TCP_FROBNICATE"), nullptr);
  EXPECT_EQ(FindOption(IPPROTO_TCP, 4711), nullptr);
}

TEST(OptionTable, HasEachNameAndEachNumberOnce) {
  std::set<std::string_view> names;
  std::set<std::pair<int, int>> numbers;
  for (const SocketOption& option : SocketOptions()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_TRUE(numbers.insert({option.level_number, option.number}).second) << option.name;
    EXPECT_THAT(ValueOf(OptionLevels(), option.level), Optional(option.level_number));
  }
}

}  // namespace
}  // namespace sockproof::agent_protocol
