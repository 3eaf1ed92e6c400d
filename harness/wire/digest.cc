#include "harness/wire/digest.h"

#include <openssl/evp.h>

#include <algorithm>

#include "harness/base/errors.h"
#include "harness/packet/header_sizes.h"

namespace sockproof {
namespace {

constexpr std::uint8_t kProtocolTcp = 6;
constexpr std::size_t kSignature = 16;

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
std::size_t SizeOfOptions(const Segment& segment) {
  if (!segment.option_area.empty()) return segment.option_area.size();
  Bytes options;
  packet::AppendOptions(options, segment.options);
  return (options.size() + 3) / 4 * 4;
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

TcpOption* FindMd5(Segment& segment) {
  const auto found = std::find_if(segment.options.begin(), segment.options.end(),
                                  [](const auto& one) { return one.kind == tcp_option::kMd5; });
  return found == segment.options.end() ? nullptr : &*found;
}

}  // namespace

Bytes Sha256(packet::View octets) { return Digest(EVP_sha256(), octets); }

Bytes Md5Signature(const Segment& segment, const std::string& key) {
  const std::size_t header = kTcpHeader + SizeOfOptions(segment);
  Bytes octets;
  AppendPseudoHeader(octets, segment, header + segment.payload.size());
  packet::Append16(octets, segment.source.port);
  packet::Append16(octets, segment.destination.port);
  packet::Append32(octets, segment.seq);
  packet::Append32(octets, segment.ack);
  packet::Append8(octets, header / 4 << 4 | segment.reserved);
  packet::Append8(octets, segment.flags);
  packet::Append16(octets, segment.window);
  packet::Append16(octets, 0);  // the checksum
  packet::Append16(octets, segment.urgent_pointer);
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

}  // namespace sockproof
