"""The part of the model that pays: lines, funding, release, routing, what the bank did, repairs, closing."""
import rules
from rules import month_number
from state import CLOSED, MOST_ATTEMPTS, REASON_OF_CODE, SOURCES, Attempt, Batch, Item, Line, require


class Money:
    def do_create_line(self, caller, operation):
        require(caller.in_district(operation["district"]), "PERMISSION_DENIED")
        require(operation["source"] in SOURCES and 2000 <= operation["year"] <= 2199, "FIELD_INVALID")
        answer = self.same(caller, operation)
        if answer is not None:
            return answer
        require(operation["policy"] in self.policies, "POLICY_UNKNOWN")

        def work():
            key = (operation["district"], operation["policy"], operation["year"], operation["source"])
            require(key not in self.lines, "ALREADY_EXISTS")
            self.lines[key] = Line(*key)
            return {"line": key, **self.lines[key].view()}
        return self.once(caller, operation, work)

    def do_set_target(self, caller, operation):
        policy = self.policies.get(operation["policy"])
        require(policy is not None and caller.in_field(policy.field) and caller.in_district(operation["district"]),
                "POLICY_UNKNOWN")
        key = (operation["district"], operation["policy"], operation["year"])
        require(not self.targets.get(key, ["", False])[1], "STATE_CONFLICT")
        self.targets[key] = [caller.name, False]
        return {}

    def do_approve_target(self, caller, operation):
        key = (operation["district"], operation["policy"], operation["year"])
        require("city_finance" in caller.roles or caller.in_district(operation["district"]), "NOT_FOUND")
        require(key in self.targets, "NOT_FOUND")
        require(not self.targets[key][1], "STATE_CONFLICT")
        require(self.targets[key][0] != caller.name, "SAME_PERSON")
        self.targets[key][1] = True
        return {}

    def do_appropriate(self, caller, operation):
        require(caller.in_district(operation["district"]), "BUDGET_LINE_UNKNOWN")
        require(operation["fen"] > 0, "AMOUNT_INVALID")
        require(operation["basis"] != "", "FIELD_INVALID")
        answer = self.same(caller, operation)
        if answer is not None:
            return answer
        line = self.lines.get(operation["line"])
        require(line is not None and line.district == operation["district"], "BUDGET_LINE_UNKNOWN")
        require(self.targets.get((line.district, line.policy, line.year), ["", False])[1], "PERFORMANCE_TARGET_MISSING")

        def work():
            line.move("available", "appropriation", operation["fen"])
            return line.view()
        return self.once(caller, operation, work)

    def do_fund(self, caller, operation):
        answer = self.same(caller, operation)
        if answer is not None:
            return answer

        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("fund")
            items = [item for item in batch.items.values() if item.state != "stopped"]
            parts = [rules.split(item.fen, batch.policy.funding) for item in items]
            needed = [sum(part[source] for part in parts) for source in range(len(batch.policy.funding))]
            lines = []
            for source, _ in batch.policy.funding:
                line = self.lines.get((batch.district, batch.policy.policy_id, self.today.year, source))
                require(line is not None, "BUDGET_LINE_MISSING")
                lines.append(line)
            require(all(line.of("available") >= fen for line, fen in zip(lines, needed)), "FUNDS_INSUFFICIENT")
            batch.lines, batch.year, batch.state = lines, self.today.year, to
            for line, fen in zip(lines, needed):
                line.move("reserved", "available", fen)
            return batch.view()
        return self.once(caller, operation, work)

    def do_release(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("release")
            require(caller.name != batch.created_by, "SAME_PERSON")
            require(all(person != caller.name for _, person, _, _ in batch.reviews), "SAME_PERSON")
            require(batch.pay_on is None or self.today >= batch.pay_on, "PAY_DATE_EARLY")
            batch.state = to
            answer = batch.view()
            self._send(batch, batch.in_state("waiting"))
            return answer
        return self.once(caller, operation, work)

    # --- Routing ------------------------------------------------------------------------------------------------------

    def _account(self, batch: Batch, item: Item) -> tuple:
        """(reason, bank, whether it is the card): where an item's money goes, or why nowhere."""
        payee, person = self.people[item.payee], self.people[item.person]
        if person.died is not None:
            first = batch.period.first_day()
            paid_despite = batch.policy.grace_months > 0 and first is not None and \
                month_number(first) <= month_number(person.died) + batch.policy.grace_months
            if not paid_despite:
                return "BENEFICIARY_DECEASED", "", False
        if payee is not person and payee.died is not None:
            return "PAYEE_DECEASED", "", False
        if payee.card_state == "ACTIVE":
            return "", payee.bank, True
        if payee.older_bank and batch.district not in self.card_districts:
            return "", payee.older_bank, False
        if payee.card_state:
            return f"CARD_{payee.card_state}", "", False
        return ("CARD_REQUIRED" if payee.older_bank else "NO_ACCOUNT"), "", False

    def _send(self, batch: Batch, items: list) -> None:
        """Routes items and makes their attempts; what has no way leaves with its reason."""
        here = [one for one in self.agreements.values() if one.district == batch.district]
        usable = [one for one in here if not one.suspended]
        for item in items:
            reason, bank, social = self._account(batch, item)
            chosen = None
            if not reason and not usable:
                reason = "AGREEMENT_SUSPENDED" if here else "NO_AGREEMENT"
            elif not reason:
                chosen = next((one for one in usable if one.bank == bank), None) or \
                    next((one for one in usable if one.others), None)
                reason = "" if chosen else "BANK_NOT_COVERED"
            item.reason = reason
            if reason in ("BENEFICIARY_DECEASED", "PAYEE_DECEASED"):
                item.state = "stopped"
                batch.move("available", "reserved", item.fen)
            elif reason:
                item.state = "unroutable"
            else:
                item.state = "in_transit"
                number = item.attempts[-1].number + 1 if item.attempts else 1
                item.attempts.append(Attempt(number, chosen.number, self.today, social))
                batch.move("in_transit", "reserved", item.fen)
        batch.settle()

    def open_attempts(self):
        """(batch, item, attempt) of everything whose last word is not spoken."""
        for batch in self.batches:
            for item in batch.items.values():
                if item.attempts and item.attempts[-1].state in ("in_transit", "unknown", "paid"):
                    yield batch, item, item.attempts[-1]

    def learn(self, bank) -> list:
        """Takes what the bank did; gives the references that it has not got yet."""
        missing = []
        for batch, item, attempt in list(self.open_attempts()):
            if not batch.first_item:
                missing.append(f"batch {batch.key}")
                continue
            reference = (batch.first_item + item.row - 1) * 100 + attempt.number
            state, reason = self._outcome(bank.of(reference), bank, attempt)
            if state is None:
                missing.append(reference)
            elif state != attempt.state and not (attempt.state == "paid" and state != "returned"):
                self._take(batch, item, attempt, state, reason)
        for batch in self.batches:
            batch.settle()
        return missing

    def _outcome(self, booked, bank, attempt: Attempt) -> tuple:
        late = (self.today - attempt.sent_on).days >= rules.UNKNOWN_AFTER_DAYS
        if booked is None:
            if bank.refused_rows(attempt.agreement, attempt.sent_on):
                return "failed", "BANK_FUNDS"
            return None, ""
        if booked.returned_on is not None:
            return "returned", "BANK_RETURNED"
        if booked.failed:
            return "failed", REASON_OF_CODE[booked.failed]
        # What is credited and not reported stands on the statement of its day, which closes when the day is over.
        if booked.credited_on is not None and (booked.reported or booked.credited_on < self.today):
            return "paid", ""
        return ("unknown", "BANK_UNKNOWN") if late else ("in_transit", "")

    def _take(self, batch: Batch, item: Item, attempt: Attempt, state: str, reason: str) -> None:
        if state in ("paid", "returned") and attempt.state in ("in_transit", "unknown"):
            batch.move("paid", "in_transit", item.fen)
        if state == "returned":
            batch.move("available" if batch.year == self.today.year else "treasury", "paid", item.fen)
            batch.came_back.append(item.fen)
            if batch.state == CLOSED:
                batch.state = batch.next("reopen")
        if state == "failed":
            batch.move("reserved", "in_transit", item.fen)
        attempt.state, attempt.reason, attempt.told = state, reason, True
        item.state, item.reason = state, reason

    # --- Repair -------------------------------------------------------------------------------------------------------

    @staticmethod
    def _repairable(item: Item) -> bool:
        return item.state == "unroutable" or (item.state in ("failed", "returned") and not item.abandoned)

    def _candidates(self, batch: Batch, rows: list) -> list:
        """The named items; every one of them must be in a state that can be repaired."""
        found = [batch.items[row] for row in sorted(rows) if row in batch.items]
        for item in found:
            require(self._repairable(item), "ITEM_NOT_REPAIRABLE")
            require(not item.attempts or item.attempts[-1].number < MOST_ATTEMPTS, "ATTEMPTS_EXHAUSTED")
        require(len(found) == len(rows), "ITEM_UNKNOWN")
        return found

    def _statement_is_in(self, item: Item) -> bool:
        """Whether the statement of the day on which it was sent was compared: a failure counts only behind it."""
        return item.state != "failed" or item.attempts[-1].sent_on < self.today

    def do_reissue(self, caller, operation):
        self.check_reason(operation["reason"])
        rows = operation["rows"]
        require(len(set(rows)) == len(rows), "FIELD_INVALID")
        answer = self.same(caller, operation)
        if answer is not None:
            return answer

        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("reissue")
            if rows:
                items = self._candidates(batch, rows)
            else:
                every = [item for item in batch.items.values() if self._repairable(item)]
                items = [item for item in every if self._statement_is_in(item)] or every
            require(all(self._statement_is_in(item) for item in items), "STATEMENT_OUTSTANDING")
            if not items:
                return {"reissued": 0}
            back = [item for item in items if item.state == "returned"]
            require(not back or batch.year == self.today.year, "FUNDS_INSUFFICIENT")
            for source, line in enumerate(batch.lines):
                needed = sum(rules.split(item.fen, batch.policy.funding)[source] for item in back)
                require(line.of("available") >= needed, "FUNDS_INSUFFICIENT")
            for item in back:
                batch.move("reserved", "available", item.fen)
            batch.state = to
            for item in items:
                item.state, item.reason = "waiting", ""
            self._send(batch, items)
            return {"reissued": len(items)}
        return self.once(caller, operation, work)

    def do_abandon(self, caller, operation):
        self.check_reason(operation["reason"])
        rows = operation["rows"]
        require(bool(rows) and len(set(rows)) == len(rows), "FIELD_INVALID")
        answer = self.same(caller, operation)
        if answer is not None:
            return answer

        def work():
            batch = self.find(caller, operation["batch"])
            items = self._candidates(batch, rows)
            require(all(self._statement_is_in(item) for item in items), "STATEMENT_OUTSTANDING")
            batch.next("reissue")
            for item in items:
                if item.state != "returned":
                    batch.move("available", "reserved", item.fen)
                if item.state == "unroutable":
                    item.state, item.reason = "stopped", "ABANDONED"
                else:
                    item.abandoned = True
            return {"abandoned": len(items)}
        return self.once(caller, operation, work)

    def do_close(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("close")
            open_items = [item for item in batch.in_state("held", "unroutable", "failed", "returned") if not item.abandoned]
            require(not open_items and not batch.in_state("waiting", "in_transit", "unknown"), "ITEMS_OPEN")
            batch.state = to
            return batch.view()
        return self.once(caller, operation, work)
