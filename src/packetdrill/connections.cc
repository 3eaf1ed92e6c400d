#include "src/packetdrill/connections.h"

#include <netinet/in.h>

#include <algorithm>

namespace sockproof::packetdrill {

Flow& Connections::Add() {
  flows_.push_back(std::make_unique<Flow>());
  current_ = flows_.back().get();
  return *current_;
}

Flow& Connections::Of(const Event& event, const PacketEvent& packet) {
  // A packet without names is of the last connection that began.
  Flow* const last = current_;
  const std::size_t so_far = flows_.size();
  Select(packet);
  Flow& flow = OfConnection(event, packet);
  if (flows_.size() == so_far) current_ = last;
  const auto name = [&](const std::string& text, const IpAddress& address) {
    if (!text.empty()) names_.emplace(text, address);
  };
  name(packet.source_name, packet.inbound ? flow.remote.address : flow.local.address);
  name(packet.destination_name, packet.inbound ? flow.local.address : flow.remote.address);
  return flow;
}

// For a moment the connection between the addresses that the packet names is the current one.
void Connections::Select(const PacketEvent& packet) {
  if (packet.source_name.empty() && packet.destination_name.empty()) return;
  const auto fits = [&](const std::string& name, const IpAddress& address) {
    const IpAddress* const known = AddressOf(name);
    return known == nullptr || *known == address;
  };
  const auto matches = [&](const Flow* flow) {
    if (flow == nullptr || flow->state == Flow::State::kNew || flow->state == Flow::State::kListening) return false;
    const IpAddress& source = packet.inbound ? flow->remote.address : flow->local.address;
    const IpAddress& destination = packet.inbound ? flow->local.address : flow->remote.address;
    return fits(packet.source_name, source) && fits(packet.destination_name, destination);
  };
  if (matches(current_)) return;
  const auto found =
      std::find_if(flows_.rbegin(), flows_.rend(), [&](const auto& flow) { return matches(flow.get()); });
  if (found != flows_.rend()) current_ = found->get();
}

Flow& Connections::OfConnection(const Event& event, const PacketEvent& packet) {
  const auto* tcp = std::get_if<TcpPart>(&packet.what);
  if (tcp != nullptr && packet.inbound &&
      (current_ == nullptr || current_->state == Flow::State::kListening)) {
    return Accepting(*tcp);
  }
  if (current_ == nullptr) {
    throw SyntaxError(event.where, "there is no socket that this packet could be of");
  }
  const bool joins = tcp != nullptr && std::any_of(tcp->mptcp.begin(), tcp->mptcp.end(), [](const auto& option) {
                       return option.second.kind == MptcpOption::Kind::kJoinSyn;
                     });
  if (joins) return Joining(packet, *tcp);
  if (current_->protocol == IPPROTO_UDP && current_->remote.port == 0) {
    current_->remote = connect_;
  }
  const bool first = tcp != nullptr && !packet.inbound && (tcp->flags & (kSyn | kAck)) == kSyn;
  if (first && current_->state == Flow::State::kConnecting) {
    current_->state = Flow::State::kSynSent;
    current_->script_local_isn = tcp->seq;
  }
  return *current_;
}

Flow& Connections::Accepting(const TcpPart& tcp) {
  Flow& flow = Add();
  flow.state = Flow::State::kSynReceived;
  flow.local = bind_;
  flow.remote = {connect_.address, next_port_++};
  flow.script_remote_isn = flow.live_remote_isn = tcp.seq;
  return flow;
}

Flow& Connections::Joining(const PacketEvent& packet, const TcpPart& tcp) {
  const Endpoint local = current_->local;
  const Endpoint remote = current_->remote;
  Flow& flow = Add();
  if (packet.inbound) {
    flow.state = Flow::State::kSynReceived;
    flow.local = {Named(packet.destination_name, local.address), local.port};
    const bool is_new = !packet.source_name.empty() && AddressOf(packet.source_name) == nullptr;
    flow.remote = {is_new ? AnotherRemoteAddress() : Named(packet.source_name, remote.address), next_port_++};
    flow.script_remote_isn = flow.live_remote_isn = tcp.seq;
  } else {
    flow.state = Flow::State::kSynSent;
    flow.local = {local.address, 0};
    flow.remote = {Named(packet.destination_name, remote.address), remote.port};
    flow.script_local_isn = tcp.seq;
  }
  return flow;
}

const IpAddress* Connections::AddressOf(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second;
}

IpAddress Connections::Named(const std::string& name, const IpAddress& otherwise) {
  const IpAddress* const known = AddressOf(name);
  return known == nullptr ? otherwise : *known;
}

IpAddress Connections::AnotherRemoteAddress() {
  const IpAddress& first = connect_.address;
  Bytes octets(first.bytes(), first.bytes() + first.size());
  octets.back() = static_cast<std::uint8_t>(octets.back() + ++more_addresses_);
  return {first.version(), octets.data()};
}

bool Connections::MayComeTo(const packet::Packet& packet) const {
  return !names_.empty() &&
         std::any_of(flows_.begin(), flows_.end(), [&](const auto& flow) { return flow->Sends(packet); });
}

bool Connections::IsOf(const Flow& flow, const packet::Packet& packet) const {
  if (!flow.Sends(packet)) return false;
  return flow.IsFrom(packet) || std::none_of(flows_.begin(), flows_.end(), [&](const auto& other) {
           return other.get() != &flow && other->IsFrom(packet) && other->Sends(packet);
         });
}

void Connections::Injects(Flow& flow, const PacketEvent& packet) {
  const auto* tcp = std::get_if<TcpPart>(&packet.what);
  const bool has_ack = tcp != nullptr && (tcp->flags & kAck) != 0;
  if (flow.state == Flow::State::kSynAckSent && has_ack) {
    flow.state = Flow::State::kSynAckAnswered;
  } else if (flow.state == Flow::State::kSynSent && has_ack && (tcp->flags & kSyn) != 0) {
    flow.state = Flow::State::kConnected;
    flow.script_remote_isn = flow.live_remote_isn = tcp->seq;
  } else if (flow.state == Flow::State::kSynSent && tcp != nullptr && (tcp->flags & kSyn) != 0) {
    // SYNs that cross: from here on it is as if it had listened.
    flow.state = Flow::State::kSynReceived;
    flow.script_remote_isn = flow.live_remote_isn = tcp->seq;
  }
}

void Connections::Learn(Flow& flow, const PacketEvent& packet,
                        const packet::Packet& seen) const {
  if (const auto* udp = seen.Find<packet::Udp>()) {
    flow.local = {bind_.address, udp->source_port};
  }
  const auto* tcp = seen.Find<packet::Tcp>();
  const auto* part = std::get_if<TcpPart>(&packet.what);
  if (tcp == nullptr || part == nullptr || (tcp->flags & kSyn) == 0) return;
  const bool has_ack = (tcp->flags & kAck) != 0;
  if (flow.state == Flow::State::kSynReceived && has_ack) {
    flow.state = Flow::State::kSynAckSent;
    flow.script_local_isn = part->seq;
    flow.live_local_isn = tcp->seq;
  } else if (flow.state == Flow::State::kSynSent && !has_ack) {
    flow.local = {bind_.address, tcp->source_port};
    flow.live_local_isn = tcp->seq;
  }
}

Flow* Connections::OfDescriptor(std::int64_t live) {
  const auto found = std::find_if(flows_.begin(), flows_.end(), [&](const auto& flow) {
    return flow->live_descriptor == live;
  });
  return found == flows_.end() ? nullptr : found->get();
}

void Connections::Connects(Flow& flow) const {
  flow.state = Flow::State::kConnecting;
  flow.remote = connect_;
  if (flow.local.port == 0) flow.local.address = bind_.address;
}

void Connections::Accepted(std::int64_t live, std::uint16_t port) {
  Flow* found = nullptr;
  for (const auto& flow : flows_) {
    const bool answered = flow->state == Flow::State::kSynAckSent ||
                          flow->state == Flow::State::kSynAckAnswered;
    if (answered && (port == 0 || flow->remote.port == port)) found = flow.get();
  }
  if (found != nullptr) found->live_descriptor = live;
}

}  // namespace sockproof::packetdrill
