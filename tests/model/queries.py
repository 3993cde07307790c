"""The part of the model that shows: what each query must answer, and to whom."""
from state import ITEM_STATES, Refused, require


class Queries:
    def do_get(self, caller, operation):
        return self.find(caller, operation["batch"]).view()

    def do_list_batches(self, caller, operation):
        policy = self.policies[operation["policy"]]
        return [batch.key for batch in reversed(self.batches)
                if batch.policy is policy and caller.in_district(batch.district) and caller.in_field(policy.field) and
                operation["state"] in (0, batch.state)]

    def do_list_items(self, caller, operation):
        require(operation["state"] == "" or operation["state"] in ITEM_STATES, "FIELD_INVALID")
        batch = self.find(caller, operation["batch"])
        views = [batch.item_view(batch.items[row]) for row in sorted(batch.items)]
        return [view for view in views if operation["state"] in ("", view["state"])]

    def do_list_rejections(self, caller, operation):
        return sorted(self.find(caller, operation["batch"]).refused)

    def do_list_departures(self, caller, operation):
        batch = self.find(caller, operation["batch"])
        return sorted((person, fen, reason) for person, (fen, reason) in batch.departures.items()
                      if not (operation["unexplained"] and reason))

    def do_list_notice(self, caller, operation):
        batch = self.find(caller, operation["batch"])
        require(batch.notice is not None, "BATCH_STATE")
        if not batch.policy.aggregate:
            return {**self.notice_view(batch), "rows": [(row, batch.items[row].fen) for row in sorted(batch.items)]}
        cells = {}
        for item in batch.items.values():
            cells.setdefault(self.people[item.person].village, []).append(item.fen)
        # A cell below five people shows neither their number nor their money.
        return {**self.notice_view(batch), "rows": [(len(fens), sum(fens)) if len(fens) >= 5 else (0, 0)
                                                    for _, fens in sorted(cells.items())]}

    def do_list_lines(self, caller, operation):
        return [line.view() for line in self._lines_of(operation["policy"])
                if caller.in_district(line.district) and operation["district"] in (0, line.district)]

    def _lines_of(self, policy: str) -> list:
        return sorted((line for line in self.lines.values() if line.policy == policy),
                      key=lambda line: (line.district, line.number))

    def do_list_ledger(self, caller, operation):
        require(caller.in_district(operation["district"]), "BUDGET_LINE_UNKNOWN")
        line = self.lines.get(operation["line"])
        if line is None or line.district != operation["district"]:
            return {}
        return dict(line.moves)

    def do_proof(self, caller, operation):
        require(operation["step"] in ("submit", "outcome"), "FIELD_INVALID")
        try:
            batch = self.find(caller, operation["batch"])
        except Refused:
            raise Refused("ITEM_UNKNOWN") from None
        item = batch.items.get(operation["row"])
        require(item is not None, "ITEM_UNKNOWN")
        if operation["step"] == "submit":
            require(bool(item.attempts), "NOT_FOUND")
        else:
            require(any(attempt.told for attempt in item.attempts), "NOT_FOUND")
        return {}
