// What an archive of a closed batch holds, how long its parts are kept, and in which steps it is
// made. The bytes of a package are those of common/archive/manifest.h. Pure; thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/civil_time.h"
#include "common/archive/manifest.h"

namespace yikatong::dispatch {

// The parts, in the order of the manifest; the numbers stand in the table `archive_file`.
enum class ArchivePart : std::int16_t {
  kRoster = 1,        // items: opaque person ids, masked names
  kRefused = 2,       // rows that were refused
  kDepartures = 3,    // who was in the roster before and is not in this one
  kNotice = 4,        // the public notice with its root, and the evidence by its hashes
  kObjections = 5,    // with who decided them, and how
  kReviews = 6,       // who took which step
  kExceptions = 7,    // items that left the normal path
  kInstructions = 8,  // submissions, and the attempts in them
  kOutcomes = 9,      // what the bank said of each attempt
  kStatements = 10,   // files, statements and cases as the gateway tells them
  kMovements = 11,    // items between buckets
  kLedger = 12,       // rows of the fund ledger
  kRecoveries = 13    // wrong payments that are taken back, with what came
};
inline constexpr int kArchiveParts = 14;  // the numbers above, and 0

std::string_view ArchivePartName(ArchivePart part);  // roster, refused …
// Nothing for a name that there is none of.
std::optional<ArchivePart> FindArchivePart(std::string_view name);

// Read anew from the books when it is exported, and compared with the hash that was sealed: rows
// that are only ever appended and are known by their keys. All else is kept as it was sealed.
constexpr bool IsReadAnew(ArchivePart part) {
  return part == ArchivePart::kRoster || part == ArchivePart::kRefused ||
         part == ArchivePart::kInstructions || part == ArchivePart::kOutcomes;
}

archive::Keeping KeepingOf(ArchivePart part);

// The last day on which something must be kept. Application and roster: 10 years after the last
// payment, or after closing where nothing was paid. Vouchers and payment evidence 30 years, bank
// statements 10 years (会计档案管理办法), counted from the end of the calendar year of
// `evidence_on`: the closing for a batch's first package, the sealing for what came later.
absl::CivilDay KeepUntil(archive::Keeping keeping, std::optional<absl::CivilDay> last_paid_on,
                         absl::CivilDay closed_on, absl::CivilDay evidence_on);

// The steps in which a package is made, in their order; the numbers stand in the table
// `archive_work`. Each file of records is one transaction, so that a killed worker's successor goes
// on behind the last of them.
enum class SealStep : std::int16_t {
  kBegin = 0,       // where it starts and where it ends
  kUploads = 1,     // roster and refused, an uploaded chunk at a time; first packages only
  kChunks = 2,      // instructions, outcomes and statements, a chunk of work at a time
  kDepartures = 3,  // from here on pages; first packages only
  kNotice = 4,
  kObjections = 5,
  kReviews = 6,
  kExceptions = 7,
  kMovements = 8,
  kLedger = 9,
  kRecoveries = 10,
  kFinish = 11,  // the manifest, and its audit entry
};

const char* SealStepName(SealStep step);  // begin, uploads …
// The step behind one that is done. Of a later package the steps of a first one only are left out.
SealStep NextSealStep(SealStep step, std::int32_t package_no);
// The part that a step of pages fills.
ArchivePart PartOfStep(SealStep step);

}  // namespace yikatong::dispatch
