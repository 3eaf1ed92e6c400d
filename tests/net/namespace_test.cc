// Namespaces and links, each test in a process and private namespaces of its own.
#include "harness/net/namespace.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iostream>

#include "harness/base/errors.h"
#include "harness/net/netlink.h"
#include "harness/net/sock_diag.h"

namespace sockproof {
namespace {

// The wait status of a child that runs `body` and exits with 0, or with 1 and a message when the
// body throws or returns false.
int StatusOf(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      _exit(body() ? 0 : 1);
    } catch (const std::exception& error) {
      std::cerr << error.what() << std::endl;
      _exit(1);
    }
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

bool HoldsInPrivate(const std::function<bool()>& body) {
  return StatusOf([&] {
           EnterPrivateNamespaces();
           return body();
         }) == 0;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(PrivateNamespaces, HoldNothingButALoopbackThatIsDown) {
  EXPECT_TRUE(HoldsInPrivate(
      [] { return getpid() == 1 && if_nametoindex("lo") == 1 && if_nametoindex("eth0") == 0; }));
}

TEST(PrivateNamespaces, TheOuterProcessEndsAsTheInnerOne) {
  const auto end = [](const std::function<void()>& how) {
    return StatusOf([&] {
      EnterPrivateNamespaces();
      how();
      return true;
    });
  };
  const int exited = end([] { _exit(7); });
  EXPECT_TRUE(WIFEXITED(exited) && WEXITSTATUS(exited) == 7) << exited;
  const int aborted = end([] { abort(); });
  EXPECT_TRUE(WIFSIGNALED(aborted) && WTERMSIG(aborted) == SIGABRT) << aborted;
  const int faulted = end([] {
    signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would exit instead
    void* const forbidden = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile int*>(forbidden) = 1;
  });
  EXPECT_TRUE(WIFSIGNALED(faulted) && WTERMSIG(faulted) == SIGSEGV) << faulted;
}

TEST(PrivateNamespaces, SysctlsAreTheirOwn) {
  const std::string path = "/proc/sys/net/ipv4/tcp_fin_timeout";
  const std::string outside = ReadFile(path);
  EXPECT_TRUE(HoldsInPrivate([&] {
    WriteSysctl("net.ipv4.tcp_fin_timeout", "17");
    return ReadFile(path) == "17\n";
  }));
  EXPECT_EQ(ReadFile(path), outside);
}

// As a container engine does it to a program that it lets mount.
TEST(PrivateNamespaces, SysctlsCanBeSetThoughTheirFolderWasMountedReadOnly) {
  EXPECT_TRUE(HoldsInPrivate([] {
    constexpr const char* kSysctls = "/proc/sys";
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount(kSysctls, kSysctls, nullptr, MS_BIND, nullptr) != 0 ||
        mount(nullptr, kSysctls, nullptr,
              MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
      ThrowErrno("mount");
    }
    if (access(kSysctls, W_OK) == 0) throw HarnessError("not read-only");
    EnterPrivateNamespaces();
    WriteSysctl("net.ipv4.tcp_fin_timeout", "17");
    return ReadFile("/proc/sys/net/ipv4/tcp_fin_timeout") == "17\n";
  }));
}

TEST(PrivateNamespaces, AnUnknownSysctlIsAnError) {
  EXPECT_TRUE(HoldsInPrivate([] {
    try {
      WriteSysctl("net.ipv4.no_such_sysctl", "1");
    } catch (const HarnessError& error) {
      return std::string(error.what()).find("no_such_sysctl") != std::string::npos;
    }
    return false;
  }));
}

// Two namespaces and a link between them; the end "near" stays here.
struct Pair {
  Pair() : far(NetworkNamespace::Create()) {
    Netlink here;
    here.CreateVeth({"near", {2, 0, 0, 0, 0, 1}, "far", {2, 0, 0, 0, 0, 2}, &far});
    Configure("near", "192.0.2.1", "2001:db8::1");
    const InNamespace inside(far);
    Configure("far", "192.0.2.2", "2001:db8::2");
  }

  static void Configure(const std::string& link, const char* ipv4, const char* ipv6) {
    DisableOffloads(link);
    Netlink netlink;
    const int index = netlink.IndexOf(link);
    netlink.SetUp(index);
    netlink.AddAddress(index, IpAddress(ipv4), 24);
    netlink.AddAddress(index, IpAddress(ipv6), 64);
  }

  NetworkNamespace far;
};

TEST(Netlink, ALinkBetweenTwoNamespacesComesUp) {
  EXPECT_TRUE(HoldsInPrivate([] {
    const Pair pair;
    Netlink here;
    here.WaitUntilOperational(here.IndexOf("near"));
    here.WaitUntilReceiving(IpAddress("192.0.2.1"));
    here.WaitUntilReceiving(IpAddress("2001:db8::1"));
    return if_nametoindex("far") == 0;
  }));
}

TEST(Netlink, FailuresNameWhatFailed) {
  EXPECT_TRUE(HoldsInPrivate([] {
    try {
      Netlink().IndexOf("nowhere");
    } catch (const HarnessError& error) {
      return std::string(error.what()).find("nowhere") != std::string::npos;
    }
    return false;
  }));
}

TEST(SockDiag, ShowsAListenerItsQueueAndTheConnectionAskedFor) {
  EXPECT_TRUE(HoldsInPrivate([] {
    Netlink().SetUp(1);
    const UniqueFd listener(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(80);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (bind(listener.get(), generic, sizeof address) != 0 || listen(listener.get(), 5) != 0) {
      ThrowErrno("listen");
    }
    const UniqueFd client(socket(AF_INET, SOCK_STREAM, 0));
    if (connect(client.get(), generic, sizeof address) != 0) ThrowErrno("connect");

    SockDiag diag;
    int listeners = 0;
    int established = 0;
    for (const TcpSocketInfo& found : diag.TcpSockets(IpVersion::kIpv4)) {
      if (found.state == TcpState::kListen) {
        ++listeners;
        if (found.receive_queue != 1 || found.send_queue != 5) return false;
        if (found.local.ToString() != "127.0.0.1:80") return false;
      }
      if (found.state == TcpState::kEstablished) ++established;
    }
    if (listeners != 1 || established != 2 || !diag.TcpSockets(IpVersion::kIpv6).empty()) return false;

    sockaddr_in own{};
    socklen_t length = sizeof own;
    if (getsockname(client.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) ThrowErrno("getsockname");
    const IpAddress here("127.0.0.1");
    const Endpoint from{here, ntohs(own.sin_port)};
    const Endpoint to{here, 80};
    const auto found = diag.Find(from, to);
    // The other port has no connection, but a listener that would be asked.
    return found && found->state == TcpState::kEstablished && found->local == from && found->remote == to &&
           !diag.Find(to, {here, static_cast<std::uint16_t>(from.port ^ 1)}) && !diag.Find({here, 81}, to);
  }));
}

}  // namespace
}  // namespace sockproof
