// The rest of PgRepository: reference data, rollout, exemptions, targets, clock.
#include <utility>

#include "common/base/dates.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "fmt/format.h"
#include "services/catalogue/sql/queries.h"
#include "services/catalogue/store/pg_repository.h"

namespace yikatong::catalogue {
namespace {

using postgres::Row;
using postgres::Rows;
using status::Reason;

std::vector<std::string> Parts(const std::string& joined) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin < joined.size()) {
    const std::size_t end = std::min(joined.find(',', begin), joined.size());
    parts.push_back(joined.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Field names hold no comma (IsFieldName).
std::string Joined(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) {
    if (!joined.empty()) joined += ',';
    joined += part;
  }
  return joined;
}

Department DepartmentOf(const Row& row) {
  return {.department_id = row.Text(0),
          .name = row.Text(1),
          .district = row.Int(2),
          .fields = Parts(row.Text(3))};
}

Exemption ExemptionOf(const Row& row) {
  Exemption exemption;
  exemption.exemption_id = row.Text(0);
  exemption.district = row.Int(1);
  exemption.field = row.Text(2);
  exemption.policy_id = row.Text(3);
  exemption.reason = row.Text(4);
  exemption.valid_from = row.Date(5);
  exemption.valid_to = row.Date(6);
  exemption.state = static_cast<ExemptionState>(row.Int(7));
  exemption.requested_by = row.Text(8);
  return exemption;
}

std::vector<Exemption> ExemptionsOf(const Rows& rows) {
  std::vector<Exemption> exemptions;
  for (const Row row : rows) exemptions.push_back(ExemptionOf(row));
  return exemptions;
}

std::optional<PerformanceTarget> TargetOf(const Rows& rows) {
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  PerformanceTarget target;
  target.policy_id = row.Text(0);
  target.district = row.Int(1);
  target.year = row.Int(2);
  target.target_people = row.Int64(3);
  target.target_fen = row.Int64(4);
  target.goal = row.Text(5);
  target.approved = row.Bool(6);
  target.set_by = row.Text(7);
  return target;
}

}  // namespace

absl::StatusOr<int> PgRepository::PutDepartments(const std::vector<Department>& departments) {
  int changed = 0;
  for (const Department& one : departments) {
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         context_.tx.Run(kPutDepartment, one.department_id, one.name, one.district,
                                         Joined(one.fields)));
    changed += static_cast<int>(rows.affected());
  }
  return changed;
}

absl::StatusOr<int> PgRepository::PutDivisions(const std::vector<Division>& divisions) {
  if (divisions.empty()) return 0;
  std::vector<std::int64_t> codes;
  std::vector<std::string> names;
  std::vector<std::int32_t> districts;
  std::vector<std::int16_t> levels;
  std::vector<bool> fictitious;
  for (const Division& one : divisions) {
    codes.push_back(one.code);
    names.push_back(one.name);
    districts.push_back(one.district);
    levels.push_back(static_cast<std::int16_t>(one.level));
    fictitious.push_back(one.fictitious);
  }
  postgres::Columns columns;
  columns.Int64s(codes).Texts(names).Int32s(districts).Int16s(levels).Bools(fictitious);
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.RunColumns(kPutDivisions, columns));
  return static_cast<int>(rows.affected());
}

absl::StatusOr<std::vector<std::int64_t>> PgRepository::KnownDivisions(
    const std::vector<std::int64_t>& codes) {
  postgres::Columns columns;
  columns.Int64s(codes).Lone();
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.RunColumns(kKnownDivisions, columns));
  std::vector<std::int64_t> known;
  for (const Row row : rows) known.push_back(row.Int64(0));
  return known;
}

absl::StatusOr<std::optional<Department>> PgRepository::FindDepartment(std::string_view id) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kFindDepartment, id));
  if (rows.empty()) return std::nullopt;
  return DepartmentOf(rows[0]);
}

absl::StatusOr<std::vector<Department>> PgRepository::Departments(const PageRequest& page) {
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       context_.tx.Run(kListDepartments, page.after, page.size + 1));
  std::vector<Department> departments;
  for (const Row row : rows) departments.push_back(DepartmentOf(row));
  return departments;
}

absl::StatusOr<std::vector<Division>> PgRepository::Divisions(std::int32_t district,
                                                              std::optional<DivisionLevel> level,
                                                              const PageRequest& page) {
  std::int64_t after = 0;
  for (const char c : page.after) {
    if (c < '0' || c > '9' || page.after.size() > 12) {
      return status::Refuse(Reason::kPageTokenInvalid);
    }
    after = after * 10 + (c - '0');
  }
  YKT_ASSIGN_OR_RETURN(
      const Rows rows,
      context_.tx.Run(kListDivisions, after, district,
                      level.has_value() ? static_cast<int>(*level) : 0, page.size + 1));
  std::vector<Division> divisions;
  for (const Row row : rows) {
    divisions.push_back({.code = row.Int64(0),
                         .name = row.Text(1),
                         .district = row.Int(2),
                         .level = static_cast<DivisionLevel>(row.Int(3)),
                         .fictitious = row.Bool(4)});
  }
  return divisions;
}

absl::Status PgRepository::ReplaceRollout(const std::vector<RolloutStage>& stages) {
  YKT_RETURN_IF_ERROR(context_.tx.Run(kLockRollout).status());
  YKT_RETURN_IF_ERROR(context_.tx.Run(kClearRollout).status());
  int ordinal = 0;
  for (const RolloutStage& stage : stages) {
    std::vector<std::string> districts;
    for (const std::int32_t district : stage.districts)
      districts.push_back(std::to_string(district));
    YKT_RETURN_IF_ERROR(context_.tx
                            .Run(kInsertStage, ++ordinal, stage.from_date, Joined(districts),
                                 Joined(stage.fields), stage.basis)
                            .status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RolloutStage>> PgRepository::Rollout() {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kListStages));
  std::vector<RolloutStage> stages;
  for (const Row row : rows) {
    RolloutStage stage;
    stage.from_date = row.Date(0);
    for (const std::string& district : Parts(row.Text(1))) {
      stage.districts.push_back(std::stoi(district));
    }
    stage.fields = Parts(row.Text(2));
    stage.basis = row.Text(3);
    stages.push_back(std::move(stage));
  }
  return stages;
}

absl::Status PgRepository::InsertExemption(const Exemption& exemption) {
  return context_.tx
      .Run(kInsertExemption, exemption.exemption_id, exemption.district, exemption.field,
           exemption.policy_id, exemption.reason, exemption.valid_from, exemption.valid_to,
           static_cast<int>(exemption.state), exemption.requested_by)
      .status();
}

absl::StatusOr<std::optional<Exemption>> PgRepository::LockExemption(std::string_view id) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kLockExemption, id));
  if (rows.empty()) return std::nullopt;
  return ExemptionOf(rows[0]);
}

absl::Status PgRepository::DecideExemption(std::string_view id, ExemptionState state) {
  YKT_ASSIGN_OR_RETURN(
      const Rows rows,
      context_.tx.Run(kDecideExemption, id, static_cast<int>(state), call_.caller.person));
  YKT_INVARIANT(rows.affected() == 1, "an exemption that was locked is decided already");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Exemption>> PgRepository::Exemptions(std::int32_t district,
                                                                const identity::Scope& scope,
                                                                absl::CivilDay today,
                                                                const PageRequest& page) {
  // The key is `0.id` for one in force, `1.id` for the others.
  int after_rank = -1;
  std::string after_id;
  if (!page.after.empty()) {
    if (page.after.size() < 2 || page.after[1] != '.' ||
        (page.after[0] != '0' && page.after[0] != '1')) {
      return status::Refuse(Reason::kPageTokenInvalid);
    }
    after_rank = page.after[0] - '0';
    after_id = page.after.substr(2);
  }
  YKT_ASSIGN_OR_RETURN(
      const Rows rows,
      context_.tx.Run(kListExemptions, district, scope.all_districts, scope.districts,
                      scope.all_fields, scope.fields, today, after_rank, after_id, page.size + 1));
  return ExemptionsOf(rows);
}

absl::StatusOr<std::vector<Exemption>> PgRepository::ExemptionsInForce(std::int32_t district,
                                                                       std::string_view field,
                                                                       absl::CivilDay day) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kExemptionsInForce, district, field, day));
  return ExemptionsOf(rows);
}

absl::StatusOr<std::optional<PerformanceTarget>> PgRepository::LockTarget(
    std::string_view policy_id, std::int32_t district, std::int32_t year) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kLockTarget, policy_id, district, year));
  return TargetOf(rows);
}

absl::StatusOr<std::optional<PerformanceTarget>> PgRepository::FindTarget(
    std::string_view policy_id, std::int32_t district, std::int32_t year) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kFindTarget, policy_id, district, year));
  return TargetOf(rows);
}

absl::Status PgRepository::PutTarget(const PerformanceTarget& target) {
  YKT_ASSIGN_OR_RETURN(
      const Rows rows,
      context_.tx.Run(kPutTarget, target.policy_id, target.district, target.year,
                      target.target_people, target.target_fen, target.goal, target.approved,
                      target.set_by, target.approved ? call_.caller.person : std::string()));
  // Approved meanwhile by somebody who had no row to lock yet.
  if (rows.affected() != 1) return status::Refuse(Reason::kConcurrentChange);
  return absl::OkStatus();
}

absl::Status PgRepository::MoveClock(absl::CivilDay date) {
  if (!context_.clock_adjustable) return status::Refuse(Reason::kClockNotAdjustable);
  YKT_ASSIGN_OR_RETURN(const Rows rows, context_.tx.Run(kMoveBusinessDate, date));
  // Somebody else moved it further since it was read.
  if (rows.affected() != 1) return status::Refuse(Reason::kClockNotBack);
  today_ = date;
  return absl::OkStatus();
}

}  // namespace yikatong::catalogue
