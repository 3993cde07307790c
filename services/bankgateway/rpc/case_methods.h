// Names of the methods about cases, for the table of rules and their handlers.
#pragma once

#include <string_view>

namespace yikatong::bankgateway {

#define YKT_METHOD(name) "/yikatong.bankgateway.v1.BankGatewayService/" name
inline constexpr std::string_view kListCases = YKT_METHOD("ListCases");
inline constexpr std::string_view kGetCase = YKT_METHOD("GetCase");
inline constexpr std::string_view kAssignCase = YKT_METHOD("AssignCase");
inline constexpr std::string_view kNoteCase = YKT_METHOD("NoteCase");
inline constexpr std::string_view kProposeDecision = YKT_METHOD("ProposeDecision");
inline constexpr std::string_view kConfirmDecision = YKT_METHOD("ConfirmDecision");
#undef YKT_METHOD

}  // namespace yikatong::bankgateway
