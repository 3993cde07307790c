// Stand-ins for the services that collection asks, and people and policies to fill them with.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "common/identity/caller.h"
#include "services/dispatch/domain/ports.h"
#include "services/dispatch/store/money_port.h"
#include "yikatong/catalogue/v1/catalogue.pb.h"

namespace yikatong::dispatch::testing {

inline constexpr std::int32_t kHebei = 120105;
inline constexpr std::int32_t kBaodi = 120115;

// The ID number of made-up person `n` (0 … 999999) born on the day, with its check character. The
// sequence is never that of a real person: the birth dates are spread over impossible combinations
// of area and number.
std::string IdOf(int n, int year = 1980, int month = 5, int day = 20, int area = kHebei);

// A version with 104500 fen for each person and month, seven days of notice and two review steps;
// for tests to change.
catalogue::v1::GetPayableVersionResponse RuleOf(const std::string& policy_id,
                                                const std::string& field = "CIVIL");
// Puts an edge between two rules.
void Exclude(catalogue::v1::GetPayableVersionResponse& a,
             catalogue::v1::GetPayableVersionResponse& b,
             catalogue::v1::SlotUnit slot = catalogue::v1::SLOT_UNIT_MONTH,
             catalogue::v1::KeyKind key = catalogue::v1::KEY_KIND_PERSON);
policy::PolicyRule Decoded(const catalogue::v1::GetPayableVersionResponse& wire);

class FakeCatalogue final : public Catalogue {
 public:
  void Put(const catalogue::v1::GetPayableVersionResponse& rule) {
    rules_[rule.policy().policy_id()] = rule;
  }
  // From now on every question is refused so.
  void Refuse(absl::Status refusal) { refusal_ = std::move(refusal); }

  absl::StatusOr<PinnedRule> PayableVersion(std::string_view policy_id, std::string_view period,
                                            std::int32_t district,
                                            std::string_view department_id) override;
  std::atomic<int> calls{0};
  std::string department;  // named in the last question

 private:
  std::map<std::string, catalogue::v1::GetPayableVersionResponse, std::less<>> rules_;
  absl::Status refusal_;
};

// Knows everybody whom IdOf names, and what a test says of some of them.
class FakePeople final : public People {
 public:
  // Person `n` lives in Hebei, in a household of their own, and has the person id 1000 + n.
  static std::int64_t PersonId(int n) { return 1'000 + n; }
  static std::int64_t Household(int n) { return 500'000 + n; }
  static std::string NameOf(int n);

  // Fills in people 0 … count − 1, born on that day.
  void Populate(int count, int year = 1980, int month = 5, int day = 20);
  ResolvedPerson& At(int n, int year = 1980, int month = 5, int day = 20);
  // What follows is not known any more.
  void Forget(int n) { people_.erase(IdOf(n)); }
  void FailWith(absl::Status failure) { failure_ = std::move(failure); }

  absl::StatusOr<std::vector<ResolvedPerson>> Resolve(std::span<const PersonLookup> lookups,
                                                      bool with_head) override;
  std::atomic<int> calls{0};

 private:
  struct Known {
    std::string name;
    ResolvedPerson person;
  };
  std::map<std::string, Known> people_;
  absl::Status failure_;
};

// Remembers what the money half was asked.
class FakeMoney final : public MoneyPort {
 public:
  absl::Status ReleaseReservation(postgres::Transaction&, const identity::Caller&,
                                  const BatchRow&) override {
    ++released;
    return absl::OkStatus();
  }
  absl::Status ItemStopped(postgres::Transaction&, const identity::Caller&, const BatchRow&,
                           std::int64_t, std::int64_t amount_fen) override {
    stopped_fen += amount_fen;
    return absl::OkStatus();
  }
  absl::Status ItemFreed(postgres::Transaction&, const identity::Caller&, BatchRow&,
                         std::int64_t) override {
    ++freed;
    return absl::OkStatus();
  }
  std::atomic<int> released{0};
  std::atomic<std::int64_t> stopped_fen{0};
  std::atomic<int> freed{0};
};

// A person of one organisation with roles.
identity::Caller CallerOf(const std::string& person, identity::RoleSet roles,
                          std::vector<std::int32_t> districts = {kHebei},
                          std::vector<std::string> fields = {"CIVIL"},
                          const std::string& organisation = "civil.120105");

}  // namespace yikatong::dispatch::testing
