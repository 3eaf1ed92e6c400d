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
    WiredNamespace made = plan.wired ? MakeWiredNamespace(loop, plan, Answering::kKernel)
                          : std::exchange(own_namespace_is_free_, false)
                              ? WiredNamespace{TakeOwnNamespaceWithoutWire(), nullptr}
                              : WiredNamespace{MakeNamespaceWithoutWire(), nullptr};
    own_namespace_is_free_ = false;
    Stack::Parts parts;
    parts.plan = plan;
    parts.capabilities = capabilities_;
    parts.wire = std::move(made.port);
    {
      const InNamespace inside(*made.space);
      parts.diag.emplace();
    }
    parts.agent =
        Agent::Spawn(loop, log, plan.actor, {agent_program_, {}, EnterBeforeExec(*made.space)});
    if (plan.wired) {
      parts.add_second_addresses = [space = made.space, plan] { AddSecondAddresses(*space, plan); };
    }
    parts.world = std::move(made.space);
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
