// What the stand-in bank may be told.
#pragma once

#include "common/config/config.h"

namespace yikatong::banksim {

config::Schema Settings();

}  // namespace yikatong::banksim
