// Private namespaces: the world a test lives in, which vanishes with its processes.
#pragma once

#include <string>

#include "harness/base/unique_fd.h"

namespace sockproof {

// Moves the calling process, which must have one thread, into namespaces of its own: PID and
// network, and a user namespace when it may not make those otherwise (no root needed). It forks:
// the caller goes on as process 1 of the PID namespace, so that the kernel ends everything it
// started when it ends; the outer process only waits and ends as the inner one did, with the same
// exit status or signal. Each dies with its parent, also after kill -9.
// Throws HarnessError with what is missing and what would mend it; nothing has changed then.
void EnterPrivateNamespaces();

// "user.max_net_namespaces is 0": a limit of the kernel that leaves no room for the namespaces of a
// test, if there is one; else empty.
std::string NamespaceLimit();

// A network namespace, kept alive by a descriptor. Move-only.
class NetworkNamespace {
 public:
  // A new one, with its loopback interface still down. The calling thread stays where it is.
  static NetworkNamespace Create();
  // The one that the calling thread is in.
  static NetworkNamespace Current();
  // The one that the process of this id is in (Linux 5.8 or later). Throws HarnessError.
  static NetworkNamespace OfProcess(int pid);

  int fd() const { return fd_.get(); }

 private:
  explicit NetworkNamespace(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// The calling thread is in `target` for as long as this object lives.
class InNamespace {
 public:
  explicit InNamespace(const NetworkNamespace& target);
  ~InNamespace();
  InNamespace(const InNamespace&) = delete;
  InNamespace& operator=(const InNamespace&) = delete;

 private:
  NetworkNamespace home_;
};

// Writes a value below /proc/sys as seen in the calling thread's network namespace. `name` is
// dotted ("net.ipv4.tcp_fin_timeout"). Throws HarnessError.
void WriteSysctl(const std::string& name, const std::string& value);

}  // namespace sockproof
