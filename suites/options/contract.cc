// What holds of each option, whatever it does: getsockopt(2), socket(7), tcp(7), ip(7), ipv6(7) and
// udp(7) of the Linux man-pages, POSIX, RFC 3493 and RFC 3542, over the table of headers.h.
#include <functional>
#include <string>
#include <string_view>

#include "harness/sut/option_values.h"
#include "harness/test/matrix.h"
#include "harness/test/test.h"
#include "suites/options/headers.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Not;
using Value = OptionOfHeaders::Value;
using Use = OptionOfHeaders::Use;

constexpr int kSizeOfInt = sizeof(int);
constexpr int kAmpleRoom = 64;

// What the value of a flag reads back as: 0 or not.
testing::Matcher<const Outcome<int>&> ReadsAs(const OptionOfHeaders& option, int value) {
  if (option.value != Value::kFlag || value == 0) return Returns(value);
  return AllOf(Succeeds(), Not(Returns(0)));
}

class OptionsContractTest : public SocketsTest {
 protected:
  using Choice = bool(const OptionOfHeaders&);

  // Each option that this kind of socket has and `choose` wants, in a cell for each of `columns`:
  // all with one socket.
  using Check = void(Cell& cell, const Socket& socket, const OptionOfHeaders& option,
                     const std::string& column);
  void OverOptions(Matrix& matrix, const Socket& socket, const std::function<Choice>& choose,
                   const std::vector<std::string>& columns,
                   const std::function<Check>& check) const {
    for (const OptionOfHeaders& option : kOptionsOfHeaders) {
      if ((option.kinds & KindOf(family)) == 0 || !choose(option)) continue;
      for (const std::string& column : columns) {
        matrix.Check({std::string(option.name), column},
                     [&](Cell& cell) { check(cell, socket, option, column); });
      }
    }
  }
  // The same of options that the system has: which it lacks, tests of setting and reading tell.
  void OverOptionsThere(Matrix& matrix, const std::function<Choice>& choose,
                        const std::vector<std::string>& columns,
                        const std::function<Check>& check) {
    const Socket socket = NewSocket();
    OverOptions(matrix, socket, choose, columns,
                [&](Cell& cell, const Socket& same, const OptionOfHeaders& option,
                    const std::string& column) {
                  if (column == columns.front() && !same.GetOption(std::string(option.name)).ok()) {
                    lacking_ = option.name;
                  }
                  if (lacking_ == option.name) {
                    throw Skip("the system does not have " + std::string(option.name));
                  }
                  check(cell, same, option, column);
                });
  }

  // A socket of this kind in that state.
  Socket InState(const std::string& state) {
    if (state == "connected") return ConnectedPair().client;
    return state == "listening" ? Listening() : state == "bound" ? Bound() : NewSocket();
  }
  std::vector<std::string> States() const {
    if (family.type == "SOCK_DGRAM") return {"new", "bound", "connected"};
    return {"new", "bound", "listening", "connected"};
  }

  static bool CanBeSetAndRead(const OptionOfHeaders& option) {
    return option.value != Value::kOther && option.use == Use::kReadAndWrite;
  }
  static bool IsReadableInt(const OptionOfHeaders& option) {
    return option.value != Value::kOther && option.use != Use::kWriteOnly;
  }
  static std::vector<int> ValuesOf(const OptionOfHeaders& option) {
    if (option.value == Value::kFlag) return {1, 0};
    return {option.low, option.high};
  }

  // What is set is read back, in each state.
  void CheckReadBack(const std::function<Choice>& choose, bool must_be_taken) {
    Matrix matrix({"option", "socket"});
    const auto chosen = [&](const OptionOfHeaders& option) {
      return CanBeSetAndRead(option) && choose(option);
    };
    for (const std::string& state : States()) {
      const bool is_new = state == "new";
      OverOptions(
          matrix, InState(state),
          [&](const OptionOfHeaders& option) {
            return chosen(option) && (is_new || !option.at_first_only);
          },
          {state},
          [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option, const std::string&) {
            const std::string name(option.name);
            for (const int value : ValuesOf(option)) {
              const Outcome<int> set = socket.SetOption(name, value);
              if (must_be_taken) cell.Expect(set, Succeeds());
              if (!set.ok()) return;
              cell.Expect(socket.GetOption(name), ReadsAs(option, value));
              if (!is_new) return;
            }
          });
    }
  }
  void CheckReadBack(std::string_view document) {
    CheckReadBack([document](const OptionOfHeaders& option) { return option.document == document; },
                  /*must_be_taken=*/true);
  }

  // What is told of a new socket.
  void CheckInitially(std::string_view document) {
    Matrix matrix({"option", "socket"});
    OverOptionsThere(
        matrix,
        [document](const OptionOfHeaders& option) {
          return !option.initially.empty() && option.document == document;
        },
        {"new"},
        [](Cell& cell, const Socket& socket, const OptionOfHeaders& option, const std::string&) {
          const int initially = std::stoi(std::string(option.initially));
          cell.Expect(socket.GetOption(std::string(option.name)), Returns(initially));
        });
  }

 private:
  std::string_view lacking_;
};

// --- what is set is read -------------------------------------------------------------------------

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfEverySocketAreSetAndRead,
          .claims = {"man:socket(7)-options"}, .over = kOptionKinds) {
  CheckReadBack("socket(7)");
}

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfTcpAreSetAndRead,
          .claims = {"man:tcp(7)-options"}, .over = kOptionKindsOfTcp) {
  CheckReadBack("tcp(7)");
}

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfIpAreSetAndRead,
          .claims = {"man:ip(7)-options"}, .over = kOptionKindsOfIpv4) {
  CheckReadBack("ip(7)");
}

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfIpv6AreSetAndRead,
          .claims = {"man:ipv6(7)-options"}, .over = kOptionKindsOfIpv6) {
  CheckReadBack("ipv6(7)");
}

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfUdpAreSetAndRead,
          .claims = {"man:udp(7)-options"}, .over = kOptionKindsOfUdp) {
  CheckReadBack("udp(7)");
}

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfTheBasicApiOfIpv6AreSetAndRead,
          .claims = {"rfc3493:5-options"}, .over = kOptionKindsOfIpv6) {
  CheckReadBack("RFC 3493");
}

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfTheAdvancedApiOfIpv6AreSetAndRead,
          .claims = {"rfc3542:4-options"}, .over = kUdpOverIpv6) {
  CheckReadBack("RFC 3542");
}

TEST_WITH(OptionsContractTest, OptionsContract, WhatPosixHasAndIsTakenIsRead,
          .claims = {"posix:setsockopt-value"}, .over = kOptionKinds) {
  CheckReadBack([](const OptionOfHeaders& option) { return option.posix; },
                /*must_be_taken=*/false);
}

TEST_WITH(OptionsContractTest, OptionsContract, AnythingButZeroTurnsAFlagOn,
          .claims = {"man:setsockopt(2)-boolean"}, .over = kOptionKinds) {
  Matrix matrix({"option", "value"});
  const auto is_flag = [](const OptionOfHeaders& option) {
    return CanBeSetAndRead(option) && option.value == Value::kFlag;
  };
  OverOptionsThere(matrix, is_flag, {"2", "-1", "1000"},
                   [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
                       const std::string& value) {
                     const std::string name(option.name);
                     const Outcome<int> set = socket.SetOption(name, std::stoi(value));
                     // EINVAL of a value that it does not take is documented as well.
                     cell.Expect(set, AnyOf(Succeeds(), FailsWith(EINVAL)));
                     if (set.ok()) cell.Expect(socket.GetOption(name), Not(Returns(0)));
                   });
}

// --- at first ------------------------------------------------------------------------------------

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfEverySocketAreAtFirstAsDocumented,
          .claims = {"man:socket(7)-initial-values"}, .over = kOptionKinds) {
  CheckInitially("socket(7)");
}

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfIpAreAtFirstAsDocumented,
          .claims = {"man:ip(7)-initial-values"}, .over = kOptionKindsOfIpv4) {
  CheckInitially("ip(7)");
}

TEST_WITH(OptionsContractTest, OptionsContract, OptionsOfMulticastAreAtFirstAsDocumented,
          .claims = {"rfc3493:5.2-defaults"}, .over = kUdpOverIpv6) {
  CheckInitially("RFC 3493");
}

TEST_WITH(OptionsContractTest, OptionsContract, WhatIsToldWithADatagramIsAskedFor,
          .claims = {"rfc3542:4-turned-on"}, .over = kUdpOverIpv6) {
  CheckInitially("RFC 3542");
}

// --- lengths -------------------------------------------------------------------------------------

TEST_WITH(OptionsContractTest, OptionsContract, OfALargeBufferTheLengthOfTheValueIsTold,
          .claims = {"man:getsockopt(2)-length", "posix:getsockopt-length"}, .over = kOptionKinds) {
  for (const char* claim : {"man:getsockopt(2)-length", "posix:getsockopt-length"}) {
    Deciding(claim);
    const bool posix = std::string_view(claim).starts_with("posix");
    Matrix matrix({"option", "room"});
    OverOptionsThere(
        matrix,
        [posix](const OptionOfHeaders& option) {
          return IsReadableInt(option) && (option.posix || !posix);
        },
        {"the value's", "ample"},
        [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
            const std::string& room) {
          const auto octets =
              socket.GetOctets(std::string(option.name), room == "ample" ? kAmpleRoom : kSizeOfInt);
          cell.Expect(octets, Succeeds());
          if (octets.ok()) cell.Expect(octets.value().size(), testing::Eq(sizeof(int)));
        });
  }
}

TEST_WITH(OptionsContractTest, OptionsContract, AShortBufferGetsTheBeginningOfTheValue,
          .claims = {"posix:getsockopt-truncated"}, .over = kOptionKinds) {
  Matrix matrix({"option", "room"});
  OverOptionsThere(
      matrix, [](const OptionOfHeaders& option) { return IsReadableInt(option) && option.posix; },
      {"1", "2", "3"},
      [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
          const std::string& room) {
        const std::string name(option.name);
        const std::string whole = socket.GetOctets(name, kSizeOfInt).value();
        const auto part = socket.GetOctets(name, std::stoi(room));
        cell.Expect(part, Succeeds());
        if (part.ok()) cell.Expect(part.value(), testing::Eq(whole.substr(0, part.value().size())));
      });
}

TEST_WITH(OptionsContractTest, OptionsContract, NothingIsWrittenBehindTheBuffer,
          .claims = {"man:getsockopt(2)-room"}, .over = kOptionKinds) {
  Matrix matrix({"option", "room"});
  OverOptionsThere(
      matrix, IsReadableInt, {"0", "1", "2", "3", "4"},
      [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
          const std::string& room) {
        const int octets = std::stoi(room);
        cell.Expect(
            socket.WithPointerTo(octets, "value").GetOctets(std::string(option.name), octets),
            Not(FailsWith(EFAULT)));
      });
}

TEST_WITH(OptionsContractTest, OptionsContract, AValueThatIsTooShortIsInvalid,
          .claims = {"man:setsockopt(2)-EINVAL-length"}, .over = kOptionKinds) {
  Matrix matrix({"option", "octets"});
  OverOptionsThere(matrix, CanBeSetAndRead, {"0", "1", "3"},
                   [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
                       const std::string& octets) {
                     const Bytes value(std::stoul(octets), 1);
                     const Outcome<int> set = socket.SetOption(std::string(option.name), value);
                     // Options of IP, which are older than the rule, may take an octet.
                     if (option.document == "ip(7)") {
                       cell.Expect(set, AnyOf(FailsWith(EINVAL), Succeeds()));
                     } else {
                       cell.Expect(set, FailsWith(EINVAL));
                     }
                   });
}

TEST_WITH(OptionsContractTest, OptionsContract, AValueThatIsTooLongIsInvalidOrTakenByItsBeginning,
          .claims = {"man:setsockopt(2)-EINVAL-length"}, .over = kOptionKinds) {
  Matrix matrix({"option", "value"});
  const auto check = [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
                         const std::string& which) {
    const std::string name(option.name);
    const int value = ValuesOf(option)[which == "one" ? 0 : 1];
    const Outcome<int> set = SetOptionOfLength(socket, name, value, 2 * kSizeOfInt);
    cell.Expect(set, AnyOf(FailsWith(EINVAL), Succeeds()));
    if (set.ok()) cell.Expect(socket.GetOption(name), ReadsAs(option, value));
  };
  OverOptionsThere(matrix, CanBeSetAndRead, {"one", "another"}, check);
}

TEST_WITH(OptionsContractTest, OptionsContract, ANegativeLengthIsInvalid,
          .claims = {"man:setsockopt(2)-EINVAL-length"}, .over = kOptionKinds) {
  Matrix matrix({"option", "length"});
  OverOptionsThere(matrix, CanBeSetAndRead, {"-1", "-2147483648"},
                   [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
                       const std::string& length) {
                     // Taken without a sign it reaches beyond what is there.
                     cell.Expect(SetOptionOfLength(socket, std::string(option.name), 1,
                                                   static_cast<int>(std::stol(length))),
                                 AnyOf(FailsWith(EINVAL), FailsWith(EFAULT)));
                   });
}

// --- memory --------------------------------------------------------------------------------------

TEST_WITH(OptionsContractTest, OptionsContract, AValueCannotBeReadFromMemoryThatIsNotThere,
          .claims = {"man:setsockopt(2)-EFAULT"}, .over = kOptionKinds) {
  Matrix matrix({"option", "pointer"});
  OverOptionsThere(
      matrix, CanBeSetAndRead, {"unmapped", "null"},
      [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
          const std::string& pointer) {
        const Outcome<int> set =
            socket.WithBadPointer("value", pointer).SetOption(std::string(option.name), 1);
        // getsockopt(2): it may be NULL where no value is to be supplied.
        if (pointer == "null") {
          cell.Expect(set, AnyOf(FailsWith(EFAULT), Succeeds()));
        } else {
          cell.Expect(set, FailsWith(EFAULT));
        }
      });
}

TEST_WITH(OptionsContractTest, OptionsContract, AValueCannotBeWrittenToMemoryThatIsNotThere,
          .claims = {"man:getsockopt(2)-EFAULT"}, .over = kOptionKinds) {
  Matrix matrix({"option", "pointer"});
  OverOptionsThere(
      matrix, IsReadableInt, {"null", "unmapped", "read-only"},
      [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
          const std::string& pointer) {
        cell.Expect(
            socket.WithBadPointer("value", pointer).GetOctets(std::string(option.name), kSizeOfInt),
            FailsWith(EFAULT));
      });
}

// --- options that cannot be used so --------------------------------------------------------------

TEST_WITH(OptionsContractTest, OptionsContract, WhatIsReadOnlyCannotBeSet,
          .claims = {"man:socket(7)-read-only"}, .over = kOptionKinds) {
  Matrix matrix({"option", "value"});
  OverOptionsThere(
      matrix,
      [](const OptionOfHeaders& option) {
        return option.use == Use::kReadOnly && option.document == "socket(7)";
      },
      {"0", "1"},
      [&](Cell& cell, const Socket& socket, const OptionOfHeaders& option,
          const std::string& value) {
        cell.Expect(socket.SetOption(std::string(option.name), std::stoi(value)), Not(Succeeds()));
      });
}

struct Unknown {
  const char* name;
  const char* option;
  unsigned kinds;  // that do not have it
};
constexpr Unknown kUnknownOptions[] = {
    {"of-sockets", "SOL_SOCKET/0x7fff", kEachKind},
    {"of-tcp", "IPPROTO_TCP/0x7fff", kTcp},
    {"of-udp", "IPPROTO_UDP/0x7fff", kUdp},
    {"of-ip", "IPPROTO_IP/0x7fff", kOfIpv4},
    {"of-ipv6", "IPPROTO_IPV6/0x7fff", kOfIpv6},
    {"tcp-on-others", "TCP_NODELAY", kEachKind & ~kTcp},
    {"udp-on-others", "UDP_CORK", kEachKind & ~kUdp},
    {"ip-on-unix", "IP_TTL", kUnixKind},
    {"ipv6-on-others", "IPV6_UNICAST_HOPS", kEachKind & ~kOfIpv6},
    {"of-no-level", "0x7fff/0x1", kEachKind},
};

TEST_WITH(OptionsContractTest, OptionsContract, AnOptionThatTheSocketDoesNotHaveIsRefused,
          .claims = {"man:getsockopt(2)-ENOPROTOOPT", "man:setsockopt(2)-ENOPROTOOPT",
                     "posix:getsockopt-ENOPROTOOPT", "posix:setsockopt-ENOPROTOOPT"},
          .over = kOptionKinds) {
  // POSIX has EINVAL for one that is invalid at its level.
  const auto by_posix = AnyOf(FailsWith(ENOPROTOOPT), FailsWith(EINVAL));
  Socket socket = NewSocket();
  for (const char* claim : {"man:getsockopt(2)-ENOPROTOOPT", "man:setsockopt(2)-ENOPROTOOPT",
                            "posix:getsockopt-ENOPROTOOPT", "posix:setsockopt-ENOPROTOOPT"}) {
    Deciding(claim);
    const bool posix = std::string_view(claim).starts_with("posix");
    const bool sets = std::string_view(claim).find("setsockopt") != std::string_view::npos;
    Matrix matrix({"option"});
    for (const Unknown& unknown : kUnknownOptions) {
      if ((unknown.kinds & KindOf(family)) == 0) continue;
      matrix.Check({unknown.name}, [&](Cell& cell) {
        const Outcome<int> called =
            sets ? socket.SetOption(unknown.option, 1) : socket.GetOption(unknown.option);
        if (posix) {
          cell.Expect(called, by_posix);
        } else {
          cell.Expect(called, FailsWith(ENOPROTOOPT));
        }
      });
    }
  }
}

TEST_WITH(OptionsContractTest, OptionsContract, AHopLimitOrClassOutOfRangeIsInvalid,
          .claims = {"rfc3493:5.1-range", "rfc3493:5.2-range", "rfc3542:6.5-range"},
          .over = kUdpOverIpv6) {
  struct Ranged {
    const char* claim;
    const char* option;
    std::vector<std::string> invalid;
  };
  for (const Ranged& ranged :
       {Ranged{"rfc3493:5.1-range", "IPV6_UNICAST_HOPS", {"-2", "256", "70000"}},
        Ranged{"rfc3493:5.2-range", "IPV6_MULTICAST_HOPS", {"-2", "256", "70000"}},
        Ranged{"rfc3542:6.5-range", "IPV6_TCLASS", {"-2", "256", "70000"}}}) {
    Deciding(ranged.claim);
    Matrix matrix({"option", "value"});
    for (const std::string& value : ranged.invalid) {
      matrix.Check({ranged.option, value}, [&](Cell& cell) {
        cell.Expect(NewSocket().SetOption(ranged.option, std::stoi(value)), FailsWith(EINVAL));
      });
    }
  }
}

TEST_WITH(OptionsContractTest, OptionsContract, MulticastLoopIsZeroOrOne,
          .claims = {"rfc3493:5.2-IPV6_MULTICAST_LOOP"}, .over = kUdpOverIpv6) {
  for (const int value : {-1, 2, 256}) {
    EXPECT_THAT(NewSocket().SetOption("IPV6_MULTICAST_LOOP", value), FailsWith(EINVAL));
  }
}

TEST_WITH(OptionsContractTest, OptionsContract, GroupsCannotBeRead,
          .claims = {"rfc3493:5.2-EOPNOTSUPP"}, .over = kUdpOverIpv6) {
  for (const char* option : {"IPV6_JOIN_GROUP", "IPV6_LEAVE_GROUP"}) {
    EXPECT_THAT(NewSocket().GetOctets(option, kAmpleRoom), FailsWith(EOPNOTSUPP));
  }
}

TEST_WITH(OptionsContractTest, OptionsContract, AMembershipCannotBeRead,
          .claims = {"man:ip(7)-IP_ADD_MEMBERSHIP-write-only"}, .over = kUdpOverIpv4) {
  EXPECT_THAT(NewSocket().GetOctets("IP_ADD_MEMBERSHIP", kAmpleRoom), Not(Succeeds()));
}

}  // namespace
}  // namespace sockproof
