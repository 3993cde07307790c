#!/usr/bin/python3
"""How another system calls the suite, complete: certificate, token, a paged list, a refusal with its reason.

usage: tests/clients/example.py ENDPOINTS.json [PERSON]

Debian packages: python3-grpcio, protobuf-compiler, protobuf-compiler-grpc. Stubs are made from proto/ on the way.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import uuid

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]


def make_stubs(folder: str) -> None:
    protos = [str(path.relative_to(ROOT / "proto")) for path in sorted((ROOT / "proto").rglob("*.proto"))
              if "grpc/health" not in str(path)]
    subprocess.run(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={folder}", f"--grpc_python_out={folder}",
                    "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin", *protos], check=True)
    sys.path.insert(0, folder)


def connect(endpoints: dict, service: str, person: dict) -> grpc.Channel:
    """Mutual TLS: the client certificate names the organisation, the token in each call the person."""
    read = lambda name: pathlib.Path(person[name]).read_bytes()
    credentials = grpc.ssl_channel_credentials(read("tls_ca"), read("tls_key"), read("tls_certificate"))
    where = endpoints["services"][service]
    return grpc.secure_channel(where["address"], credentials,
                               options=[("grpc.ssl_target_name_override", where["tls_name"])])


def reason_of(error: grpc.RpcError) -> str:
    """The stable reason of a refusal, from google.rpc.ErrorInfo."""
    from google.rpc import error_details_pb2, status_pb2
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return ""


def main() -> int:
    endpoints = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    person = endpoints["people"][sys.argv[2] if len(sys.argv) > 2 else "auditor-1"]
    token = pathlib.Path(person["token_file"]).read_text().strip()
    metadata = (("authorization", f"Bearer {token}"),)
    with tempfile.TemporaryDirectory() as folder:
        make_stubs(folder)
        from yikatong.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
        catalogue = catalogue_pb2_grpc.CatalogueServiceStub(connect(endpoints, "catalogue", person))

        # Every list is paged; every call has a deadline.
        published, page = 0, ""
        while True:
            answer = catalogue.ListPolicies(catalogue_pb2.ListPoliciesRequest(published_only=True, page_token=page),
                                            timeout=10, metadata=metadata)
            published += len(answer.entries)
            page = answer.next_page_token
            if not page:
                break
        print(f"{published} published policies")

        quote = catalogue.QuoteAmount(catalogue_pb2.QuoteAmountRequest(
            policy_id="P001", district=120105,
            input=catalogue_pb2.CalculationInput(members=3, income_fen=180000)), timeout=10, metadata=metadata)
        print(f"dibao for three with 1800.00 yuan: {quote.amount_fen} fen")

        # A refusal has a code, a stable reason and words; nothing was changed by it.
        try:
            catalogue.ApprovePolicyVersion(catalogue_pb2.ApprovePolicyVersionRequest(
                request_id=uuid.uuid4().hex, policy_id="P001", version=1), timeout=10, metadata=metadata)
        except grpc.RpcError as error:
            print(f"refused: {error.code().name} {reason_of(error)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
