// Stacks that were started before anyone knew which test would stand on them.
#include <algorithm>
#include <memory>
#include <vector>

#include "harness/sut/stack.h"

namespace sockproof {
namespace {

class PreparedSystem final : public System {
 public:
  PreparedSystem(System& system, EventLoop& loop, EventLog& log,
                 const std::vector<StackPlan>& plans)
      : system_(system), loop_(loop) {
    for (const StackPlan& plan : plans) {
      prepared_.push_back({plan, system.Start(loop, log, plan), false});
      prepared_.back().stack->facts().values();  // read now
    }
  }

  std::string name() const override { return system_.name(); }

  void EnterPrivateWorld() override {}

  bool has_wire() const override { return system_.has_wire(); }

  std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    const auto found = std::find_if(prepared_.begin(), prepared_.end(), [&](const Prepared& entry) {
      return !entry.handed_out && entry.plan == plan;
    });
    if (found == prepared_.end()) return system_.Start(loop, log, plan);
    found->handed_out = true;
    return found->stack;
  }

  EventLoop* PreparedLoop() override { return &loop_; }

 private:
  struct Prepared {
    StackPlan plan;
    std::shared_ptr<Stack> stack;
    bool handed_out;
  };
  System& system_;
  EventLoop& loop_;
  std::vector<Prepared> prepared_;
};

}  // namespace

std::unique_ptr<System> MakePreparedSystem(System& system, EventLoop& loop, EventLog& log,
                                           const std::vector<StackPlan>& plans) {
  return std::make_unique<PreparedSystem>(system, loop, log, plans);
}

}  // namespace sockproof
