// The failpoints as a build for production has them.
#undef YIKATONG_FAILPOINTS
#include "common/base/failpoint.cc"  // NOLINT(bugprone-suspicious-include): once more, with the other setting
