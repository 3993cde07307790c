"""The whole suite on one machine: a private PostgreSQL and Redis, every service and a stand-in bank.

Everything lies under one state folder; nothing that runs on the machine otherwise is touched. Starting on a folder that
was used before goes on where it ended, also after everything was killed.
"""
import contextlib
import datetime
import functools
import grp
import hashlib
import json
import os
import pathlib
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from ports import HeldPorts

ROOT = pathlib.Path(__file__).resolve().parents[2]
POSTGRES_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
# In the order of starting: each after those that it asks. The bank comes before the gateway that calls it.
SERVICES = ("auditlog", "catalogue", "registry", "banksim", "bankgateway", "dispatch")
WITH_DATABASE = ("auditlog", "catalogue", "registry", "bankgateway", "dispatch")
DATED = ("registry", "bankgateway", "dispatch")  # ask the catalogue for the business date
BEIJING = datetime.timezone(datetime.timedelta(hours=8))
MOST_REPLICAS = 9
START_TIMEOUT_S = 60

KINDS = ("finance", "agriculture", "civil", "hrss", "veterans", "health", "ecology")
DISTRICTS = (120105, 120115, 120116, 120114)
FIELDS = {"agriculture": "AGRI", "civil": "CIVIL", "hrss": "HRSS", "veterans": "VETERAN", "health": "HEALTH",
          "ecology": "ENERGY"}
# What only the city's own departments are for here.
CITY_FIELDS = FIELDS | {"housing": "HOUSING", "water": "WATER", "dpf": "DPF", "planning": "FOREST", "education": "EDU",
                        "medical": "MEDICAL"}
CITY = 120000
TOKEN_LIFE = "12h"


class StackError(Exception):
    """What went wrong, in words for the person who started it."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def alive(pid: int, program: str) -> bool:
    """Whether `pid` runs and is that program, by its file's name; any program where none is named."""
    try:
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    # Some write words behind their name: "redis-server *:0".
    return state != "Z" and program in ("", pathlib.PurePath(re.split(r"[\0 ]", command)[0]).name)


def end_what_was_started() -> None:
    """From now on SIGTERM ends this script as Ctrl-C does: through its `finally`, with all that it started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def ended(pid: int) -> bool:
    """Whether a child of ours is no more: a zombie is one that nobody has waited for yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def metric(address: str, name: str) -> float:
    """What a process tells on its metrics page under this name, over all labels; 0 where it does not tell it."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as page:
        text = page.read().decode()
    return sum(map(float, re.findall(rf"^{name}(?:{{[^}}]*}})? ([-+0-9.e]+)$", text, re.M)))


def wait_for_date(endpoints: dict, day: datetime.date, timeout_s: float) -> None:
    """Until every process lives on that day that asks for it, which each does a few times a second; TimeoutError."""
    midnight = datetime.datetime.combine(day, datetime.time(), BEIJING).timestamp()
    addresses = [one["metrics"] for one in endpoints["processes"] if one["service"] in DATED]
    deadline = time.monotonic() + timeout_s
    while any(metric(address, "yikatong_business_date_timestamp_seconds") < midnight for address in addresses):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not every service has come to {day}")
        time.sleep(0.01)


class Stack:
    def __init__(self, state: pathlib.Path, binaries: pathlib.Path, start_date: str = "", replicas: int = 1,
                 settings: dict | None = None):
        """`replicas`: of each service with a database; `settings`: more of them, service -> key -> value."""
        self.state = state.resolve()
        self.binaries = binaries.resolve()
        self.start_date = start_date
        self.replicas = replicas
        self.settings = settings or {}
        self.database_settings = {}  # more of the database server's, for a new state folder
        self.log = self.state / "log"
        self.certificates = self.state / "certificates"
        # A socket's path has at most 107 bytes, and the database's own user must reach it.
        digest = hashlib.sha256(str(self.state).encode()).hexdigest()[:12]
        self.run = pathlib.Path(f"/tmp/yikatong-{digest}")
        self.held_ports = HeldPorts()
        self.children = {}
        self.processes = []  # kept so that Python does not complain of what is meant to go on

    # --- Files ----------------------------------------------------------------------------------------------------

    def _read(self, name: str, default):
        path = self.state / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else default

    def _write(self, name: str, value, mode: int = 0o600) -> None:
        path = self.state / name
        fresh = path.with_suffix(path.suffix + ".new")
        fresh.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        fresh.chmod(mode)
        fresh.rename(path)

    # --- Replicas -------------------------------------------------------------------------------------------------

    def replicas_of(self, service: str) -> list:
        """Names of the processes of one service: `dispatch`, `dispatch-2` …"""
        count = self.replicas if service in WITH_DATABASE else 1
        return [service, *(f"{service}-{number}" for number in range(2, count + 1))]

    def processes_of_all(self) -> list:
        """(process, service) in the order of starting."""
        return [(process, service) for service in SERVICES for process in self.replicas_of(service)]

    def choose_ports(self) -> dict:
        """A gRPC, health and metrics port for each process, chosen once: others remember the bank's address. They are held
        until `down`, since between choosing one and listening on it another process could be given it."""
        self.state.mkdir(parents=True, exist_ok=True)
        ports = self._read("ports.json", {})
        for process, _ in self.processes_of_all():
            for listener in ("grpc", "health", "metrics"):
                key = f"{process}.{listener}"
                if key not in ports:
                    ports[key] = self.held_ports.hold()
                    continue
                # Where our process listens already, it holds its port itself; another's is told by who cannot listen.
                with contextlib.suppress(OSError):
                    self.held_ports.hold(ports[key])
        self._write("ports.json", ports)
        return ports

    def address(self, process: str, listener: str = "grpc") -> str:
        return f"127.0.0.1:{self.ports[f'{process}.{listener}']}"

    def address_of_all(self, service: str) -> str:
        """What a client is told: one address, or all replicas in turn."""
        addresses = [self.address(process) for process in self.replicas_of(service)]
        return addresses[0] if len(addresses) == 1 else "ipv4:" + ",".join(addresses)

    # --- PostgreSQL and Redis -------------------------------------------------------------------------------------

    def _as_postgres(self) -> list:
        return ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

    @functools.cached_property
    def _data_folder(self) -> pathlib.Path:
        """Under the state folder; elsewhere where the database's user cannot reach that. Asked once: it takes a process."""
        inside = self.state / "postgres"
        if os.getuid() != 0:
            return inside
        self.state.mkdir(parents=True, exist_ok=True)
        reach = subprocess.run([*self._as_postgres(), "test", "-x", str(self.state)], check=False)
        return inside if reach.returncode == 0 else pathlib.Path(f"/var/tmp/{self.run.name}-postgres")

    def _start_postgres(self) -> None:
        data = self._data_folder
        as_postgres = self._as_postgres()
        self.run.mkdir(exist_ok=True)
        if os.getuid() == 0:
            shutil.chown(self.run, "postgres", grp.getgrgid(pwd.getpwnam("postgres").pw_gid).gr_name)
        if not (data / "PG_VERSION").exists():
            data.mkdir(parents=True, exist_ok=True)
            data.chmod(0o700)
            if os.getuid() == 0:
                shutil.chown(data, "postgres", "postgres")
            made = subprocess.run([*as_postgres, str(POSTGRES_BIN / "initdb"), "-D", str(data), "-U", "postgres",
                                   "--encoding=UTF8", "--locale=C.UTF-8", "--auth-local=peer", "--auth-host=reject",
                                   "--data-checksums"], cwd="/", capture_output=True, text=True, check=False)
            if made.returncode != 0:
                raise StackError(f"initdb failed: {made.stderr.strip()[-500:]}")
            map_user = pwd.getpwuid(os.getuid()).pw_name
            with (data / "pg_hba.conf").open("w", encoding="utf-8") as out:
                # Only the one who started it is the administrator; services come with passwords.
                out.write("local all,replication postgres peer map=starter\nlocal all all scram-sha-256\n")
            with (data / "pg_ident.conf").open("w", encoding="utf-8") as out:
                out.write(f"starter {map_user} postgres\nstarter postgres postgres\n")
            with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as out:
                out.write("listen_addresses = ''\nunix_socket_directories = '%s'\nmax_connections = 200\n"
                          "shared_buffers = '512MB'\nmax_wal_size = '8GB'\nmin_wal_size = '1GB'\n"
                          "checkpoint_timeout = '15min'\nwal_compression = 'lz4'\njit = off\n"
                          "password_encryption = 'scram-sha-256'\nlog_min_messages = 'warning'\n"
                          "log_min_error_statement = 'panic'\n"
                          "default_toast_compression = 'lz4'\nautovacuum_naptime = '20s'\n" % self.run)
                for key, value in self.database_settings.items():
                    out.write(f"{key} = '{value}'\n")
        if self._ask("SELECT 1") == "1":
            return
        # A postmaster that was killed leaves its lock file; ours is known by its data folder.
        with (self.log / "postgres.log").open("ab") as out:
            server = subprocess.Popen([*as_postgres, str(POSTGRES_BIN / "postgres"), "-D", str(data)], cwd="/",
                                      stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
        self.processes.append(server)
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._ask("SELECT 1") != "1":
            if server.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"PostgreSQL did not start; see {self.log / 'postgres.log'}")
            time.sleep(0.05)

    def _ask(self, sql: str, database: str = "postgres") -> str:
        got = subprocess.run(["psql", "-h", str(self.run), "-U", "postgres", "-d", database, "-XAtq", "-c", sql],
                             capture_output=True, text=True, check=False)
        return got.stdout.strip() if got.returncode == 0 else ""

    def _start_redis(self) -> None:
        socket_path = self.run / "redis.sock"
        if self._redis_answers(socket_path):
            return
        with (self.log / "redis.log").open("ab") as out:
            server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(socket_path), "--save", "",
                                       "--appendonly", "no", "--maxmemory", "128mb", "--maxmemory-policy",
                                       "allkeys-lru", "--dir", str(self.run)],
                                      stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
        self.processes.append(server)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._redis_answers(socket_path):
            if server.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"Redis did not start; see {self.log / 'redis.log'}")
            time.sleep(0.02)
        self.children["redis"] = server.pid
        self.tell_processes()

    @staticmethod
    def _redis_answers(path: pathlib.Path) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(path))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def _provision(self) -> None:
        """One database with one owner and one runtime role for each service, then its migrations."""
        passwords = self._read("passwords.json", {})
        for service in WITH_DATABASE:
            passwords.setdefault(service, {"owner": secrets.token_hex(24), "runtime": secrets.token_hex(24)})
        self._write("passwords.json", passwords)
        folder = self.state / "secrets"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        for service in WITH_DATABASE:
            for role in ("owner", "runtime"):
                path = folder / f"{service}-{role}"
                path.write_text(passwords[service][role] + "\n")
                path.chmod(0o600)
            self._check([str(self.binaries / "provision"), "--admin", self.administrator(),
                         "--service", service, "--owner-password-file", str(folder / f"{service}-owner"),
                         "--runtime-password-file", str(folder / f"{service}-runtime")])
            self.migrate(service)

    def administrator(self) -> str:
        """How who provisions databases comes to PostgreSQL."""
        return f"host={self.run} user=postgres dbname=postgres"

    def migrate(self, service: str) -> None:
        """Brings its schema to what the binaries know."""
        self._check([str(self.binaries / service), "--config", str(self._config_file(service)), "--migrate"])

    def _check(self, command: list) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=str(self.state))
        if done.returncode != 0:
            raise StackError(f"{' '.join(command[:2])} failed:\n{(done.stdout + done.stderr).strip()[-2000:]}")
        return done.stdout

    # --- Services -------------------------------------------------------------------------------------------------

    def _config_file(self, process: str) -> pathlib.Path:
        return self.state / "config" / f"{process}.conf"

    def _write_configs(self) -> None:
        (self.state / "config").mkdir(exist_ok=True)
        keys = self.certificates / "keys"
        adjustable = {"business_clock": "adjustable", "business_clock_poll": "100ms",
                      "catalogue_address": self.address_of_all("catalogue")}
        own = {
            "auditlog": {"origin": "yikatong.local/audit", "signing_key": keys / "audit-log.key",
                         "checkpoint_file": self.state / "audit-checkpoint"},
            "catalogue": {"business_clock": "adjustable", "auditlog_address": self.address_of_all("auditlog"),
                          **({"business_date": self.start_date} if self.start_date else {})},
            "registry": {"column_keys": keys / "registry-columns.ring", "index_key": keys / "registry-index.ring",
                         "signing_key": keys / "registry-signing.key", "gateway_key": keys / "gateway-wrapping.pub",
                         "auditlog_address": self.address_of_all("auditlog"), **adjustable},
            "banksim": {"journal": self.state / "bank-journal", "signer_key": keys / "gateway-files.pub",
                        # Signed with another bank than the gateway's own agreement of that number names: its files are
                        # refused whole.
                        "agreements": "AG-120105-5:999110000015",
                        "catalogue_address": self.address_of_all("catalogue")},
            "bankgateway": {"column_keys": keys / "bankgateway-columns.ring",
                            "file_key": keys / "gateway-files.key",
                            "wrapping_key": keys / "gateway-wrapping.key",
                            "registry_key": keys / "registry-signing.pub",
                            "auditlog_address": self.address_of_all("auditlog"), **adjustable},
            "dispatch": {"auditlog_address": self.address_of_all("auditlog"), "registry_address": self.address_of_all("registry"),
                         "bankgateway_address": self.address_of_all("bankgateway"), **adjustable},
        }
        for process, service in self.processes_of_all():
            tls = self.certificates / "services" / service
            settings = {"grpc_address": self.address(process), "health_address": self.address(process, "health"),
                        "metrics_address": self.address(process, "metrics"), "tls_ca": tls / "ca.pem",
                        "tls_certificate": tls / "tls.pem", "tls_key": tls / "tls.key",
                        "token_issuers": self.certificates / "issuers", "ready_file": self.state / f"{process}.ready"}
            if service in WITH_DATABASE:
                settings |= {
                    "database_conninfo": f"host={self.run} dbname={service} user={service}_app",
                    "database_password_file": self.state / "secrets" / f"{service}-runtime",
                    "owner_conninfo": f"host={self.run} dbname={service} user={service}_owner",
                    "owner_password_file": self.state / "secrets" / f"{service}-owner",
                    "redis_address": f"unix:{self.run / 'redis.sock'}"}
            settings |= own[service]
            if process != service and "checkpoint_file" in settings:
                # Each replica remembers what it saw itself.
                settings["checkpoint_file"] = self.state / f"{process}-checkpoint"
            settings |= self.settings.get(service, {})
            path = self._config_file(process)
            path.write_text("".join(f"{key} = {value}\n" for key, value in settings.items()), encoding="utf-8")
            path.chmod(0o600)

    def start_process(self, process: str, service: str) -> None:
        """Starts it unless it runs; `await_ready` says when it can be called."""
        pid = self._read("pids.json", {}).get(process, 0)
        if pid and alive(pid, service):
            self.children[process] = pid
            return
        (self.state / f"{process}.ready").unlink(missing_ok=True)
        with (self.log / f"{process}.log").open("ab") as out:
            child = subprocess.Popen([str(self.binaries / service), "--config", str(self._config_file(process))],
                                     stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
                                     cwd=str(self.state))
        self.children[process] = child.pid
        self.processes.append(child)
        self.tell_processes()

    def tell_processes(self) -> None:
        """Writes down which process is which, for whoever ends them."""
        self._write("pids.json", self.children)

    def await_ready(self, process: str, service: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self.state / f"{process}.ready").exists():
            if ended(self.children[process]) or time.monotonic() > deadline:
                tail = (self.log / f"{process}.log").read_text(errors="replace")[-1500:]
                raise StackError(f"{process} did not start:\n{tail}")
            time.sleep(0.02)

    # --- People ---------------------------------------------------------------------------------------------------

    def organisations(self) -> list:
        """Who calls: departments of four districts and of the city, card office, auditors, operations."""
        names = [f"{kind}.{district}" for district in DISTRICTS for kind in KINDS]
        names += [f"{kind}.{CITY}" for kind in ("finance", *CITY_FIELDS)]
        return names + ["town.120105", "town.120115", "town.120116", "town.120114", "conference.120000",
                        "cardoffice.120000", "audit.120000", "operations.120000"]

    def people(self) -> dict:
        """Two people of each role and place: name -> organisation, roles, fields, districts."""
        found = {}

        def add(name, organisation, role, fields, districts):
            for number in (1, 2):
                found[f"{name}-{number}"] = {"organisation": organisation, "roles": [role], "fields": fields,
                                             "districts": districts}

        for district in DISTRICTS:
            for kind, field in FIELDS.items():
                add(f"operator-{kind}-{district}", f"{kind}.{district}", "department_operator", [field], [district])
                add(f"reviewer-{kind}-{district}", f"{kind}.{district}", "department_reviewer", [field], [district])
            add(f"town-operator-{district}", f"town.{district}", "town_operator", ["*"], [district])
            add(f"town-reviewer-{district}", f"town.{district}", "town_reviewer", ["*"], [district])
            add(f"finance-operator-{district}", f"finance.{district}", "district_finance_operator", ["*"], [district])
            add(f"finance-reviewer-{district}", f"finance.{district}", "district_finance_reviewer", ["*"], [district])
            add(f"releaser-{district}", f"finance.{district}", "payment_releaser", ["*"], [district])
        for kind, field in CITY_FIELDS.items():
            add(f"operator-{kind}-{CITY}", f"{kind}.{CITY}", "department_operator", [field], [CITY])
            add(f"reviewer-{kind}-{CITY}", f"{kind}.{CITY}", "department_reviewer", [field], [CITY])
        add("city-finance", f"finance.{CITY}", "city_finance", ["*"], [CITY])
        add("conference", f"conference.{CITY}", "joint_conference", ["*"], [CITY])
        add("card-office", f"cardoffice.{CITY}", "card_office", ["*"], [CITY])
        add("auditor", f"audit.{CITY}", "auditor", ["*"], [CITY])
        add("bank-admin", f"finance.{CITY}", "bank_admin", ["*"], [CITY])
        add("system-admin", f"operations.{CITY}", "system_admin", ["*"], [CITY])
        add("clock-admin", f"operations.{CITY}", "clock_admin", ["*"], [CITY])
        return found

    def _make_certificates(self) -> None:
        organisations = []
        for name in self.organisations():
            organisations += ["--organisation", name]
        self._check([str(ROOT / "deploy" / "certificates" / "make"), str(self.certificates), *organisations])

    def mint_command(self) -> list:
        return [str(self.binaries / "yktctl"), "token", "mint", "--issuer-key",
                str(self.certificates / "keys" / "token-issuer.key"), "--ttl", TOKEN_LIFE]

    def _mint_tokens(self) -> dict:
        """A token for each person, all by one process."""
        folder = self.state / "tokens"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        wanted = self.people()
        lines = []
        for name, person in wanted.items():
            words = [*self.mint_command()[1:], "--person", name, "--organisation", person["organisation"]]
            for option, values in (("--role", person["roles"]), ("--field", person["fields"]),
                                   ("--district", person["districts"])):
                for value in values:
                    words += [option, str(value)]
            lines.append(json.dumps(words))
        done = subprocess.run([self.mint_command()[0], "lines"], input="\n".join(lines) + "\n", capture_output=True,
                              text=True, check=False)
        answers = done.stdout.split("\n")
        tokens = answers[0:2 * len(wanted):2]
        ends = [json.loads(line) for line in answers[1:2 * len(wanted):2]]
        if len(ends) != len(wanted) or any(end["exit"] for end in ends):
            raise StackError(f"tokens could not be minted:\n{(done.stdout + done.stderr).strip()[-2000:]}")
        people = {}
        for (name, person), token in zip(wanted.items(), tokens):
            path = folder / name
            path.write_text(token + "\n")
            path.chmod(0o600)
            tls = self.certificates / "organisations" / person["organisation"]
            people[name] = {**person, "person": name, "token_file": str(path), "tls_ca": str(tls / "ca.pem"),
                            "tls_certificate": str(tls / "tls.pem"), "tls_key": str(tls / "tls.key")}
        return people

    # --- Up and down ----------------------------------------------------------------------------------------------

    def up(self) -> dict:
        self.ports = self.choose_ports()
        self.children = self._read("pids.json", {})  # of an earlier start: some may run on
        self.log.mkdir(exist_ok=True)
        self._make_certificates()
        self._start_postgres()
        self._start_redis()
        self._write_configs()
        self._provision()
        for service in SERVICES:
            for process in self.replicas_of(service):
                self.start_process(process, service)
            for process in self.replicas_of(service):
                self.await_ready(process, service)
        self.tell_processes()
        endpoints = self._endpoints(self._mint_tokens())
        self._write("endpoints.json", endpoints)
        return endpoints

    def _endpoints(self, people: dict) -> dict:
        return {
            "processes": [{"name": process, "service": service, "pid": self.children[process],
                           "grpc": self.address(process), "health": self.address(process, "health"),
                           "metrics": self.address(process, "metrics")} for process, service in self.processes_of_all()],
            "services": {service: {"address": self.address_of_all(service), "tls_name": service} for service in SERVICES},
            "people": people,
            "mint_token": " ".join([*self.mint_command(), "--person NAME --organisation CODE --role ROLE "
                                                          "--field FIELD --district DISTRICT"]),
            "certificates": str(self.certificates),
            "audit_public_key": str(self.certificates / "keys" / "audit-log.pub"),
            "database_socket": str(self.run), "databases": list(WITH_DATABASE),
            "redis_socket": str(self.run / "redis.sock"),
            "bank_journal": str(self.state / "bank-journal"),
            "state": str(self.state), "logs": str(self.log)}

    def down(self) -> None:
        """Ends what this state folder started, services first, and waits for each."""
        pids = self._read("pids.json", {})
        # Of all replicas that were ever started here, whatever this stack was told.
        for process in sorted(pids, key=self._order_of_stopping):
            self._end(pids[process], "redis-server" if process == "redis" else process.split("-")[0])
        data = self._data_folder
        if (data / "postmaster.pid").exists():
            subprocess.run([*self._as_postgres(), str(POSTGRES_BIN / "pg_ctl"), "-D", str(data), "-m", "fast", "-w",
                            "stop"], cwd="/", capture_output=True, check=False)
        for process in self.processes:
            process.wait()
        (self.state / "endpoints.json").unlink(missing_ok=True)
        (self.state / "pids.json").unlink(missing_ok=True)
        self.held_ports.let_go()
        shutil.rmtree(self.run, ignore_errors=True)

    def forget(self) -> None:
        """Deletes the state folder, the database's too where that lies elsewhere."""
        shutil.rmtree(self._data_folder, ignore_errors=True)
        shutil.rmtree(self.state, ignore_errors=True)

    @staticmethod
    def _order_of_stopping(process: str) -> int:
        service = process.split("-")[0]
        return len(SERVICES) if service == "redis" else -SERVICES.index(service)

    @staticmethod
    def _end(pid: int, name: str) -> None:
        if not pid or not alive(pid, name):
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while alive(pid, name):
            # A child of ours must be waited for, or it stays as a zombie.
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline += 30
            time.sleep(0.02)


def build(jobs: int) -> pathlib.Path:
    """Builds what the stack runs; the folder of the binaries."""
    folder = ROOT / "build" / "release"
    folder.parent.mkdir(exist_ok=True)
    for name, command in (("configure", ["cmake", "--preset", "release"]),
                          ("build", ["ninja", "-C", str(folder), "-j", str(jobs), *SERVICES, "yktctl", "provision"])):
        with (ROOT / "build" / f"{name}.log").open("w") as out:
            if subprocess.run(command, cwd=ROOT, stdout=out, stderr=out, check=False).returncode != 0:
                tail = (ROOT / "build" / f"{name}.log").read_text(errors="replace")[-3000:]
                raise StackError(f"the {name} step failed:\n{tail}")
    return folder / "bin"
