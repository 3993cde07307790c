"""The dashboards as data: what stands on each, and what is asked for it.

`helm/generate` makes helm/yikatong/dashboards/<uid>.json out of this, as Grafana reads it, and the list in the chart's README; a
test runs a demonstration and evaluates every query on a real Prometheus.
"""
from typing import NamedTuple


class Panel(NamedTuple):
    title: str
    unit: str  # Grafana's name: short, s, ops, percentunit, reqps, dateTimeFromNow
    says: str
    queries: dict  # legend -> PromQL
    kind: str = "timeseries"  # or stat


class Dashboard(NamedTuple):
    uid: str
    title: str
    reader: str
    rows: dict  # heading -> panels
    by_service: bool = False  # one service at a time, chosen by $service


STEP = "{{step}}"
KIND = "{{kind}}"
SERVICE = "{{service}}"

PAYMENT_DAY = Dashboard("yikatong-payment-day", "Payment day", "the person on watch", {
    "Is money late?": [
        Panel("Oldest chunk that is due", "s", "Above half an hour PaymentsLate wakes somebody.",
              {STEP: "max by (step) (yikatong_chunks_oldest_due_seconds)"}),
        Panel("Oldest batch that is being paid", "s", "Since the release of its money; after two days PaymentsUnpaid wakes somebody.",
              {"oldest": "max(yikatong_payments_oldest_unpaid_seconds)"}),
        Panel("Chunks that are due", "short", "What waits in each step; a chunk is up to a thousand payments.",
              {STEP: "max by (step) (yikatong_chunks_due)"}),
        Panel("Chunks set aside", "short", "Failed three times; somebody has to look.",
              {"set aside": 'max(yikatong_repairs_open{kind="set_aside"})'}, "stat")],
    "What do banks say?": [
        Panel("At the banks", "short", "Instructions not packed, files open, instructions without an outcome, unknown ones, differences.",
              {"{{what}}": "max by (what) (yikatong_gateway_waiting)"}),
        Panel("Steps of the gateway", "ops", "What its workers have done a second.",
              {"{{worker}}": 'sum by (worker) (rate(yikatong_gateway_steps_total{result="done"}[5m]))'}),
        Panel("Steps that failed", "ops", "A bank that is away, say: results and day_end are of one bank each.",
              {"{{worker}} {{bank}}": 'sum by (worker, bank) (rate(yikatong_gateway_steps_total{result="failed"}[5m]))'}),
        Panel("Owed an answer", "short", "Instructions by the bank that has told no outcome of them; silent for an hour, BankSilent wakes somebody.",
              {"{{bank}}": "max by (bank) (yikatong_gateway_awaiting)"}),
        Panel("Unknown outcomes", "short", "Days after sending, nobody knows.",
              {"unknown": 'max(yikatong_gateway_waiting{what="unknown"})'}, "stat"),
        Panel("Unknown outcomes by age", "short", "Days since they were sent.", {"{{age}}": "max by (age) (yikatong_outcomes_unknown)"}),
        Panel("Oldest at the banks", "s", "Since its chunk was taken: in no file, in an open file, without results.",
              {"{{what}}": "max by (what) (yikatong_gateway_oldest_waiting_seconds)"})],
    "Does dispatch hear what is told?": [
        Panel("Not applied yet", "short", "Chunks of outcomes of the gateway, and changes of the registry that are old enough.",
              {"outcomes": "max(yikatong_outcomes_behind)", "changes": "max(yikatong_changes_behind)"}),
        Panel("Last time that all was applied", "s", "Age; after half an hour FeedsBehind tells somebody.", {
            "outcomes": "time() - max(yikatong_outcomes_followed_timestamp_seconds)",
            "changes": "time() - max(yikatong_changes_followed_timestamp_seconds)"})],
    "What waits for people?": [
        Panel("Open repairs", "short", "By kind: failed, returned, unroutable, held …", {KIND: "max by (kind) (yikatong_repairs_open)"}),
        Panel("Overdue repairs", "short", "Past their working days.", {KIND: "max by (kind) (yikatong_repairs_overdue)"}),
        Panel("Last count of them", "s", "Age.", {"age": "time() - max(yikatong_repairs_counted_timestamp_seconds)"}, "stat")],
    "Can everybody work?": [
        Panel("Pods that answer", "short", "By service.", {SERVICE: 'sum by (service) (up{suite="yikatong"})'}),
        Panel("Releases", "short", "Pods of each; two of one service during an upgrade.",
              {"{{service}} {{version}}": "count by (service, version) (yikatong_build_info)"}),
        Panel("Calls a second", "reqps", "By service.", {SERVICE: "sum by (service) (rate(yikatong_rpc_requests_total[5m]))"}),
        Panel("Calls that failed", "percentunit", "For a reason of ours; refusals are not among them.", {
            SERVICE: 'sum by (service) (rate(yikatong_rpc_requests_total{code=~"INTERNAL|UNKNOWN|UNAVAILABLE|DATA_LOSS|DEADLINE_EXCEEDED"}[5m])) '
                     '/ sum by (service) (rate(yikatong_rpc_requests_total[5m])) '
                     'or 0 * sum by (service) (rate(yikatong_rpc_requests_total[5m]))'})]})

ONE_SERVICE = Dashboard("yikatong-service", "One service", "an engineer", {
    "Calls": [
        Panel("By method", "reqps", "Answered calls a second.",
              {"{{method}}": 'sum by (method) (rate(yikatong_rpc_requests_total{service="$service"}[5m]))'}),
        Panel("By code", "reqps", "OK and everything else.",
              {"{{code}}": 'sum by (code) (rate(yikatong_rpc_requests_total{service="$service"}[5m]))'}),
        Panel("Duration", "s", "Half, and all but a hundredth, of the calls are quicker.", {
            "half": 'histogram_quantile(0.5, sum by (le) (rate(yikatong_rpc_duration_seconds_bucket{service="$service"}[5m])))',
            "99 of 100": 'histogram_quantile(0.99, sum by (le) (rate(yikatong_rpc_duration_seconds_bucket{service="$service"}[5m])))'}),
        Panel("Running now", "short", "Each holds a thread.", {"{{pod}}": 'sum by (pod) (yikatong_rpc_running{service="$service"})'}),
        Panel("Calls to others", "reqps", "Begun a second, by the service that is called.",
              {"{{peer}}": 'sum by (peer) (rate(yikatong_peer_calls_total{service="$service"}[5m])) or vector(0)'})],
    "Settings": [
        Panel("Kinds of settings", "short", "1 where all pods run with the same; more while an upgrade rolls them, and else never. "
              "`--print-config` in two of them shows what differs.",
              {"kinds": 'count(count by (hash) (yikatong_config_info{service="$service"}))'}, "stat"),
        Panel("Pods by settings", "short", "Which hash most pods have, and which the others.",
              {"{{hash}}": 'count by (hash) (yikatong_config_info{service="$service"})'})],
    "Database": [
        Panel("Transactions", "ops", "By outcome.",
              {"{{outcome}}": 'sum by (outcome) (rate(yikatong_database_transactions_total{service="$service"}[5m]))'}),
        Panel("Duration of transactions", "s", "All but a hundredth are quicker; the slowest ten.", {
            "{{transaction}}": 'topk(10, histogram_quantile(0.99, sum by (transaction, le) '
                               '(rate(yikatong_database_transaction_seconds_bucket{service="$service"}[5m]))))'}),
        Panel("Connections", "short", "Open, in use, and transactions that wait for one.",
              {"{{state}}": 'sum by (state) (yikatong_database_connections{service="$service"})'}),
        Panel("Statements", "ops", "Sent a second.", {"statements": 'sum(rate(yikatong_database_statements_total{service="$service"}[5m]))'}),
        Panel("Run again", "ops", "After a deadlock or a serialization failure.",
              {"retries": 'sum(rate(yikatong_database_retries_total{service="$service"}[5m]))'})],
    "Redis": [
        Panel("Redis answers", "short", "1 while it does, by pod. Without it the service is slower, not wrong.",
              {"{{pod}}": 'min by (pod) (yikatong_redis_up{service="$service"})'}),
        Panel("Commands", "ops", "By how they ended; skipped ones were not sent, as it had not answered before.",
              {"{{result}}": 'sum by (result) (rate(yikatong_redis_commands_total{service="$service"}[5m]))'}),
        Panel("Duration of commands", "s", "All but a hundredth are quicker.", {
            "99 of 100": 'histogram_quantile(0.99, sum by (le) (rate(yikatong_redis_command_seconds_bucket{service="$service"}[5m])))'}),
        Panel("Looked up", "ops", "Found or not, by cache; most services have none there.",
              {"{{cache}} {{result}}": 'sum by (cache, result) (rate(yikatong_redis_lookups_total{service="$service"}[5m])) or vector(0)'})]},
    by_service=True)

MONEY = Dashboard("yikatong-money", "Money and budget", "finance", {
    "Differences with banks": [
        Panel("Open cases", "short", "By kind.", {KIND: 'sum by (kind) (max by (kind, age) (yikatong_gateway_cases{what="open"})) or vector(0)'}),
        Panel("Overdue cases", "short", "By kind.", {KIND: 'sum by (kind) (max by (kind, age) (yikatong_gateway_cases{what="overdue"})) or vector(0)'}),
        Panel("Suspense", "short", "Yuan claimed from banks and owed to them.",
              {"{{kind}} {{account}}": "max by (kind, account) (yikatong_gateway_suspense_fen) / 100 or vector(0)"})],
    "Money of the budget": [
        Panel("Where it is", "short", "Yuan of all lines, by account.",
              {"{{account}}": "sum by (account) (max by (source, account) (yikatong_budget_source_fen)) / 100"}),
        Panel("By source", "short", "Yuan: central, city, district, fund.",
              {"{{source}} {{account}}": "max by (source, account) (yikatong_budget_source_fen) / 100"}),
        Panel("Available by policy", "short", "Yuan, of the fifty policies with the most money and of all others together.",
              {"{{policy}}": 'max by (policy) (yikatong_budget_fen{account="available"}) / 100'}),
        Panel("Paid by policy", "short", "Yuan, less what came back; as beside it.",
              {"{{policy}}": 'max by (policy) (yikatong_budget_fen{account="paid"}) / 100'}),
        Panel("Lines that differ", "short", "From their ledger; one wakes somebody.",
              {"lines": "max(yikatong_ledger_differing_lines)"}, "stat"),
        Panel("Last look at them", "s", "Age.", {"age": "time() - max(yikatong_ledger_checked_timestamp_seconds)"}, "stat")],
    "Money from above": [
        Panel("Receipts past thirty days", "short", "Of which something was not passed down.",
              {"receipts": "max(yikatong_budget_overdue_receipts)"}, "stat"),
        Panel("Left of them", "short", "Yuan.", {"yuan": "max(yikatong_budget_overdue_fen) / 100"}, "stat"),
        Panel("Age of the oldest", "s", "Since it was received.", {"age": "max(yikatong_budget_oldest_overdue_seconds)"}, "stat"),
        Panel("Not booked", "short", "Passings down that their line does not have.",
              {"pass-downs": "max(yikatong_budget_unbooked_pass_downs)"}, "stat")],
    "Policies": [
        Panel("Versions", "short", "By state.", {"{{state}}": "max by (state) (yikatong_catalogue_versions)"}),
        Panel("Not public in time", "short", "Ten days after taking effect.",
              {"versions": "max(yikatong_catalogue_overdue_publications)"}, "stat")]})

AUDIT = Dashboard("yikatong-audit", "Audit and security", "auditors and security", {
    "The log": [
        Panel("Intact", "short", "1: it is as it was written.", {"intact": "min(yikatong_auditlog_intact)"}, "stat"),
        Panel("Entries", "short", "As of the last check.", {"entries": "max(yikatong_auditlog_tree_size)"}, "stat"),
        Panel("Last check that found nothing", "s", "Age, of the ends and of the whole.",
              {KIND: "time() - max by (kind) (yikatong_auditlog_last_check_seconds)"}),
        Panel("Checks", "ops", "By kind and result.",
              {"{{kind}} {{result}}": "sum by (kind, result) (rate(yikatong_auditlog_checks_total[5m]))"}),
        Panel("Entries taken", "ops", "By producer and restore epoch.",
              {"{{producer}}": "sum by (producer) (rate(yikatong_auditlog_entries_appended_total[5m]))"}),
        Panel("Entries that wait", "short", "Not acknowledged by the log.", {SERVICE: "max by (service) (yikatong_outbox_lag_entries)"}),
        Panel("Age of the oldest that waits", "s", "At a day funding and sending stop.",
              {SERVICE: "max by (service) (yikatong_outbox_lag_seconds)"})],
    "Callers": [
        Panel("Refusals by reason", "ops", "Every refusal has one.", {"{{reason}}": "sum by (reason) (rate(yikatong_rpc_refusals_total[5m]))"}),
        Panel("Without a right", "short", "Calls of the last quarter of an hour with no valid token, certificate or role.", {
            SERVICE: 'sum by (service) (increase(yikatong_rpc_requests_total{code=~"UNAUTHENTICATED|PERMISSION_DENIED"}[15m])) '
                     'or 0 * sum by (service) (increase(yikatong_rpc_requests_total[15m]))'}),
        Panel("Certificates end", "s", "Time that is left.", {SERVICE: "min by (service) (yikatong_certificate_expires_seconds) - time()"})]})

DASHBOARDS = (PAYMENT_DAY, ONE_SERVICE, MONEY, AUDIT)
WIDTH, HEIGHT = 24, 8  # of Grafana's grid, and of a panel there


def grafana(dashboard: Dashboard) -> dict:
    """A dashboard in Grafana's form."""
    panels, y = [], 0
    for heading, ones in dashboard.rows.items():
        panels.append({"id": len(panels) + 1, "type": "row", "title": heading, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}})
        y += 1
        across = min(len(ones), 3)
        for at, panel in enumerate(ones):
            width = WIDTH // across
            panels.append({
                "id": len(panels) + 1, "type": panel.kind, "title": panel.title, "description": panel.says,
                "datasource": {"type": "prometheus", "uid": "${source}"},
                "gridPos": {"x": at % across * width, "y": y + at // across * HEIGHT, "w": width, "h": HEIGHT},
                "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
                "options": {},
                "targets": [{"refId": chr(ord("A") + number), "expr": query, "legendFormat": legend}
                            for number, (legend, query) in enumerate(panel.queries.items())]})
        y += -(-len(ones) // across) * HEIGHT
    variables = [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
    if dashboard.by_service:
        variables.append({"name": "service", "label": "Service", "type": "query", "datasource": {"type": "prometheus", "uid": "${source}"},
                          "query": "label_values(yikatong_rpc_requests_total, service)", "refresh": 2, "sort": 1})
    return {"uid": dashboard.uid, "title": f"Yikatong: {dashboard.title}", "description": f"For {dashboard.reader}.",
            "tags": ["yikatong"], "timezone": "browser", "schemaVersion": 39, "version": 1, "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"}, "editable": False, "templating": {"list": variables}, "panels": panels}
