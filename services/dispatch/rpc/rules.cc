#include "services/dispatch/rpc/rules.h"

namespace yikatong::dispatch {
namespace {

using identity::MethodRule;
using identity::Role;
using identity::RoleSet;
using identity::ServiceSet;

constexpr RoleSet kCollectors = {Role::kDepartmentOperator, Role::kTownOperator};
constexpr RoleSet kDepartment = {Role::kDepartmentOperator, Role::kDepartmentReviewer};
constexpr RoleSet kWhoHears = {Role::kDepartmentOperator, Role::kDepartmentReviewer,
                               Role::kTownOperator, Role::kTownReviewer};
// Which of these it must be is said by the step of the pinned rule.
constexpr RoleSet kReviewers = {Role::kTownOperator,
                                Role::kTownReviewer,
                                Role::kDepartmentOperator,
                                Role::kDepartmentReviewer,
                                Role::kDistrictFinanceOperator,
                                Role::kDistrictFinanceReviewer,
                                Role::kCityFinance};
constexpr RoleSet kFinance = {Role::kDistrictFinanceOperator, Role::kDistrictFinanceReviewer,
                              Role::kCityFinance};
// The second person of an order: whoever requested it is refused besides.
constexpr RoleSet kFinanceDecides = {Role::kDistrictFinanceReviewer, Role::kCityFinance};
constexpr RoleSet kRepair = {Role::kDepartmentOperator, Role::kDepartmentReviewer,
                             Role::kDistrictFinanceOperator, Role::kCityFinance};
constexpr RoleSet kWriteOff = {Role::kDepartmentReviewer, Role::kDistrictFinanceReviewer,
                               Role::kCityFinance};
constexpr RoleSet kResume = {Role::kDistrictFinanceOperator, Role::kPaymentReleaser,
                             Role::kCityFinance};
// A whole roster leaves the house: who answers for it, who audits it.
constexpr RoleSet kExport = {Role::kDepartmentReviewer, Role::kDistrictFinanceReviewer,
                             Role::kCityFinance, Role::kAuditor};
constexpr ServiceSet kReaders = {"oversight", "portal"};

#define YKT_METHOD(name) "/yikatong.dispatch.v1.DispatchService/" name
constexpr MethodRule kRules[] = {
    {YKT_METHOD("CreateBatch"), kCollectors, {}},
    {YKT_METHOD("UploadItems"), kCollectors, {}},
    {YKT_METHOD("SealBatch"), kCollectors, {}},
    {YKT_METHOD("ListDepartures"), RoleSet::All(), kReaders},
    {YKT_METHOD("ExplainDepartures"), kCollectors, {}},
    {YKT_METHOD("GetBatch"), RoleSet::All(), kReaders},
    {YKT_METHOD("ListBatches"), RoleSet::All(), kReaders},
    {YKT_METHOD("ListRejections"), RoleSet::All(), kReaders},
    {YKT_METHOD("ListItems"), RoleSet::All(), kReaders},
    {YKT_METHOD("WatchBatch"), RoleSet::All(), kReaders},
    {YKT_METHOD("CancelBatch"), kDepartment, {}},
    {YKT_METHOD("AddAttachment"), kWhoHears, {}},
    {YKT_METHOD("PublishNotice"), kDepartment, {}},
    {YKT_METHOD("ListNoticeLines"), RoleSet::All(), kReaders},
    {YKT_METHOD("RaiseObjection"), kWhoHears, {}},
    {YKT_METHOD("DecideObjection"), kWhoHears, {}},
    {YKT_METHOD("CloseNotice"), kDepartment, {}},
    {YKT_METHOD("ReviewBatch"), kReviewers, {}},
    {YKT_METHOD("CreateBudgetLine"), kFinance, {}},
    {YKT_METHOD("AppropriateBudget"), kFinance, {}},
    {YKT_METHOD("ListBudgetLines"), RoleSet::All(), kReaders},
    {YKT_METHOD("ListLedgerEntries"), RoleSet::All(), kReaders},
    {YKT_METHOD("FundBatch"), kFinance, {}},
    {YKT_METHOD("ReleaseBatch"), {Role::kPaymentReleaser}, {}},
    {YKT_METHOD("ReissueItems"), kRepair, {}},
    {YKT_METHOD("AbandonItems"), kRepair, {}},
    {YKT_METHOD("CloseBatch"), kRepair, {}},
    {YKT_METHOD("GetItemProof"), RoleSet::All(), kReaders},
    {YKT_METHOD("CorrectBatch"), kCollectors, {}},
    {YKT_METHOD("ListRepairs"), RoleSet::All(), kReaders},
    {YKT_METHOD("OpenRecoveries"), kDepartment, {}},
    {YKT_METHOD("ApproveRecovery"), {Role::kDepartmentReviewer}, {}},
    {YKT_METHOD("NotifyRecovery"), kDepartment, {}},
    {YKT_METHOD("RecordReceipt"), kFinance, {}},
    {YKT_METHOD("RequestWriteOff"), kDepartment, {}},
    {YKT_METHOD("DecideWriteOff"), kWriteOff, {}},
    {YKT_METHOD("CancelRecovery"), kDepartment, {}},
    {YKT_METHOD("GetRecovery"), RoleSet::All(), kReaders},
    {YKT_METHOD("ListRecoveries"), RoleSet::All(), kReaders},
    {YKT_METHOD("RecordArrival"), kFinance, {}},
    {YKT_METHOD("ConfirmArrival"), kDepartment, {}},
    {YKT_METHOD("RefuseArrival"), kDepartment, {}},
    {YKT_METHOD("ListArrivals"), RoleSet::All(), kReaders},
    {YKT_METHOD("CreateTopUp"), {Role::kDepartmentOperator}, {}},
    {YKT_METHOD("ListSetAsideChunks"), RoleSet::All(), kReaders},
    {YKT_METHOD("ResumeChunk"), kResume, {}},
#undef YKT_METHOD
#define YKT_METHOD(name) "/yikatong.dispatch.v1.BudgetService/" name
    {YKT_METHOD("RecordFundReceipt"), kFinance, {}},
    {YKT_METHOD("CancelFundReceipt"), kFinance, {}},
    {YKT_METHOD("ListFundReceipts"), RoleSet::All(), kReaders},
    {YKT_METHOD("PassDownFunds"), kFinance, {}},
    {YKT_METHOD("ListPassDowns"), RoleSet::All(), kReaders},
    {YKT_METHOD("RequestBudgetOrder"), kFinance, {}},
    {YKT_METHOD("DecideBudgetOrder"), kFinanceDecides, {}},
    {YKT_METHOD("WithdrawBudgetOrder"), kFinance, {}},
    {YKT_METHOD("ListBudgetOrders"), RoleSet::All(), kReaders},
    {YKT_METHOD("ListYearEndBlockers"), RoleSet::All(), kReaders},
    {YKT_METHOD("GetBudgetStatement"), RoleSet::All(), kReaders},
#undef YKT_METHOD
#define YKT_METHOD(name) "/yikatong.dispatch.v1.ArchiveService/" name
    {YKT_METHOD("ListArchives"), RoleSet::All(), kReaders},
    {YKT_METHOD("GetArchive"), RoleSet::All(), kReaders},
    {YKT_METHOD("ExportArchive"), kExport, {"oversight"}},
};
#undef YKT_METHOD

}  // namespace

std::span<const MethodRule> AccessRules() { return kRules; }

}  // namespace yikatong::dispatch
