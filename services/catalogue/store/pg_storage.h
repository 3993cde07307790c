// The catalogue's storage over PostgreSQL, with Redis before the reads that every new batch makes.
//
// The cache holds, for each policy and revision, its versions and exclusions. The revision is read
// from the database in each transaction and rises with every change, so a cached copy can be
// missing but never stale.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/identity/caller.h"
#include "common/postgres/database.h"
#include "common/redis/cache.h"
#include "services/catalogue/domain/ports.h"

namespace yikatong::catalogue {

struct StorageOptions {
  // Whether the business date is a row that can be moved (a demonstration), or today in Beijing.
  bool clock_adjustable = false;
};

// Thread safe; what it is given must outlive it.
class PgStorage final : public Storage {
 public:
  PgStorage(postgres::Database& database, redis::Cache& cache, const base::Clock& clock,
            base::IdSource& ids, StorageOptions options);

  absl::StatusOr<std::string> Once(const Call& call, const Answering& work) override;
  absl::Status Read(const Call& call, const Work& work) override;

  // Sets the business date of an adjustable clock that has none yet; a later start finds the date
  // it had.
  absl::Status StartClock(absl::CivilDay first);

  // Appends the audit entry of a refusal, in a transaction of its own. Failing is logged: the
  // refusal stands.
  void RecordRefusal(const identity::Caller& caller, std::string_view method,
                     const absl::Status& refusal);

 private:
  postgres::Database& database_;
  redis::Cache& cache_;
  const base::Clock& clock_;
  base::IdSource& ids_;
  const StorageOptions options_;
};

}  // namespace yikatong::catalogue
