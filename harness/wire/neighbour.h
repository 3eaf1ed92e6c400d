// Who has which address on a wire: ARP (RFC 826) and neighbour discovery (RFC 4861).
#pragma once

#include <optional>

#include "harness/base/event_loop.h"
#include "harness/net/ip.h"
#include "harness/trace/event.h"
#include "harness/wire/port.h"

namespace sockproof {

// A request of one host of the address plan (harness/wire/addresses.h) for the link-layer address
// of another: sent to that other alone, at `to_mac`, or to all when that is not known.
Bytes NeighbourRequest(IpVersion version, int from_host, int to_host,
                       const std::optional<MacAddress>& to_mac);

// What `host` answers to this frame; nothing when it is no request for its address.
std::optional<Bytes> NeighbourAnswer(const Bytes& request, int host);

// The link-layer address of `host`, when the frame is an answer that tells it.
std::optional<MacAddress> NeighbourTold(const Bytes& frame, IpVersion version, int host);

// The link-layer address of `host` at the other end of the port, asked of all who hear it in the
// name of `as_host`, again every second. Nothing when none answers within `patience`.
std::optional<MacAddress> FindNeighbour(EventLoop& loop, WirePort& port, IpVersion version,
                                        int host, int as_host, Duration patience);

// Asks the system at the other end of the port, `host`, for its address in the name of `as_host`.
// Who was asked knows who asked, so what it sends to that host leaves at once from then on: the
// wait for an answer on a busy machine would otherwise count in the first timer of a connection.
// Takes all frames of the port until the answer has come, hands each to `seen`, with whether it was
// sent to the system. Throws HarnessError when there is no answer.
void Introduce(EventLoop& loop, WirePort& port, IpVersion version, int host,
               const MacAddress& host_mac, int as_host,
               const std::function<void(Time time, const Bytes& frame, bool sent)>& seen);

}  // namespace sockproof
