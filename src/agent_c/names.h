/* The constants of the system under their names, as far as its headers have them: the part of
 * agent.c that a new system may want to add to. */

struct constant {
  const char* name;
  long value;
};

#define C(name) \
  { #name, (long)(name) }
#define END_OF_CONSTANTS \
  { NULL, 0 }

/* clang-format off */
static const struct constant kFamilies[] = {
    C(AF_INET),
#ifdef AF_INET6
    C(AF_INET6),
#endif
    C(AF_UNIX), C(AF_UNSPEC),
#ifdef AF_PACKET
    C(AF_PACKET),
#endif
#ifdef AF_NETLINK
    C(AF_NETLINK),
#endif
    END_OF_CONSTANTS};

static const struct constant kTypes[] = {
    C(SOCK_STREAM), C(SOCK_DGRAM),
#ifdef SOCK_RAW
    C(SOCK_RAW),
#endif
#ifdef SOCK_SEQPACKET
    C(SOCK_SEQPACKET),
#endif
#ifdef SOCK_RDM
    C(SOCK_RDM),
#endif
    END_OF_CONSTANTS};

static const struct constant kSocketFlags[] = {
#ifdef SOCK_NONBLOCK
    C(SOCK_NONBLOCK),
#endif
#ifdef SOCK_CLOEXEC
    C(SOCK_CLOEXEC),
#endif
    END_OF_CONSTANTS};

static const struct constant kProtocols[] = {
    C(IPPROTO_IP), C(IPPROTO_TCP), C(IPPROTO_UDP), C(IPPROTO_ICMP),
#ifdef IPPROTO_ICMPV6
    C(IPPROTO_ICMPV6),
#endif
#ifdef IPPROTO_SCTP
    C(IPPROTO_SCTP),
#endif
#ifdef IPPROTO_RAW
    C(IPPROTO_RAW),
#endif
#ifdef IPPROTO_UDPLITE
    C(IPPROTO_UDPLITE),
#endif
#ifdef IPPROTO_MPTCP
    C(IPPROTO_MPTCP),
#endif
    END_OF_CONSTANTS};

static const struct constant kMessageFlags[] = {
    C(MSG_PEEK), C(MSG_OOB), C(MSG_WAITALL),
#ifdef MSG_DONTWAIT
    C(MSG_DONTWAIT),
#endif
#ifdef MSG_NOSIGNAL
    C(MSG_NOSIGNAL),
#endif
#ifdef MSG_MORE
    C(MSG_MORE),
#endif
#ifdef MSG_TRUNC
    C(MSG_TRUNC),
#endif
#ifdef MSG_EOR
    C(MSG_EOR),
#endif
#ifdef MSG_CONFIRM
    C(MSG_CONFIRM),
#endif
#ifdef MSG_FASTOPEN
    C(MSG_FASTOPEN),
#endif
#ifdef MSG_ERRQUEUE
    C(MSG_ERRQUEUE),
#endif
#ifdef MSG_DONTROUTE
    C(MSG_DONTROUTE),
#endif
#ifdef MSG_ZEROCOPY
    C(MSG_ZEROCOPY),
#endif
    END_OF_CONSTANTS};

static const struct constant kDirections[] = {
    C(SHUT_RD), C(SHUT_WR), C(SHUT_RDWR),
    END_OF_CONSTANTS};

static const struct constant kPollEvents[] = {
    C(POLLIN), C(POLLOUT), C(POLLPRI),
#ifdef POLLRDHUP
    C(POLLRDHUP),
#endif
    C(POLLERR), C(POLLHUP), C(POLLNVAL),
#ifdef POLLRDNORM
    C(POLLRDNORM),
#endif
#ifdef POLLRDBAND
    C(POLLRDBAND),
#endif
#ifdef POLLWRNORM
    C(POLLWRNORM),
#endif
#ifdef POLLWRBAND
    C(POLLWRBAND),
#endif
    END_OF_CONSTANTS};

static const struct constant kStatusFlags[] = {
    C(O_WRONLY), C(O_RDWR), C(O_NONBLOCK), C(O_APPEND),
#ifdef O_ASYNC
    C(O_ASYNC),
#endif
    END_OF_CONSTANTS};

static const struct constant kDescriptorFlags[] = {
    C(FD_CLOEXEC),
    END_OF_CONSTANTS};

static const struct constant kCommands[] = {
    C(F_GETFL), C(F_SETFL), C(F_GETFD), C(F_SETFD),
    END_OF_CONSTANTS};

static const struct constant kLevels[] = {
    C(SOL_SOCKET), C(IPPROTO_TCP), C(IPPROTO_IP),
#ifdef IPPROTO_IPV6
    C(IPPROTO_IPV6),
#endif
    C(IPPROTO_UDP), C(IPPROTO_ICMP),
    END_OF_CONSTANTS};

#ifdef FIONREAD
static const struct constant kControls[] = {
    C(FIONREAD),
#ifdef SIOCINQ
    C(SIOCINQ),
#endif
#ifdef TIOCOUTQ
    C(TIOCOUTQ),
#endif
#ifdef SIOCOUTQ
    C(SIOCOUTQ),
#endif
#ifdef SIOCOUTQNSD
    C(SIOCOUTQNSD),
#endif
#ifdef SIOCATMARK
    C(SIOCATMARK),
#endif
    END_OF_CONSTANTS};
#endif

#ifdef ON_LINUX
static const struct constant kEpollEvents[] = {
    C(EPOLLIN), C(EPOLLOUT), C(EPOLLPRI), C(EPOLLRDHUP), C(EPOLLERR), C(EPOLLHUP), C(EPOLLRDNORM),
    C(EPOLLRDBAND), C(EPOLLWRNORM), C(EPOLLWRBAND), C(EPOLLET), C(EPOLLONESHOT), C(EPOLLEXCLUSIVE),
    C(EPOLLWAKEUP),
    END_OF_CONSTANTS};
static const struct constant kEpollFlags[] = {
    C(EPOLL_CLOEXEC),
    END_OF_CONSTANTS};
static const struct constant kEpollOperations[] = {
    C(EPOLL_CTL_ADD), C(EPOLL_CTL_MOD), C(EPOLL_CTL_DEL),
    END_OF_CONSTANTS};
#endif

/* How the value of a socket option travels. */
enum kind { kInteger, kUnsigned64, kTime, kLinger, kText, kBytes, kTcpInfo };

struct option {
  const char* name;
  int number;
  enum kind kind;
};

#define O(name, kind) \
  { #name, name, kind }

static const struct option kOptions[] = {
    O(SO_ACCEPTCONN, kInteger), O(SO_BROADCAST, kInteger), O(SO_DEBUG, kInteger),
    O(SO_DONTROUTE, kInteger), O(SO_ERROR, kInteger), O(SO_KEEPALIVE, kInteger),
    O(SO_LINGER, kLinger), O(SO_OOBINLINE, kInteger), O(SO_RCVBUF, kInteger),
    O(SO_RCVLOWAT, kInteger), O(SO_RCVTIMEO, kTime), O(SO_REUSEADDR, kInteger),
    O(SO_SNDBUF, kInteger), O(SO_SNDLOWAT, kInteger), O(SO_SNDTIMEO, kTime), O(SO_TYPE, kInteger),
    O(TCP_NODELAY, kInteger),
#ifdef SO_BINDTODEVICE
    O(SO_BINDTODEVICE, kText),
#endif
#ifdef SO_BINDTOIFINDEX
    O(SO_BINDTOIFINDEX, kInteger),
#endif
#ifdef SO_BUSY_POLL
    O(SO_BUSY_POLL, kInteger),
#endif
#ifdef SO_COOKIE
    O(SO_COOKIE, kUnsigned64),
#endif
#ifdef SO_DOMAIN
    O(SO_DOMAIN, kInteger),
#endif
#ifdef SO_INCOMING_CPU
    O(SO_INCOMING_CPU, kInteger),
#endif
#ifdef SO_MARK
    O(SO_MARK, kInteger),
#endif
#if defined(SO_MAX_PACING_RATE) && defined(ON_LINUX) /* four bytes elsewhere */
    O(SO_MAX_PACING_RATE, kUnsigned64),
#endif
#ifdef SO_MEMINFO
    O(SO_MEMINFO, kBytes),
#endif
#ifdef SO_PASSCRED
    O(SO_PASSCRED, kInteger),
#endif
#ifdef SO_PEERCRED
    O(SO_PEERCRED, kBytes),
#endif
#ifdef SO_PRIORITY
    O(SO_PRIORITY, kInteger),
#endif
#ifdef SO_PROTOCOL
    O(SO_PROTOCOL, kInteger),
#endif
#ifdef SO_RCVBUFFORCE
    O(SO_RCVBUFFORCE, kInteger),
#endif
#ifdef SO_REUSEPORT
    O(SO_REUSEPORT, kInteger),
#endif
#ifdef SO_SNDBUFFORCE
    O(SO_SNDBUFFORCE, kInteger),
#endif
#ifdef SO_ZEROCOPY
    O(SO_ZEROCOPY, kInteger),
#endif
#ifdef TCP_CONGESTION
    O(TCP_CONGESTION, kText),
#endif
#ifdef TCP_CORK
    O(TCP_CORK, kInteger),
#endif
#ifdef TCP_DEFER_ACCEPT
    O(TCP_DEFER_ACCEPT, kInteger),
#endif
#ifdef TCP_FASTOPEN
    O(TCP_FASTOPEN, kInteger),
#endif
#ifdef TCP_FASTOPEN_CONNECT
    O(TCP_FASTOPEN_CONNECT, kInteger),
#endif
#ifdef TCP_FASTOPEN_KEY
    O(TCP_FASTOPEN_KEY, kBytes),
#endif
#ifdef TCP_FASTOPEN_NO_COOKIE
    O(TCP_FASTOPEN_NO_COOKIE, kInteger),
#endif
#ifdef TCP_INFO
    O(TCP_INFO, kTcpInfo),
#endif
#ifdef TCP_INQ
    O(TCP_INQ, kInteger),
#endif
#ifdef TCP_KEEPCNT
    O(TCP_KEEPCNT, kInteger),
#endif
#ifdef TCP_KEEPIDLE
    O(TCP_KEEPIDLE, kInteger),
#endif
#ifdef TCP_KEEPINTVL
    O(TCP_KEEPINTVL, kInteger),
#endif
#ifdef TCP_LINGER2
    O(TCP_LINGER2, kInteger),
#endif
#ifdef TCP_MAXSEG
    O(TCP_MAXSEG, kInteger),
#endif
#ifdef TCP_MD5SIG
    O(TCP_MD5SIG, kBytes),
#endif
#ifdef TCP_NOTSENT_LOWAT
    O(TCP_NOTSENT_LOWAT, kInteger),
#endif
#ifdef TCP_QUEUE_SEQ
    O(TCP_QUEUE_SEQ, kInteger),
#endif
#ifdef TCP_QUICKACK
    O(TCP_QUICKACK, kInteger),
#endif
#ifdef TCP_REPAIR
    O(TCP_REPAIR, kInteger),
#endif
#ifdef TCP_REPAIR_QUEUE
    O(TCP_REPAIR_QUEUE, kInteger),
#endif
#ifdef TCP_SAVED_SYN
    O(TCP_SAVED_SYN, kBytes),
#endif
#ifdef TCP_SAVE_SYN
    O(TCP_SAVE_SYN, kInteger),
#endif
#ifdef TCP_SYNCNT
    O(TCP_SYNCNT, kInteger),
#endif
#ifdef TCP_THIN_LINEAR_TIMEOUTS
    O(TCP_THIN_LINEAR_TIMEOUTS, kInteger),
#endif
#ifdef TCP_TIMESTAMP
    O(TCP_TIMESTAMP, kInteger),
#endif
#ifdef TCP_TX_DELAY
    O(TCP_TX_DELAY, kInteger),
#endif
#ifdef TCP_ULP
    O(TCP_ULP, kText),
#endif
#ifdef TCP_USER_TIMEOUT
    O(TCP_USER_TIMEOUT, kInteger),
#endif
#ifdef TCP_WINDOW_CLAMP
    O(TCP_WINDOW_CLAMP, kInteger),
#endif
#ifdef ON_LINUX /* newer than some headers */
    {"TCP_RTO_MAX_MS", 44, kInteger}, {"TCP_RTO_MIN_US", 45, kInteger},
    {"TCP_DELACK_MAX_US", 46, kInteger}, {"IP_LOCAL_PORT_RANGE", 51, kInteger},
#endif
#ifdef IP_BIND_ADDRESS_NO_PORT
    O(IP_BIND_ADDRESS_NO_PORT, kInteger),
#endif
#ifdef IP_FREEBIND
    O(IP_FREEBIND, kInteger),
#endif
#ifdef IP_HDRINCL
    O(IP_HDRINCL, kInteger),
#endif
#ifdef IP_MINTTL
    O(IP_MINTTL, kInteger),
#endif
#ifdef IP_MTU
    O(IP_MTU, kInteger),
#endif
#ifdef IP_MTU_DISCOVER
    O(IP_MTU_DISCOVER, kInteger),
#endif
#ifdef IP_OPTIONS
    O(IP_OPTIONS, kBytes),
#endif
#ifdef IP_RECVERR
    O(IP_RECVERR, kInteger),
#endif
#ifdef IP_RECVTOS
    O(IP_RECVTOS, kInteger),
#endif
#ifdef IP_RECVTTL
    O(IP_RECVTTL, kInteger),
#endif
#ifdef IP_TOS
    O(IP_TOS, kInteger),
#endif
#ifdef IP_TRANSPARENT
    O(IP_TRANSPARENT, kInteger),
#endif
#ifdef IP_TTL
    O(IP_TTL, kInteger),
#endif
#ifdef IPV6_AUTOFLOWLABEL
    O(IPV6_AUTOFLOWLABEL, kInteger),
#endif
#ifdef IPV6_DONTFRAG
    O(IPV6_DONTFRAG, kInteger),
#endif
#ifdef IPV6_FREEBIND
    O(IPV6_FREEBIND, kInteger),
#endif
#ifdef IPV6_MINHOPCOUNT
    O(IPV6_MINHOPCOUNT, kInteger),
#endif
#ifdef IPV6_MTU
    O(IPV6_MTU, kInteger),
#endif
#ifdef IPV6_MTU_DISCOVER
    O(IPV6_MTU_DISCOVER, kInteger),
#endif
#ifdef IPV6_RECVERR
    O(IPV6_RECVERR, kInteger),
#endif
#ifdef IPV6_RECVHOPLIMIT
    O(IPV6_RECVHOPLIMIT, kInteger),
#endif
#ifdef IPV6_RECVTCLASS
    O(IPV6_RECVTCLASS, kInteger),
#endif
#ifdef IPV6_TCLASS
    O(IPV6_TCLASS, kInteger),
#endif
#ifdef IPV6_TRANSPARENT
    O(IPV6_TRANSPARENT, kInteger),
#endif
#ifdef IPV6_UNICAST_HOPS
    O(IPV6_UNICAST_HOPS, kInteger),
#endif
#ifdef IPV6_V6ONLY
    O(IPV6_V6ONLY, kInteger),
#endif
};

static const struct constant kErrors[] = {
    C(E2BIG), C(EACCES), C(EADDRINUSE), C(EADDRNOTAVAIL), C(EAFNOSUPPORT), C(EAGAIN), C(EALREADY),
    C(EBADF), C(EBUSY), C(ECONNABORTED), C(ECONNREFUSED), C(ECONNRESET), C(EDESTADDRREQ), C(EDOM),
    C(EEXIST), C(EFAULT), C(EHOSTUNREACH), C(EINPROGRESS), C(EINTR), C(EINVAL), C(EIO), C(EISCONN),
    C(EISDIR), C(ELOOP), C(EMFILE), C(EMSGSIZE), C(ENAMETOOLONG), C(ENETDOWN), C(ENETRESET),
    C(ENETUNREACH), C(ENFILE), C(ENOBUFS), C(ENODEV), C(ENOENT), C(ENOMEM), C(ENOPROTOOPT),
    C(ENOSPC), C(ENOSYS), C(ENOTCONN), C(ENOTDIR), C(ENOTSOCK), C(ENOTSUP), C(ENOTTY), C(ENXIO),
    C(EOPNOTSUPP), C(EPERM), C(EPIPE), C(EPROTO), C(EPROTONOSUPPORT), C(EPROTOTYPE), C(ERANGE),
    C(EROFS), C(ESRCH), C(ETIMEDOUT), C(EWOULDBLOCK),
#ifdef EHOSTDOWN
    C(EHOSTDOWN),
#endif
#ifdef ENONET
    C(ENONET),
#endif
#ifdef EPFNOSUPPORT
    C(EPFNOSUPPORT),
#endif
#ifdef ESHUTDOWN
    C(ESHUTDOWN),
#endif
#ifdef ESOCKTNOSUPPORT
    C(ESOCKTNOSUPPORT),
#endif
#ifdef ETOOMANYREFS
    C(ETOOMANYREFS),
#endif
#ifdef ETIME
    C(ETIME),
#endif
#ifdef ENODATA
    C(ENODATA),
#endif
    END_OF_CONSTANTS};
/* clang-format on */
