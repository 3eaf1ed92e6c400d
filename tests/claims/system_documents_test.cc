// What systems document of themselves: each row can be computed, and says where to read it.
#include "harness/claims/system_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "harness/base/errors.h"
#include "harness/claims/documented.h"

namespace sockproof {
namespace {

using testing::ElementsAre;

Facts Of(const std::string& os) {
  Facts facts;
  facts.Set("os", os);
  return facts;
}

TEST(SystemDocuments, EveryRowIsThereOnceAndHasItsSource) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const DocumentedValue& value : AllDocumentedValues()) {
    EXPECT_TRUE(seen.insert({value.system, value.name}).second) << value.system << value.name;
    EXPECT_FALSE(value.source.empty()) << value.system << " " << value.name;
  }
}

TEST(SystemDocuments, EveryRowIsANumberATimeOrAListOnceItsFactsAreThere) {
  for (const DocumentedValue& value : AllDocumentedValues()) {
    const auto documents = SystemDocuments::Of(value.system);
    Facts facts;
    for (std::string_view rest = value.formula; !rest.empty();) {
      const std::size_t space = rest.find(' ');
      const std::string word(rest.substr(0, space));
      if (word.find('.') != std::string::npos && std::isalpha(word.front())) facts.Set(word, "7");
      rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
    }
    const bool time = value.formula.ends_with("s") || value.formula.ends_with("h");
    if (time && facts.values().count(std::string(value.formula)) == 0) {
      for (const Duration each : documents.Times(value.name, facts)) EXPECT_GT(each, Duration{0});
    } else {
      EXPECT_GE(documents.Number(value.name, facts), 0);
    }
  }
}

TEST(SystemDocuments, AFactThatIsThereHasPrecedenceOverWhatHoldsWithoutIt) {
  Facts facts = Of("lwIP");
  EXPECT_EQ(OwnFinWait2(facts), 20s);
  facts.Set("lwip.TCP_FIN_WAIT_TIMEOUT", "5000");
  EXPECT_EQ(OwnFinWait2(facts), 5s);
}

TEST(SystemDocuments, WhatIsMissingIsASkipThatNamesIt) {
  const auto reason = [](const auto& read) -> std::string {
    try {
      read();
    } catch (const Skip& skip) {
      return skip.what();
    }
    return "none";
  };
  EXPECT_EQ(reason([] { OwnTimeWait(Of("lwIP")); }),
            "the system under test does not tell lwip.TCP_MSL");
  EXPECT_EQ(reason([] { OwnTimeWait(Of("Plan 9")); }),
            "no documentation of Plan 9 is known here that says: time-wait");
  EXPECT_EQ(reason([] { OwnTimeWait(Facts()); }),
            "no documentation of this system is known here that says: time-wait");
  EXPECT_EQ(reason([] { LinuxFinTimeout(Facts()); }),
            "the system under test has no sysctl net.ipv4.tcp_fin_timeout");
}

TEST(SystemDocuments, AFactThatIsNoNumberIsAnErrorOfTheHarness) {
  Facts facts = Of("lwIP");
  facts.Set("lwip.TCP_MSL", "long");
  EXPECT_THROW(OwnTimeWait(facts), HarnessError);
}

// lwIP: no doubling in SYN-SENT, and the end at the first tick after the sixth retransmission.
TEST(OwnSynSchedule, OfLwip) {
  const SynSchedule schedule = OwnSynSchedule(Of("lwIP"));
  EXPECT_THAT(schedule.retransmissions, ElementsAre(3s, 3s, 3s, 3s, 3s, 3s));
  EXPECT_EQ(schedule.give_up, 18s);
  EXPECT_EQ(OwnGranularity(Of("lwIP")), 500ms);
}

// gVisor: 1 s, doubled six times; the seventh wait would be longer than MaxRTO.
TEST(OwnSynSchedule, OfGvisor) {
  const SynSchedule schedule = OwnSynSchedule(Of("gVisor"));
  EXPECT_THAT(schedule.retransmissions, ElementsAre(1s, 2s, 4s, 8s, 16s, 32s));
  EXPECT_EQ(schedule.give_up, 127s);
}

TEST(OwnSynSchedule, OfFreebsdHasOnlyItsEnd) {
  EXPECT_THAT(OwnSynSchedule(Of("FreeBSD")).retransmissions, testing::IsEmpty());
  EXPECT_EQ(OwnSynSchedule(Of("FreeBSD")).give_up, 75s);
}

TEST(OwnAcceptQueueHolds, OneMoreThanTheBacklogOrHalfAsManyAgain) {
  EXPECT_EQ(OwnAcceptQueueHolds(4, Of("gVisor")), 5);
  EXPECT_EQ(OwnAcceptQueueHolds(5000, Of("gVisor")), 1025);
  EXPECT_EQ(OwnAcceptQueueHolds(4, Of("FreeBSD")), 6);
  EXPECT_THROW(OwnAcceptQueueHolds(4, Of("lwIP")), Skip);
}

}  // namespace
}  // namespace sockproof
