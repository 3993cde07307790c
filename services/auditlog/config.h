// What the audit log may be told.
#pragma once

#include "common/config/config.h"

namespace yikatong::auditlog {

config::Schema Settings();

}  // namespace yikatong::auditlog
