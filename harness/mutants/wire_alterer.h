// What an alteration does on the wire of one stack.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/mutants/alteration.h"
#include "harness/wire/port.h"
#include "harness/wire/segment.h"

namespace sockproof {

// Picks the segments that a selection is about; to be asked about each segment, in order.
class SegmentPicker {
 public:
  explicit SegmentPicker(const SegmentSelection& selection) : selection_(selection) {}

  // `by_system`: the system sent it, else the system receives it.
  bool Picks(const Segment& segment, bool by_system);

 private:
  // One direction of a connection, as seen so far.
  struct Flow {
    bool sent_syn = false;
    std::uint32_t snd_nxt = 0;               // after the highest sequence number sent
    std::optional<std::uint32_t> fin;        // the number of a FIN that is not acknowledged
    std::optional<std::uint32_t> confirmed;  // the last acknowledgment number sent
    bool got_data = false;                   // the last segment received has data
    bool got_ahead = false;                  // ... and lies ahead of `confirmed`
    bool got_ack = false;                    // an acknowledgment was received
    std::uint32_t una = 0;                   // the number of the last one
    std::uint32_t edge = 0;                  // ... and of its window
    bool window_shrank = false;              // that edge has moved to the left
    bool window_closed = false;              // the last window sent is 0
    std::optional<std::uint32_t> began;      // the number of a SYN received
  };

  bool Fits(const Segment& segment, const Flow& flow, bool repeated) const;
  bool Holds(SegmentSelection::When when, const Segment& segment, const Flow& flow) const;
  static void Follow(const Segment& segment, bool by_system, Flow& flow);

  SegmentSelection selection_;
  std::map<std::pair<Endpoint, Endpoint>, Flow> flows_;
  std::set<std::tuple<Endpoint, Endpoint, std::uint32_t, TcpFlags, std::uint32_t>> seen_;
  std::optional<std::uint16_t> last_window_;  // received of any connection
  int matching_ = 0;
};

// Whether this frame is an ICMP error of that kind.
bool IsIcmp(const Bytes& frame, WireAlteration::Icmp kind);

// Both directions of one wire.
class WireAlterer {
 public:
  // `applied` is called whenever a frame has been altered; `mac` is that of the system, and `host`
  // its number in the address plan.
  WireAlterer(const WireAlteration& alteration, std::function<void()> applied,
              MacAddress mac = {}, int host = 1)
      : alteration_(alteration),
        picker_(alteration),
        applied_(std::move(applied)),
        mac_(mac),
        host_(host) {}

  std::vector<WirePort::Tampered> FromSystem(Bytes frame) { return Alter(std::move(frame), true); }
  std::vector<WirePort::Tampered> ToSystem(Bytes frame) { return Alter(std::move(frame), false); }

 private:
  std::vector<WirePort::Tampered> Alter(Bytes frame, bool by_system);
  Segment Edit(Segment segment) const;
  void AuthenticateAnew(Segment& segment) const;
  Bytes Rebuilt(const Segment& segment, const Bytes& frame) const;
  std::vector<WirePort::Tampered> Parts(const Segment& segment, const Bytes& frame);
  std::uint32_t InitialNumber();
  std::vector<WirePort::Tampered> Renumbered(Bytes frame, bool by_system);
  std::vector<WirePort::Tampered> Translated(Bytes frame, bool by_system);
  std::vector<WirePort::Tampered> WithoutIcmp(Bytes frame, bool by_system);

  WireAlteration alteration_;
  SegmentPicker picker_;
  std::function<void()> applied_;
  MacAddress mac_;
  int host_;
  // The addresses that a packet had before it was made one that may be taken, by the ports of its
  // sender and of the system.
  std::map<std::pair<std::uint16_t, std::uint16_t>, IpAddress> translated_;
  // The number of what the system sent last, by its port and that of the other end.
  std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint32_t> sent_;
  // How the system's sequence numbers are moved, once it has sent a SYN.
  struct Shift {
    std::uint32_t from = 0;  // its initial sequence number
    std::uint32_t by = 0;
  };
  std::map<std::pair<Endpoint, Endpoint>, Shift> shifts_;
  std::uint32_t connections_ = 0;
  // Of what was sent from one endpoint to the other.
  std::map<std::pair<Endpoint, Endpoint>, std::uint32_t> initial_numbers_;
  Bytes last_fin_;  // the frame with the FIN that the system sent last
};

}  // namespace sockproof
