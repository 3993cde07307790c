// What an archive package of a closed batch is, byte by byte. Whoever verifies a package in thirty
// years needs this page and SHA-256, nothing else. Pure; thread safe.
//
// A package is a bag as in RFC 8493 (BagIt), so that tools which others wrote check it too:
//
//   bagit.txt                    BagIt's own two lines
//   package.txt                  the manifest below; its hash stands in the audit log
//   manifest-sha256.txt          one line for each file of records: "<SHA-256, hex>  <path>"
//   data/<part>/<number>.jsonl   records: one JSON object a line, fields in a fixed order
//   audit.tlog-proof             once the log has it: that it has (C2SP tlog-proof; the audit entry
//                                is the `extra`)
//
// The manifest:
//
//   yikatong-archive/v1
//   batch: 10500000007
//   package: 1                   counted from 1; a later one holds what came after the former
//   former:                      SHA-256 of the former package's manifest, hex; empty for the first
//   district: 120105
//   department: civil.120105
//   field: CIVIL
//   policy: P001
//   policy_version: 1
//   period: 2026-03
//   declared: 20000 2090000000   rows, and their sum in fen
//   accepted: 19433 2030748500
//   paid: 19000 1985500000       net, when the package was sealed
//   created_on: 2026-03-01
//   closed_on: 2026-03-20
//   sealed_on: 2026-03-20
//   last_paid_on: 2026-03-18     the last day on which anything was booked as paid; empty for none
//   keep_until: 2056-12-31       the last day of the longest keeping time of its parts
//   part: roster application 2036-03-18 10 19433 2334455
//                                name, keeping class, last day to keep, files, records, bytes
//   files: 1500                  lines of manifest-sha256.txt
//   files_sha256: <hex>          of manifest-sha256.txt
//
// Lines end in "\n", the last one too. A part without a file has no line. The audit entry
// `archive.sealed` commits to one leaf: root = SHA-256(0x00 ‖ manifest), RFC 6962's leaf hash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/crypto/sha256.h"

namespace yikatong::archive {

inline constexpr std::string_view kManifestName = "package.txt";
inline constexpr std::string_view kFileListName = "manifest-sha256.txt";
inline constexpr std::string_view kBagName = "bagit.txt";
inline constexpr std::string_view kProofName = "audit.tlog-proof";
inline constexpr std::string_view kBagText =
    "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
inline constexpr std::size_t kMaxManifestBytes = 16u << 10;

// How long something is kept, by what it is. Which days follow is the sealing service's rule.
enum class Keeping { kApplication, kPaymentEvidence, kStatement };
std::string_view KeepingName(Keeping keeping);  // application, payment_evidence, statement

struct CountAndFen {
  std::int64_t items = 0;
  std::int64_t fen = 0;
  bool operator==(const CountAndFen&) const = default;
};

struct Part {
  std::string name;  // [a-z_]+
  Keeping keeping = Keeping::kApplication;
  absl::CivilDay keep_until;  // the last day
  std::int64_t files = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  bool operator==(const Part&) const = default;
};

struct Manifest {
  std::int64_t batch_id = 0;
  std::int32_t package_no = 0;
  std::optional<crypto::Digest> former;
  std::int32_t district = 0;
  std::string department_id;
  std::string field;
  std::string policy_id;
  std::int32_t policy_version = 0;
  std::string period;
  CountAndFen declared;
  CountAndFen accepted;
  CountAndFen paid;
  absl::CivilDay created_on;
  absl::CivilDay closed_on;
  absl::CivilDay sealed_on;
  std::optional<absl::CivilDay> last_paid_on;
  absl::CivilDay keep_until;
  std::vector<Part> parts;
  std::int64_t files = 0;
  crypto::Digest files_sha256{};
  bool operator==(const Manifest&) const = default;
};

// The canonical bytes. INVARIANT_BROKEN for what no manifest may hold: a value with a blank or a
// control character, a malformed part name, a first package with a former or a later one without.
absl::StatusOr<std::string> ManifestText(const Manifest& manifest);
// Reads them back. INVALID_ARGUMENT for any byte that ManifestText would not have written.
absl::StatusOr<Manifest> ParseManifest(std::string_view text);

// "<hex>  <path>\n", a line of manifest-sha256.txt.
std::string FileLine(const crypto::Digest& sha256, std::string_view path);
struct ListedFile {
  crypto::Digest sha256{};
  std::string path;
};
// Reads one line, without its end. INVALID_ARGUMENT for another form, or a path that is not
// data/<part>/<number>.jsonl.
absl::StatusOr<ListedFile> ParseFileLine(std::string_view line);
// "data/roster/000012.jsonl".
std::string FilePath(std::string_view part, std::int64_t number);
// The part that such a path belongs to; empty for another path.
std::string_view PartOfPath(std::string_view path);

// "batches/120105/10500000007/archives/1", as audit entries name a package.
std::string PackageSubject(std::int32_t district, std::int64_t batch_id, std::int32_t package_no);
// The kind of the audit entry that commits to a package.
inline constexpr std::string_view kSealedKind = "archive.sealed";

}  // namespace yikatong::archive
