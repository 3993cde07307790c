#include "services/catalogue/store/pg_repository.h"

#include <chrono>
#include <utility>

#include "common/base/dates.h"
#include "common/outbox/outbox.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "fmt/format.h"
#include "services/catalogue/domain/publication.h"
#include "services/catalogue/sql/queries.h"

namespace yikatong::catalogue {
namespace {

using postgres::Row;
using postgres::Rows;
using status::Reason;

// How long an unused copy may lie in the cache; it never becomes wrong.
constexpr std::chrono::milliseconds kCacheTtl = std::chrono::minutes(10);

template <typename T>
absl::StatusOr<T> Known(std::optional<T> value) {
  if (value.has_value()) return *value;
  return status::Invariant("a stored name that this build does not know");
}

// The fourteen columns of a policy, from column 0.
absl::StatusOr<Policy> PolicyOf(const Row& row) {
  Policy policy;
  policy.policy_id = row.Text(0);
  policy.name_zh = row.Text(1);
  policy.name_en = row.Text(2);
  policy.field = row.Text(3);
  policy.department_id = row.Text(4);
  policy.district = row.Int(5);
  YKT_ASSIGN_OR_RETURN(policy.slot_unit, Known(base::ParseSlotUnit(row.Text(6))));
  YKT_ASSIGN_OR_RETURN(policy.key_kind, Known(policy::ParseKeyKind(row.Text(7))));
  policy.level = row.Text(8);
  policy.basis = row.Text(9);
  policy.confidence = row.Text(10);
  policy.region = row.Text(11);
  policy.latest_version = row.Int(12);
  return policy;
}

// The eleven columns of a version from `at`, the first being its number.
absl::StatusOr<PolicyVersion> VersionOf(std::string policy_id, const Row& row, int at) {
  PolicyVersion version;
  version.policy_id = std::move(policy_id);
  version.version = row.Int(at);
  version.state = static_cast<VersionState>(row.Int(at + 1));
  YKT_ASSIGN_OR_RETURN(version.rules, RulesFromJson(row.Text(at + 4)));
  version.rules.effective_from = row.MaybeDate(at + 2);
  version.rules.end_on = row.MaybeDate(at + 3);
  version.submitted_by = row.Text(at + 5);
  version.approved_at = row.MaybeTime(at + 6);
  version.published_on = row.MaybeDate(at + 7);
  version.rejection_reason = row.Text(at + 8);
  version.revision = row.Int64(at + 9);
  version.effective_to = version.rules.end_on;
  if (const auto next = row.MaybeDate(at + 10); next.has_value()) {
    const absl::CivilDay before = *next - 1;
    if (!version.effective_to.has_value() || before < *version.effective_to) {
      version.effective_to = before;
    }
  }
  return version;
}

absl::StatusOr<std::vector<ListEntry>> EntriesOf(const Rows& rows) {
  std::vector<ListEntry> entries;
  for (const Row row : rows) {
    ListEntry entry;
    YKT_ASSIGN_OR_RETURN(entry.policy, PolicyOf(row));
    if (!row.IsNull(14)) {
      YKT_ASSIGN_OR_RETURN(entry.version, VersionOf(entry.policy.policy_id, row, 14));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

absl::StatusOr<absl::CivilDay> PgRepository::Today() {
  if (!today_.has_value()) {
    if (context_.clock_adjustable) {
      YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kFindBusinessDate));
      YKT_INVARIANT(!rows.empty(), "the adjustable business clock was never started");
      today_ = rows[0].Date(0);
    } else {
      today_ = base::BeijingDate(context_.clock.Now());
    }
  }
  return *today_;
}

absl::Status PgRepository::Record(const Deed& deed) {
  YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, Today());
  outbox::Entry entry;
  entry.service = "catalogue";
  entry.kind = deed.kind;
  entry.district = deed.district;
  entry.subject = deed.subject;
  entry.actor_org =
      call_.caller.IsService() ? "service:" + call_.caller.service : call_.caller.organisation;
  entry.actor_person = call_.caller.person;
  entry.at = context_.clock.Now();
  entry.business_date = today;
  entry.request_id = call_.request_id;
  entry.details = deed.details;
  return outbox::Append(context_.tx, context_.ids.NewId(), entry);
}

absl::StatusOr<std::optional<Policy>> PgRepository::OnePolicy(const postgres::Query& query,
                                                              std::string_view id) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(query, id));
  if (rows.empty()) return std::nullopt;
  YKT_ASSIGN_OR_RETURN(Policy policy, PolicyOf(rows[0]));
  revisions_[policy.policy_id] = rows[0].Int64(13);
  return policy;
}

absl::StatusOr<std::optional<Policy>> PgRepository::FindPolicy(std::string_view id) {
  return OnePolicy(kFindPolicy, id);
}

absl::StatusOr<std::optional<Policy>> PgRepository::LockPolicy(std::string_view id) {
  return OnePolicy(kLockPolicy, id);
}

absl::StatusOr<bool> PgRepository::InsertPolicy(const Policy& policy) {
  YKT_ASSIGN_OR_RETURN(
      const Rows rows,
      context_.tx.Run(kInsertPolicy, policy.policy_id, policy.name_zh, policy.name_en, policy.field,
                      policy.department_id, policy.district, base::SlotUnitName(policy.slot_unit),
                      policy::KeyKindName(policy.key_kind), policy.level, policy.basis,
                      policy.confidence, policy.region));
  return rows.affected() == 1;
}

absl::StatusOr<std::vector<ListEntry>> PgRepository::Policies(std::string_view field,
                                                              bool published_only,
                                                              const Viewer& viewer,
                                                              absl::CivilDay today,
                                                              const PageRequest& page) {
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       context_.tx.Run(kListPolicies, today, published_only, page.after, field,
                                       viewer.all, viewer.organisation, page.size + 1));
  return EntriesOf(rows);
}

absl::StatusOr<bool> PgRepository::InsertExclusion(const policy::Exclusion& exclusion) {
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       context_.tx.Run(kInsertExclusion, exclusion.exclusion_id, exclusion.policy_a,
                                       exclusion.policy_b, base::SlotUnitName(exclusion.slot_unit),
                                       policy::KeyKindName(exclusion.key_kind), exclusion.basis));
  if (rows.affected() == 0) return false;
  YKT_RETURN_IF_ERROR(Touch(exclusion.policy_a, 0));
  YKT_RETURN_IF_ERROR(Touch(exclusion.policy_b, 0));
  return true;
}

absl::StatusOr<std::vector<policy::Exclusion>> PgRepository::ReadExclusions(
    std::string_view policy_id) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kListExclusions, policy_id));
  std::vector<policy::Exclusion> exclusions;
  for (const Row row : rows) {
    policy::Exclusion one;
    one.exclusion_id = row.Text(0);
    one.policy_a = row.Text(1);
    one.policy_b = row.Text(2);
    YKT_ASSIGN_OR_RETURN(one.slot_unit, Known(base::ParseSlotUnit(row.Text(3))));
    YKT_ASSIGN_OR_RETURN(one.key_kind, Known(policy::ParseKeyKind(row.Text(4))));
    one.basis = row.Text(5);
    exclusions.push_back(std::move(one));
  }
  return exclusions;
}

absl::StatusOr<std::vector<PolicyVersion>> PgRepository::ReadVersions(std::string_view policy_id,
                                                                      std::int32_t version) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kFindVersions, policy_id, version));
  std::vector<PolicyVersion> versions;
  for (const Row row : rows) {
    YKT_ASSIGN_OR_RETURN(PolicyVersion one, VersionOf(row.Text(0), row, 1));
    versions.push_back(std::move(one));
  }
  return versions;
}

absl::StatusOr<PolicyBundle> PgRepository::Bundle(std::string_view policy_id) {
  const auto revision = revisions_.find(policy_id);
  const bool cached = context_.reading && revision != revisions_.end();
  const std::string key =
      cached ? fmt::format("policy:{}:{}", policy_id, revision->second) : std::string();
  if (cached) {
    if (const std::optional<std::string> hit = context_.cache.Get(key); hit.has_value()) {
      if (std::optional<PolicyBundle> bundle = BundleFromJson(*hit); bundle.has_value()) {
        return *std::move(bundle);
      }
    }
  }
  PolicyBundle bundle;
  YKT_ASSIGN_OR_RETURN(bundle.versions, ReadVersions(policy_id, 0));
  YKT_ASSIGN_OR_RETURN(bundle.exclusions, ReadExclusions(policy_id));
  if (cached) context_.cache.Set(key, BundleToJson(bundle), kCacheTtl);
  return bundle;
}

absl::StatusOr<std::vector<policy::Exclusion>> PgRepository::Exclusions(
    std::string_view policy_id) {
  YKT_ASSIGN_OR_RETURN(PolicyBundle bundle, Bundle(policy_id));
  return std::move(bundle.exclusions);
}

absl::StatusOr<std::vector<PolicyVersion>> PgRepository::Versions(std::string_view policy_id) {
  YKT_ASSIGN_OR_RETURN(PolicyBundle bundle, Bundle(policy_id));
  return std::move(bundle.versions);
}

absl::StatusOr<std::optional<PolicyVersion>> PgRepository::FindVersion(std::string_view policy_id,
                                                                       std::int32_t version) {
  if (version <= 0) return std::nullopt;
  YKT_ASSIGN_OR_RETURN(std::vector<PolicyVersion> found, ReadVersions(policy_id, version));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

absl::Status PgRepository::Touch(std::string_view policy_id, std::int32_t version) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kTouchPolicy, policy_id, version));
  YKT_INVARIANT(rows.affected() == 1, "a version without its policy");
  return absl::OkStatus();
}

absl::Status PgRepository::InsertVersion(const PolicyVersion& version) {
  YKT_RETURN_IF_ERROR(context_.tx
                          .Run(kInsertVersion, version.policy_id, version.version,
                               static_cast<int>(version.state), version.rules.effective_from,
                               version.rules.end_on, RulesToJson(version.rules))
                          .status());
  return Touch(version.policy_id, version.version);
}

absl::Status PgRepository::UpdateVersion(const PolicyVersion& version) {
  YKT_ASSIGN_OR_RETURN(
      const Rows rows,
      context_.tx.Run(kUpdateVersion, version.policy_id, version.version,
                      static_cast<int>(version.state), version.rules.effective_from,
                      version.rules.end_on, RulesToJson(version.rules), version.submitted_by,
                      version.approved_at, version.published_on, version.rejection_reason));
  YKT_INVARIANT(rows.affected() == 1, "a version that was locked is gone");
  return Touch(version.policy_id, version.version);
}

absl::StatusOr<std::vector<OverduePublication>> PgRepository::Overdue(absl::CivilDay today,
                                                                      const PageRequest& page) {
  // The key is `day.version.policy`.
  absl::CivilDay after_day(1900, 1, 1);
  std::string after_policy;
  std::int64_t after_version = 0;
  if (!page.after.empty()) {
    const std::size_t first = page.after.find('.');
    const std::size_t second = first == std::string::npos ? first : page.after.find('.', first + 1);
    const auto day = base::ParseDate(page.after.substr(0, first));
    if (second == std::string::npos || second - first < 2 || second - first > 9 ||
        !day.has_value()) {
      return status::Refuse(Reason::kPageTokenInvalid);
    }
    for (std::size_t i = first + 1; i < second; ++i) {
      if (page.after[i] < '0' || page.after[i] > '9')
        return status::Refuse(Reason::kPageTokenInvalid);
      after_version = after_version * 10 + (page.after[i] - '0');
    }
    after_day = *day;
    after_policy = page.after.substr(second + 1);
  }
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       context_.tx.Run(kListOverdue, today, kPublicationDays, after_day,
                                       after_policy, after_version, page.size + 1));
  std::vector<OverduePublication> overdue;
  for (const Row row : rows) {
    overdue.push_back(
        {.policy_id = row.Text(0), .version = row.Int(1), .effective_from = row.Date(2)});
  }
  return overdue;
}

absl::StatusOr<std::vector<ListEntry>> PgRepository::PublishedInForce(std::int32_t district,
                                                                      absl::CivilDay today) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kPublishedInForce, district, today));
  return EntriesOf(rows);
}

absl::Status PgRepository::LockLists(std::int32_t district) {
  return context_.tx.Run(kLockLists, district).status();
}

absl::StatusOr<std::optional<PublishedList>> PgRepository::FindList(std::int32_t district,
                                                                    std::int32_t edition) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kFindList, district, edition));
  if (rows.empty()) return std::nullopt;
  PublishedList list;
  list.district = rows[0].Int(0);
  list.edition = rows[0].Int(1);
  list.published_on = rows[0].Date(2);
  list.sha256 = rows[0].Bytes(3);
  list.entry_count = rows[0].Int(4);
  return list;
}

absl::Status PgRepository::InsertList(const PublishedList& list,
                                      const std::vector<ListEntry>& entries) {
  YKT_RETURN_IF_ERROR(context_.tx
                          .Run(kInsertList, list.district, list.edition, list.published_on,
                               postgres::Bytes{list.sha256}, list.entry_count)
                          .status());
  std::vector<std::string> policies;
  std::vector<std::int32_t> versions;
  for (const ListEntry& entry : entries) {
    policies.push_back(entry.policy.policy_id);
    versions.push_back(entry.version->version);
  }
  postgres::Columns columns;
  columns.Scalar(list.district).Scalar(list.edition).Texts(policies).Int32s(versions);
  return context_.tx.RunColumns(kInsertListEntries, columns).status();
}

absl::StatusOr<std::vector<ListEntry>> PgRepository::ListEntries(std::int32_t district,
                                                                 std::int32_t edition,
                                                                 const PageRequest& page) {
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       context_.tx.Run(kListEntries, district, edition, page.after, page.size + 1));
  return EntriesOf(rows);
}

}  // namespace yikatong::catalogue
