#include "harness/sut/lwip_system.h"

#include <string>
#include <vector>

#include "harness/sut/stack.h"
#include "harness/sut/wired_namespace.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

class LwipSystem final : public System {
 public:
  explicit LwipSystem(std::string agent_program) : agent_program_(std::move(agent_program)) {}

  std::string name() const override { return "lwip"; }

  void EnterPrivateWorld() override { EnterPrivateWorldOfWires(); }

  std::unique_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    WiredNamespace made = MakeWiredNamespace(loop, plan, Answering::kProgram);
    const AgentCommand command{agent_program_, Arguments(plan), EnterBeforeExec(*made.space)};
    Stack::Parts parts;
    parts.plan = plan;
    parts.wire = std::move(made.port);
    parts.agent = Agent::Spawn(loop, log, plan.actor, command);
    parts.world = std::move(made.space);
    return std::make_unique<Stack>(loop, log, std::move(parts));
  }

 private:
  static std::vector<std::string> Arguments(const StackPlan& plan) {
    std::vector<std::string> arguments = {
        "--link", kWireLink,
        "--ipv4", WireAddress(IpVersion::kIpv4, plan.index).ToString(),
        "--ipv6", WireAddress(IpVersion::kIpv6, plan.index).ToString()};
    if (plan.default_gateway_index != 0) {
      arguments.push_back("--gateway");
      arguments.push_back(WireAddress(IpVersion::kIpv4, plan.default_gateway_index).ToString());
    }
    return arguments;
  }

  std::string agent_program_;
};

}  // namespace

std::unique_ptr<System> MakeLwipSystem(std::string agent_program) {
  return std::make_unique<LwipSystem>(std::move(agent_program));
}

}  // namespace sockproof
