#include "harness/wire/timestamps.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include "harness/base/errors.h"

namespace sockproof {

KernelTimestamps::KernelTimestamps()
    : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  if (!socket_) ThrowErrno("socket(AF_NETLINK)");
  const int on = 1;
  if (setsockopt(socket_.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) {
    ThrowErrno("SO_TIMESTAMPNS");
  }
}

}  // namespace sockproof
