// The same request twice is done once: the first answer is stored in the transaction that does the
// work.
//
//   return Mutate(database, "seal_batch", caller, request, [&](postgres::Transaction& tx) ->
//   absl::StatusOr<std::string> {
//     …
//     return encode(batch);      // the answer's bytes, which a repetition gets again
//   });
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/identity/caller.h"
#include "common/postgres/database.h"
#include "services/dispatch/domain/request.h"

namespace yikatong::dispatch {

// Runs `work` and keeps what it answers; or gives the answer that is kept under (organisation,
// request id). A refusal keeps nothing: the same request may succeed later. Two of one id at the
// same moment: the second waits for the first. REQUEST_ID_REUSED where the id was used with other
// content or for another method.
absl::StatusOr<std::string> RunOnce(postgres::Transaction& tx, const identity::Caller& caller,
                                    const Request& request,
                                    const std::function<absl::StatusOr<std::string>()>& work);

// The answer that is kept for this request, or nothing; REQUEST_ID_REUSED as above. Takes no lock:
// a request that is under way at this moment is not seen.
absl::StatusOr<std::optional<std::string>> KeptAnswer(postgres::Transaction& tx,
                                                      const identity::Caller& caller,
                                                      const Request& request);

// What `request` itself was answered before; nothing for a new one, or for an id that was used
// otherwise.
absl::StatusOr<std::optional<std::string>> FindAnswer(postgres::Transaction& tx,
                                                      const identity::Caller& caller,
                                                      const Request& request);
// The same in a transaction of its own, so that a repetition need not ask peers who may say
// something else by now.
absl::StatusOr<std::optional<std::string>> FindAnswer(postgres::Database& database,
                                                      const identity::Caller& caller,
                                                      const Request& request);

// RunOnce in a transaction of its own.
absl::StatusOr<std::string> Mutate(
    postgres::Database& database, std::string_view name, const identity::Caller& caller,
    const Request& request,
    const std::function<absl::StatusOr<std::string>(postgres::Transaction&)>& work);

}  // namespace yikatong::dispatch
