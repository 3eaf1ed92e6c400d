#include "src/packetdrill/mptcp.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/packet/checksum.h"

namespace sockproof::packetdrill {
namespace {

// Section 7.2.
constexpr std::uint8_t kSubtypes[] = {0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8};
std::uint8_t SubtypeOf(MptcpOption::Kind kind) { return kSubtypes[static_cast<std::size_t>(kind)]; }

// Of DSS, section 3.3; of MP_JOIN and MP_PRIO, sections 3.2 and 3.3.8; of ADD_ADDR, section 3.4.1.
constexpr std::uint8_t kDataFin = 0x10, kLongSequence = 0x08, kHasMapping = 0x04, kLongAck = 0x02, kHasAck = 0x01;
constexpr std::uint8_t kBackup = 1, kEcho = 1;
constexpr std::uint8_t kNoIdYet = 0xff;
// What this end has where the script does not say: anything will do.
constexpr std::uint64_t kUsualKey = 0x0f1e2d3c4b5a6978;
constexpr std::uint32_t kUsualRandom = 0x2a2a2a2a;

void Append64(Bytes& bytes, std::uint64_t value) {
  packet::Append32(bytes, value >> 32);
  packet::Append32(bytes, value);
}

std::uint64_t ReadNumber(packet::View bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = at; i < at + size; ++i) value = value << 8 | (i < bytes.size() ? bytes[i] : 0);
  return value;
}

Bytes OfKey(std::uint64_t key) {
  Bytes octets;
  Append64(octets, key);
  return octets;
}

Bytes Sha256(const Bytes& octets) {
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned int length = 0;
  if (EVP_Digest(octets.data(), octets.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw HarnessError("libcrypto cannot compute a digest");
  }
  digest.resize(length);
  return digest;
}

// By the keys of who sends and of who receives, in this order.
Bytes HmacSha256(std::uint64_t sender, std::uint64_t receiver, const Bytes& message) {
  Bytes key = OfKey(sender);
  Append64(key, receiver);
  Bytes mac(EVP_MAX_MD_SIZE);
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), mac.data(), &length) ==
      nullptr) {
    throw HarnessError("libcrypto cannot compute a MAC");
  }
  mac.resize(length);
  return mac;
}

// Sections 3.1 and 3.2: the first 32 bits of the digest of a key, and the last 64.
std::uint32_t TokenOf(std::uint64_t key) { return static_cast<std::uint32_t>(ReadNumber(Sha256(OfKey(key)), 0, 4)); }
std::uint64_t InitialNumberOf(std::uint64_t key) { return ReadNumber(Sha256(OfKey(key)), 24, 8); }

// The option of that subtype: the one in the same place, or the first.
const TcpOption* Find(const packet::Packet& seen, std::uint8_t subtype, std::size_t place) {
  const auto* tcp = seen.Find<packet::Tcp>();
  if (tcp == nullptr) return nullptr;
  const auto is = [&](const TcpOption& option) {
    return option.kind == tcp_option::kMptcp && !option.data.empty() && option.data[0] >> 4 == subtype;
  };
  if (place < tcp->options.size() && is(tcp->options[place])) return &tcp->options[place];
  const auto found = std::find_if(tcp->options.begin(), tcp->options.end(), is);
  return found == tcp->options.end() ? nullptr : &*found;
}

// Of addresses of IPv6 a script may not have thought.
void RefuseTooMany(const std::vector<TcpOption>& options, Position where) {
  constexpr std::size_t kMost = 40;
  Bytes area;
  packet::AppendOptions(area, options);
  if (area.size() > kMost) {
    throw Skip(fmt::format("line {}: with addresses of this version the options take more than 40 octets", where.line));
  }
}

}  // namespace

// One option of a packet. `seen`: what came, of one that is expected; nullptr: it is to be injected.
class Mptcp::Writer {
  using Kind = MptcpOption::Kind;

 public:
  Writer(Mptcp& mptcp, const PacketEvent& event, Position where, Flow& flow, const TcpOption* seen)
      : mptcp_(mptcp), event_(event), where_(where), flow_(flow), inbound_(event.inbound),
        seen_(seen == nullptr ? packet::View() : packet::View(seen->data)) {}

  TcpOption Written(const MptcpOption& option) {
    first_ = static_cast<std::uint8_t>(SubtypeOf(option.kind) << 4);
    switch (option.kind) {
      case Kind::kCapable:
        Capable(option);
        break;
      case Kind::kJoinSyn:
      case Kind::kJoinSynAck:
      case Kind::kJoinAck:
        Join(option);
        break;
      case Kind::kDss:
        Dss(option);
        break;
      case Kind::kAddAddress:
        AddAddress(option);
        break;
      case Kind::kRemoveAddress:
        data_.push_back(first_);
        packet::Append(data_, Bytes(option.address_ids.begin(), option.address_ids.end()));
        break;
      case Kind::kPriority:
        data_.push_back(static_cast<std::uint8_t>(first_ | (option.is_backup ? kBackup : 0)));
        if (option.address_id) data_.push_back(*option.address_id);
        break;
      case Kind::kFail:
        data_ = {first_, 0};
        Append64(data_, InitialNumberOf(SenderKey()) + option.data_sequence->value.value_or(0));
        break;
      case Kind::kFastClose:
        data_ = {first_, 0};
        Append64(data_, option.keys.empty() ? ReceiverKey() : Learnt(option.keys[0]));
        break;
      case Kind::kReset:
        data_ = {static_cast<std::uint8_t>(first_ | option.flags), option.reason};
        break;
    }
    return tcp_option::Mptcp(data_);
  }

 private:
  std::uint64_t SenderKey() const { return inbound_ ? mptcp_.OwnKey() : mptcp_.SystemKey(); }
  std::uint64_t ReceiverKey() const { return inbound_ ? mptcp_.SystemKey() : mptcp_.OwnKey(); }

  std::uint64_t Learnt(const MptcpOption::Key& key) {
    if (key.value) mptcp_.keys_[key.name] = *key.value;
    return mptcp_.KeyOf(key, where_);
  }

  // The first key is the sender's. Section 3.1.
  void Capable(const MptcpOption& option) {
    data_ = {static_cast<std::uint8_t>(first_ | option.version), option.flags};
    for (std::size_t i = 0; i < option.keys.size(); ++i) {
      const MptcpOption::Key& key = option.keys[i];
      std::optional<std::uint64_t>& senders = inbound_ ? mptcp_.own_key_ : mptcp_.system_key_;
      if (i == 0 && !senders && (inbound_ || !seen_.empty()) && (key.value || !mptcp_.keys_.contains(key.name))) {
        senders = inbound_ ? key.value.value_or(kUsualKey) : ReadNumber(seen_, data_.size(), 8);
        mptcp_.keys_[key.name] = *senders;
      }
      if (key.value && inbound_) mptcp_.keys_[key.name] = *key.value;
      Append64(data_, mptcp_.KeyOf(key, where_));
    }
    if (option.data_length) packet::Append16(data_, *option.data_length);
  }

  // Section 3.2.
  void Join(const MptcpOption& option) {
    if (option.kind == Kind::kJoinAck) {
      data_ = {first_, 0};
      return AppendMac(20);
    }
    data_.push_back(static_cast<std::uint8_t>(first_ | (option.is_backup ? kBackup : 0)));
    const bool first = option.kind == Kind::kJoinSyn;
    // That of an answer is not judged in this language.
    const bool as_it_came = !inbound_ && (!first || !option.address_id);
    data_.push_back(as_it_came ? static_cast<std::uint8_t>(ReadNumber(seen_, 1, 1)) : option.address_id.value_or(0));
    constexpr std::size_t kRandomOfSyn = 6, kRandomOfSynAck = 10;
    if (inbound_) {
      flow_.own_random = option.random.value_or(kUsualRandom);
    } else {
      flow_.system_random =
          option.random.value_or(static_cast<std::uint32_t>(ReadNumber(seen_, first ? kRandomOfSyn : kRandomOfSynAck, 4)));
    }
    if (first) {
      const std::uint64_t whose = option.keys.empty() ? 0 : mptcp_.KeyOf(option.keys[0], where_);
      const std::uint32_t usual = option.keys.empty() && !option.token ? TokenOf(ReceiverKey()) : TokenOf(whose);
      packet::Append32(data_, option.token.value_or(usual));
    } else {
      AppendMac(8);
    }
    packet::Append32(data_, inbound_ ? flow_.own_random : flow_.system_random);
  }

  void AppendMac(std::size_t size) {
    Bytes message;
    packet::Append32(message, inbound_ ? flow_.own_random : flow_.system_random);
    packet::Append32(message, inbound_ ? flow_.system_random : flow_.own_random);
    const Bytes mac = HmacSha256(SenderKey(), ReceiverKey(), message);
    data_.insert(data_.end(), mac.begin(), mac.begin() + static_cast<std::ptrdiff_t>(size));
  }

  void AppendNumber(const MptcpOption::Number& number, std::uint64_t key) {
    const std::size_t size = number.is_long ? 8 : 4;
    if (!number.value && inbound_) throw Skip(fmt::format("line {}: a data sequence number left open", where_.line));
    const std::uint64_t value =
        number.value ? InitialNumberOf(key) + *number.value : ReadNumber(seen_, data_.size(), size);
    if (number.is_long) {
      Append64(data_, value);
    } else {
      packet::Append32(data_, value);
    }
  }

  // Section 3.3.
  void Dss(const MptcpOption& option) {
    int flags = option.is_data_fin ? kDataFin : 0;
    if (option.data_ack) flags |= kHasAck | (option.data_ack->is_long ? kLongAck : 0);
    if (option.data_sequence) flags |= kHasMapping | (option.data_sequence->is_long ? kLongSequence : 0);
    data_ = {first_, static_cast<std::uint8_t>(flags)};
    if (option.data_ack) AppendNumber(*option.data_ack, ReceiverKey());
    if (!option.data_sequence) return;
    AppendNumber(*option.data_sequence, SenderKey());
    const auto& part = std::get<TcpPart>(event_.what);
    // From the sequence number of the SYN on, as numbers of a script; a DATA_FIN alone has none.
    const std::uint32_t usual = part.length == 0 && option.is_data_fin ? 0 : part.seq;
    const bool open = !inbound_ && !seen_.empty();
    packet::Append32(data_, option.subflow_sequence.value_or(
                                open ? static_cast<std::uint32_t>(ReadNumber(seen_, data_.size(), 4)) : usual));
    packet::Append16(data_, option.data_length.value_or(
                                open ? static_cast<std::uint16_t>(ReadNumber(seen_, data_.size(), 2))
                                     : static_cast<std::uint16_t>(part.length + (option.is_data_fin ? 1 : 0))));
    if (option.has_checksum) packet::Append16(data_, option.checksum.value_or(ChecksumOfMapping(option)));
  }

  // Section 3.3.1; the data of scripts are zeros, which add nothing.
  std::uint16_t ChecksumOfMapping(const MptcpOption& option) const {
    constexpr std::size_t kOfMapping = 6;
    Bytes pseudo_header;
    Append64(pseudo_header, option.data_sequence->value ? InitialNumberOf(SenderKey()) + *option.data_sequence->value
                                                        : ReadNumber(data_, data_.size() - kOfMapping - 8, 8));
    pseudo_header.insert(pseudo_header.end(), data_.end() - kOfMapping, data_.end());
    packet::Append16(pseudo_header, 0);
    return packet::OnesComplementSum().Add(pseudo_header).Checksum();
  }

  // Section 3.4.1.
  void AddAddress(const MptcpOption& option) {
    data_.push_back(static_cast<std::uint8_t>(first_ | (option.is_echo ? kEcho : 0)));
    const std::string& name = option.address_name;
    const bool is_new = connections_().AddressOf(name) == nullptr;
    if (option.address) {
      connections_().Name(name, *option.address);
    } else if (is_new && !inbound_) {
      const bool ipv4 = flow_.remote.address.version() == IpVersion::kIpv4;
      const std::size_t size = ipv4 ? 4 : 16;
      if (seen_.size() < 2 + size) return;  // an address of the other version came
      connections_().Name(name, IpAddress(flow_.remote.address.version(), seen_.data() + 2));
    } else if (is_new) {
      connections_().Name(name, connections_().AnotherRemoteAddress());
    }
    data_.push_back(IdOf(option));
    const IpAddress& address = *connections_().AddressOf(name);
    const Bytes octets(address.bytes(), address.bytes() + address.size());
    packet::Append(data_, octets);
    if (option.port) packet::Append16(data_, *option.port);
    if (option.is_echo) return;
    Bytes message{data_[1]};
    packet::Append(message, octets);
    packet::Append16(message, option.port.value_or(0));
    const Bytes mac = HmacSha256(SenderKey(), ReceiverKey(), message);
    data_.insert(data_.end(), mac.end() - 8, mac.end());
  }

  std::uint8_t IdOf(const MptcpOption& option) {
    const auto [known, is_new] = mptcp_.address_ids_.emplace(option.address_name, kNoIdYet);
    if (option.address_id) {
      known->second = *option.address_id;
    } else if (is_new) {
      known->second = inbound_ ? ++mptcp_.last_own_id_ : static_cast<std::uint8_t>(ReadNumber(seen_, 1, 1));
    }
    return known->second;
  }

  Connections& connections_() const { return mptcp_.connections_; }

  Mptcp& mptcp_;
  const PacketEvent& event_;
  const Position where_;
  Flow& flow_;
  const bool inbound_;
  const packet::View seen_;  // the data of the option that came
  std::uint8_t first_ = 0;
  Bytes data_;
};

Mptcp::Mptcp(Connections& connections, const Script& script) : connections_(connections) {
  const bool any = std::any_of(script.events.begin(), script.events.end(), [](const Event& event) {
    const auto* packet = std::get_if<PacketEvent>(&event.what);
    const auto* tcp = packet == nullptr ? nullptr : std::get_if<TcpPart>(&packet->what);
    return tcp != nullptr && !tcp->mptcp.empty();
  });
  if (any) HmacSha256(InitialNumberOf(0), TokenOf(0), {});
}

std::uint64_t Mptcp::KeyOf(const MptcpOption::Key& key, Position where) const {
  const auto found = keys_.find(key.name);
  if (found == keys_.end()) {
    throw SyntaxError(where, fmt::format("the key {} is not known yet", Shortened(CleanLine(key.name), 40)));
  }
  return found->second;
}

std::uint64_t Mptcp::OwnKey() const { return own_key_.value_or(kUsualKey); }
std::uint64_t Mptcp::SystemKey() const { return system_key_.value_or(0); }

void Mptcp::TellNumbers(Flow& flow) const {
  if (system_key_) flow.initial_data = {InitialNumberOf(*system_key_), InitialNumberOf(OwnKey())};
}

PacketEvent Mptcp::ToInject(const PacketEvent& event, Position where, Flow& flow) {
  PacketEvent written = event;
  auto* part = std::get_if<TcpPart>(&written.what);
  if (part == nullptr) return written;
  for (const auto& [place, option] : part->mptcp) {
    part->options->at(place) = Writer(*this, event, where, flow, nullptr).Written(option);
  }
  if (!part->mptcp.empty()) {
    TellNumbers(flow);
    RefuseTooMany(*part->options, where);
  }
  return written;
}

PacketEvent Mptcp::Expected(const PacketEvent& event, Position where, const packet::Packet& seen, Flow& flow) {
  PacketEvent written = event;
  auto* part = std::get_if<TcpPart>(&written.what);
  if (part == nullptr) return written;
  for (const auto& [place, option] : part->mptcp) {
    const std::uint8_t subtype = SubtypeOf(option.kind);
    const TcpOption* const came = Find(seen, subtype, place);
    part->options->at(place) =
        came == nullptr ? tcp_option::Mptcp({static_cast<std::uint8_t>(subtype << 4), 0})
                        : Writer(*this, event, where, flow, came).Written(option);
  }
  if (!part->mptcp.empty()) {
    TellNumbers(flow);
    RefuseTooMany(*part->options, where);
  }
  return written;
}

}  // namespace sockproof::packetdrill
