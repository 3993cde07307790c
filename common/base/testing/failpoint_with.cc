// The failpoints as a build for tests has them.
#ifndef YIKATONG_FAILPOINTS
#define YIKATONG_FAILPOINTS
#endif
#include "common/base/failpoint.cc"  // NOLINT(bugprone-suspicious-include): once more, with the other setting
