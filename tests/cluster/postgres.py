"""A PostgreSQL outside of the cluster, as production has it: on the node's own address, under TLS, known in a namespace by a Service."""
import pathlib
import secrets
import subprocess

from node import ADDRESS, Node

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
NAME = "postgresql"  # the chart's default for database.host


class External:
    """Started by the constructor; `end` ends it. Its administrator is `postgres`, with a password in `password`."""

    def __init__(self, node: Node, namespace: str):
        self.node = node
        self.password = secrets.token_hex(16)
        node.certificate("postgresql", "/CN=postgresql", f"DNS:{NAME}")
        data = node.state / "postgresql"
        words = node.state / "postgresql-password"
        words.write_text(self.password)
        for path in (node.state, data.parent):
            path.chmod(0o755)
        data.mkdir()
        for end in ("crt", "key"):
            (data.parent / f"postgresql.{end}").write_bytes((node.pki / f"postgresql.{end}").read_bytes())
        own = [data, words, data.parent / "postgresql.crt", data.parent / "postgresql.key"]
        subprocess.run(["chown", "postgres", *map(str, own)], check=True)
        own[-1].chmod(0o600)
        self._as_postgres("initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={words}", "--no-sync", "-E", "UTF8")
        (data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")  # nobody comes without TLS
        options = (f"-c listen_addresses={ADDRESS} -c unix_socket_directories='' -c ssl=on -c ssl_cert_file={own[2]} -c ssl_key_file={own[3]} "
                   "-c fsync=off -c max_connections=200")
        self._as_postgres("pg_ctl", "-D", data, "-l", data / "log", "-w", "-o", options, "start")
        self.data = data
        node.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": namespace},
                    "spec": {"ports": [{"port": 5432}]}},
                   {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": [{"port": 5432}],
                    "metadata": {"name": NAME, "namespace": namespace, "labels": {"kubernetes.io/service-name": NAME}},
                    "endpoints": [{"addresses": [ADDRESS]}]},
                   self.secret(namespace, "administrator", username="postgres", password=self.password),
                   self.secret(namespace, "yikatong-database-ca", **{"ca.crt": (node.pki / "ca.crt").read_text()}))

    @staticmethod
    def secret(namespace: str, name: str, **values: str) -> dict:
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": values}

    def end(self) -> None:
        self._as_postgres("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    @staticmethod
    def _as_postgres(program: str, *words) -> None:
        subprocess.run(["runuser", "-u", "postgres", "--", str(PROGRAMS / program), *map(str, words)], check=True, capture_output=True, cwd="/")
