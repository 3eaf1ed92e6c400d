// One UDP endpoint of a scripted host, played by the test datagram by datagram.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/wire/packet_queue.h"

namespace sockproof {

class ScriptedPeer;

// Not thread-safe; owned by its ScriptedPeer.
class ScriptedUdp {
 public:
  ScriptedUdp(const ScriptedUdp&) = delete;
  ScriptedUdp& operator=(const ScriptedUdp&) = delete;

  const Endpoint& local() const { return local_; }
  // Where datagrams go to: the endpoint that it was made for, else the source of the last one that
  // was expected and got.
  const std::optional<Endpoint>& remote() const { return remote_; }

  // Sends a datagram, whole or in fragments. What it leaves unset is natural: from local() to
  // remote(), 64 hops, the right checksum. Returns what was sent. Throws HarnessError when there is
  // no remote endpoint yet and none is given by To().
  IpPacket Send(const PartialPacket& partial);

  // The next datagram that arrived, or arrives within the time given, must match: anything else is
  // a departure of the system under test. One that comes in fragments counts when it is whole.
  // Throws Departure; that nothing came may be explained by this process being served late.
  IpPacket Expect(const PartialPacket& partial, Within within = Within(kPatience),
                  SourceLocation where = SourceLocation::Current());

  // Nothing has arrived unexpected, and nothing arrives for so long. Throws Departure.
  void ExpectSilence(Duration duration, SourceLocation where = SourceLocation::Current());

  // Datagrams that arrived and were not expected yet.
  std::size_t waiting() const { return arrived_.waiting(); }
  // Takes in what has arrived by now, whatever it is.
  std::vector<IpPacket> TakeArrived() { return arrived_.Take(); }

 private:
  friend class ScriptedPeer;
  ScriptedUdp(ScriptedPeer& peer, Endpoint local, std::optional<Endpoint> remote);

  // How well this endpoint is meant by a datagram: 0 not at all.
  int Fits(const IpPacket& datagram) const;

  ScriptedPeer& peer_;
  Endpoint local_;
  std::optional<Endpoint> remote_;
  bool is_for_one_ = false;  // made for one remote endpoint, and takes nothing from others
  PacketQueue arrived_;
};

}  // namespace sockproof
