// Tables of tests and altered systems, with made-up tests.
#include "src/run/selfproof.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <deque>
#include <filesystem>

#include "src/run/variant_table.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using testing::ElementsAre;

Alteration Mutant(const std::string& id, std::vector<std::string> breaks) {
  Alteration mutant;
  mutant.id = id;
  mutant.breaks = std::move(breaks);
  mutant.fact.emplace();  // may apply anywhere
  return mutant;
}

class SelfproofTest : public testing::Test {
 protected:
  using Body = std::function<Verdict(const std::string& alteration)>;

  void Add(const std::string& name, std::vector<std::string> claims, Body body) {
    TestCase& test = tests_.emplace_back();
    test.suite = "Suite";
    test.name = name;
    test.variant = OverIp(IpVersion::kIpv4);
    test.traits.claims = std::move(claims);
    bodies_[name] = std::move(body);
  }

  std::vector<const TestCase*> Tests() const {
    std::vector<const TestCase*> tests;
    for (const TestCase& test : tests_) tests.push_back(&test);
    return tests;
  }

  RunOneTestOn Runner() {
    return [this](const TestCase& test, const Alterations& alterations, EventLog& log) {
      std::string names;
      for (const Alteration* alteration : alterations) {
        if (alteration->id != "wire/idle") {
          log.Now(NoteEvent{"alteration " + alteration->id + " applied"});
        }
        names += (names.empty() ? "" : " ") + alteration->id;
      }
      const Verdict verdict = bodies_[test.name](names);
      if (test.name == "LeavesOpen") {
        for (const std::string& claim : test.traits.claims) {
          log.Now(DecisionEvent{claim, Decision::kNotReached, "all is allowed"});
        }
      }
      if (verdict == Verdict::kFail)
        log.Now(FailureEvent{"suites/x.cc", 1, "  Expected: y\n  Observed: z"});
      log.Now(VerdictEvent{verdict, "", Duration(0)});
    };
  }

  Selfproven Prove(const std::vector<Alteration>& mutants) {
    SelfproofOptions options;
    options.jobs = 1;
    options.out = folder_ / "out";
    return Selfproof(Tests(), Runner(), Facts(), mutants, options, [](const std::string&) {});
  }
  std::vector<SelfproofRow> RunMutants(const std::vector<Alteration>& mutants) {
    return Prove(mutants).rows;
  }

  RanOnVariants Try(const std::vector<Alteration>& variants) {
    VariantOptions options;
    options.jobs = 1;
    options.max_wait = 1s;
    options.out = folder_ / "out";
    return RunOnVariants(Tests(), Runner(), Facts(), variants, options, [](const std::string&) {});
  }
  std::vector<VariantRow> RunVariants(const std::vector<Alteration>& variants) {
    return Try(variants).rows;
  }

  // As Ctrl-C, while the test is on the alteration.
  static Verdict InterruptedOn(const std::string& alterations, const std::string& which) {
    if (alterations.find(which) == std::string::npos) return Verdict::kPass;
    kill(getppid(), SIGINT);
    while (true) pause();
  }

  TemporaryFolder folder_;
  std::deque<TestCase> tests_;
  std::map<std::string, Body> bodies_;
};

Verdict FailsOn(const std::string& alterations, const std::string& which) {
  return alterations.find(which) != std::string::npos ? Verdict::kFail : Verdict::kPass;
}

TEST_F(SelfproofTest, AClaimIsProvenByAMutantThatBreaksIt) {
  Add("Test", {"rfc1:a", "rfc1:b", "rfc1:c", "rfc1:d"},
      [](const std::string& on) { return FailsOn(on, "wire/breaks-a"); });
  const std::vector<Alteration> mutants = {Mutant("wire/breaks-d", {"rfc1:d"}),
                                           Mutant("wire/breaks-a", {"rfc1:a"}),
                                           Mutant("wire/breaks-b", {"rfc1:b"})};
  const auto rows = RunMutants(mutants);
  EXPECT_TRUE(rows[0].Caught());
  const auto claims = ProofByClaim(rows, mutants);
  ASSERT_EQ(claims.size(), 4U);
  EXPECT_EQ(claims[0].proof, ClaimProof::kProven);
  EXPECT_THAT(claims[0].mutants, ElementsAre("wire/breaks-a"));
  EXPECT_EQ(claims[1].proof, ClaimProof::kNotCaught);
  EXPECT_THAT(claims[1].mutants, ElementsAre("wire/breaks-b"));
  EXPECT_EQ(claims[2].proof, ClaimProof::kUnbroken);
  EXPECT_EQ(claims[3].proof, ClaimProof::kNotCaught);
}

TEST_F(SelfproofTest, AnInterruptedProofKeepsWhatIsKnown) {
  Add("Test", {"rfc1:a", "rfc1:b"}, [](const std::string& on) {
    return on == "wire/breaks-a" ? Verdict::kFail : InterruptedOn(on, "wire/breaks-b");
  });
  const auto proven =
      Prove({Mutant("wire/breaks-a", {"rfc1:a"}), Mutant("wire/breaks-b", {"rfc1:b"})});
  EXPECT_EQ(proven.interrupted, SIGINT);
  EXPECT_EQ(proven.rows[0].outcomes[0], MutantOutcome::kCaught);
  EXPECT_EQ(proven.rows[0].outcomes[1], MutantOutcome::kNotRun);
}

TEST_F(SelfproofTest, AnInterruptedTableKeepsWhatIsKnown) {
  Add("Test", {"rfc1:a"}, [](const std::string& on) { return InterruptedOn(on, "wire/other"); });
  const auto ran = Try({Mutant("wire/other", {})});
  EXPECT_EQ(ran.interrupted, SIGINT);
  EXPECT_EQ(ran.rows[0].unaltered, "PASS");
  EXPECT_EQ(ran.rows[0].On(0).outcome, VariantOutcome::kNotApplied);
}

TEST_F(SelfproofTest, ATestMeetsTheMutantsThatBreakItsClaimsFirst) {
  Add("Test", {"rfc1:a"},
      [](const std::string& on) { return on.empty() ? Verdict::kPass : Verdict::kFail; });
  const std::vector<Alteration> mutants = {Mutant("wire/other", {"rfc1:z"}),
                                           Mutant("wire/breaks-a", {"rfc1:*"})};
  const auto rows = RunMutants(mutants);
  EXPECT_EQ(rows[0].outcomes[0], MutantOutcome::kNotRun);
  EXPECT_EQ(rows[0].outcomes[1], MutantOutcome::kCaught);
}

TEST_F(SelfproofTest, WhatIsUndecidedIsTriedAgainAndIsNotCaught) {
  Add("Test", {"rfc1:a"},
      [](const std::string& on) { return on.empty() ? Verdict::kPass : Verdict::kError; });
  const auto rows = RunMutants({Mutant("wire/breaks-a", {"rfc1:a"})});
  EXPECT_EQ(rows[0].outcomes[0], MutantOutcome::kUndecided);
  EXPECT_FALSE(rows[0].Caught());
}

TEST_F(SelfproofTest, VariantsThatUndoNothingOfEachOtherAreMetAtOnce) {
  std::vector<Alteration> variants;
  for (const char* id : {"wire/a", "wire/b", "wire/idle", "wire/c", "wire/other-a"}) {
    variants.push_back(Mutant(id, {}));
  }
  variants[0].touches = variants[4].touches = {"window"};
  Add("Test", {"rfc1:a"}, [](const std::string&) { return Verdict::kPass; });
  const auto rows = RunVariants(variants);
  EXPECT_THAT(*rows[0].On(0).company, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(rows[0].On(2).outcome, VariantOutcome::kHeld) << "alone, where it found nothing to do";
  EXPECT_EQ(rows[0].On(2).company, nullptr);
  EXPECT_EQ(rows[0].On(4).outcome, VariantOutcome::kHeld);
}

TEST_F(SelfproofTest, WhatFailsInCompanyIsFoundByHalves) {
  std::vector<Alteration> variants;
  for (int i = 0; i < 5; ++i) variants.push_back(Mutant("wire/" + std::to_string(i), {}));
  Add("Test", {"rfc1:a"}, [](const std::string& on) {
    return on.find("wire/3") != std::string::npos ? Verdict::kFail : Verdict::kPass;
  });
  const auto rows = RunVariants(variants);
  for (std::size_t i = 0; i < variants.size(); ++i) {
    EXPECT_EQ(rows[0].On(i).outcome, i == 3 ? VariantOutcome::kWrong : VariantOutcome::kHeld);
  }
}

TEST_F(SelfproofTest, ATestThatDoesNotGetToItsBeginningIsNotUndecided) {
  Add("Test", {"rfc1:a"},
      [](const std::string& on) { return on.empty() ? Verdict::kPass : Verdict::kSkip; });
  const auto rows = RunMutants({Mutant("wire/breaks-a", {"rfc1:a"})});
  EXPECT_EQ(rows[0].outcomes[0], MutantOutcome::kNotReached);
  EXPECT_FALSE(rows[0].Caught());
}

TEST_F(SelfproofTest, AClaimWhoseMutantsKeepItsTestsAwayIsNotTakenForUncaught) {
  Add("Test", {"rfc1:a"},
      [](const std::string& on) { return on.empty() ? Verdict::kPass : Verdict::kSkip; });
  const std::vector<Alteration> mutants = {Mutant("wire/breaks-a", {"rfc1:a"})};
  EXPECT_EQ(ProofByClaim(RunMutants(mutants), mutants)[0].proof, ClaimProof::kKeptAway);
}

TEST_F(SelfproofTest, WhatTwelveCasesDidNotCatchIsNotWhatTheNextLooksFor) {
  for (int i = 0; i < 14; ++i) {
    Add("Test", {"rfc1:a", "rfc1:b"},
        [](const std::string& on) { return FailsOn(on, "wire/breaks-b"); });
    tests_.back().variant.name = std::to_string(i);
  }
  const auto rows =
      RunMutants({Mutant("wire/breaks-a", {"rfc1:a"}), Mutant("wire/breaks-b", {"rfc1:b"})});
  const auto met = std::count_if(rows.begin(), rows.end(), [](const SelfproofRow& row) {
    return row.outcomes[0] != MutantOutcome::kNotRun;
  });
  EXPECT_EQ(met, 12);
}

TEST_F(SelfproofTest, ACaseThatDecidesNothingMeetsNoMutant) {
  Add("LeavesOpen", {"rfc1:a"}, [](const std::string&) { return Verdict::kPass; });
  const auto rows = RunMutants({Mutant("wire/breaks-a", {"rfc1:a"})});
  EXPECT_TRUE(rows[0].Void());
  EXPECT_EQ(rows[0].outcomes[0], MutantOutcome::kNotRun);
}

// Though another test proves it.
TEST_F(SelfproofTest, AClaimThatATestCitesAndDoesNotCheckIsTold) {
  Add("Checks", {"rfc1:a"}, [](const std::string& on) { return FailsOn(on, "wire/breaks-a"); });
  Add("Cites", {"rfc1:a", "rfc1:b"},
      [](const std::string& on) { return FailsOn(on, "wire/breaks-b"); });
  const std::vector<Alteration> mutants = {Mutant("wire/breaks-a", {"rfc1:a"}),
                                           Mutant("wire/breaks-b", {"rfc1:b"})};
  const auto rows = RunMutants(mutants);
  EXPECT_EQ(ProofByClaim(rows, mutants)[0].proof, ClaimProof::kProven);
  const auto unchecked = UncheckedClaims(rows, mutants);
  ASSERT_EQ(unchecked.size(), 1U);
  EXPECT_EQ(unchecked[0].test, "Suite.Cites");
  EXPECT_EQ(unchecked[0].claim, "rfc1:a");
  EXPECT_THAT(unchecked[0].mutants, ElementsAre("wire/breaks-a"));
}

TEST_F(SelfproofTest, AFailOnAVariantIsWrongForAStandardAlone) {
  const auto body = [](const std::string& on) { return FailsOn(on, "wire/odd"); };
  Add("OfAStandard", {"rfc1:a", "man:b"}, body);
  Add("OfTheSystem", {"linux:a"}, body);
  Add("Departed", {"rfc1:known"}, body);
  Add("FailsAnyway", {"rfc1:a"}, [](const std::string&) { return Verdict::kFail; });
  Alteration odd = Mutant("wire/odd", {});
  odd.departs_from = {"rfc1:known"};
  const auto rows = RunVariants({odd, Mutant("wire/fine", {})});
  EXPECT_EQ(rows[0].On(0).outcome, VariantOutcome::kWrong);
  EXPECT_EQ(rows[0].On(1).outcome, VariantOutcome::kHeld);
  EXPECT_EQ(rows[0].On(0).how, "Expected: y Observed: z");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/" + rows[0].On(0).directory));
  EXPECT_EQ(rows[1].On(0).outcome, VariantOutcome::kOwnWord);
  EXPECT_EQ(rows[2].On(0).outcome, VariantOutcome::kOwnWord);
  EXPECT_EQ(rows[3].unaltered, "FAIL");
  EXPECT_EQ(rows[3].On(0).outcome, VariantOutcome::kNotApplied);
  EXPECT_THAT(ToText(rows, {odd, Mutant("wire/fine", {})}), testing::HasSubstr("W.  Suite.OfAS"));
}

}  // namespace
}  // namespace sockproof
