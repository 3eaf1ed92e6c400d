// Connections of Multipath TCP, RFC 8684, over a single subflow: the words for its options.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/packet/checksum.h"
#include "harness/test/test.h"
#include "harness/wire/digest.h"

namespace sockproof::mptcp {

// Subtypes, section 7.2.
inline constexpr std::uint8_t kMpCapable = 0, kDss = 2, kMpFail = 6, kFastClose = 7;
// Flags of MP_CAPABLE, section 3.1: "Checksum required", extensibility, HMAC-SHA256.
inline constexpr std::uint8_t kA = 0x80, kB = 0x40, kH = 0x01;
// Flags of DSS, section 3.3: Data FIN; octets and presence of the mapping and of the Data ACK.
inline constexpr std::uint8_t kF = 0x10, km = 0x08, kM = 0x04, ka = 0x02, kAckFlag = 0x01;

using Key = std::uint64_t;

inline void Append64(Bytes& bytes, std::uint64_t value) {
  packet::Append32(bytes, value >> 32);
  packet::Append32(bytes, value);
}

inline std::uint64_t Read(packet::View bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + i];
  return value;
}

// The initial data sequence number of who has this key: the last 64 bits of its SHA-256.
inline std::uint64_t Idsn(Key key) {
  Bytes octets;
  Append64(octets, key);
  return Read(Sha256(octets), 24, 8);
}

// --- options, as a test sends them ---

inline TcpOption MpCapable(const std::vector<Key>& keys, std::uint8_t flags = kH,
                           std::uint8_t version = 1) {
  Bytes data{static_cast<std::uint8_t>(kMpCapable << 4 | version), flags};
  for (const Key key : keys) Append64(data, key);
  return tcp_option::Mptcp(data);
}

// A mapping of `length` octets of data from `dsn` on to relative sequence numbers from `ssn` on.
struct Mapping {
  std::uint64_t dsn = 0;
  std::uint32_t ssn = 0;
  std::uint16_t length = 0;
  std::optional<std::uint16_t> checksum = std::nullopt;
};

struct Dss {
  bool is_data_fin = false;
  std::optional<std::uint64_t> data_ack;
  bool is_short_ack = false;  // of 32 bits
  std::optional<Mapping> mapping;
  bool is_short_dsn = false;
  std::uint8_t reserved = 0;
};

inline TcpOption DssOption(const Dss& dss) {
  std::uint8_t flags = dss.is_data_fin ? kF : 0;
  if (dss.data_ack) flags |= kAckFlag | (dss.is_short_ack ? 0 : ka);
  if (dss.mapping) flags |= kM | (dss.is_short_dsn ? 0 : km);
  Bytes data{kDss << 4, flags};
  if (dss.data_ack && dss.is_short_ack) packet::Append32(data, *dss.data_ack);
  if (dss.data_ack && !dss.is_short_ack) Append64(data, *dss.data_ack);
  if (dss.mapping) {
    if (dss.is_short_dsn) packet::Append32(data, dss.mapping->dsn);
    if (!dss.is_short_dsn) Append64(data, dss.mapping->dsn);
    packet::Append32(data, dss.mapping->ssn);
    packet::Append16(data, dss.mapping->length);
    if (dss.mapping->checksum) packet::Append16(data, *dss.mapping->checksum);
  }
  return tcp_option::Mptcp(data);
}

inline TcpOption FastClose(Key key) {
  Bytes data{kFastClose << 4, 0};
  Append64(data, key);
  return tcp_option::Mptcp(data);
}

// A failure of what begins at this number, section 3.7.
inline TcpOption MpFail(std::uint64_t dsn) {
  Bytes data{kMpFail << 4, 0};
  Append64(data, dsn);
  return tcp_option::Mptcp(data);
}

// Section 3.3.1, figure 10.
inline std::uint16_t ChecksumOf(const Mapping& mapping, const std::string& text) {
  Bytes pseudo_header;
  Append64(pseudo_header, mapping.dsn);
  packet::Append32(pseudo_header, mapping.ssn);
  packet::Append16(pseudo_header, mapping.length);
  packet::Append16(pseudo_header, 0);
  const Bytes data(text.begin(), text.end());
  return packet::OnesComplementSum().Add(pseudo_header).Add(data).Checksum();
}

// --- options, as the system under test sends them ---

// The data of the MPTCP option with that subtype, the first octet and what follows; none: there is
// none.
inline std::optional<Bytes> Find(const Segment& segment, std::uint8_t subtype) {
  for (const TcpOption& option : segment.options) {
    if (option.kind != tcp_option::kMptcp || option.data.size() < 2) continue;
    if (option.data[0] >> 4 == subtype) return option.data;
  }
  return std::nullopt;
}

inline bool HasMptcp(const Segment& segment) {
  return segment.FindOption(tcp_option::kMptcp) != nullptr;
}

// Its length octet is 2 more than that of its data.
inline std::size_t LengthOf(const Bytes& option) { return option.size() + 2; }

inline std::optional<Dss> FindDss(const Segment& segment) {
  const std::optional<Bytes> option = Find(segment, kDss);
  if (!option) return std::nullopt;
  const std::uint8_t flags = (*option)[1];
  Dss dss{.is_data_fin = (flags & kF) != 0};
  dss.reserved = static_cast<std::uint8_t>((*option)[0] & 0xf) |
                 static_cast<std::uint8_t>(flags & ~(kF | km | kM | ka | kAckFlag));
  std::size_t at = 2;
  const auto take = [&](std::size_t size) {
    if (at + size > option->size()) return std::uint64_t{0};
    at += size;
    return Read(*option, at - size, size);
  };
  if ((flags & kAckFlag) != 0) {
    dss.is_short_ack = (flags & ka) == 0;
    dss.data_ack = take(dss.is_short_ack ? 4 : 8);
  }
  if ((flags & kM) != 0) {
    dss.is_short_dsn = (flags & km) == 0;
    Mapping mapping;
    mapping.dsn = take(dss.is_short_dsn ? 4 : 8);
    mapping.ssn = static_cast<std::uint32_t>(take(4));
    mapping.length = static_cast<std::uint16_t>(take(2));
    if (at + 2 == option->size()) mapping.checksum = static_cast<std::uint16_t>(take(2));
    dss.mapping = mapping;
  }
  return dss;
}

// Whether a number of the system, which may have sent 32 bits of it, is this one.
inline bool IsNumber(std::uint64_t sent, bool is_short, std::uint64_t number) {
  return is_short ? sent == (number & 0xffffffff) : sent == number;
}

// --- connections ---

struct MptcpConnection {
  Socket socket;
  ScriptedTcp& peer;
  Key key = 0;       // of the system under test
  Key peer_key = 0;  // of the peer
  bool has_checksums = false;

  std::uint64_t Dsn(std::uint64_t offset) const { return Idsn(key) + 1 + offset; }
  std::uint64_t PeerDsn(std::uint64_t offset) const { return Idsn(peer_key) + 1 + offset; }
};

class MptcpTest : public PeerTest {
 protected:
  static constexpr std::uint16_t kPort = 8080;
  static constexpr Key kPeerKey = 0x0123456789abcdef;

  Socket NewSocket(const std::vector<std::string>& flags = {}) {
    const std::string domain = ip == IpVersion::kIpv4 ? "AF_INET" : "AF_INET6";
    const Outcome<Socket> socket = sut.OpenSocket(domain, "SOCK_STREAM", flags, "IPPROTO_MPTCP");
    if (!socket.ok()) NotReached("socket() gives no socket of IPPROTO_MPTCP");
    return socket.value();
  }

  // A connect() of the system under test, and its SYN, with an MP_CAPABLE.
  struct Opening {
    Socket socket;
    ScriptedTcp& peer;
    Pending<int> connecting;
    Bytes capable;
  };
  Opening Open() {
    ScriptedTcp& peer = host.Listen(ip, NextPort());
    Socket socket = NewSocket();
    Pending<int> connecting = socket.StartConnect(peer.local());
    const std::optional<Bytes> capable = Find(peer.Expect(Syn()), kMpCapable);
    if (!capable) NotReached("its SYN asks for no multipath connection");
    return {socket, peer, std::move(connecting), *capable};
  }

  // The first key of an MP_CAPABLE.
  static Key KeyIn(const std::optional<Bytes>& capable) {
    if (!capable || capable->size() < 10) NotReached("there is no MP_CAPABLE with its key");
    return Read(*capable, 2, 8);
  }

  // By connect(), and by accept().
  MptcpConnection Connected() {
    Opening opening = Open();
    ScriptedTcp& peer = opening.peer;
    peer.Send(SynAck().Option(MpCapable({kPeerKey})));
    const std::optional<Bytes> capable = Find(peer.Expect(Ack().Ack(peer.snd_nxt)), kMpCapable);
    const Key key = KeyIn(capable);
    opening.connecting.Await().value();
    return {opening.socket, peer, key, kPeerKey, ((*capable)[1] & kA) != 0};
  }
  struct Listener {
    Socket socket;
    ScriptedTcp& peer;
  };
  Listener Listening() {
    Socket listener = NewSocket();
    listener.Bind(kPort).value();
    listener.Listen(8).value();
    return {listener, host.Towards(sut.At(ip, kPort), NextPort())};
  }
  MptcpConnection ConnectedByAccept() {
    auto [listener, peer] = Listening();
    peer.Send(Syn().Option(MpCapable({})));
    const std::optional<Bytes> capable = Find(peer.Expect(SynAck().Ack(peer.snd_nxt)), kMpCapable);
    const Key key = KeyIn(capable);
    const bool has_checksums = ((*capable)[1] & kA) != 0;
    peer.Send(Ack().Option(MpCapable({kPeerKey, key}, has_checksums ? kA | kH : kH)));
    return {listener.Accept().value().socket, peer, key, kPeerKey, has_checksums};
  }

  // What the peer says of `text`, the octets from `offset` on of all that it sends.
  static Mapping MappingOf(const MptcpConnection& connection, std::uint64_t offset,
                           const std::string& text) {
    Mapping mapping{connection.PeerDsn(offset), static_cast<std::uint32_t>(1 + offset),
                    static_cast<std::uint16_t>(text.size())};
    if (connection.has_checksums) mapping.checksum = ChecksumOf(mapping, text);
    return mapping;
  }
  // Sends it so, to a system that has accepted the connection: the first data with the keys again
  // (section 3.1). `acked`: so many octets of the system are acknowledged with it.
  static void SendMapped(const MptcpConnection& connection, std::uint64_t offset,
                         const std::string& text, std::uint64_t acked = 0) {
    if (offset == 0) {
      TcpOption capable = MpCapable({connection.peer_key, connection.key},
                                    connection.has_checksums ? kA | kH : kH);
      const Mapping mapping = MappingOf(connection, 0, text);
      packet::Append16(capable.data, mapping.length);
      if (mapping.checksum) packet::Append16(capable.data, *mapping.checksum);
      connection.peer.Send(Data(text).Option(capable));
      return;
    }
    Dss dss;
    dss.data_ack = connection.Dsn(acked);
    dss.mapping = MappingOf(connection, offset, text);
    connection.peer.Send(Data(text).Option(DssOption(dss)));
  }

  // The Data ACK of the system that comes up to this number; other acknowledgments may come before.
  static Dss ExpectDataAck(const MptcpConnection& connection, std::uint64_t number) {
    for (int acks = 0; acks < 8; ++acks) {
      const Segment ack = connection.peer.Expect(Ack().Ack(connection.peer.snd_nxt));
      const std::optional<Dss> dss = FindDss(ack);
      if (dss && dss->data_ack && IsNumber(*dss->data_ack, dss->is_short_ack, number)) return *dss;
    }
    ADD_FAILURE() << "eight acknowledgments, and no Data ACK of all that was sent";
    return {};
  }

  // The peer has received the first octets of the system, which makes the connection a full one.
  static void Take(const MptcpConnection& connection, std::uint64_t octets) {
    Dss dss;
    dss.data_ack = connection.Dsn(octets);
    connection.peer.Send(Ack().Option(DssOption(dss)));
  }
};

}  // namespace sockproof::mptcp
