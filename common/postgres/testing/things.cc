#include "common/postgres/testing/sql/queries.h"

namespace yikatong::postgres::things {

static_assert(kMigrations[0].number == 1);

}  // namespace yikatong::postgres::things
