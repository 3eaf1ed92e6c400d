#include "harness/wire/scripted_udp.h"

#include "harness/base/errors.h"
#include "harness/wire/scripted_peer.h"

namespace sockproof {

ScriptedUdp::ScriptedUdp(ScriptedPeer& peer, Endpoint local, std::optional<Endpoint> remote)
    : peer_(peer),
      local_(local),
      remote_(remote),
      is_for_one_(remote.has_value()),
      arrived_(peer.loop(), peer.log(), peer.sut()) {}

IpPacket ScriptedUdp::Send(const PartialPacket& partial) {
  // To() may say where to; what stands here otherwise shows that it did not.
  const Endpoint nowhere{local_.address, 0};
  IpPacket made = peer_.Make(local_, remote_.value_or(nowhere), partial);
  if (!remote_ && made.destination() == nowhere) {
    throw HarnessError("the scripted endpoint has no remote endpoint to send to yet");
  }
  return peer_.SendMade(std::move(made), partial);
}

IpPacket ScriptedUdp::Expect(const PartialPacket& partial, Within within, SourceLocation where) {
  IpPacket datagram = arrived_.Expect(partial, within, where);
  if (!is_for_one_) remote_ = datagram.source();
  return datagram;
}

void ScriptedUdp::ExpectSilence(Duration duration, SourceLocation where) {
  arrived_.ExpectSilence(duration, where);
}

int ScriptedUdp::Fits(const IpPacket& datagram) const {
  const Endpoint to = datagram.destination();
  if (to.port != local_.port || to.address.version() != local_.address.version()) return 0;
  if (is_for_one_ && remote_->port != datagram.source().port) return 0;
  const int more = is_for_one_ ? 1 : 0;
  if (to.address == local_.address) return 3 + more;
  // To a group, or to all: for whoever has the port.
  return LinkAddressFor(to.address, {}) == MacAddress{} ? 0 : 1 + more;
}

}  // namespace sockproof
