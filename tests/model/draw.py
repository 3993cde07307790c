"""Draws the next operation of a history: mostly a step that somebody would take next, often one that must be refused.

Every kind of operation can come at any time. What is drawn follows from the seed and from what the model knows alone.
"""
import datetime
import random

import cast
import rules
from cast import BAODI, BINHAI, HEBEI, KIND_OF_FIELD, WUQING
from state import (APPROVED, CANCELLED, CLOSED, COLLECTING, FUNDED, IN_REVIEW, ITEM_STATES, NOTICED, PAYING, RETURNED, SEALED,
                   SETTLED, SOURCES)

MUTATIONS = ("create", "upload", "seal", "explain", "cancel", "attach", "publish", "object", "decide", "close_notice", "review",
             "create_line", "set_target", "approve_target", "appropriate", "fund", "release", "reissue", "abandon", "close",
             "change_person", "suspend", "advance")
QUERIES = ("get", "list_batches", "list_items", "list_rejections", "list_departures", "list_notice", "list_lines",
           "list_ledger", "proof")
# What never refuses here, whoever asks: a list of what is foreign is empty.
NEVER_REFUSED = {"list_batches", "list_lines"}
ON_BATCH = ("seal", "explain", "cancel", "attach", "publish", "object", "decide", "close_notice", "review", "fund", "release",
            "reissue", "abandon", "close", "upload")
SPLITS = (2, 5, 8, 8)
MOST_LIVING = 9
# How often a batch of a state is the one that goes on: what is near its payment more than what has only begun.
EAGERNESS = {COLLECTING: 3, SEALED: 4, NOTICED: 4, IN_REVIEW: 7, APPROVED: 9, FUNDED: 7, PAYING: 4, SETTLED: 5, RETURNED: 1}


class Draw:
    def __init__(self, seed: int, run: int, model):
        self.random = random.Random(f"history {seed}")
        self.seed, self.run, self.model = seed, run, model
        self.next_id = 0
        self.next_card = 0
        self.next_plot = 0
        self.rosters = {}   # batch -> rows that are still to come
        self.sent = []      # mutations that went out, to be asked again
        self.everybody = sorted(model.callers)
        self.letter = {policy.policy_id: policy.policy_id[-1] for policy in model.policies.values()}

    # --- Small draws --------------------------------------------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, values):
        return self.random.choice(list(values))

    def fresh_id(self) -> str:
        self.next_id += 1
        return f"r{self.run}-{self.next_id}"

    def somebody(self) -> str:
        return self.pick(self.everybody)

    def officer(self, batch, role: str, number: int = 0) -> str:
        district, kind = batch.district, KIND_OF_FIELD[batch.policy.field]
        if self.chance(0.12) and f"hats-{district}-1" in self.model.callers:
            return f"hats-{district}-{self.pick((1, 2))}"
        number = number or self.pick((1, 1, 2))
        name = {"operator": f"operator-{kind}-{district}", "reviewer": f"reviewer-{kind}-{district}",
                "town": f"town-operator-{district}", "town_review": f"town-reviewer-{district}",
                "department_review": f"reviewer-{kind}-{district}", "finance_review": f"finance-reviewer-{district}",
                "finance": f"finance-operator-{district}", "releaser": f"releaser-{district}"}[role]
        return f"{name}-{number}"

    def batch(self, *states):
        found = [one for one in self.model.batches if not states or one.state in states]
        # The newer ones more often, so that a long history does not stir its past alone.
        return found[-1 - int(self.random.random() ** 2 * len(found))] if found else None

    # --- Drawing ------------------------------------------------------------------------------------------------------

    def operation(self) -> dict:
        chance = self.random.random()
        if chance < 0.06 and self.sent:
            return self._again()
        if chance < 0.14:
            return self._query()
        if chance < 0.24:
            return self._anything()
        if chance < 0.30:
            return self._world()
        living = [one for one in self.model.batches if one.state not in (CLOSED, CANCELLED)]
        if len(living) < 3 or (chance < 0.36 and len(living) < MOST_LIVING):
            return self._create()
        weights = [EAGERNESS[one.state] if not self._stuck(one) else EAGERNESS[RETURNED] for one in living]
        return self._forward(self.random.choices(living, weights)[0])

    def _stuck(self, batch) -> bool:
        """Whether all rows of a batch have come, and it can never be sealed."""
        return batch.state == COLLECTING and bool(batch.chunks) and \
            (batch.uploaded >= batch.count or not self._left(batch)) and \
            ((batch.uploaded, batch.uploaded_fen) != (batch.count, batch.fen) or not batch.items)

    def _finish(self, operation: dict) -> dict:
        """Now and then the wrong person, no request id, or an answer that is lost on the way."""
        if operation["op"] in MUTATIONS:
            # Only a text that says what happened is long enough to be refused for its length.
            if operation["op"] not in ("upload", "change_person") and "id" not in operation:
                operation["id"] = "" if self.chance(0.01) else self.fresh_id()
            if self.chance(0.06):
                operation["as"] = self.somebody()
            if self.chance(0.05) and operation["op"] != "advance":
                operation["lost"] = True
            self.sent.append(operation)
        return operation

    def _again(self) -> dict:
        """A request that was sent before: whole, with other content, or its id under another method."""
        before = self.pick(self.sent[-40:])
        again = {key: value for key, value in before.items() if key != "lost"}
        if before["op"] in ("advance", "change_person", "suspend", "set_target", "approve_target"):
            # Their ids belong to other services; what is new here is the request.
            return self._query()
        if self.chance(0.55) or not again.get("id"):
            return again
        if self.chance(0.5):
            for name, value in (("reason", "另一个原因"), ("comment", "另一条意见"), ("fen", 777), ("text", "另一条异议"),
                                ("basis", "另一份文件"), ("count", 3)):
                if name in again:
                    again[name] = value
                    return again
        other = self.batch(*_NAMES)
        if other is not None:
            step = self._forward(other)
            if "id" in step and step["op"] not in ("advance", "change_person", "suspend", "set_target", "approve_target"):
                organisation = self.model.callers[before["as"]].organisation
                same = [name for name in self.everybody if self.model.callers[name].organisation == organisation]
                able = [name for name in same if self.model.callers[name].may(step["op"])]
                return {**step, "id": again["id"], "as": self.pick(able or same)}
        return again

    # --- Opening a batch and its roster -------------------------------------------------------------------------------

    def _periods(self, policy) -> list:
        today = self.model.today
        year, month = today.year, today.month
        before = (year, month - 1) if month > 1 else (year - 1, 12)
        quarter = f"{year}-Q{(month - 1) // 3 + 1}"
        months = [f"{year}-{month:02d}", f"{before[0]}-{before[1]:02d}"]
        return {"monthly": months * 2 + [quarter], "yearly": [f"{year}", f"{year}", f"{year - 1}"],
                "once": {"MONTH": months, "YEAR": [f"{year}"], "LIFE": ["LIFE"]}[policy.slot]}[policy.cadence]

    def _create(self) -> dict:
        model = self.model
        policy = self.pick(model.policies.values())
        district = self.pick((HEBEI, HEBEI, HEBEI, BAODI, BAODI, BINHAI, WUQING))
        period = self.pick(self._periods(policy))
        if self.chance(0.04):
            period = self.pick(("2026-13", "2026-Q5", "", "LIFE", "2026", "2026-Q2", "26-01", "1900"))
        kind = KIND_OF_FIELD[policy.field]
        people = (f"operator-{kind}-{district}-1",) * 3 + (f"operator-{kind}-{district}-2", f"town-operator-{district}-1")
        if f"hats-{district}-1" in self.model.callers:
            people += (f"hats-{district}-1",)
        person = self.pick(people)
        rows = self._roster(policy, district, period)
        count, fen = len(rows), sum(row["amount_fen"] for row in rows)
        if self.chance(0.06):
            count += self.pick((-1, 1, 2))
        if self.chance(0.05):
            fen += self.pick((-1, 1, 100))
        if self.chance(0.03):
            count, fen = self.pick(((0, fen), (count, 0), (count, -5), (rules.MOST_BATCH_ROWS + 1, fen),
                                    (count, rules.MOST_BATCH_FEN + 1)))
        pay_on = ""
        if self.chance(0.12):
            days = self.pick((-1, 0, 6, 9, 20))
            pay_on = (model.today + datetime.timedelta(days=days)).isoformat()
        elif self.chance(0.01):
            pay_on = "2026-02-30"
        department = f"{kind}.{district}"
        if self.chance(0.03):
            department = self.pick((f"{kind}.{rules.CITY}", f"{kind}.{WUQING}", f"finance.{district}", "NOT-THERE"))
        operation = {"op": "create", "as": person, "district": district, "department": department,
                     "policy": policy.policy_id if not self.chance(0.02) else "NOT-THERE", "period": period, "count": count,
                     "fen": fen, "pay_on": pay_on}
        operation = self._finish(operation)
        self.rosters[operation["id"]] = rows
        return operation

    def _roster(self, policy, district: int, period: str) -> list:
        """Rows of a roster with their faults; numbered from 1."""
        model = self.model
        own = [one for one in model.people if one.district == district or policy.residence != "DISTRICT"]
        size = self.random.randint(2, 9)
        chosen = self.random.sample(own, min(size, len(own))) if own else [self.pick(model.people)]
        if policy.key == "HOUSEHOLD" and not self.chance(0.2):
            chosen = [one for one in chosen if one.household is not None] or chosen
        if policy.min_age:
            old = [one for one in chosen if rules.age_at(one.born, model.today) >= policy.min_age or self.chance(0.1)]
            chosen = old or chosen
        if policy.max_age is not None:
            chosen = [one for one in model.people if one.role == "CHILD"][:size] + chosen[:1]
        rows = [self._row(policy, district, period, person) for person in chosen]
        if self.chance(0.12):
            rows.append(dict(self.pick(rows)))
        for number, row in enumerate(rows, start=1):
            row["row"] = number
        return rows

    def _row(self, policy, district: int, period: str, person) -> dict:
        row = {"row": 0, "id_no": person.id_no, "name": person.name, "amount_fen": 1}
        kind = policy.calculation
        if kind == "TOP_UP":
            row |= {"members": self.random.randint(1, 4), "income_fen": self.random.randint(0, 90_000)}
        elif kind in ("PER_AREA", "PRO_RATA", "PER_MONTH_COUNT"):
            row["quantity"] = self.random.randint(1, 12) if kind != "PER_AREA" else self.random.randint(1, 90_000)
        elif kind == "TIERED":
            row["tier"] = self.pick(("full", "half"))
        elif kind == "PERCENT_CAP":
            row["bill_fen"] = self.random.randint(1, 300_000)
        if policy.key == "PLOT":
            self.next_plot += 1
            # A few plots are asked for again and again, in other spellings too.
            plot = f"M{self.run}-{self.next_plot}" if self.chance(0.7) else f"m{self.run} - {self.random.randint(1, 4)}"
            row["object_id"] = "" if self.chance(0.04) else plot
        if policy.payee == "GUARDIAN" and person.guardian is not None and self.chance(0.6):
            guardian = self.model.people[person.guardian]
            row |= {"payee_id_no": guardian.id_no, "payee_name": guardian.name}
        self._price(policy, row, person, period)
        if self.chance(0.14):
            self._spoil(row)
        return row

    def _price(self, policy, row: dict, person, period: str) -> None:
        when = rules.Period.parse(period)
        if when is None:
            return
        if policy.calculation == "ASSESSED":
            row["amount_fen"] = self.pick((1_000, 50_000, 627_000, 999, 627_001, self.random.randint(1_000, 600_000)))
            return
        age = rules.age_at(person.born, when.first_day() or self.model.today)
        fault, fen = rules.standard(policy, row, age, when)
        row["amount_fen"] = fen if not fault and fen > 0 else 100

    def _spoil(self, row: dict) -> None:
        other = self.pick(self.model.people)
        fault = self.random.randint(0, 12)
        number = row["id_no"]
        if fault == 0:
            row["amount_fen"] += self.pick((-1, 1))
        elif fault == 1:
            row["amount_fen"] = self.pick((0, -100, rules.MOST_ROW_FEN + 1))
        elif fault == 2:
            row["id_no"] = number[:17] + ("0" if number[17] != "0" else "1")
        elif fault == 3:
            row["id_no"] = number[:-1]
        elif fault == 4:
            row["id_no"] = "99" + number[2:]
        elif fault == 5:
            row["id_no"] = number[:10] + "1332" + number[14:]
        elif fault == 6:
            row["id_no"] = number[:5] + "?" + number[6:]
        elif fault == 7:
            stranger = f"{number[:6]}{1930 + self.random.randint(0, 60)}0101" + f"{self.random.randint(100, 499)}"
            row["id_no"] = stranger + rules.check_character(stranger)
        elif fault == 8:
            row["name"] = other.name + "某"
        elif fault == 9:
            row |= {"payee_id_no": other.id_no, "payee_name": other.name}
        elif fault == 10:
            stranger = f"{number[:6]}19510202" + f"{self.random.randint(100, 499)}"
            row |= {"payee_id_no": stranger + rules.check_character(stranger), "payee_name": "无此人"}
        elif fault == 11:
            row |= {"payee_id_no": other.id_no, "payee_name": other.name + "某"}
        else:
            for name, value in (("quantity", -1), ("members", 0), ("tier", "none"), ("bill_fen", 0)):
                if name in row:
                    row[name] = value

    def opened(self, operation: dict, batch) -> None:
        """A batch was opened by this operation: its roster is to come."""
        self.rosters[batch.key] = self.rosters.get(operation["id"], [])

    def _left(self, batch) -> list:
        """The rows of a batch's roster that were not sent yet."""
        sent = {row["row"] for other, _ in batch.chunks.values() for row in other}
        return [row for row in self.rosters.get(batch.key, []) if row["row"] not in sent]

    # --- The next step of a batch -------------------------------------------------------------------------------------

    def _forward(self, batch) -> dict:
        if batch is None:
            return self._create()
        if self.chance(0.015):
            return self._finish({"op": "cancel", "as": self.officer(batch, "operator"), "batch": batch.key,
                                 "reason": self.pick(("名单有误", "重新申报"))})
        return self._finish(getattr(self, f"_in_{_NAMES[batch.state]}")(batch))

    def _in_collecting(self, batch) -> dict:
        left = self._left(batch)
        if self._stuck(batch) and self.chance(0.5):
            return {"op": "cancel", "as": self.officer(batch, "operator"), "batch": batch.key, "reason": "申报有误"}
        if not left:
            return {"op": "seal", "as": self.officer(batch, "operator"), "batch": batch.key}
        part = left[:self.pick(SPLITS)]
        return {"op": "upload", "as": batch.created_by if self.chance(0.8) else self.officer(batch, "town"),
                "batch": batch.key, "chunk": max(batch.chunks, default=0) + 1, "rows": part}

    def _in_sealed(self, batch) -> dict:
        if any(not reason for _, reason in batch.departures.values()) and self.chance(0.7):
            return self._explain(batch)
        return {"op": "publish", "as": self.officer(batch, "operator"), "batch": batch.key}

    def _explain(self, batch) -> dict:
        people = []
        if batch.departures and self.chance(0.5):
            people = self.random.sample(sorted(batch.departures), 1)
        if self.chance(0.08):
            people = [self.pick(self.model.people).key]
        return {"op": "explain", "as": self.officer(batch, "operator"), "batch": batch.key, "people": people,
                "reason": self.pick(("迁出", "不再符合条件", "迁出", ""))}

    def _in_noticed(self, batch) -> dict:
        chance = self.random.random()
        if chance < 0.25 and (self.model.today <= batch.notice[1] or chance < 0.03):
            return self._object(batch)
        if chance < 0.45 and batch.objections:
            return self._decide(batch)
        if chance < 0.65 and "notice_photo" not in batch.evidence.values():
            return self._attach(batch)
        if chance < 0.8 and self.model.today <= batch.notice[1]:
            return self._advance()
        return {"op": "close_notice", "as": self.officer(batch, "operator"), "batch": batch.key}

    def _object(self, batch) -> dict:
        row = self.pick(batch.items) if batch.items and self.chance(0.95) else batch.count + 3
        operation = {"op": "object", "as": self.officer(batch, self.pick(("operator", "town", "reviewer"))), "batch": batch.key,
                     "row": row, "text": self.pick(("群众反映已不符合条件", "人已迁走", "", "字" * 2_001) if self.chance(0.1)
                                                   else ("群众反映已不符合条件", "人已迁走"))}
        others = [one for one in self.model.batches if one is not batch and one.items and one.first_item]
        if others and self.chance(0.04):
            other = self.pick(others)
            operation |= {"of": other.key, "row": self.pick(other.items)}
        return operation

    def _decide(self, batch) -> dict:
        numbers = [number for number, one in enumerate(batch.objections, start=1) if one[1] == "OPEN"] or [1]
        number = self.pick(numbers) if self.chance(0.9) else self.random.randint(1, len(batch.objections) + 1)
        decision = self.pick(("UPHELD", "REJECTED", "REJECTED", "WITHDRAWN"))
        if self.chance(0.03):
            decision = "OPEN"
        person = self.officer(batch, "reviewer")
        if self.chance(0.1) and number <= len(batch.objections):
            person = batch.objections[number - 1][2]
        return {"op": "decide", "as": person, "batch": batch.key, "objection": number, "decision": decision,
                "reason": "" if self.chance(0.03) else "经入户核实"}

    def _attach(self, batch) -> dict:
        kind = self.pick(("notice_photo",) * 6 + ("signed_roster", "selfie"))
        return {"op": "attach", "as": self.officer(batch, self.pick(("operator", "town"))), "batch": batch.key, "kind": kind,
                "sha256": f"{self.random.randint(1, 5):064x}"[:64 if not self.chance(0.03) else 62],
                "bytes": self.pick((100, 100, 100, 0)) if self.chance(0.1) else 100}

    def _in_in_review(self, batch) -> dict:
        return self._review(batch, batch.next_step())

    def _review(self, batch, step: str) -> dict:
        person = self.officer(batch, step) if step in rules.ROLE_OF_STEP else self.officer(batch, "reviewer")
        if self.chance(0.08):
            step = self.pick(("town_review", "department_review", "finance_review", "", "another"))
        approve = not self.chance(0.06)
        comment = self.pick(("", "核对无误")) if approve else self.pick(("材料不全", "材料不全", ""))
        return {"op": "review", "as": person, "batch": batch.key, "step": step, "approve": approve,
                "comment": "字" * 501 if self.chance(0.01) else comment}

    def _in_approved(self, batch) -> dict:
        year = self.model.today.year
        keys = [(batch.district, batch.policy.policy_id, year, source) for source, _ in batch.policy.funding]
        missing = [key for key in keys if key not in self.model.lines]
        chance = self.random.random()
        if chance < 0.04:
            return self._review(batch, "") | {"approve": False, "comment": "有人举报"}
        if missing and chance < 0.9:
            return self._create_line(self.pick(missing), batch)
        target = self.model.targets.get((batch.district, batch.policy.policy_id, year))
        if target is None and chance < 0.85:
            return self._target("set_target", batch.district, batch.policy, year)
        if target is not None and not target[1] and chance < 0.85:
            return self._target("approve_target", batch.district, batch.policy, year)
        parts = [rules.split(item.fen, batch.policy.funding) for item in batch.items.values()]
        for number, key in enumerate(keys):
            needed = sum(part[number] for part in parts)
            if key in self.model.lines and self.model.lines[key].of("available") < needed and chance < 0.9:
                return self._appropriate(key, batch, needed)
        return {"op": "fund", "as": self.officer(batch, "finance"), "batch": batch.key}

    def _create_line(self, key: tuple, batch) -> dict:
        district, policy, year, source = key
        return {"op": "create_line", "as": f"finance-operator-{district}-1", "district": district, "policy": policy,
                "year": year, "source": source}

    def _target(self, name: str, district: int, policy, year: int) -> dict:
        person = f"operator-{KIND_OF_FIELD[policy.field]}-{district}-1" if name == "set_target" else \
            f"finance-reviewer-{district}-{self.pick((1, 2))}"
        return {"op": name, "as": person, "district": district, "policy": policy.policy_id, "year": year}

    def _appropriate(self, key: tuple, batch, needed: int) -> dict:
        fen = self.pick((max(1, needed), max(1, needed // 2), max(1, needed), needed + 12_345, 0, -1)
                        if self.chance(0.1) else (max(1, needed), max(1, needed // 2), needed + 12_345))
        return {"op": "appropriate", "as": f"finance-operator-{key[0]}-1", "district": key[0], "line": key, "fen": fen,
                "basis": "" if self.chance(0.02) else "津财指〔2026〕1号"}

    def _in_funded(self, batch) -> dict:
        if self.chance(0.06):
            return {"op": "cancel", "as": self.officer(batch, "operator"), "batch": batch.key, "reason": "资金另行安排"}
        if self.chance(0.1) and batch.objections:
            return self._decide(batch)
        person = self.officer(batch, "releaser")
        if batch.pay_on is not None and batch.pay_on > self.model.today and self.chance(0.5):
            return self._advance()
        return {"op": "release", "as": person, "batch": batch.key}

    def _in_paying(self, batch) -> dict:
        return self._advance() if self.chance(0.5) else self._in_settled(batch)

    def _in_settled(self, batch) -> dict:
        model = self.model
        chance = self.random.random()
        repairable = [item.row for item in batch.items.values() if model._repairable(item)]
        if chance < 0.12 and batch.objections:
            return self._decide(batch)
        if repairable and chance < 0.3:
            return self._change_person(model.people[batch.items[self.pick(repairable)].payee], mend=True)
        if repairable and chance < 0.6:
            return self._reissue(batch, repairable)
        if repairable and chance < 0.68:
            return self._abandon(batch, repairable)
        if chance < 0.78:
            return self._advance()
        return {"op": "close", "as": self.officer(batch, self.pick(("operator", "finance"))), "batch": batch.key}

    def _reissue(self, batch, rows: list) -> dict:
        named = [] if self.chance(0.5) else self.random.sample(rows, self.random.randint(1, len(rows))) if rows else []
        if batch.items and self.chance(0.1):
            named = named + [self.pick(batch.items)]
        if self.chance(0.03):
            named = named + [batch.count + 2]
        return {"op": "reissue", "as": self.officer(batch, self.pick(("operator", "finance"))), "batch": batch.key,
                "rows": named, "reason": "" if self.chance(0.03) else "已核对并更正账户"}

    def _abandon(self, batch, rows: list) -> dict:
        named = self.random.sample(rows, self.random.randint(1, min(2, len(rows)))) if rows else []
        if batch.items and self.chance(0.1):
            named = named + [self.pick(batch.items)]
        if self.chance(0.03):
            named = named + [batch.count + 2]
        return {"op": "abandon", "as": self.officer(batch, "operator"), "batch": batch.key, "rows": named,
                "reason": "" if self.chance(0.03) else "本人已出国"}

    def _in_returned(self, batch) -> dict:
        return {"op": "cancel", "as": self.officer(batch, "operator"), "batch": batch.key,
                "reason": "" if self.chance(0.1) else "退回重报"}

    # --- The world, and anything at all -------------------------------------------------------------------------------

    def _advance(self) -> dict:
        return {"op": "advance", "as": "clock-admin-1", "days": self.pick((1, 1, 1, 2, 3, 4))}

    def _change_person(self, person, mend: bool = False) -> dict:
        kind = self.pick(("CARD_REPLACED", "CARD_ACTIVATED") if mend else
                         ("CARD_LOST", "CARD_LOST", "CARD_REPLACED", "CARD_ACTIVATED", "CARD_CANCELLED", "DEATH"))
        self.next_card += 1
        yesterday = self.model.today - datetime.timedelta(days=1)
        operation = {"op": "change_person", "as": "card-office-1", "person": person.key, "kind": kind,
                     "event": f"e{self.run}-{self.next_card}", "on": yesterday.isoformat()}
        if kind == "DEATH" and self.chance(0.5):
            operation["on"] = (yesterday - datetime.timedelta(days=self.random.randint(1, 120))).isoformat()
        if kind == "CARD_REPLACED":
            operation |= {"bank": self.pick(cast.BANKS), "card": cast.card(self.run, 1_000 + self.next_card),
                          "account": cast.account(self.seed, 1_000 + self.next_card)}
        return operation

    def _world(self) -> dict:
        chance = self.random.random()
        if chance < 0.3:
            return self._finish(self._advance())
        if chance < 0.75:
            return self._finish(self._change_person(self.pick(self.model.people)))
        # A bank that is suspended is mostly so for a short while.
        suspended = [number for number, one in sorted(self.model.agreements.items()) if one.suspended]
        number = self.pick(suspended or sorted(self.model.agreements))
        return self._finish({"op": "suspend", "as": "bank-admin-1", "agreement": number,
                             "suspended": not suspended if self.chance(0.9) else bool(suspended)})

    def _query(self) -> dict:
        name = self.pick(QUERIES)
        batch = self.batch()
        if name == "proof" and self.chance(0.7):
            batch = self.batch(PAYING, SETTLED, CLOSED) or batch
        policy = self.pick(self.model.policies)
        person = self.pick(("auditor-1", "auditor-2", self.somebody()))
        district = self.pick((HEBEI, BAODI, BINHAI, 0))
        key = batch.key if batch is not None and not self.chance(0.04) else None
        operation = {"op": name, "as": person}
        if name == "list_batches":
            return operation | {"policy": policy, "state": self.random.randint(0, 11) if self.chance(0.5) else 0}
        if name == "list_lines":
            return operation | {"policy": policy, "district": district}
        if name == "list_ledger":
            line = self.pick(sorted(self.model.lines)) if self.model.lines else (HEBEI, policy, 2026, "city")
            return operation | {"line": line, "district": line[0]}
        operation["batch"] = key
        if name == "list_items":
            state = self.pick(ITEM_STATES) if self.chance(0.6) else ""
            operation |= {"state": "nowhere" if self.chance(0.04) else state, "page": self.pick((0, 1, 3))}
        elif name == "list_departures":
            operation["unexplained"] = self.chance(0.5)
        elif name == "proof":
            row = self.pick(batch.items) if batch is not None and batch.items and self.chance(0.9) else 77_777
            operation |= {"row": row, "step": self.pick(("submit", "outcome", "outcome", "submit", "another"))}
        return operation

    def _anything(self) -> dict:
        """An operation without a look at whether its time has come."""
        name = self.pick(MUTATIONS)
        batch = self.batch()
        if batch is None or name == "create":
            return self._create()
        if name in ("advance", "suspend", "change_person"):
            return self._world()
        if name in ("set_target", "approve_target", "create_line", "appropriate"):
            policy = self.pick(self.model.policies.values())
            district = self.pick((HEBEI, HEBEI, BAODI, BINHAI))
            year = self.model.today.year + self.pick((0, 0, 0, 1))
            if name in ("set_target", "approve_target"):
                return self._finish(self._target(name, district, policy, year))
            source = self.pick(SOURCES + ("lottery",)) if self.chance(0.3) else policy.funding[0][0]
            key = (district, policy.policy_id, year if not self.chance(0.03) else 1999, source)
            if name == "create_line":
                return self._finish(self._create_line(key, batch) | ({"policy": "NOT-THERE"} if self.chance(0.05) else {}))
            known = self.pick(sorted(self.model.lines)) if self.model.lines and self.chance(0.8) else key
            return self._finish(self._appropriate(known, batch, 100_000))
        operation = {
            "upload": self._any_upload, "explain": self._explain, "attach": self._attach, "object": self._object,
            "decide": self._decide, "reissue": lambda one: self._reissue(one, sorted(one.items)[:3]),
            "abandon": lambda one: self._abandon(one, sorted(one.items)[:3]),
            "review": lambda one: self._review(one, self.pick(one.policy.steps)),
        }.get(name, lambda one: {"op": name, "as": self._usual(one, name), "batch": one.key,
                                 **({"reason": self.pick(("名单有误", "重新申报", ""))} if name == "cancel" else {})})(batch)
        if self.chance(0.03):
            operation["batch"] = None
        return self._finish(operation)

    def _usual(self, batch, name: str) -> str:
        return self.officer(batch, {"fund": "finance", "release": "releaser"}.get(name, "operator"))

    def _any_upload(self, batch) -> dict:
        """A chunk that may have been sent, may overlap, may be late, or may be none."""
        policy, period = batch.policy, batch.period.text()
        chance = self.random.random()
        number = max(batch.chunks, default=0) + 1
        if batch.chunks and chance < 0.3:
            number = self.pick(batch.chunks)
            rows = [dict(row) for row in batch.chunks[number][0]]
            if self.chance(0.5):
                rows[0]["amount_fen"] += 1
        else:
            rows = self._roster(policy, batch.district, period)[:4]
            first = self.pick((1, 1, 2, max(1, batch.count), batch.count + 1))
            for place, row in enumerate(rows):
                row["row"] = first + place
            if chance > 0.92:
                rows[-1]["row"] += 1
            elif chance > 0.9:
                rows = []
            elif chance > 0.88:
                number = 0
        return {"op": "upload", "as": self.officer(batch, self.pick(("operator", "town"))), "batch": batch.key, "chunk": number,
                "rows": rows}


# The states from which a batch can go on.
_NAMES = {COLLECTING: "collecting", SEALED: "sealed", NOTICED: "noticed", IN_REVIEW: "in_review", APPROVED: "approved",
          FUNDED: "funded", PAYING: "paying", SETTLED: "settled", RETURNED: "returned"}
