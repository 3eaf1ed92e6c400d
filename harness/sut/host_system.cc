// The kernel that runs this process, as a system under test: each stack is a network namespace.
#include <memory>
#include <utility>

#include "harness/sut/stack.h"
#include "harness/sut/wired_namespace.h"

namespace sockproof {
namespace {

class HostSystem final : public System {
 public:
  HostSystem(std::string agent_program, std::vector<std::string> capabilities)
      : agent_program_(std::move(agent_program)), capabilities_(std::move(capabilities)) {}

  std::string name() const override { return "host"; }

  void EnterPrivateWorld() override { EnterPrivateWorldOfWires(); }

  std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    // The agent starts while the kernel makes its network.
    const bool takes_own = !plan.wired && own_namespace_is_free_;
    const auto space = std::make_shared<NetworkNamespace>(takes_own ? NetworkNamespace::Current()
                                                                    : NetworkNamespace::Create());
    own_namespace_is_free_ = false;
    Stack::Parts parts;
    parts.plan = plan;
    parts.capabilities = capabilities_;
    AgentCommand command{agent_program_, {}, EnterBeforeExec(*space)};
    command.meanwhile = [&] {
      parts.wire = SetUpNetwork(*space, loop, plan);
      const InNamespace inside(*space);
      parts.diag.emplace();
    };
    parts.agent = Agent::Spawn(loop, log, plan.actor, command);
    if (plan.wired) {
      parts.add_second_addresses = [space, plan] { AddSecondAddresses(*space, plan); };
    }
    parts.world = space;
    return std::make_unique<Stack>(loop, log, std::move(parts));
  }

 private:
  std::string agent_program_;
  std::vector<std::string> capabilities_;
  bool own_namespace_is_free_ = true;  // no stack of this process is in it, and no end of a wire
};

}  // namespace

std::unique_ptr<System> MakeHostSystem(std::string agent_program,
                                       std::vector<std::string> capabilities) {
  return std::make_unique<HostSystem>(std::move(agent_program), std::move(capabilities));
}

}  // namespace sockproof
