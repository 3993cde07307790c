"""The suite's rules as one single-threaded program that keeps everything in plain dictionaries.

An operation is a dictionary: `op` names it, `as` the person, `id` the request id, the rest are its arguments. `apply` answers
what the services must answer: a reason of refusal, or what the answer must show. What the bank did is an input (`learn`);
everything that follows from it is the model's own.
"""
import datetime

import rules
from collecting import Collecting
from money import Money
from queries import Queries
from state import APPROVED, CANCELLED, CLOSED, FUNDED, NOTICED, PAYING, RETURNED, SETTLED, Batch, Refused, require


class Model(Collecting, Money, Queries):
    def __init__(self, callers: dict, policies: list, people: list, agreements: list, departments: dict,
                 card_districts: set, today: datetime.date):
        self.callers = callers
        self.policies = {policy.policy_id: policy for policy in policies}
        self.people = people
        self.by_id = {person.id_no: person for person in people}
        self.agreements = {agreement.number: agreement for agreement in agreements}
        self.departments = departments  # identifier -> district and field
        self.card_districts = card_districts
        self.today = today
        self.batches = []
        self.lines = {}         # (district, policy, year, source) -> Line
        self.targets = {}       # (district, policy, year) -> [set by, approved]
        self.claims = {}        # (policy, slot, kind, key) -> (batch, row)
        self.edges = {}         # (edge, slot, kind, key) -> [policy, holders]
        self.requests = {}      # (organisation, id) -> (content, answer)

    # --- Asking -------------------------------------------------------------------------------------------------------

    def apply(self, operation: dict) -> tuple:
        """(reason, answer); the reason is empty where it is done. A refusal changes nothing."""
        caller = self.callers[operation["as"]]
        try:
            require(caller.may(operation["op"]), "PERMISSION_DENIED")
            if "id" in operation:
                require(operation["id"] != "", "REQUEST_ID_MISSING")
            return "", getattr(self, f"do_{operation['op']}")(caller, operation)
        except Refused as refusal:
            return refusal.reason, None

    @staticmethod
    def content(operation: dict) -> tuple:
        """What a request says, apart from who says it."""
        return tuple(sorted((key, repr(value)) for key, value in operation.items() if key not in ("as", "lost")))

    def kept(self, caller, operation: dict):
        found = self.requests.get((caller.organisation, operation["id"]))
        if found is None:
            return None
        require(found[0] == self.content(operation), "REQUEST_ID_REUSED")
        return found[1]

    def same(self, caller, operation: dict):
        """The first answer to this very request; an id that was used otherwise says nothing yet."""
        found = self.requests.get((caller.organisation, operation["id"]))
        return found[1] if found is not None and found[0] == self.content(operation) else None

    def once(self, caller, operation: dict, work):
        answer = self.kept(caller, operation)
        if answer is None:
            answer = work()
            self.requests[(caller.organisation, operation["id"])] = (self.content(operation), answer)
        return answer

    def find(self, caller, key) -> Batch:
        require(isinstance(key, int) and 0 <= key < len(self.batches), "BATCH_UNKNOWN")
        batch = self.batches[key]
        require(caller.in_district(batch.district) and caller.in_field(batch.policy.field), "BATCH_UNKNOWN")
        return batch

    @staticmethod
    def check_reason(text: str, most: int = rules.MOST_REASON) -> None:
        require(text != "", "REASON_MISSING")
        require(len(text) <= most, "FIELD_INVALID")

    # --- The notice and the review ------------------------------------------------------------------------------------

    def do_publish(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("publish")
            require(all(reason for _, reason in batch.departures.values()), "DEPARTURES_UNEXPLAINED")
            batch.notice = (self.today, self.today + datetime.timedelta(days=batch.policy.notice_days - 1))
            batch.state = to
            return self.notice_view(batch)
        return self.once(caller, operation, work)

    def notice_view(self, batch: Batch) -> dict:
        villages = {self.people[item.person].village for item in batch.items.values()}
        return {"from": batch.notice[0].isoformat(), "to": batch.notice[1].isoformat(),
                "lines": len(villages) if batch.policy.aggregate else len(batch.items), "aggregate": batch.policy.aggregate}

    def do_object(self, caller, operation):
        self.check_reason(operation["text"], 2_000)

        def work():
            batch = self.find(caller, operation["batch"])
            require(batch.notice is not None, "BATCH_STATE")
            if batch.state != NOTICED:
                raise Refused("BATCH_STATE" if batch.state in (CANCELLED, RETURNED) else "NOTICE_ENDED")
            require(self.today <= batch.notice[1], "NOTICE_ENDED")
            item = batch.items.get(operation["row"]) if operation.get("of", batch.key) == batch.key else None
            require(item is not None, "ITEM_UNKNOWN")
            require(item.state != "held", "OBJECTION_OPEN")
            require(item.state != "stopped", "OBJECTION_DECIDED")
            batch.objections.append([item.row, "OPEN", caller.name])
            item.state, item.reason = "held", "OBJECTION_OPEN"
            return {"objection": len(batch.objections), "state": "OPEN"}
        return self.once(caller, operation, work)

    def do_decide(self, caller, operation):
        self.check_reason(operation["reason"])
        require(operation["decision"] in ("UPHELD", "REJECTED", "WITHDRAWN"), "FIELD_INVALID")

        def work():
            batch = self.find(caller, operation["batch"])
            require(1 <= operation["objection"] <= len(batch.objections), "OBJECTION_UNKNOWN")
            objection = batch.objections[operation["objection"] - 1]
            require(objection[1] == "OPEN", "OBJECTION_DECIDED")
            require(batch.state not in (CANCELLED, RETURNED, CLOSED), "BATCH_STATE")
            require(operation["decision"] == "WITHDRAWN" or objection[2] != caller.name, "SAME_PERSON")
            objection[1] = operation["decision"]
            item = batch.items[objection[0]]
            if operation["decision"] == "UPHELD":
                item.state, item.reason = "stopped", "OBJECTION_UPHELD"
                if batch.state in (FUNDED, PAYING, SETTLED):
                    batch.move("available", "reserved", item.fen)
            else:
                item.state, item.reason = "waiting", ""
                if batch.state in (PAYING, SETTLED):
                    batch.state = PAYING
                    self._send(batch, [item])
            return {"objection": operation["objection"], "state": operation["decision"]}
        return self.once(caller, operation, work)

    def do_close_notice(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            to = batch.next("close_notice")
            require(self.today > batch.notice[1], "NOTICE_RUNNING")
            require(batch.policy.aggregate or "notice_photo" in batch.evidence.values(), "NOTICE_EVIDENCE_MISSING")
            batch.state = to
            return batch.view()
        return self.once(caller, operation, work)

    def do_review(self, caller, operation):
        def work():
            batch = self.find(caller, operation["batch"])
            approve = operation["approve"]
            to = batch.next("approve" if approve else "return")
            roles = [rules.ROLE_OF_STEP[step] for step in batch.policy.steps]
            if batch.state == APPROVED:
                require(operation["step"] == "", "STEP_ORDER")
                require(any(role in caller.roles for role in roles), "PERMISSION_DENIED")
            else:
                taken = sum(1 for _, _, approved, _ in batch.reviews if approved)
                require(operation["step"] == batch.policy.steps[taken], "STEP_ORDER")
                require(roles[taken] in caller.roles, "PERMISSION_DENIED")
            require(caller.name != batch.created_by, "SAME_PERSON")
            require(all(person != caller.name for _, person, _, _ in batch.reviews), "SAME_PERSON")
            require(approve or operation["comment"] != "", "REASON_MISSING")
            require(len(operation["comment"]) <= rules.MOST_REASON, "FIELD_INVALID")
            batch.reviews.append((operation["step"], caller.name, approve, operation["comment"]))
            if not approve:
                batch.state, batch.reason = to, operation["comment"]
            elif len(batch.reviews) == len(batch.policy.steps):
                batch.state = to
            return batch.view()
        return self.once(caller, operation, work)

    # --- The world around ---------------------------------------------------------------------------------------------

    def do_change_person(self, caller, operation):
        person = self.people[operation["person"]]
        kind, day = operation["kind"], datetime.date.fromisoformat(operation["on"])
        if day < person.born:
            return {"refused": "CHANGE_INVALID"}
        if kind == "DEATH":
            if person.died is None or day < person.died:
                person.died = day
        elif kind == "CARD_REPLACED":
            person.card_state, person.bank = "ACTIVE", operation["bank"]
        else:
            if not person.card_state:
                return {"refused": "CARD_UNKNOWN"}
            if person.card_state == "CANCELLED" and kind != "CARD_CANCELLED":
                return {"refused": "CHANGE_INVALID"}
            person.card_state = {"CARD_LOST": "LOST", "CARD_CANCELLED": "CANCELLED", "CARD_ACTIVATED": "ACTIVE"}[kind]
        return {"refused": ""}

    def do_suspend(self, caller, operation):
        self.agreements[operation["agreement"]].suspended = operation["suspended"]
        return {}

    def do_advance(self, caller, operation):
        self.today += datetime.timedelta(days=operation["days"])
        return {"date": self.today.isoformat()}
