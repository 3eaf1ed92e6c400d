// Which claims held, departed, were not taken or not reached, by the events of a test.
#include "harness/trace/claim_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sockproof {
namespace {

using ::testing::ElementsAre;

template <typename What>
void Add(std::vector<Event>& events, What what) {
  events.push_back({Time(), std::move(what)});
}

DecisionEvent Begins(const std::string& claim) { return {claim, Decision::kBegins, ""}; }
FailureEvent Failure(const std::string& claim, Duration explained_by = 0s) {
  return {"x.cc", 1, "Observed: 2", claim, explained_by};
}
VerdictEvent End(Verdict verdict, Duration lateness = 0s) {
  return {verdict, verdict == Verdict::kSkip ? "no option" : "", lateness};
}

template <typename... Whats>
std::vector<std::string> Decided(Whats... whats) {
  std::vector<Event> events;
  (Add(events, whats), ...);
  std::vector<std::string> verdicts;
  for (const DecidedClaim& claim : DecideClaims({"a", "b", "c"}, events)) {
    verdicts.emplace_back(ClaimVerdictName(claim.verdict));
  }
  return verdicts;
}

TEST(ClaimVerdict, NamesComeBack) {
  for (const ClaimVerdict verdict :
       {ClaimVerdict::kHeld, ClaimVerdict::kDeparted, ClaimVerdict::kNotTaken,
        ClaimVerdict::kNotReached, ClaimVerdict::kUndecided}) {
    EXPECT_EQ(ClaimVerdictFromName(ClaimVerdictName(verdict)), verdict);
  }
  EXPECT_EQ(ClaimVerdictFromName("kept"), std::nullopt);
}

TEST(ClaimVerdict, WithoutSectionsAllClaimsShareTheFateOfTheTest) {
  EXPECT_THAT(Decided(End(Verdict::kPass)), ElementsAre("held", "held", "held"));
  EXPECT_THAT(Decided(Failure(""), End(Verdict::kFail)),
              ElementsAre("departed", "departed", "departed"));
  EXPECT_THAT(Decided(End(Verdict::kSkip)),
              ElementsAre("not reached", "not reached", "not reached"));
  for (const Verdict verdict : {Verdict::kError, Verdict::kInconclusive}) {
    EXPECT_THAT(Decided(Failure(""), End(verdict)),
                ElementsAre("undecided", "undecided", "undecided"));
  }
  EXPECT_THAT(Decided(Failure("")), ElementsAre("undecided", "undecided", "undecided"));
}

TEST(ClaimVerdict, AFailureCondemnsOnlyTheClaimBeingDecided) {
  EXPECT_THAT(Decided(Begins("a"), Begins("b"), Failure("b"), Begins("c"), End(Verdict::kFail)),
              ElementsAre("held", "departed", "held"));
  EXPECT_THAT(Decided(Begins("a"), Failure("a"), End(Verdict::kFail)),
              ElementsAre("departed", "not reached", "not reached"));
}

TEST(ClaimVerdict, AClaimThatIsNeverNamedIsNotReached) {
  EXPECT_THAT(Decided(Begins("a"), Begins("c"), End(Verdict::kPass)),
              ElementsAre("held", "not reached", "held"));
}

TEST(ClaimVerdict, WhatWasDecidedBeforeASkipStands) {
  EXPECT_THAT(Decided(Begins("a"), Begins("b"), DecisionEvent{"b", Decision::kNotReached, "why"},
                      End(Verdict::kSkip)),
              ElementsAre("held", "not reached", "not reached"));
  EXPECT_THAT(Decided(Begins("a"), Failure("a"), Begins("b"),
                      DecisionEvent{"b", Decision::kNotReached, "why"}, End(Verdict::kFail)),
              ElementsAre("departed", "not reached", "not reached"));
}

TEST(ClaimVerdict, AFailureOfTheSetUpReachesNoClaim) {
  EXPECT_THAT(Decided(Failure(""), End(Verdict::kSkip)),
              ElementsAre("not reached", "not reached", "not reached"));
}

TEST(ClaimVerdict, AFailureOfAllClaimsCondemnsAll) {
  EXPECT_THAT(Decided(Begins("a"), Failure(""), End(Verdict::kFail)),
              ElementsAre("departed", "departed", "departed"));
}

TEST(ClaimVerdict, NotTakenIsNeitherUnlessItFails) {
  const DecisionEvent not_taken{"b", Decision::kNotTaken, "it waits"};
  EXPECT_THAT(Decided(not_taken, End(Verdict::kPass)), ElementsAre("held", "not taken", "held"));
  EXPECT_THAT(Decided(Begins("b"), not_taken, Failure("b"), End(Verdict::kFail)),
              ElementsAre("not reached", "departed", "not reached"));
}

TEST(ClaimVerdict, LatenessThatExplainsAFailureLeavesItsClaimUndecided) {
  EXPECT_THAT(Decided(Begins("a"), Failure("a", 500ms), Begins("b"), Failure("b"), Begins("c"),
                      End(Verdict::kFail, 600ms)),
              ElementsAre("undecided", "departed", "held"));
  EXPECT_THAT(Decided(Begins("a"), Failure("a", 500ms), Begins("b"), Failure("b"), Begins("c"),
                      End(Verdict::kFail, 400ms)),
              ElementsAre("departed", "departed", "held"));
}

TEST(ClaimVerdict, SaysWhatWasInTheWay) {
  std::vector<Event> events;
  Add(events, DecisionEvent{"a", Decision::kNotTaken, "it waits"});
  Add(events, End(Verdict::kSkip));
  const std::vector<DecidedClaim> claims = DecideClaims({"a", "b"}, events);
  EXPECT_EQ(claims[0].why, "it waits");
  EXPECT_EQ(claims[1].why, "no option");
}

}  // namespace
}  // namespace sockproof
