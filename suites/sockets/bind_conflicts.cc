// Two sockets on one port: which may be bound beside the other. socket(7), ip(7) and ipv6(7) of the
// Linux man-pages; POSIX has EADDRINUSE and no more.
#include <string_view>

#include "harness/test/matrix.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

// What a socket is bound to. `ipv4` and `ipv6` are the addresses of each version that this takes.
struct Place {
  const char* name;
  const char* domain;
  const char* address;
  bool v6_only;
  std::string_view ipv4;  // "*" is every one
  std::string_view ipv6;
};
constexpr Place kPlaces[] = {
    {"0.0.0.0", "AF_INET", "0.0.0.0", false, "*", ""},
    {"127.0.0.1", "AF_INET", "127.0.0.1", false, "127.0.0.1", ""},
    {"::", "AF_INET6", "::", false, "*", "*"},
    {":: IPv6 only", "AF_INET6", "::", true, "", "*"},
    {"::1", "AF_INET6", "::1", false, "", "::1"},
    {"::ffff:0.0.0.0", "AF_INET6", "::ffff:0.0.0.0", false, "*", ""},
    {"::ffff:127.0.0.1", "AF_INET6", "::ffff:127.0.0.1", false, "127.0.0.1", ""},
};

bool Overlap(std::string_view one, std::string_view other) {
  if (one.empty() || other.empty()) return false;
  return one == "*" || other == "*" || one == other;
}

bool Overlap(const Place& one, const Place& other) {
  return Overlap(one.ipv4, other.ipv4) || Overlap(one.ipv6, other.ipv6);
}

// What is set before bind().
struct Reuse {
  const char* name;
  bool address;  // SO_REUSEADDR
  bool port;     // SO_REUSEPORT
};
constexpr Reuse kReuses[] = {{"", false, false},
                             {"SO_REUSEADDR", true, false},
                             {"SO_REUSEPORT", false, true},
                             {"both", true, true}};

// The socket that is there first: a case for each.
struct Holder {
  const char* name;
  const char* type;
  bool listens;
};
constexpr Holder kHolders[] = {{"tcp", "SOCK_STREAM", false},
                               {"tcp-listening", "SOCK_STREAM", true},
                               {"udp", "SOCK_DGRAM", false}};

const std::vector<std::string> kAxes = {"first at", "with", "second with", "second at"};

class BindConflictsTest : public SocketsTest {
 protected:
  Socket Make(const char* type, const Place& place, const Reuse& reuse) {
    Socket socket = sut.NewSocket(place.domain, type);
    if (std::string_view(place.domain) == "AF_INET6") {
      socket.SetOption("IPV6_V6ONLY", place.v6_only ? 1 : 0).value();
    }
    if (reuse.address) socket.SetOption("SO_REUSEADDR", 1).value();
    if (reuse.port) socket.SetOption("SO_REUSEPORT", 1).value();
    return socket;
  }

  // The second bind() of every pair, or of those for which `applies`, against the rule.
  using Applies = bool(const Place& held, const Place& wanted);
  void CheckPairs(Matrix& matrix, const Reuse& first, const Reuse& second,
                  Applies* applies = nullptr) {
    for (const Place& held : kPlaces) {
      for (const Place& wanted : kPlaces) {
        if (applies != nullptr && !applies(held, wanted)) continue;
        CheckPair(matrix, RowOf(kHolders), held, first, wanted, second);
      }
    }
  }

  // socket(7): sockets may share an address if all have set SO_REUSEPORT before their bind(), or
  // all SO_REUSEADDR while none of them listens. ip(7), ipv6(7): else one address has one socket.
  static bool Admits(const Holder& holder, const Reuse& first, const Reuse& second, bool overlap) {
    return !overlap || (first.port && second.port) ||
           (first.address && second.address && !holder.listens);
  }

 private:
  void CheckPair(Matrix& matrix, const Holder& holder, const Place& held, const Reuse& first,
                 const Place& wanted, const Reuse& second) {
    matrix.Check({held.name, first.name, second.name, wanted.name}, [&](Cell& cell) {
      Socket there = Make(holder.type, held, first);
      there.Bind(Name(IpAddress(held.address), 0)).value();
      if (holder.listens) there.Listen(1).value();
      const std::uint16_t port = there.LocalEndpoint().port;

      Socket other = Make(holder.type, wanted, second);
      const bool admitted = Admits(holder, first, second, Overlap(held, wanted));
      cell.Expect(other.Bind(Name(IpAddress(wanted.address), port)),
                  HasErrno(admitted ? 0 : EADDRINUSE));
      other.Close();
      there.Close();
    });
  }
};

TEST_WITH(BindConflictsTest, BindConflicts, WithoutOptionsExactlyOverlappingAddressesConflict,
          .claims = {"man:ip(7)-one-socket-an-address", "man:bind(2)-EADDRINUSE",
                     "posix:bind-EADDRINUSE"},
          .over = kOnce, .rows = kHolders) {
  Matrix matrix(kAxes);
  CheckPairs(matrix, kReuses[0], kReuses[0]);
}

TEST_WITH(BindConflictsTest, BindConflicts, SocketsOfIpv6OnlyLeaveThePortToIpv4,
          .claims = {"man:ipv6(7)-IPV6_V6ONLY"}, .over = kOnce, .rows = kHolders) {
  Matrix matrix(kAxes);
  for (const Reuse& first : kReuses) {
    for (const Reuse& second : kReuses) {
      CheckPairs(matrix, first, second, [](const Place& held, const Place& wanted) {
        const bool both_versions = held.ipv4.empty() != wanted.ipv4.empty();
        return both_versions && (held.v6_only || wanted.v6_only);
      });
    }
  }
}

TEST_WITH(BindConflictsTest, BindConflicts, TheTwoVersionsShareTheirPorts,
          .claims = {"man:ipv6(7)-port-space"}, .over = kOnce, .rows = kHolders) {
  Matrix matrix(kAxes);
  CheckPairs(matrix, kReuses[0], kReuses[0], [](const Place& held, const Place& wanted) {
    return std::string_view(held.domain) != wanted.domain;
  });
}

TEST_WITH(BindConflictsTest, BindConflicts, ReuseaddrOnBothAdmitsBothUnlessTheFirstListens,
          .claims = {"man:socket(7)-SO_REUSEADDR-bind"}, .over = kOnce, .rows = kHolders) {
  Matrix matrix(kAxes);
  for (const auto& [first, second] : {std::pair(1, 1), {1, 3}, {3, 1}}) {
    CheckPairs(matrix, kReuses[first], kReuses[second]);
  }
}

TEST_WITH(BindConflictsTest, BindConflicts, ReuseaddrOnOneOfThemDoesNot,
          .claims = {"man:socket(7)-SO_REUSEADDR"}, .over = kOnce, .rows = kHolders) {
  Matrix matrix(kAxes);
  for (const auto& [first, second] : {std::pair(0, 1), {1, 0}}) {
    CheckPairs(matrix, kReuses[first], kReuses[second]);
  }
}

TEST_WITH(BindConflictsTest, BindConflicts, ReuseportOnBothAdmitsBothWhetherTheFirstListensOrNot,
          .claims = {"man:socket(7)-SO_REUSEPORT-bind"}, .over = kOnce, .rows = kHolders) {
  Matrix matrix(kAxes);
  // socket(7) speaks of an identical address; of those that overlap it says nothing.
  for (const auto& [first, second] : {std::pair(2, 2), {2, 3}, {3, 2}, {3, 3}}) {
    CheckPairs(matrix, kReuses[first], kReuses[second], [](const Place& held, const Place& wanted) {
      return std::string_view(held.name) == wanted.name || !Overlap(held, wanted);
    });
  }
}

TEST_WITH(BindConflictsTest, BindConflicts, ReuseportOnOneOfThemDoesNot,
          .claims = {"man:socket(7)-SO_REUSEPORT-each"}, .over = kOnce, .rows = kHolders) {
  Matrix matrix(kAxes);
  for (const auto& [first, second] : {std::pair(0, 2), {2, 0}, {1, 2}, {2, 1}, {0, 3}, {3, 0}}) {
    CheckPairs(matrix, kReuses[first], kReuses[second]);
  }
}

TEST_WITH(BindConflictsTest, BindConflicts, TcpAndUdpNeverConflict,
          .claims = {"man:ip(7)-port-of-protocol"}, .over = kOnce) {
  Matrix matrix({"first", "first at", "second at"});
  for (const Place& held : kPlaces) {
    for (const Place& wanted : kPlaces) {
      for (const auto& [first, second] :
           {std::pair("SOCK_STREAM", "SOCK_DGRAM"), {"SOCK_DGRAM", "SOCK_STREAM"}}) {
        matrix.Check({first, held.name, wanted.name}, [&, first = first, second = second](Cell& cell) {
          Socket there = Make(first, held, kReuses[0]);
          there.Bind(Name(IpAddress(held.address), 0)).value();
          Socket other = Make(second, wanted, kReuses[0]);
          cell.Expect(other.Bind(Name(IpAddress(wanted.address), there.LocalEndpoint().port)),
                      Succeeds());
          other.Close();
          there.Close();
        });
      }
    }
  }
}

}  // namespace
}  // namespace sockproof
