// What became of submissions, over PostgreSQL. See domain/trace.h.
#pragma once

#include "services/bankgateway/domain/trace.h"
#include "services/bankgateway/store/context.h"

namespace yikatong::bankgateway {

class PgTraceBook final : public TraceBook {
 public:
  explicit PgTraceBook(const StoreContext& context) : context_(context) {}

  absl::Status CheckKnown(std::int32_t district,
                          const std::vector<std::string>& submissions) override;
  absl::StatusOr<SubmissionTrace> Trace(std::int32_t district,
                                        const std::string& submission) override;

 private:
  const StoreContext& context_;
};

}  // namespace yikatong::bankgateway
