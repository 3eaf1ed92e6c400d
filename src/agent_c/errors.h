/* The errors of the system under their names, as far as its headers have them: the part of agent.c that
 * a new system may want to add to. */

#define C(name) \
  { #name, (long)(name) }

/* clang-format off */
static const struct constant kErrors[] = {
    C(E2BIG), C(EACCES), C(EADDRINUSE), C(EADDRNOTAVAIL), C(EAFNOSUPPORT), C(EAGAIN), C(EALREADY),
    C(EBADF), C(EBUSY), C(ECANCELED), C(ECONNABORTED), C(ECONNREFUSED), C(ECONNRESET), C(EDESTADDRREQ), C(EDOM),
    C(EEXIST), C(EFAULT), C(EHOSTUNREACH), C(EINPROGRESS), C(EINTR), C(EINVAL), C(EIO), C(EISCONN),
    C(EISDIR), C(ELOOP), C(EMFILE), C(EMSGSIZE), C(ENAMETOOLONG), C(ENETDOWN), C(ENETRESET),
    C(ENETUNREACH), C(ENFILE), C(ENOBUFS), C(ENODEV), C(ENOENT), C(ENOMEM), C(ENOMSG), C(ENOPROTOOPT),
    C(ENOSPC), C(ENOSYS), C(ENOTCONN), C(ENOTDIR), C(ENOTSOCK), C(ENOTTY), C(ENXIO),
    C(EOPNOTSUPP), C(ENOTSUP), C(EPERM), C(EPIPE), C(EPROTO), C(EPROTONOSUPPORT), C(EPROTOTYPE), C(ERANGE),
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
    { NULL, 0 }};
/* clang-format on */
