// Digests that options of TCP carry: signatures of segments, RFC 2385, and hashes of keys, RFC
// 8684.
#pragma once

#include <string>

#include "harness/packet/bytes.h"
#include "harness/wire/segment.h"

namespace sockproof {

// 32 octets, RFC 6234.
Bytes Sha256(packet::View octets);

// The 16 octets that sign `segment` by `key`, as its options are laid out: over the pseudo-header,
// the header without options and with a checksum of zero, the payload and the key. RFC 2385
// section 2.0; on IPv6 by the pseudo-header of RFC 8200 section 8.1.
Bytes Md5Signature(const Segment& segment, const std::string& key);

// Puts that signature into the MD5 option of the segment. One that has none gets one, behind two
// NOPs.
void Sign(Segment& segment, const std::string& key);

// Whether the segment carries just that signature.
bool IsSigned(const Segment& segment, const std::string& key);

// What RFC 5925 calls a master key tuple, as its user sees it: the identifiers that a segment
// signed by it carries, and an algorithm of RFC 5926 with its key.
struct MasterKey {
  enum class Algorithm { kHmacSha1, kAes128Cmac };
  std::uint8_t key_id = 0;        // KeyID: of the tuple at its sender
  std::uint8_t rnext_key_id = 0;  // RNextKeyID: of that by which the sender wants to be answered
  std::string key;                // of kAes128Cmac: 16 octets
  Algorithm algorithm = Algorithm::kHmacSha1;
};

// The 12 octets that authenticate `segment`, which has a TCP-AO option, between ends with these
// initial sequence numbers; of a SYN without ACK that of its destination is none. RFC 5925
// sections 5.1 and 5.2, options included, in the first 4 GiB of a connection.
Bytes AoMac(const Segment& segment, const MasterKey& key, std::uint32_t source_isn,
            std::uint32_t destination_isn);

// Puts a TCP-AO option behind those of the segment.
void Authenticate(Segment& segment, const MasterKey& key, std::uint32_t source_isn,
                  std::uint32_t destination_isn);

// Whether it carries that MAC.
bool IsAuthentic(const Segment& segment, const MasterKey& key, std::uint32_t source_isn,
                 std::uint32_t destination_isn);

}  // namespace sockproof
