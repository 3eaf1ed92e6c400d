// What the documentation of a system says about that system (systems.tsv): constants, and formulas
// over the facts of a system under test.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/time.h"
#include "harness/claims/facts.h"

namespace sockproof {

// One row: a value of one system, and where to read it.
struct DocumentedValue {
  std::string_view system;  // "Linux", "lwIP", ... as the fact "os" spells it
  std::string_view name;    // "time-wait"
  std::string_view formula;
  std::string_view source;
};

// All rows, in the order of the file. Throws HarnessError for a file that is broken.
const std::vector<DocumentedValue>& AllDocumentedValues();

// The rows of one system. A value type; copies are cheap.
//
//   SystemDocuments::Of("lwIP").Time("time-wait", facts)    // 2 * lwip.TCP_MSL ms
//
// A value is missing when its row is, or when the system under test lacks a fact that the row's
// formula needs: Has() is about the former, and the others throw Skip for both, with what is
// missing. A fact that is not a number is a HarnessError.
class SystemDocuments {
 public:
  static SystemDocuments Of(std::string_view system) { return SystemDocuments(system); }

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  Duration Time(std::string_view name, const Facts& facts) const;
  std::vector<Duration> Times(std::string_view name, const Facts& facts) const;
  double Number(std::string_view name, const Facts& facts) const;
  int Count(std::string_view name, const Facts& facts) const;
  // `otherwise` when there is no such row.
  Duration TimeOr(std::string_view name, const Facts& facts, Duration otherwise) const;
  int CountOr(std::string_view name, const Facts& facts, int otherwise) const;

 private:
  explicit SystemDocuments(std::string_view system) : system_(system) {}
  const DocumentedValue* Find(std::string_view name) const;
  const DocumentedValue& Get(std::string_view name) const;

  std::string system_;
};

}  // namespace sockproof
