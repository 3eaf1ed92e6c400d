// The harness's end of one link: frames in and out by AF_PACKET (packet(7)).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/base/event_loop.h"
#include "harness/base/unique_fd.h"
#include "harness/trace/event.h"

namespace sockproof {

// Receives every frame that arrives on an interface of the namespace in which it is made, with the
// kernel's receive timestamp, and sends frames as they are. Frames are handed on inside
// EventLoop::RunUntil(). Not thread-safe; the loop must outlive it.
class WirePort {
 public:
  using FrameHandler = std::function<void(Time time, Bytes frame)>;

  // Whether frames for other link-layer addresses than the interface's own are received too: a
  // mode of this port, which ends with it.
  enum class Mode { kAsItIs, kPromiscuous };

  // `link` must exist. Throws HarnessError (CAP_NET_RAW is needed).
  WirePort(EventLoop& loop, const std::string& link, Mode mode = Mode::kAsItIs);
  ~WirePort();
  WirePort(const WirePort&) = delete;
  WirePort& operator=(const WirePort&) = delete;

  void OnFrame(FrameHandler handler) { handler_ = std::move(handler); }

  // For whoever looks on: each frame as it arrived, before the handler.
  void OnArrival(std::function<void(const Bytes& frame)> observer) {
    observer_ = std::move(observer);
  }

  // What becomes of one frame: any number of frames, each after a delay. For systems that are made
  // wrong on purpose: between the link and everyone who uses this port.
  struct Tampered {
    Duration delay{0};
    Bytes frame;
  };
  using Tamper = std::function<std::vector<Tampered>(Bytes frame)>;
  void TamperWithReceived(Tamper tamper) { tamper_received_ = std::move(tamper); }
  void TamperWithSent(Tamper tamper) { tamper_sent_ = std::move(tamper); }

  // Returns the moment before the frame left. Throws HarnessError.
  Time Send(const Bytes& frame);

  // Frames that the kernel dropped because this process did not take them in in time. More than
  // none means that the harness did not see everything.
  unsigned Dropped();

 private:
  void TakeFrames();
  void Transmit(const Bytes& frame);

  EventLoop& loop_;
  UniqueFd socket_;
  FrameHandler handler_;
  std::function<void(const Bytes&)> observer_;
  Tamper tamper_received_;
  Tamper tamper_sent_;
  Bytes buffer_;
};

}  // namespace sockproof
