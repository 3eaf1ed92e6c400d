#include "src/agent_lwip/settings.h"

// Declares C functions without saying so.
extern "C" {
#include <lwipopts.h>
}
// Not beside lwip/sockets.h, which brings in the system's TCP_MSS.
#include <lwip/init.h>
#include <lwip/opt.h>
#include <lwip/priv/tcp_priv.h>

namespace sockproof::agent_lwip {

std::string Release() { return LWIP_VERSION_STRING; }

std::map<std::string, std::string> Settings() {
#define SETTING(name) \
  { "lwip." #name, std::to_string(name) }
  return {
      // Milliseconds.
      SETTING(TCP_FAST_INTERVAL),
      SETTING(TCP_FIN_WAIT_TIMEOUT),
      SETTING(TCP_KEEPIDLE_DEFAULT),
      SETTING(TCP_KEEPINTVL_DEFAULT),
      SETTING(TCP_MSL),
      SETTING(TCP_SLOW_INTERVAL),
      SETTING(TCP_SYN_RCVD_TIMEOUT),
      SETTING(TCP_TMR_INTERVAL),
      // Numbers of times.
      SETTING(TCP_KEEPCNT_DEFAULT),
      SETTING(TCP_MAXRTX),
      SETTING(TCP_OOSEQ_TIMEOUT),
      SETTING(TCP_SYNMAXRTX),
      // Bytes, bits, numbers of things.
      SETTING(TCP_DEFAULT_LISTEN_BACKLOG),
      SETTING(TCP_MSS),
      SETTING(TCP_RCV_SCALE),
      SETTING(TCP_SND_BUF),
      SETTING(TCP_SND_QUEUELEN),
      SETTING(TCP_TTL),
      SETTING(TCP_WND),
      // Whether it has something: 0 or 1.
      SETTING(LWIP_SO_LINGER),
      SETTING(LWIP_TCP_KEEPALIVE),
      SETTING(LWIP_TCP_SACK_OUT),
      SETTING(LWIP_TCP_TIMESTAMPS),
      SETTING(LWIP_WND_SCALE),
      SETTING(SO_REUSE),
      SETTING(TCP_LISTEN_BACKLOG),
      SETTING(TCP_QUEUE_OOSEQ),
  };
#undef SETTING
}

}  // namespace sockproof::agent_lwip
