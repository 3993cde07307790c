"""The part of the model that collects: opening a batch, judging rows, claims, sealing, departures, cancelling, evidence."""
import datetime

import rules
from rules import Period
from state import (CANCELLED, CLOSED, COLLECTING, FUNDED, Batch, Item, OneOf, Person, Refused, require)


class Collecting:
    def do_create(self, caller, operation):
        if operation["pay_on"]:
            try:
                pay_on = datetime.date.fromisoformat(operation["pay_on"])
            except ValueError:
                raise Refused("FIELD_INVALID") from None
        else:
            pay_on = None
        answer = self.kept(caller, operation)
        if answer is not None:
            return answer
        require(caller.in_district(operation["district"]), "DISTRICT_FOREIGN")
        require(operation["count"] >= 1, "BATCH_EMPTY")
        require(operation["count"] <= rules.MOST_BATCH_ROWS and operation["fen"] <= rules.MOST_BATCH_FEN, "BATCH_TOO_LARGE")
        require(operation["fen"] >= 1, "FIELD_INVALID")
        period = Period.parse(operation["period"])
        require(period is not None, "PERIOD_INVALID")
        require(pay_on is None or pay_on >= self.today, "PAY_DATE_PAST")
        policy = self.policies.get(operation["policy"])
        require(policy is not None, "POLICY_UNKNOWN")
        require(policy.district in (rules.CITY, operation["district"]), "DISTRICT_FOREIGN")
        require(operation["department"] in self.departments, "DEPARTMENT_UNKNOWN")
        responsible = self.departments[operation["department"]]
        require(responsible == (operation["district"], policy.field), "FIELD_INVALID")
        require(policy.state != "DRAFT", "POLICY_VERSION_NOT_APPROVED")
        require(rules.fits_cadence(policy.cadence, policy.slot, period), "PERIOD_INVALID")
        require(policy.state == "PUBLISHED", "POLICY_PUBLICATION_OVERDUE")
        require(caller.in_field(policy.field), "POLICY_UNKNOWN")

        def work():
            batch = Batch(len(self.batches), operation["district"], operation["department"], policy, period,
                          operation["count"], operation["fen"], caller.name, pay_on)
            self.batches.append(batch)
            return {"batch": batch.key, **batch.view()}

        return self.once(caller, operation, work)

    def do_upload(self, caller, operation):
        batch = self.find(caller, operation["batch"])
        number, rows = operation["chunk"], operation["rows"]
        require(number > 0, "CHUNK_INVALID")
        if number in batch.chunks:
            require(batch.chunks[number][0] == rows, "REQUEST_ID_REUSED")
            return batch.chunks[number][1]
        require(batch.state == COLLECTING, "BATCH_STATE")
        numbers = [row["row"] for row in rows]
        require(bool(rows) and numbers[0] >= 1 and numbers == list(range(numbers[0], numbers[0] + len(rows))), "CHUNK_INVALID")
        # Row numbers that another chunk brought before are taken for good, whatever became of them.
        taken = {row["row"] for other, _ in batch.chunks.values() for row in other}
        faults, accepted = [], []
        judged = [(row, *self._judge(batch, row)) for row in rows]
        for row, fault, _ in judged:
            if fault:
                faults.append((row["row"], fault, ""))
        for row, fault, item in judged:
            if fault:
                continue
            fault, detail = ("ROW_NUMBER_REPEATED", "") if row["row"] in taken else self._claim(batch, item)
            if fault:
                faults.append((row["row"], fault, detail))
            else:
                accepted.append(item)
        for item in accepted:
            batch.items[item.row] = item
        batch.uploaded += len(rows)
        batch.uploaded_fen += sum(row["amount_fen"] for row in rows)
        batch.refused += [(row, reason) for row, reason, _ in faults]
        answer = {"accepted": len(accepted), "accepted_fen": sum(item.fen for item in accepted), "faults": sorted(faults)}
        batch.chunks[number] = (rows, answer)
        return answer

    def _judge(self, batch: Batch, row: dict) -> tuple:
        """(reason, item): what a row becomes, or why it cannot."""
        policy = batch.policy
        if row["row"] > batch.count:
            return "ROW_NUMBER_BEYOND_DECLARED", None
        if row["amount_fen"] <= 0:
            return "AMOUNT_INVALID", None
        if row["amount_fen"] > rules.MOST_ROW_FEN:
            return "AMOUNT_TOO_LARGE", None
        fault = rules.id_fault(row["id_no"], self.today)
        if not fault and row.get("payee_id_no"):
            fault = rules.id_fault(row["payee_id_no"], self.today)
        if fault:
            return fault, None
        person = self.by_id.get(row["id_no"])
        if person is None:
            return "PERSON_UNKNOWN", None
        if person.name != row["name"]:
            return "NAME_MISMATCH", None
        fault = rules.ineligible(policy, person.born, person.died, person.district, batch.district, batch.period, self.today)
        if fault:
            return fault, None
        fault, payee = self._payee(policy, person, row)
        if fault:
            return fault, None
        item = Item(row["row"], person.key, payee, row["amount_fen"], [], [])
        thing = row.get("object_id", "")
        fault = self._claims(policy.policy_id, policy.slot, policy.key, batch.period, person, thing, item.own)
        if fault:
            return fault, None
        age = rules.age_at(person.born, batch.period.first_day() or self.today)
        fault, fen = rules.standard(policy, row, age, batch.period)
        if fault or fen != row["amount_fen"]:
            return fault or "AMOUNT_NOT_STANDARD", None
        for other in policy.excludes:
            against = self.policies[other]
            keys = []
            fault = self._claims("-".join(sorted((policy.policy_id, other))),
                                 rules.coarser_slot(policy.slot, against.slot),
                                 rules.coarser_key(policy.key, against.key), batch.period, person, thing, keys)
            if fault:
                return fault, None
            item.edges += [(key, other) for key in keys]
        return "", item

    def _payee(self, policy, person: Person, row: dict) -> tuple:
        other = None
        if row.get("payee_id_no") and row["payee_id_no"] != row["id_no"]:
            other = self.by_id.get(row["payee_id_no"])
            if other is None:
                return "PAYEE_UNKNOWN", 0
            if row.get("payee_name") and row["payee_name"] != other.name:
                return "NAME_MISMATCH", 0
        if policy.payee == "SELF":
            must, missing = person.key, ""
        elif policy.payee == "HEAD_OF_HOUSEHOLD":
            must = next((one.key for one in self.people if person.household is not None and
                         one.household == person.household and one.role == "HEAD"), None)
            missing = "HOUSEHOLD_MISSING"
        else:
            must, missing = person.guardian, "PAYEE_RELATION_MISSING"
        if must is None:
            return missing, 0
        if other is not None and other.key != must:
            return "PAYEE_RELATION_MISSING", 0
        return "", must

    @staticmethod
    def _claims(scope: str, slot: str, kind: str, period: Period, person: Person, thing: str, claims: list) -> str:
        if kind in ("PERSON", "CHILD"):
            kind, key = "PERSON", person.key
        elif kind == "HOUSEHOLD":
            if person.household is None:
                return "HOUSEHOLD_MISSING"
            key = person.household
        else:
            key = thing.replace(" ", "").upper()
            if not key:
                return "OBJECT_MISSING"
        claims += [(scope, slot_name, kind, key) for slot_name in period.slots(slot)]
        return ""

    def _claim(self, batch: Batch, item: Item) -> tuple:
        """Takes all that an item must own, or nothing: (reason, detail)."""
        for key in item.own:
            holder = self.claims.get(key)
            if holder is not None:
                if holder[0] == batch.key:
                    return "DUPLICATE_IN_BATCH", f"row={holder[1]}"
                return "ALREADY_CLAIMED", ("batch", holder[0])
        lost = {other for key, other in item.edges
                if key in self.edges and self.edges[key][0] != batch.policy.policy_id}
        if lost:
            return "EXCLUDED_BY_POLICY", OneOf(f"policy={other}" for other in lost)
        for key in item.own:
            self.claims[key] = (batch.key, item.row)
        for key, _ in item.edges:
            self.edges.setdefault(key, [batch.policy.policy_id, 0])[1] += 1
        return "", ""

    def do_seal(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("seal")
            require(batch.uploaded > 0 and bool(batch.items), "BATCH_EMPTY")
            require(batch.uploaded == batch.count, "COUNT_DIFFERS")
            require(batch.uploaded_fen == batch.fen, "TOTAL_DIFFERS")
            self._find_departures(batch)
            batch.state = to
            return batch.view()
        return self.once(caller, operation, work)

    def _find_departures(self, batch: Batch) -> None:
        before = batch.period.previous()
        alike = [one for one in self.batches if one.district == batch.district and one.policy is batch.policy]
        now = [one for one in alike if one.period == batch.period and one.state != CANCELLED]
        accounted = {item.person for one in now for item in one.items.values()}.union(*(one.departures for one in now))
        for one in alike:
            if before is not None and one.period == before and one.state not in (COLLECTING, CANCELLED):
                for item in one.items.values():
                    if item.person not in accounted:
                        batch.departures.setdefault(item.person, [0, ""])[0] += item.fen

    def do_explain(self, caller, operation):
        self.check_reason(operation["reason"])

        def work():
            batch = self.find(caller, operation["batch"])
            batch.next("publish")
            if operation["people"]:
                require(all(person in batch.departures for person in operation["people"]), "PERSON_UNKNOWN")
                told = operation["people"]
            else:
                told = [person for person, (_, reason) in batch.departures.items() if not reason]
            for person in told:
                batch.departures[person][1] = operation["reason"]
            return {"explained": len(told),
                    "unexplained": sum(1 for _, reason in batch.departures.values() if not reason)}
        return self.once(caller, operation, work)

    def do_cancel(self, caller, operation):
        self.check_reason(operation["reason"])

        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("cancel")
            if batch.state == CANCELLED:
                return batch.view()
            for item in batch.items.values():
                for key in item.own:
                    if self.claims.get(key) == (batch.key, item.row):
                        del self.claims[key]
                for key, _ in item.edges:
                    self.edges[key][1] -= 1
                    if not self.edges[key][1]:
                        del self.edges[key]
            if batch.state == FUNDED:
                for item in batch.in_state("waiting", "held"):
                    batch.move("available", "reserved", item.fen)
            for item in batch.in_state("waiting", "held"):
                item.state = "cancelled"
            batch.state, batch.reason = to, operation["reason"]
            return batch.view()
        return self.once(caller, operation, work)

    def do_attach(self, caller, operation):
        require(operation["kind"] in ("notice_photo", "signed_roster", "decision", "other") and
                len(operation["sha256"]) == 64 and 1 <= operation["bytes"] <= 1 << 30, "ATTACHMENT_INVALID")

        def work():
            batch = self.find(caller, operation["batch"])
            require(batch.state not in (CLOSED, CANCELLED), "BATCH_STATE")
            batch.evidence.setdefault(operation["sha256"], operation["kind"])
            return batch.view()
        return self.once(caller, operation, work)
