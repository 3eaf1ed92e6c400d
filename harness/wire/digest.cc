#include "harness/wire/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "harness/base/errors.h"
#include "harness/packet/header_sizes.h"

namespace sockproof {
namespace {

constexpr std::uint8_t kProtocolTcp = 6;
constexpr std::size_t kSignature = 16, kAoMac = 12;

Bytes Digest(const EVP_MD* algorithm, packet::View octets) {
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned int length = 0;
  if (EVP_Digest(octets.data(), octets.size(), digest.data(), &length, algorithm, nullptr) != 1) {
    throw HarnessError("libcrypto cannot compute a digest");
  }
  digest.resize(length);
  return digest;
}

// The options as they are sent: padded to 32 bits.
Bytes OptionArea(const Segment& segment) {
  if (!segment.option_area.empty()) return segment.option_area;
  Bytes options;
  packet::AppendOptions(options, segment.options);
  options.resize((options.size() + 3) / 4 * 4);
  return options;
}

void AppendPseudoHeader(Bytes& octets, const Segment& segment, std::size_t length) {
  const IpAddress& source = segment.source.address;
  const IpAddress& destination = segment.destination.address;
  packet::Append(octets, {source.bytes(), source.size()});
  packet::Append(octets, {destination.bytes(), destination.size()});
  if (source.version() == IpVersion::kIpv4) {
    packet::Append16(octets, kProtocolTcp);
    packet::Append16(octets, length);
  } else {
    packet::Append32(octets, length);
    packet::Append32(octets, kProtocolTcp);
  }
}

// The pseudo-header, and the header with a checksum of zero up to its options.
Bytes UpToOptions(const Segment& segment, std::size_t size_of_options) {
  const std::size_t header = kTcpHeader + size_of_options;
  Bytes octets;
  AppendPseudoHeader(octets, segment, header + segment.payload.size());
  packet::Append16(octets, segment.source.port);
  packet::Append16(octets, segment.destination.port);
  packet::Append32(octets, segment.seq);
  packet::Append32(octets, segment.ack);
  packet::Append8(octets, header / 4 << 4 | segment.reserved);
  packet::Append8(octets, segment.flags);
  packet::Append16(octets, segment.window);
  packet::Append16(octets, 0);
  packet::Append16(octets, segment.urgent_pointer);
  return octets;
}

using Algorithm = MasterKey::Algorithm;

Bytes MacOf(Algorithm algorithm, const Bytes& key, packet::View octets) {
  const bool is_hmac = algorithm == Algorithm::kHmacSha1;
  std::string with = is_hmac ? "SHA1" : "AES-128-CBC";
  const std::array parameters = {
      OSSL_PARAM_construct_utf8_string(is_hmac ? "digest" : "cipher", with.data(), 0),
      OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(
      EVP_MAC_fetch(nullptr, is_hmac ? "HMAC" : "CMAC", nullptr), EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(
      EVP_MAC_CTX_new(mac.get()), EVP_MAC_CTX_free);
  Bytes result(EVP_MAX_MD_SIZE);
  std::size_t length = 0;
  if (context == nullptr ||
      EVP_MAC_init(context.get(), key.data(), key.size(), parameters.data()) != 1 ||
      EVP_MAC_update(context.get(), octets.data(), octets.size()) != 1 ||
      EVP_MAC_final(context.get(), result.data(), &length, result.size()) != 1) {
    throw HarnessError("libcrypto cannot compute a MAC");
  }
  result.resize(length);
  return result;
}

// RFC 5926 section 3.1.1; the context is that of RFC 5925 section 5.2.
Bytes TrafficKey(const Segment& segment, const MasterKey& master, std::uint32_t source_isn,
                 std::uint32_t destination_isn) {
  constexpr std::string_view kLabel = "TCP-AO";
  Bytes input;
  packet::Append8(input, 1);
  input.insert(input.end(), kLabel.begin(), kLabel.end());
  const IpAddress& source = segment.source.address;
  const IpAddress& destination = segment.destination.address;
  packet::Append(input, {source.bytes(), source.size()});
  packet::Append(input, {destination.bytes(), destination.size()});
  packet::Append16(input, segment.source.port);
  packet::Append16(input, segment.destination.port);
  packet::Append32(input, source_isn);
  packet::Append32(input, segment.Has(kSyn) && !segment.Has(kAck) ? 0 : destination_isn);
  packet::Append16(input, master.algorithm == Algorithm::kHmacSha1 ? 160 : 128);
  return MacOf(master.algorithm, Bytes(master.key.begin(), master.key.end()), input);
}

// Where the MAC of the TCP-AO option is; none: there is none of that size.
std::optional<std::size_t> MacAt(const Bytes& options) {
  for (std::size_t at = 0; at < options.size() && options[at] != tcp_option::kEnd;) {
    if (options[at] == tcp_option::kNop) {
      ++at;
      continue;
    }
    const std::size_t size = at + 1 < options.size() ? options[at + 1] : 0;
    if (size < 2 || at + size > options.size()) break;
    if (options[at] == tcp_option::kAo && size == 4 + kAoMac) return at + 4;
    at += size;
  }
  return std::nullopt;
}

TcpOption* FindMd5(Segment& segment) {
  const auto found = std::find_if(segment.options.begin(), segment.options.end(),
                                  [](const auto& one) { return one.kind == tcp_option::kMd5; });
  return found == segment.options.end() ? nullptr : &*found;
}

}  // namespace

Bytes Sha256(packet::View octets) { return Digest(EVP_sha256(), octets); }

Bytes Md5Signature(const Segment& segment, const std::string& key) {
  Bytes octets = UpToOptions(segment, OptionArea(segment).size());
  packet::Append(octets, segment.payload);
  octets.insert(octets.end(), key.begin(), key.end());
  return Digest(EVP_md5(), octets);
}

void Sign(Segment& segment, const std::string& key) {
  segment.option_area.clear();  // as it was seen, if it was
  TcpOption* option = FindMd5(segment);
  if (option == nullptr) {
    segment.options.insert(segment.options.end(),
                           {tcp_option::Nop(), tcp_option::Nop(), tcp_option::Md5({})});
    option = &segment.options.back();
  }
  option->data.assign(kSignature, 0);
  option->data = Md5Signature(segment, key);
}

bool IsSigned(const Segment& segment, const std::string& key) {
  const TcpOption* option = segment.FindOption(tcp_option::kMd5);
  return option != nullptr && option->data == Md5Signature(segment, key);
}

Bytes AoMac(const Segment& segment, const MasterKey& key, std::uint32_t source_isn,
            std::uint32_t destination_isn) {
  Bytes options = OptionArea(segment);
  if (const auto at = MacAt(options)) {
    std::fill_n(options.begin() + static_cast<long>(*at), kAoMac, std::uint8_t{0});
  }
  Bytes octets(4);  // the Sequence Number Extension
  packet::Append(octets, UpToOptions(segment, options.size()));
  packet::Append(octets, options);
  packet::Append(octets, segment.payload);
  Bytes mac = MacOf(key.algorithm, TrafficKey(segment, key, source_isn, destination_isn), octets);
  mac.resize(kAoMac);
  return mac;
}

void Authenticate(Segment& segment, const MasterKey& key, std::uint32_t source_isn,
                  std::uint32_t destination_isn) {
  segment.option_area.clear();
  segment.options.push_back(tcp_option::Ao(key.key_id, key.rnext_key_id, Bytes(kAoMac)));
  const Bytes mac = AoMac(segment, key, source_isn, destination_isn);
  segment.options.back() = tcp_option::Ao(key.key_id, key.rnext_key_id, mac);
}

bool IsAuthentic(const Segment& segment, const MasterKey& key, std::uint32_t source_isn,
                 std::uint32_t destination_isn) {
  const TcpOption* option = segment.FindOption(tcp_option::kAo);
  if (option == nullptr || option->data.size() != 2 + kAoMac) return false;
  return Bytes(option->data.begin() + 2, option->data.end()) ==
         AoMac(segment, key, source_isn, destination_isn);
}

}  // namespace sockproof
