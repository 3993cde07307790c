// What was found out after a restore, over PostgreSQL. See domain/ports.h and domain/look_up.h.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "services/bankgateway/domain/ports.h"
#include "services/bankgateway/store/context.h"

namespace yikatong::bankgateway {

// Keeps what a bank said of references that we do not know to have sent; what is there already is
// passed over.
absl::Status WriteFound(postgres::Transaction& tx, const std::string& restore_id,
                        const std::string& bank_code, const std::vector<BankResult>& results);

class PgRestoreBook final : public RestoreBook {
 public:
  explicit PgRestoreBook(const StoreContext& context) : context_(context) {}

  absl::StatusOr<std::optional<OpenRestore>> Open() override;
  absl::Status MarkRead(const std::string& restore_id, const std::string& bank_code) override;
  absl::StatusOr<std::optional<WaitingChunk>> NextToLookUp() override;
  absl::StatusOr<int> LookedUp(
      const std::string& restore_id, const WaitingChunk& chunk,
      const std::map<std::string, std::vector<BankResult>>& answers) override;
  absl::StatusOr<std::optional<WaitingChunk>> LateChunk(const std::string& bank_code,
                                                        absl::CivilDay looked_up_by) override;
  absl::Status MarkAsked(const WaitingChunk& chunk) override;
  absl::StatusOr<Left> Count() override;

 private:
  const StoreContext& context_;
};

// The command --finish-restore: days are reconciled again from here on, and what no chunk has asked
// for becomes a difference when its day is. Refuses (STATE_CONFLICT) while a bank's news is not
// read or a chunk is not looked up, and, unless `leave_unclaimed`, while payments of the undone
// time belong to nobody: the first of them are named on `out`.
absl::Status FinishRestore(const postgres::DatabaseOptions& options, bool leave_unclaimed,
                           std::ostream& out);

}  // namespace yikatong::bankgateway
