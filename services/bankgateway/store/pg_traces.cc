#include "services/bankgateway/store/pg_traces.h"

#include <set>

#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/bankgateway/sql/queries.h"
#include "services/bankgateway/store/pg_cases.h"

namespace yikatong::bankgateway {
namespace {

using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

absl::Status Unknown(const std::string& submission) {
  return status::Refuse(Reason::kNotFound, "", {{"submission", submission}});
}

}  // namespace

absl::Status PgTraceBook::CheckKnown(std::int32_t district,
                                     const std::vector<std::string>& submissions) {
  return context_.database.Read("find_submissions", [&](Transaction& tx) -> absl::Status {
    postgres::Columns columns;
    columns.Scalar(district).Texts(submissions).Lone();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kTraceKnown, columns));
    std::set<std::string> known;
    for (const Row row : rows) known.insert(row.Text(0));
    for (const std::string& one : submissions) {
      if (!known.contains(one)) return Unknown(one);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<SubmissionTrace> PgTraceBook::Trace(std::int32_t district,
                                                   const std::string& submission) {
  SubmissionTrace trace;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("trace_submission", [&](Transaction& tx) -> absl::Status {
        trace = {};
        YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kTraceSubmission, district, submission));
        if (rows.empty()) return Unknown(submission);
        trace.submission = submission;
        trace.agreement_no = rows[0].Text(0);
        trace.file_id = rows[0].MaybeText(1).value_or("");
        if (!trace.file_id.empty()) {
          trace.file_offset = rows[0].Int(2);
          trace.file_sha256 = rows[0].Bytes(3);
          trace.file_state = static_cast<FileState>(rows[0].Int(4));
          trace.file_date = rows[0].Date(5);
        }
        YKT_ASSIGN_OR_RETURN(const Rows shares,
                             tx.Run(sql::kTraceStatements, district, submission));
        for (const Row row : shares) {
          trace.statements.push_back({{row.Text(0), row.Date(1), row.Bool(2), row.Int64(3),
                                       row.Int64(4), row.Int64(5), row.Int64(6), row.Int64(7)},
                                      row.Int64(8),
                                      row.Int64(9),
                                      row.Int64(10)});
        }
        YKT_ASSIGN_OR_RETURN(const Rows cases, tx.Run(sql::kTraceCases, district, submission));
        for (const Row row : cases) {
          trace.cases.push_back(CaseOf(row, context_.today.Today(), context_.terms));
        }
        return absl::OkStatus();
      }));
  return trace;
}

}  // namespace yikatong::bankgateway
