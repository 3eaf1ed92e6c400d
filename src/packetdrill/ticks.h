// The ticks by which the kernel counts its timers: what a script expects of it is expected at one.
#pragma once

#include "harness/base/time.h"

namespace sockproof::packetdrill {

// Their length: 1 s / HZ.
Duration Tick();

// The time of the next tick, and a little.
Time BehindNextTick();

// Scripts are written for a kernel with HZ=1000: by how much longer the tick of this one is.
Duration LongerTick();

// By how much later this kernel may do what it does at a tick: TCP rounds up to whole ticks, and adds
// two to its shortest timers (TCP_TIMEOUT_MIN).
Duration AllowanceForTicks();

// By how much earlier: a timer runs up to a tick after its time, on the machine for which a script was written
// as on this one, where another processor may run it at the tick after its own. Nothing with HZ=1000.
Duration AllowanceForEarlierTick();

}  // namespace sockproof::packetdrill
