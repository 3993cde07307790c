#include "services/dispatch/domain/archive.h"

#include <algorithm>
#include <array>

#include "common/base/dates.h"

namespace yikatong::dispatch {
namespace {

using archive::Keeping;

constexpr int kApplicationMonths = 10 * 12;
constexpr int kEvidenceYears = 30;
constexpr int kStatementYears = 10;

struct PartRow {
  std::string_view name;
  Keeping keeping;
};
constexpr std::array<PartRow, kArchiveParts> kParts = {{
    {"", Keeping::kApplication},
    {"roster", Keeping::kApplication},
    {"refused", Keeping::kApplication},
    {"departures", Keeping::kApplication},
    {"notice", Keeping::kApplication},
    {"objections", Keeping::kApplication},
    {"reviews", Keeping::kApplication},
    {"exceptions", Keeping::kPaymentEvidence},
    {"instructions", Keeping::kPaymentEvidence},
    {"outcomes", Keeping::kPaymentEvidence},
    {"statements", Keeping::kStatement},
    {"movements", Keeping::kPaymentEvidence},
    {"ledger", Keeping::kPaymentEvidence},
    {"recoveries", Keeping::kPaymentEvidence},
}};

constexpr const char* kSteps[] = {"begin",     "uploads",    "chunks",     "departures",
                                  "notice",    "objections", "reviews",    "exceptions",
                                  "movements", "ledger",     "recoveries", "finish"};

}  // namespace

std::string_view ArchivePartName(ArchivePart part) {
  return kParts.at(static_cast<std::size_t>(part)).name;
}

std::optional<ArchivePart> FindArchivePart(std::string_view name) {
  for (std::size_t i = 1; i < kParts.size(); ++i) {
    if (kParts[i].name == name) return static_cast<ArchivePart>(i);
  }
  return std::nullopt;
}

Keeping KeepingOf(ArchivePart part) { return kParts.at(static_cast<std::size_t>(part)).keeping; }

absl::CivilDay KeepUntil(Keeping keeping, std::optional<absl::CivilDay> last_paid_on,
                         absl::CivilDay closed_on, absl::CivilDay evidence_on) {
  const auto end_of_year = [&](int years) {
    return absl::CivilDay(evidence_on.year() + years, 12, 31);
  };
  switch (keeping) {
    case Keeping::kApplication:
      return base::AddMonths(last_paid_on.value_or(closed_on), kApplicationMonths);
    case Keeping::kPaymentEvidence:
      return end_of_year(kEvidenceYears);
    case Keeping::kStatement:
      return end_of_year(kStatementYears);
  }
  return end_of_year(kEvidenceYears);
}

const char* SealStepName(SealStep step) { return kSteps[static_cast<std::size_t>(step)]; }

SealStep NextSealStep(SealStep step, std::int32_t package_no) {
  const auto next = static_cast<SealStep>(static_cast<std::int16_t>(step) + 1);
  if (package_no > 1 && (next == SealStep::kUploads || next == SealStep::kDepartures))
    return NextSealStep(next, package_no);
  return std::min(next, SealStep::kFinish);
}

ArchivePart PartOfStep(SealStep step) {
  switch (step) {
    case SealStep::kDepartures:
      return ArchivePart::kDepartures;
    case SealStep::kNotice:
      return ArchivePart::kNotice;
    case SealStep::kObjections:
      return ArchivePart::kObjections;
    case SealStep::kReviews:
      return ArchivePart::kReviews;
    case SealStep::kExceptions:
      return ArchivePart::kExceptions;
    case SealStep::kMovements:
      return ArchivePart::kMovements;
    case SealStep::kLedger:
      return ArchivePart::kLedger;
    default:
      return ArchivePart::kRecoveries;
  }
}

}  // namespace yikatong::dispatch
