// Sockets of UDP against the scripted host.
#pragma once

#include <string>

#include "harness/sut/message.h"
#include "harness/test/test.h"

namespace sockproof {

class UdpTest : public PeerTest {
 public:
  using PeerTest::PeerTest;

 protected:
  // A socket of the system under test, and the endpoint of the scripted host that it talks to.
  struct Dialogue {
    Socket socket;
    ScriptedUdp& peer;
  };

  Socket NewUdp() { return sut.NewSocket(ip, "SOCK_DGRAM"); }

  // A socket that is bound on the wire, and one that may send to it.
  Dialogue Bound() {
    Socket socket = NewUdp();
    return {socket, BoundTo(socket)};
  }
  ScriptedUdp& BoundTo(Socket& socket) {
    const std::uint16_t port = next_bound_port_++;
    socket.Bind(port).value();
    return host.UdpTowards(sut.At(ip, port), NextPort());
  }
  // One that is bound to every address.
  Dialogue BoundToAll() {
    Socket socket = NewUdp();
    const Endpoint at = sut.At(ip, next_bound_port_++);
    socket.Bind(Everywhere(at.port)).value();
    return {socket, host.UdpTowards(at, NextPort())};
  }
  Endpoint Everywhere(std::uint16_t port) const {
    return {IpAddress(ip == IpVersion::kIpv4 ? "0.0.0.0" : "::"), port};
  }

  // A socket that is connected to an endpoint of the scripted host.
  Dialogue Connected() {
    Socket socket = NewUdp();
    ScriptedUdp& at = host.Udp(ip, NextPort());
    socket.Connect(at.local()).value();
    const Endpoint local{sut.Address(ip), socket.LocalEndpoint().port};
    return {socket, host.UdpTowards(local, PortOf(at))};
  }

  // An option, by its name in each version of IP.
  const char* Of(const char* ipv4, const char* ipv6) const {
    return ip == IpVersion::kIpv4 ? ipv4 : ipv6;
  }
  bool IsIpv4() const { return ip == IpVersion::kIpv4; }

  // What is waiting to be read is this datagram, and it came from there.
  static void ExpectReceived(Socket& socket, const std::string& data, const Endpoint& from) {
    EXPECT_THAT(socket.ReceiveFrom(66000), Returns(ReceivedFrom(data, Name(from))));
  }
  // Nothing that was sent before is delivered: what is sent now is the next to be read.
  void ExpectNothingReceived(Dialogue& dialogue) {
    dialogue.peer.Send(Datagram("and now"));
    EXPECT_THAT(dialogue.socket.Receive(66000), Returns("and now"));
  }
  // What was sent before is not answered by any ICMP message.
  void ExpectNoError() {
    Settle();
    for (const IpPacket& message : host.TakeArrived(PacketKind::kIcmp)) {
      ADD_FAILURE() << "  Expected: no ICMP error\n  Observed: " << Describe(message);
    }
  }

  // The port as a test names it, without what a system elsewhere adds.
  std::uint16_t PortOf(const ScriptedUdp& endpoint) const {
    return static_cast<std::uint16_t>(endpoint.local().port - sut.PortShift());
  }

 private:
  std::uint16_t next_bound_port_ = 5300;
};

}  // namespace sockproof
