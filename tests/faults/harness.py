"""The fault harness; `run` beside it says how it is called, README.md what it does."""
import argparse
import collections
import fcntl
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "deploy" / "demo.d"), str(ROOT / "deploy" / "local.d"), str(HERE)]
import mutations  # noqa: E402
import points  # noqa: E402
from checks import KINDS, Checks  # noqa: E402
from city import City, Stuck  # noqa: E402
from faults import LEASE_S, Faults, Keeper, kill_server  # noqa: E402
from rosters import TODAY  # noqa: E402
from run import DATA, DemoError  # noqa: E402
from stack import SERVICES, WITH_DATABASE, Stack, StackError, alive, build, say  # noqa: E402

DISK_MIB = 1500
UP_TIMEOUT_S = 120
TEMPLATE_LIFE_S = 4 * 3600  # the tokens in it live for 12 hours
POSTGRES_TRIES_S = 60


class FaultStack(Stack):
    """The stack with two replicas, short leases and failpoints, on a copy of a state that was made once."""

    def __init__(self, state: pathlib.Path, binaries: pathlib.Path):
        settings = {service: {"failpoints": state.resolve() / "failpoints" / service} for service in SERVICES}
        for service in ("catalogue", "registry", "bankgateway", "dispatch"):
            settings[service]["lease"] = f"{LEASE_S}s"
        # A harness that asks again and again is one organisation with many callers.
        for service in ("catalogue", "dispatch"):
            settings[service]["rate_limit"] = 100_000
        super().__init__(state, binaries, TODAY.isoformat(), replicas=2, settings=settings)

    def failpoints(self, service: str) -> pathlib.Path:
        return self.state / "failpoints" / service

    def postgres_runs(self) -> bool:
        try:
            lines = (self._data_folder() / "postmaster.pid").read_text().split("\n")
            return alive(int(lines[0]), "postgres") and lines[7].strip() == "ready"
        except (OSError, ValueError, IndexError):
            return False

    def start_postgres(self) -> None:
        """Until it takes connections; what a killed server left behind may refuse a new one for a moment."""
        deadline = time.monotonic() + POSTGRES_TRIES_S
        while True:
            try:
                self._start_postgres()
                return
            except StackError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def start_redis(self) -> None:
        (self.run / "redis.sock").unlink(missing_ok=True)
        self._start_redis()
        self._write("pids.json", self.children)

    def kill_postgres(self) -> None:
        kill_server(self._data_folder())

    def kill_all(self) -> None:
        """Ends whatever runs on this state, and waits for it."""
        pids = [pid for process, pid in self._read("pids.json", {}).items() if alive(pid, process.split("-")[0])]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.kill_postgres()
        while any(alive(pid, "") for pid in pids):
            time.sleep(0.02)

    def make(self) -> None:
        """From nothing; keeps what `resume` needs."""
        for service in SERVICES:
            self.failpoints(service).mkdir(parents=True, exist_ok=True)
        endpoints = self.up()
        self._write("people.json", endpoints["people"])

    def resume(self) -> dict:
        """Starts what a copied state holds, all at once."""
        self.ports = self._ports()
        self.children = {}
        self._start_postgres()
        self.start_redis()
        for process, service in self.processes_of_all():
            self.start_process(process, service)
        for process, service in self.processes_of_all():
            self.await_ready(process, service)
        endpoints = self._endpoints(self._read("people.json", {}))
        self._write("endpoints.json", endpoints)
        return endpoints


class Slot:
    """Where one seed at a time runs: always the same path, since settings and certificates name it. A file system of its
    own in memory where that may be mounted, so that it can be full."""

    def __init__(self, work: pathlib.Path):
        self.work = work
        digest = hashlib.sha256(str(work.resolve()).encode()).hexdigest()[:12]
        self.path = pathlib.Path(f"/var/tmp/yikatong-faults-{digest}")
        self.template = work / "template"
        self.mounted = False

    def open(self) -> None:
        self.lock = (self.work / "lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StackError(f"another run works in {self.work}; give --work another folder") from error
        # What an earlier run left that was killed itself.
        left = FaultStack(self.path / "state", pathlib.Path("/"))
        if left.state.exists():
            left.kill_all()
        self.close()
        self.path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs", str(self.path)],
                              capture_output=True, text=True, check=False)
        self.mounted = done.returncode == 0
        if not self.mounted:
            say(f"  no file system of its own, so no full disk: {done.stderr.strip()}")

    def close(self) -> None:
        if self.path.exists():
            subprocess.run(["umount", str(self.path)], capture_output=True, check=False)
            shutil.rmtree(self.path)

    def empty(self) -> None:
        for entry in self.path.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def keep_template(self) -> None:
        shutil.rmtree(self.template, ignore_errors=True)
        copy(self.path, self.template)

    def fill(self) -> None:
        self.empty()
        copy(self.template, self.path)

    def keep(self, folder: pathlib.Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        copy(self.path, folder)


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)


class Harness:
    def __init__(self, arguments, binaries: pathlib.Path):
        self.arguments = arguments
        self.binaries = binaries
        self.work = arguments.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.results_path = self.work / "results.jsonl"
        self.slot = Slot(self.work)

    # --- One seed -------------------------------------------------------------------------------------------------

    def make_template(self) -> None:
        """The state that all seeds begin with; kept from an earlier run of the same binaries and scripts."""
        self.slot.open()
        key = self._template_key()
        marker = self.slot.template / "key"
        if marker.exists() and marker.read_text() == key and time.time() - marker.stat().st_mtime < TEMPLATE_LIFE_S:
            return
        say("  policies, banks and budget, once for all seeds")
        stack = FaultStack(self.slot.path / "state", self.binaries)
        try:
            stack.make()
            City(stack, 1, self.arguments.payments).found()
        finally:
            stack.down()
        self.slot.keep_template()
        marker.write_text(key)

    def _template_key(self) -> str:
        parts = [self.binaries / name for name in (*SERVICES, "yktctl", "provision")]
        parts += sorted(path for path in (ROOT / "deploy").rglob("*")
                        if path.is_file() and "__pycache__" not in path.parts)
        parts.append(HERE / "harness.py")
        seen = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in parts]
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()

    def run_seed(self, seed: int) -> dict:
        started = time.monotonic()
        self.slot.fill()
        stack = FaultStack(self.slot.path / "state", self.binaries)
        keeper = Keeper(stack, random.Random(f"keeper-{seed}"))
        faults = Faults(stack, keeper, seed, self.slot.path if self.slot.mounted else None)
        city = City(stack, seed, self.arguments.payments, faults)
        found = {kind: [] for kind in KINDS}
        problem = ""
        payments = {}
        try:
            city.prepare()
            endpoints = stack.resume()
            faults.arm()
            keeper.start()
            try:
                city.work(lambda: self._until_up(faults, keeper))
                payments = self._check(city, endpoints, found)
                if self.arguments.check_the_checks and not any(found.values()):
                    keeper.hold_all()
                    self._check_the_checks(city, endpoints)
            except Stuck as error:
                self._until_up(faults, keeper)
                found["stuck"] += [str(error)] * error.items
            faults.end()
            problem = "; ".join(faults.problems)
        except (DemoError, StackError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            problem = f"{type(error).__name__}: {error}"
            traceback.print_exc(file=(self.work / "problems.log").open("a", encoding="utf-8"))
        finally:
            keeper.done.set()
            if keeper.is_alive():
                keeper.join()
            for kind in ("held", "frozen"):
                getattr(keeper, kind).clear()
            city.ctl.close()
            if self.arguments.keep_running:
                say(f"  left running in {stack.state}")
            else:
                stack.down()
        return {"seed": seed, "payments": payments, "faults": [list(one) for one in faults.started],
                "points": [list(one) for one in faults.fired()], "plan": [list(one) for one in faults.plan],
                "armed": [list(one) for one in faults.points], "restarts": keeper.restarts, "calls": city.ctl.calls,
                "repeated": city.ctl.repeated, "stages_s": city.stages, "took_s": round(time.monotonic() - started, 1),
                **{kind: len(what) for kind, what in found.items()},
                "findings": [f"{kind}: {one}" for kind, what in found.items() for one in what][:100], "problem": problem}

    def _until_up(self, faults: Faults, keeper: Keeper) -> None:
        faults.end()
        deadline = time.monotonic() + UP_TIMEOUT_S
        while not keeper.all_up():
            if time.monotonic() > deadline:
                raise StackError("not everything has started again")
            time.sleep(0.05)

    def _check(self, city: City, endpoints: dict, found: dict) -> dict:
        problem = ""
        try:
            audit = city.verify()
            if not audit["verified"]:
                problem = "the proofs do not hold"
        except DemoError as error:
            problem = f"the proofs: {error}"
        if problem:
            found["audit_differences"].append(problem)
        journal = pathlib.Path(endpoints["bank_journal"])
        checks, report = self._reckon(city, endpoints, journal, city.ctl.acknowledged)
        for kind in KINDS:
            found[kind] += checks.found[kind]
        return report["payments"]

    def _check_the_checks(self, city: City, endpoints: dict) -> None:
        def count(journal, more) -> dict:
            checks, _ = self._reckon(city, endpoints, journal, city.ctl.acknowledged + more)
            return {kind: len(what) for kind, what in checks.found.items()}

        missed = mutations.overlooked(endpoints, city.input, count)
        if missed:
            raise StackError(f"the checks overlook: {', '.join(missed)}")

    @staticmethod
    def _reckon(city: City, endpoints: dict, journal: pathlib.Path, acknowledged: list) -> tuple:
        checks = Checks(endpoints["database_socket"], journal, city.input, DATA / "policies.rules.json", city.detours,
                        acknowledged)
        report = checks.everything(city.batches)
        city.check_expectations(report)
        checks.sort(report["differences"])
        return checks, report

    # --- All seeds ------------------------------------------------------------------------------------------------

    def done_before(self) -> dict:
        results = {}
        if self.results_path.exists() and not self.arguments.again:
            for line in self.results_path.read_text(encoding="utf-8").split("\n"):
                if line:
                    one = json.loads(line)
                    results[one["seed"]] = one
        return results

    def run(self) -> int:
        results = self.done_before()
        wanted = range(self.arguments.first, self.arguments.last + 1)
        # One that failed is run again: it may have been mended.
        results = {seed: one for seed, one in results.items() if seed in wanted and good(one)}
        missing = [seed for seed in wanted if seed not in results]
        if missing:
            self.make_template()
        try:
            for seed in missing:
                result = self.run_seed(seed)
                results[seed] = result
                with self.results_path.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(result, ensure_ascii=False) + "\n")
                print(line_of(result), flush=True)
                if not good(result):
                    self.slot.keep(self.work / "failed" / f"seed-{seed}")
                    for finding in [result["problem"], *result["findings"]]:
                        if finding:
                            print(f"    {finding}"[:600], flush=True)
                    print(f"    kept in {self.work / 'failed' / f'seed-{seed}'}; again: tests/faults/run --seeds "
                          f"{seed}..{seed} --payments {self.arguments.payments}", flush=True)
                    if self.arguments.stop_at_first:
                        break
        finally:
            if not self.arguments.keep_running:
                self.slot.close()
        return self.conclude(results)

    def conclude(self, results: dict) -> int:
        hits = collections.Counter(point for one in results.values() for _, point, _ in one["points"])
        kinds = collections.Counter(kind for one in results.values() for _, kind in one["faults"])
        print("\n" + "\n".join(points.table(hits)))
        print("\nother points hit: " + ", ".join(f"{point} {times}" for point, times in sorted(hits.items())
                                                 if point not in {name for _, name in points.transitions()}))
        print("faults done: " + ", ".join(f"{kind} {times}" for kind, times in sorted(kinds.items())))
        print("left out of the table:")
        for what, why in points.LEFT_OUT.items():
            print(f"  {what}: {why}")
        missing = points.missing(hits)
        uncovered = len(results) >= self.arguments.covered_from and bool(missing)
        print(f"\n{len(points.transitions()) - len(missing)} of {len(points.transitions())} moments hit"
              + (f"; never: {', '.join(missing)}" if missing else ""))
        summary = {
            "seeds": len(results), "faults": sum(len(one["faults"]) + len(one["points"]) for one in results.values()),
            "payments": sum(one["payments"].get("declared", 0) for one in results.values()),
            **{kind: sum(one[kind] for one in results.values()) for kind in KINDS},
            "problems": sum(bool(one["problem"]) for one in results.values()),
            "failed_seeds": sorted(seed for seed, one in results.items() if not good(one)),
            "moments": len(points.transitions()), "moments_never_hit": missing,
            "fault_kinds": dict(sorted(kinds.items())), "disk_can_be_full": self.slot.mounted or "disk_full" in kinds,
            "restarts": sum(one["restarts"] for one in results.values()),
            "calls_repeated": sum(one["repeated"] for one in results.values()),
            "least_faults_a_seed": min((len(one["faults"]) + len(one["points"]) for one in results.values()), default=0)}
        text = json.dumps(summary, ensure_ascii=False, indent=1)
        print(text)
        if self.arguments.report:
            self.arguments.report.parent.mkdir(parents=True, exist_ok=True)
            self.arguments.report.write_text(text + "\n", encoding="utf-8")
        wrong = [kind for kind in (*KINDS, "problems") if summary[kind]]
        if uncovered:
            wrong.append("coverage")
        print("it holds" if not wrong else f"IT DOES NOT HOLD: {', '.join(wrong)}")
        return 1 if wrong else 0


def good(result: dict) -> bool:
    return not result["problem"] and not any(result[kind] for kind in KINDS)


def line_of(result: dict) -> str:
    figures = ", ".join(f"{kind} {result[kind]}" for kind in KINDS)
    faults = ", ".join(f"{stage}:{kind}" for stage, kind in result["faults"])
    fired = ", ".join(f"{point}={action.split()[0]}" for _, point, action in result["points"])
    return (f"seed {result['seed']}: {'ok' if good(result) else 'FAILED'} in {result['took_s']} s, "
            f"{result['payments'].get('declared', 0)} payments, {len(result['faults'])} faults ({faults}), "
            f"{len(result['points'])} points ({fired}), {result['restarts']} restarts, {result['repeated']} of "
            f"{result['calls']} calls repeated; {figures}")


def seeds(text: str) -> tuple:
    match = re.fullmatch(r"([0-9]+)(?:\.\.([0-9]+))?", text)
    if not match or int(match[1]) > int(match[2] or match[1]):
        raise argparse.ArgumentTypeError("seeds are A..B, or one")
    return int(match[1]), int(match[2] or match[1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/faults/run")
    parser.add_argument("--seeds", type=seeds, default=(1, 10), help="A..B (1..10)")
    parser.add_argument("--payments", type=int, default=2_000, help="rows of each seed (2000)")
    parser.add_argument("--report", type=pathlib.Path, help="where the summary goes as JSON")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "faults", help="results and failed seeds")
    parser.add_argument("--binaries", type=pathlib.Path, help="what is built already; otherwise it is built first")
    parser.add_argument("--again", action="store_true", help="run seeds that were done before")
    parser.add_argument("--covered-from", type=int, default=200, metavar="N",
                        help="with so many seeds, a transition that was never hit is a failure (200)")
    parser.add_argument("--check-the-checks", action="store_true",
                        help="alter one row in each store after each good seed: the checks must fail")
    parser.add_argument("--stop-at-first", action="store_true", help="end at the first seed that fails")
    parser.add_argument("--keep-running", action="store_true", help="leave the last seed's stack running, to look at it")
    arguments = parser.parse_args()
    if not 500 <= arguments.payments <= 100_000:
        parser.error("--payments is from 500 to 100000")
    arguments.first, arguments.last = arguments.seeds
    try:
        binaries = arguments.binaries or build(2)
        return Harness(arguments, binaries).run()
    except StackError as error:
        say(f"failed: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
