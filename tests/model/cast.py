"""Who and what a history is played with: made-up people, policies of unlike kinds, and how they get into the services.

Each run of a history has people and policies of its own, named after its number within the stack, so that one stack plays
many histories and none meets another's claims, lines or rosters. What is drawn depends on the seed alone.
"""
import datetime
import json
import pathlib
import random

import rules
from state import Agreement, Person
from rules import Policy

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEBEI, BAODI, BINHAI, WUQING = 120105, 120115, 120116, 120114
BANKS = ("999110000015", "999110000023", "999110010512", "999110011511")
AGREEMENTS = ((HEBEI, BANKS[0], True), (BAODI, BANKS[1], False), (BINHAI, BANKS[1], False), (BINHAI, BANKS[2], True))
CARD_DISTRICTS = {HEBEI, BINHAI, WUQING}  # in Baodi an older account may still be paid to
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈", "伟芳娜敏静丽强磊军洋勇艳杰涛明"
LONG_AGO = "2020-01-01"
CITY_OPERATOR = {"CIVIL": "operator-civil-120000-1", "AGRI": "operator-agriculture-120000-1", "HRSS": "operator-hrss-120000-1",
                 "HEALTH": "operator-health-120000-1"}
KIND_OF_FIELD = {"CIVIL": "civil", "AGRI": "agriculture", "HRSS": "hrss", "HEALTH": "health"}


# People of several roles in one organisation: who entered a batch and would review or release it as well is refused.
HATS = ("department_operator", "department_reviewer", "town_reviewer", "district_finance_operator",
        "district_finance_reviewer", "payment_releaser")


def several_hats() -> dict:
    """name -> organisation, roles, fields, districts; two for each of the busy districts."""
    return {f"hats-{district}-{number}": {"organisation": f"civil.{district}", "roles": list(HATS), "fields": ["*"],
                                          "districts": [district]}
            for district in (HEBEI, BAODI) for number in (1, 2)}


def agreements() -> list:
    return [Agreement(f"MODEL-{district}-{number}", district, bank, others)
            for number, (district, bank, others) in enumerate(AGREEMENTS, start=1)]


def policies(run: int) -> list:
    """A handful of each kind: persons, households, plots, children; months, quarters, years and once in a life."""
    name = lambda letter: f"M{run}{letter}"
    city = dict(district=rules.CITY, residence="CITY")
    two = (("city", 5_000), ("district", 5_000))
    civil = dict(field="CIVIL", department="civil.120000")
    found = [
        # Two sources of odd amounts, so that each row leaves a remainder; residence in the paying district.
        Policy(name("A"), **civil, district=rules.CITY, slot="MONTH", key="PERSON", calculation="FIXED", cadence="monthly",
               payee="SELF", residence="DISTRICT", rate=30_001, funding=two, excludes=(name("B"),)),
        # A household's, for its head; excludes the first by household and month.
        Policy(name("B"), **civil, **city, slot="MONTH", key="HOUSEHOLD", calculation="TOP_UP", cadence="monthly",
               payee="HEAD_OF_HOUSEHOLD", rate=104_500, funding=(("city", 3_333), ("district", 3_333), ("central", 3_334)),
               excludes=(name("A"), name("E"))),
        Policy(name("C"), field="AGRI", department="agriculture.120000", **city, slot="YEAR", key="PLOT", calculation="PER_AREA",
               cadence="yearly", payee="SELF", rate=562, funding=(("central", 10_000),), steps=("town_review",)),
        Policy(name("D"), field="HRSS", department="hrss.120000", **city, slot="LIFE", key="PERSON",
               calculation="PER_MONTH_COUNT", cadence="once", payee="SELF", rate=100_800, cap=1_209_600,
               funding=(("fund", 10_000),), steps=("department_review", "finance_review"), notice_days=2),
        # By age, with a grace of two months after a death.
        Policy(name("E"), **civil, **city, slot="MONTH", key="PERSON", calculation="TIERED_AGE", cadence="monthly", payee="SELF",
               tiers=((60, 12_500), (70, 13_500), (80, 14_500)), min_age=60, grace_months=2, funding=two,
               steps=("town_review", "department_review"), excludes=(name("B"),)),
        # For children, through their guardian, on a list of counts.
        Policy(name("F"), field="HEALTH", department="health.120000", **city, slot="YEAR", key="CHILD", calculation="PRO_RATA",
               cadence="yearly", payee="GUARDIAN", rate=360_000, max_age=2, aggregate=True, funding=two,
               steps=("department_review",), notice_days=1),
        Policy(name("G"), **civil, **city, slot="YEAR", key="PERSON", calculation="TIERED", cadence="yearly", payee="SELF",
               tiers=(("full", 90_000), ("half", 45_000)), steps=("town_review",), notice_days=1),
        Policy(name("H"), **civil, **city, slot="MONTH", key="HOUSEHOLD", calculation="ASSESSED", cadence="once",
               payee="HEAD_OF_HOUSEHOLD", least=1_000, cap=627_000, funding=(("district", 10_000),), steps=("finance_review",)),
        Policy(name("I"), **civil, **city, slot="YEAR", key="HOUSEHOLD", calculation="PERCENT_CAP", cadence="yearly",
               payee="HEAD_OF_HOUSEHOLD", percent_bp=6_000, cap=125_000, steps=("town_review",)),
        # Not approved; and in force, approved and never made public.
        Policy(name("X"), **civil, **city, slot="MONTH", key="PERSON", calculation="FIXED", cadence="monthly", payee="SELF",
               rate=100, state="DRAFT"),
        Policy(name("Y"), **civil, **city, slot="MONTH", key="PERSON", calculation="FIXED", cadence="monthly", payee="SELF",
               rate=100, state="APPROVED")]
    return found


def account(seed: int, number: int) -> str:
    """An account of a history: the same in each run of it, so that the bank's draws are the same."""
    return rules.with_luhn(f"62009{seed % 100_000:05d}{number:08d}")


def card(run: int, number: int) -> str:
    return f"M{run % 10_000:04d}{number:04d}"


def people(seed: int, run: int, today: datetime.date) -> list:
    """Two districts' households of unlike make-up; a few without a card, with a lost one, or with an older account."""
    draw = random.Random(f"cast {seed}")
    found = []
    born_at = set()

    def add(district, household, role, youngest, oldest, guardian=None):
        while True:
            years, days = draw.randint(youngest, oldest), draw.randint(1, 360)
            born = today - datetime.timedelta(days=int(years * 365.2425) + days)
            if born not in born_at:
                born_at.add(born)
                break
        body = f"{120000 + run % 10_000:06d}{born:%Y%m%d}{500 + run // 10_000:03d}"
        name = draw.choice(SURNAMES) + draw.choice(GIVEN) + draw.choice(GIVEN)
        village = district * 1_000_000 + 1_101 + draw.randint(0, 2)
        person = Person(len(found), body + rules.check_character(body), name, born, district, village, household, role, guardian)
        chance = draw.random()
        if role != "CHILD" and chance < 0.93:
            bank = draw.choice(BANKS if chance < 0.5 else BANKS[:2])
            if chance < 0.08:
                person.older_bank = bank
            else:
                person.card_state = "LOST" if chance < 0.12 else "NOT_ACTIVE" if chance < 0.16 else "ACTIVE"
                person.bank = bank
        found.append(person)
        return person

    for household in range(14):
        district = HEBEI if household % 2 else BAODI
        head = add(district, household, "HEAD", 26, 88)
        add(district, household, "SPOUSE", 24, 90)
        if household % 3 == 0:
            add(district, household, "CHILD", 0, 1, head.key)
        elif household % 3 == 1:
            add(district, household, "PARENT", 61, 97)
    for number in range(6):
        add((HEBEI, BAODI, BINHAI)[number % 3], None, "HEAD", 20, 90)
    return found


def _listed() -> list:
    return json.loads((ROOT / "deploy" / "data" / "departments.json").read_text(encoding="utf-8"))["departments"]


def departments() -> dict:
    """Identifier -> district and field; none for finance."""
    return {one["department_id"]: (one["district"], *one["fields"]) for one in _listed()}


# --- Into the services ------------------------------------------------------------------------------------------------

def install(services, bank_address: str) -> None:
    """What a stack needs once: departments, the card's schedule, banks and agreements."""
    c, g = services.catalogue, services.gateway
    services.must("catalogue", "system-admin-1", "ImportReferenceData", c.ImportReferenceDataRequest(
        request_id="model-reference", departments=[services.lists.Department(**one) for one in _listed()]))
    services.must("catalogue", "conference-1", "SetRollout", c.SetRolloutRequest(
        request_id="model-rollout", stages=[{"from_date": "2021-12-31", "districts": sorted(CARD_DISTRICTS),
                                             "basis": "演练"}]))
    for number, code in enumerate(BANKS, start=1):
        bank = {"bank_code": code, "name": f"虚构银行{number}", "card_partner": True}
        if number <= 3:
            bank |= {"address": bank_address, "tls_name": "banksim"}
        services.must("gateway", "bank-admin-1", "CreateBank", g.CreateBankRequest(request_id=f"model-bank-{code}", bank=bank))
    for one in agreements():
        services.must("gateway", "bank-admin-1", "CreateAgreement", g.CreateAgreementRequest(
            request_id=f"model-{one.number}", agreement={
                "agreement_no": one.number, "district": one.district, "bank_code": one.bank, "valid_from": "2020-01-01",
                "valid_to": "2099-12-31", "credits_other_banks": one.others, "refuses_duplicates": True}))


def enter(services, cast: list, listed: list, seed: int, run: int) -> None:
    """The people and policies of one run of a history, through the same calls that officers make."""
    _enter_people(services, cast, seed, run)
    c, lists = services.catalogue, services.lists
    made = set()
    for policy in listed:
        owner, other = CITY_OPERATOR[policy.field], "conference-1"
        calculation = {"type": f"CALCULATION_TYPE_{policy.calculation}", "rate_fen": policy.rate, "cap_fen": policy.cap,
                       "min_fen": policy.least, "percent_bp": policy.percent_bp, "cap_quantity": policy.cap_quantity,
                       "unit": "person"}
        by_age = policy.calculation == "TIERED_AGE"
        calculation["tiers"] = [{"min_age" if by_age else "tier": name, "rate_fen": rate} for name, rate in policy.tiers]
        eligibility = {"residence": f"RESIDENCE_RULE_{policy.residence}", "death_grace_months": policy.grace_months}
        eligibility |= {key: value for key, value in (("min_age", policy.min_age), ("max_age", policy.max_age))
                        if value is not None}
        services.must("catalogue", owner, "CreatePolicy", c.CreatePolicyRequest(
            request_id=f"{policy.policy_id}-policy", policy={
                "policy_id": policy.policy_id, "name_zh": f"演练补贴{policy.policy_id}", "field": policy.field,
                "department_id": policy.department, "district": policy.district, "slot_unit": f"SLOT_UNIT_{policy.slot}",
                "key_kind": f"KEY_KIND_{policy.key}", "confidence": "A"}))
        version = lists.PolicyVersion(
            policy_id=policy.policy_id, effective_from=LONG_AGO, calculation=calculation, cadence=policy.cadence,
            eligibility=eligibility, payee_rule=f"PAYEE_RULE_{policy.payee}",
            funding=[{"source": source, "share_bp": share} for source, share in policy.funding],
            notice={"calendar_days": policy.notice_days, "aggregate_only": policy.aggregate},
            review_steps=[{"step": step, "role": rules.ROLE_OF_STEP[step], "within_working_days": 5}
                          for step in policy.steps])
        services.must("catalogue", owner, "CreatePolicyVersion", c.CreatePolicyVersionRequest(
            request_id=f"{policy.policy_id}-draft", version=version))
        steps = [("SubmitPolicyVersion", owner), ("ApprovePolicyVersion", other), ("PublishPolicyVersion", owner)]
        for method, person in steps[:{"DRAFT": 1, "APPROVED": 2, "PUBLISHED": 3}[policy.state]]:
            services.must("catalogue", person, method, getattr(c, f"{method}Request")(
                request_id=f"{policy.policy_id}-{method}", policy_id=policy.policy_id, version=1))
        made.add(policy.policy_id)
        for against in policy.excludes:
            if against in made:
                services.must("catalogue", owner, "CreateExclusion", c.CreateExclusionRequest(
                    request_id=f"{policy.policy_id}-{against}", policy_a=policy.policy_id, policy_b=against, basis="演练"))


def _enter_people(services, cast: list, seed: int, run: int) -> None:
    r = services.registry
    rows = []
    for person in cast:
        row = {"row": person.key + 1, "id_no": person.id_no, "name": person.name, "village_code": person.village}
        if person.household is not None:
            row |= {"household_no": f"M{run}-{person.household}", "household_role": f"HOUSEHOLD_ROLE_{person.role}"}
        if person.guardian is not None:
            row["guardian_id_no"] = cast[person.guardian].id_no
        if person.card_state:
            row |= {"card_no": card(run, person.key), "card_state": f"CARD_STATE_{person.card_state}",
                    "card_bank_code": person.bank, "card_account_no": account(seed, person.key)}
        if person.older_bank:
            row |= {"legacy_bank_code": person.older_bank, "legacy_account_no": account(seed, 50_000 + person.key),
                    "legacy_kind": "ACCOUNT_KIND_LEGACY_CARD"}
        rows.append(row)
    answer = services.must("registry", "card-office-1", "LoadPeople",
                           r.LoadPeopleRequest(load_id=f"model-{run}", chunk=1, rows=rows))
    if answer.rejections:
        raise RuntimeError(f"people of the setting up were refused: {answer.rejections}")
