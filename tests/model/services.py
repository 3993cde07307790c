"""The real services: each operation of a history becomes one call over gRPC, as any other system would make it."""
import datetime
import pathlib
import subprocess
import sys
import time

import grpc

from stack import wait_for_date

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALL_TIMEOUT_S = 20
SETTLE_TIMEOUT_S = 30
POLL_S = 0.004
PROTOS = ("type/v1/types", "dispatch/v1/resources", "dispatch/v1/dispatch", "dispatch/v1/repairs", "catalogue/v1/resources", "catalogue/v1/catalogue",
          "registry/v1/registry", "bankgateway/v1/bankgateway", "bank/v1/simulator")


class Lost(Exception):
    """The answer of a call did not come in time: what it did is not known."""


def make_stubs(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = [f"yikatong/{name}.proto" for name in PROTOS] + ["google/rpc/error_details.proto", "google/rpc/status.proto"]
    subprocess.run(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={folder}", f"--grpc_python_out={folder}",
                    "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin", *files], check=True)
    sys.path.insert(0, str(folder))


def reason_of(error: grpc.RpcError) -> str:
    from google.rpc import error_details_pb2, status_pb2
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return f"{error.code().name}: {error.details()}"


class Services:
    def __init__(self, endpoints: dict):
        self.endpoints = endpoints
        self.channels = {}
        self.stubs = {}
        self.person_ids = {}  # person of the model -> opaque id, learnt from lists
        self.tokens = {name: pathlib.Path(person["token_file"]).read_text().strip()
                       for name, person in endpoints["people"].items()}
        from yikatong.bank.v1 import simulator_pb2, simulator_pb2_grpc
        from yikatong.bankgateway.v1 import bankgateway_pb2, bankgateway_pb2_grpc
        from yikatong.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc, resources_pb2
        from yikatong.dispatch.v1 import dispatch_pb2, dispatch_pb2_grpc
        from yikatong.dispatch.v1 import resources_pb2 as dispatch_resources
        from yikatong.registry.v1 import registry_pb2, registry_pb2_grpc
        self.dispatch, self.states = dispatch_pb2, dispatch_resources
        self.catalogue, self.lists = catalogue_pb2, resources_pb2
        self.registry, self.gateway, self.bank = registry_pb2, bankgateway_pb2, simulator_pb2
        self.kinds = {
            "dispatch": ("dispatch", dispatch_pb2_grpc.DispatchServiceStub),
            "catalogue": ("catalogue", catalogue_pb2_grpc.CatalogueServiceStub),
            "clock": ("catalogue", catalogue_pb2_grpc.ClockServiceStub),
            "registry": ("registry", registry_pb2_grpc.RegistryServiceStub),
            "gateway": ("bankgateway", bankgateway_pb2_grpc.BankGatewayServiceStub),
            "bank": ("banksim", simulator_pb2_grpc.BankSimulatorServiceStub)}

    def stub(self, kind: str, person: str):
        """A stub over the connection of the person's organisation."""
        service, make = self.kinds[kind]
        who = self.endpoints["people"][person]
        key = (kind, who["organisation"])
        if key not in self.stubs:
            where = (service, who["organisation"])
            if where not in self.channels:
                read = lambda name: pathlib.Path(who[name]).read_bytes()
                credentials = grpc.ssl_channel_credentials(read("tls_ca"), read("tls_key"), read("tls_certificate"))
                address = self.endpoints["services"][service]
                self.channels[where] = grpc.secure_channel(
                    address["address"], credentials, options=[("grpc.ssl_target_name_override", address["tls_name"])])
            self.stubs[key] = make(self.channels[where])
        return self.stubs[key]

    def close(self) -> None:
        """Ends the connections: a service that is told to stop waits for those who have one, and these would not notice."""
        for channel in self.channels.values():
            channel.close()

    def call(self, kind: str, person: str, method: str, request, timeout: float = CALL_TIMEOUT_S):
        """(reason, answer). A stream of one chunk is one call."""
        metadata = (("authorization", f"Bearer {self.tokens[person]}"),)
        stub = self.stub(kind, person)
        try:
            if method in ("UploadItems", "LoadPeople", "ApplyChanges"):
                answers = list(getattr(stub, method)(iter([request]), timeout=timeout, metadata=metadata))
                return "", answers[0]
            return "", getattr(stub, method)(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
                raise Lost(method) from None
            return reason_of(error), None

    def must(self, kind: str, person: str, method: str, request):
        reason, answer = self.call(kind, person, method, request)
        if reason:
            raise RuntimeError(f"{method} of the setting up was refused: {reason}")
        return answer

    def pages(self, kind: str, person: str, method: str, request, field: str) -> tuple:
        """(reason, rows) of a list, over all its pages."""
        rows = []
        while True:
            reason, answer = self.call(kind, person, method, request)
            if reason:
                return reason, None
            rows += getattr(answer, field)
            if not answer.next_page_token:
                return "", rows
            request.page_token = answer.next_page_token

    # --- One operation ------------------------------------------------------------------------------------------------

    def request(self, model, operation: dict) -> tuple:
        """(service, method, request) of a mutation."""
        d, name = self.dispatch, operation["op"]
        of = {"batch_id": self.batch_id(model, operation["batch"])} if "batch" in operation else {}
        if "id" in operation:
            of["request_id"] = operation["id"]
        rows = lambda: [self.item_id(model, operation["batch"], row) for row in operation["rows"]]
        line = lambda: model.lines[operation["line"]].number if operation["line"] in model.lines else 999_999
        year = operation.get("year", 0)
        make = {
            "create": lambda: ("CreateBatch", d.CreateBatchRequest(
                district=operation["district"], department_id=operation["department"], policy_id=operation["policy"],
                period=operation["period"], declared_count=operation["count"], declared_fen=operation["fen"],
                pay_on=operation["pay_on"], **of)),
            "upload": lambda: ("UploadItems", d.UploadItemsRequest(
                chunk=operation["chunk"], rows=[self.states.ItemRow(**row) for row in operation["rows"]], **of)),
            "seal": lambda: ("SealBatch", d.SealBatchRequest(**of)),
            "explain": lambda: ("ExplainDepartures", d.ExplainDeparturesRequest(
                person_ids=[self.person_ids.get(person, 999_999_999) for person in operation["people"]],
                reason=operation["reason"], **of)),
            "cancel": lambda: ("CancelBatch", d.CancelBatchRequest(reason=operation["reason"], **of)),
            "attach": lambda: ("AddAttachment", d.AddAttachmentRequest(attachment={
                "kind": operation["kind"], "sha256": bytes.fromhex(operation["sha256"]), "byte_size": operation["bytes"],
                "uri": "file:///evidence", "media_type": "image/jpeg"}, **of)),
            "publish": lambda: ("PublishNotice", d.PublishNoticeRequest(**of)),
            "object": lambda: ("RaiseObjection", d.RaiseObjectionRequest(
                item_id=self.item_id(model, operation.get("of", operation["batch"]), operation["row"]),
                text=operation["text"], **of)),
            "decide": lambda: ("DecideObjection", d.DecideObjectionRequest(
                objection_id=operation["objection"],
                decision=getattr(self.states, f"OBJECTION_STATE_{operation['decision']}"), reason=operation["reason"], **of)),
            "close_notice": lambda: ("CloseNotice", d.CloseNoticeRequest(**of)),
            "review": lambda: ("ReviewBatch", d.ReviewBatchRequest(
                step=operation["step"], approve=operation["approve"], comment=operation["comment"], **of)),
            "create_line": lambda: ("CreateBudgetLine", d.CreateBudgetLineRequest(
                district=operation["district"], policy_id=operation["policy"], year=year, source=operation["source"], **of)),
            "appropriate": lambda: ("AppropriateBudget", d.AppropriateBudgetRequest(
                district=operation["district"], line_id=line(), amount_fen=operation["fen"], basis=operation["basis"], **of)),
            "fund": lambda: ("FundBatch", d.FundBatchRequest(**of)),
            "release": lambda: ("ReleaseBatch", d.ReleaseBatchRequest(**of)),
            "reissue": lambda: ("ReissueItems", d.ReissueItemsRequest(item_ids=rows(), reason=operation["reason"], **of)),
            "abandon": lambda: ("AbandonItems", d.AbandonItemsRequest(item_ids=rows(), reason=operation["reason"], **of)),
            "close": lambda: ("CloseBatch", d.CloseBatchRequest(**of)),
        }
        if name in make:
            return ("dispatch", *make[name]())
        c = self.catalogue
        if name == "set_target":
            return "catalogue", "SetPerformanceTarget", c.SetPerformanceTargetRequest(
                target={"policy_id": operation["policy"], "district": operation["district"], "year": year,
                        "target_people": 100, "target_fen": 1_000_000, "goal": "按时足额发放"}, **of)
        if name == "approve_target":
            return "catalogue", "ApprovePerformanceTarget", c.ApprovePerformanceTargetRequest(
                policy_id=operation["policy"], district=operation["district"], year=year, **of)
        if name == "suspend":
            return "gateway", "SetAgreementState", self.gateway.SetAgreementStateRequest(
                agreement_no=operation["agreement"], suspended=operation["suspended"], reason="演练", **of)
        if name == "advance":
            return "clock", "AdvanceBusinessDate", c.AdvanceBusinessDateRequest(days=operation["days"], **of)
        assert name == "change_person", name
        r = self.registry
        row = {"row": 1, "event_id": operation["event"], "kind": getattr(r, f"CHANGE_KIND_{operation['kind']}"),
               "id_no": model.people[operation["person"]].id_no, "happened_on": operation["on"]}
        if operation["kind"] == "CARD_REPLACED":
            row |= {"card_no": operation["card"], "bank_code": operation["bank"], "account_no": operation["account"]}
        return "registry", "ApplyChanges", r.ApplyChangesRequest(source="card_office", chunk=1, rows=[row])

    def do(self, model, operation: dict, timeout: float = CALL_TIMEOUT_S) -> tuple:
        """(reason, answer) of a mutation."""
        kind, method, request = self.request(model, operation)
        return self.call(kind, operation["as"], method, request, timeout)

    # --- Names: what the model calls by place, the services number ------------------------------------------------------

    def start(self) -> None:
        """Forgets what was learnt of the history before."""
        self.person_ids = {}

    @staticmethod
    def batch_id(model, key) -> int:
        if isinstance(key, int) and 0 <= key < len(model.batches):
            return model.batches[key].number
        return 10_509_999_999  # a number that no batch of the district has

    @staticmethod
    def item_id(model, key, row: int) -> int:
        batch = model.batches[key] if isinstance(key, int) and 0 <= key < len(model.batches) else None
        if batch is None or not batch.first_item:
            return 1_050_999_999_000 + row
        return batch.first_item + row - 1

    # --- Waiting for what works by itself -------------------------------------------------------------------------------

    def wait_for_date(self, today: datetime.date) -> None:
        wait_for_date(self.endpoints, today, SETTLE_TIMEOUT_S)

    @staticmethod
    def wait(holds, what: str) -> None:
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come")
            time.sleep(POLL_S)

    def reconciled(self) -> set:
        reason, rows = self.pages("gateway", "bank-admin-1", "ListReconciliations",
                                  self.gateway.ListReconciliationsRequest(page_size=1_000), "reconciliations")
        assert not reason, reason
        return {(one.agreement_no, one.business_date) for one in rows if one.complete}

    # --- Views: what the services show, in the words of the model -------------------------------------------------------

    TOTALS = ("accepted", "accepted_fen", "rejected", "held", "held_fen", "stopped", "stopped_fen", "unroutable",
              "unroutable_fen", "waiting", "waiting_fen", "in_transit", "in_transit_fen", "paid", "paid_fen", "failed",
              "failed_fen", "unknown", "unknown_fen", "returned_open", "returned_open_fen", "returned", "returned_fen",
              "reissued_paid", "reissued_paid_fen", "not_converted")

    def batch_view(self, batch) -> dict:
        return {"state": batch.state, "district": batch.district, "department": batch.department_id,
                "policy": batch.policy_id, "period": batch.period, "count": batch.declared_count,
                "fen": batch.declared_fen, "created_by": batch.created_by, "pay_on": batch.pay_on, "reason": batch.reason,
                "reviews": [(one.step, one.person, one.approved, one.comment) for one in batch.reviews],
                "next_step": batch.next_step, "unexplained": batch.unexplained_departures,
                "evidence": len(batch.attachments),
                "totals": {name: getattr(batch.totals, name) for name in self.TOTALS}}

    @staticmethod
    def line_view(line) -> dict:
        return {"district": line.district, "policy": line.policy_id, "year": line.year, "source": line.source,
                "appropriated": line.appropriated_fen, "available": line.available_fen, "reserved": line.reserved_fen,
                "in_transit": line.in_transit_fen, "paid": line.paid_fen}

    @staticmethod
    def notice_view(notice) -> dict:
        return {"from": notice.from_date, "to": notice.to_date, "lines": notice.lines, "aggregate": notice.aggregate_only}

    def answer_view(self, model, operation: dict, answer) -> object:
        """What the answer to a mutation says."""
        name, batches = operation["op"], {batch.number: batch.key for batch in model.batches}
        if name == "create":
            return {"batch": batches.get(answer.batch_id), **self.batch_view(answer)}
        if name in ("seal", "cancel", "attach", "close_notice", "review", "fund", "release", "close"):
            return self.batch_view(answer)
        if name == "upload":
            faults = sorted((one.row, one.reason, self._detail(batches, one)) for one in answer.rejections)
            return {"accepted": answer.accepted, "accepted_fen": answer.accepted_fen, "faults": faults}
        if name == "explain":
            return {"explained": answer.explained, "unexplained": answer.unexplained}
        if name == "publish":
            return self.notice_view(answer)
        if name in ("object", "decide"):
            state = self.states.ObjectionState.Name(answer.state).removeprefix("OBJECTION_STATE_")
            return {"objection": answer.objection_id, "state": state}
        if name == "create_line":
            key = (answer.district, answer.policy_id, answer.year, answer.source)
            return {"line": key, **self.line_view(answer)}
        if name == "appropriate":
            return self.line_view(answer)
        if name == "reissue":
            return {"reissued": answer.reissued}
        if name == "abandon":
            return {"abandoned": answer.abandoned}
        if name == "change_person":
            return {"refused": answer.rejections[0].reason if answer.rejections else ""}
        if name == "advance":
            return {"date": answer.date}
        return {}

    @staticmethod
    def _detail(batches: dict, rejection):
        if rejection.reason == "ALREADY_CLAIMED":
            return ("batch", batches.get(int(rejection.detail.removeprefix("batch="))))
        return rejection.detail if rejection.reason in ("DUPLICATE_IN_BATCH", "EXCLUDED_BY_POLICY") else ""

    def query(self, model, operation: dict) -> tuple:
        """(reason, view) of a query."""
        d, name, person = self.dispatch, operation["op"], operation["as"]
        of = {"batch_id": self.batch_id(model, operation["batch"])} if "batch" in operation else {}
        if name == "get":
            reason, answer = self.call("dispatch", person, "GetBatch", d.GetBatchRequest(**of))
            return reason, None if reason else self.batch_view(answer)
        if name == "list_batches":
            request = d.ListBatchesRequest(policy_id=operation["policy"], state=operation["state"], page_size=7)
            reason, rows = self.pages("dispatch", person, "ListBatches", request, "batches")
            numbers = {batch.number: batch.key for batch in model.batches}
            return reason, None if reason else [numbers.get(row.batch_id) for row in rows]
        if name == "list_items":
            request = d.ListItemsRequest(state=operation["state"], page_size=operation.get("page", 0), **of)
            reason, rows = self.pages("dispatch", person, "ListItems", request, "items")
            return reason, None if reason else [self._item(model, operation["batch"], row) for row in rows]
        if name == "list_rejections":
            reason, rows = self.pages("dispatch", person, "ListRejections", d.ListRejectionsRequest(page_size=3, **of),
                                      "rejections")
            return reason, None if reason else sorted((row.row, row.reason) for row in rows)
        if name == "list_departures":
            request = d.ListDeparturesRequest(unexplained_only=operation["unexplained"], page_size=3, **of)
            reason, rows = self.pages("dispatch", person, "ListDepartures", request, "departures")
            known = {number: key for key, number in self.person_ids.items()}
            return reason, None if reason else sorted((known.get(row.person_id, -1), row.amount_fen, row.reason)
                                                      for row in rows)
        if name == "list_notice":
            return self._notice(model, operation, d.ListNoticeLinesRequest(page_size=4, **of))
        if name == "list_lines":
            request = d.ListBudgetLinesRequest(policy_id=operation["policy"], district=operation["district"], page_size=2)
            reason, rows = self.pages("dispatch", person, "ListBudgetLines", request, "lines")
            return reason, None if reason else [self.line_view(row) for row in rows]
        if name == "list_ledger":
            number = model.lines[operation["line"]].number if operation["line"] in model.lines else 999_999
            request = d.ListLedgerEntriesRequest(district=operation["district"], line_id=number, page_size=50)
            reason, rows = self.pages("dispatch", person, "ListLedgerEntries", request, "entries")
            moves = {}
            for row in rows or ():
                key = tuple("treasury" if name == "owed_to_treasury" else name for name in (row.debit, row.credit))
                moves[key] = moves.get(key, 0) + row.amount_fen
            return reason, None if reason else moves
        assert name == "proof", name
        request = d.GetItemProofRequest(item_id=self.item_id(model, operation["batch"], operation["row"]),
                                        step=operation["step"])
        reason, _ = self.call("dispatch", person, "GetItemProof", request)
        return reason, None if reason else {}

    def _item(self, model, key: int, row) -> dict:
        batch = model.batches[key]
        batch.first_item = batch.first_item or row.item_id - row.row + 1
        if row.item_id != batch.first_item + row.row - 1:
            return {"row": row.row, "item": row.item_id, "first": batch.first_item}
        item = batch.items.get(row.row)
        person = item.person if item is not None else -1
        # An opaque id stands for one person in every list, and for nobody else.
        if item is not None and self.person_ids.setdefault(person, row.person_id) != row.person_id:
            person = -1
        if row.attempt and row.reference != row.item_id * 100 + row.attempt:
            return {"row": row.row, "reference": row.reference}
        return {"row": row.row, "fen": row.amount_fen, "state": row.state, "reason": row.reason, "attempt": row.attempt,
                "person": person}

    def _notice(self, model, operation: dict, request) -> tuple:
        rows, head = [], None
        while True:
            reason, answer = self.call("dispatch", operation["as"], "ListNoticeLines", request)
            if reason:
                return reason, None
            head = answer.notice
            for line in answer.lines:
                if head.aggregate_only:
                    rows.append((line.people, line.amount_fen))
                else:
                    rows.append((line.item_id - model.batches[operation["batch"]].first_item + 1, line.amount_fen))
            if not answer.next_page_token:
                return "", {**self.notice_view(head), "rows": rows}
            request.page_token = answer.next_page_token
