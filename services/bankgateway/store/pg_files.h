// Files over PostgreSQL. See domain/ports.h.
#pragma once

#include "services/bankgateway/domain/ports.h"
#include "services/bankgateway/store/context.h"
#include "services/bankgateway/store/outcome_writer.h"

namespace yikatong::bankgateway {

struct PackOptions {
  int max_rows = kMaxFileRows;
  int wait_ms = 300;  // how long a chunk waits for others to share its file
};

// The bank will never pay any row of a file: each that has no outcome is FAILED with `reason`.
// `writer` holds the bank's row; the caller finishes it.
absl::Status FailRowsOfFile(postgres::Transaction& tx, OutcomeWriter& writer,
                            const std::string& file_id, status::Reason reason);

class PgFileBook final : public FileBook {
 public:
  PgFileBook(const StoreContext& context, PackOptions options)
      : context_(context), options_(options) {}

  absl::StatusOr<bool> PackOne() override;
  absl::StatusOr<std::optional<FileToSend>> Take(
      const std::vector<std::string>& skip_files,
      const std::vector<std::string>& skip_banks) override;
  absl::StatusOr<std::string> ReadPart(const std::string& file_id, std::int32_t part) override;
  absl::Status MarkSent(const FileToSend& file) override;
  absl::Status MarkRefused(const FileToSend& file, std::string_view word,
                           status::Reason reason) override;
  absl::Status Release(const FileToSend& file, std::string_view note) override;
  absl::StatusOr<std::vector<File>> List(const identity::Scope& scope, std::int32_t district,
                                         std::int64_t before_number, int count) override;

 private:
  struct Waiting;
  absl::StatusOr<bool> PackAgreement(postgres::Transaction& tx, const std::string& agreement_no,
                                     std::int32_t district, const std::string& bank_code);

  const StoreContext& context_;
  const PackOptions options_;
};

}  // namespace yikatong::bankgateway
