"""The people of the local stack as callers of a trial in a cluster; see deploy/kubernetes-people."""
import argparse
import pathlib
import sys

from stack import ROOT, SERVICES, Stack, StackError

# Ports of every pod, and the first of this machine that stands for them; the services follow each other in the order of SERVICES.
GRPC_PORT, METRICS_PORT = 8443, 9090
FIRST_GRPC, FIRST_METRICS = 18441, 19441
BINARIES = (ROOT / "build" / "production" / "bin", ROOT / "build" / "release" / "bin")


class Trial(Stack):
    """What `deploy/kubernetes-secrets FOLDER` made, with people. Nothing of it runs on this machine."""

    def __init__(self, folder: pathlib.Path, binaries: pathlib.Path, release: str):
        super().__init__(folder, binaries)
        self.certificates = self.state
        self.release = release

    def address(self, process: str, listener: str = "grpc") -> str:
        """Where the others in the cluster reach it."""
        return f"{self.release}-{process}:{ {'grpc': GRPC_PORT, 'metrics': METRICS_PORT}[listener] }"

    def admit(self) -> pathlib.Path:
        """Certificates and fresh tokens of everybody; the endpoints file."""
        self._make_certificates()
        people = self._mint_tokens()
        self._write("endpoints.json", {
            "processes": [{"name": service, "service": service, "grpc": f"127.0.0.1:{grpc}", "metrics": f"127.0.0.1:{metrics}"}
                          for service, grpc, metrics in forwarded()],
            "services": {service: {"address": f"127.0.0.1:{grpc}", "tls_name": service} for service, grpc, _ in forwarded()},
            "people": people, "audit_public_key": str(self.certificates / "keys" / "audit-log.pub")})
        return self.state / "endpoints.json"


def forwarded():
    """(service, port of this machine for its calls, another for its metrics)"""
    return zip(SERVICES, range(FIRST_GRPC, FIRST_GRPC + len(SERVICES)), range(FIRST_METRICS, FIRST_METRICS + len(SERVICES)))


def binaries_of(named: pathlib.Path | None) -> pathlib.Path:
    for folder in [named] if named else BINARIES:
        if (folder / "yktctl").exists():
            return folder
    raise StackError(f"no yktctl in {' or '.join(map(str, [named] if named else BINARIES))}: say with --binaries where it is, or run "
                     "deploy/images/build")


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/kubernetes-people")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--release", default="yikatong")
    parser.add_argument("--namespace", default="pay")
    parser.add_argument("--binaries", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        if not (arguments.folder / "keys" / "token-issuer.key").exists():
            raise StackError(f"{arguments.folder} is not a folder of deploy/kubernetes-secrets: run that first, and apply what it writes")
        binaries = binaries_of(arguments.binaries)
        endpoints = Trial(arguments.folder, binaries, arguments.release).admit()
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    print("# Forward ports of this machine to each service, and again after its pod was replaced:")
    for service, grpc, metrics in forwarded():
        print(f"kubectl -n {arguments.namespace} port-forward svc/{arguments.release}-{service} {grpc}:{GRPC_PORT} {metrics}:{METRICS_PORT} >/dev/null &")
    print(f"# Then:\nexport YKT_ENDPOINTS={endpoints}\n{binaries.resolve() / 'yktctl'} --as auditor-1 clock show")
    return 0


if __name__ == "__main__":
    sys.exit(main())
