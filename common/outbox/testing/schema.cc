#include "common/outbox/testing/sql/queries.h"

namespace yikatong::outbox::schema {

static_assert(kMigrations[0].number == 1);

}  // namespace yikatong::outbox::schema
