// The name of the method that traces submissions, for the table of rules and its handler.
#pragma once

#include <string_view>

namespace yikatong::bankgateway {

inline constexpr std::string_view kTraceSubmissions =
    "/yikatong.bankgateway.v1.BankGatewayService/TraceSubmissions";

}  // namespace yikatong::bankgateway
