"""tests/bench/run: payments a second from the first item to the last reconciled outcome, beside the floor of the same run."""
import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "demo.d"), str(ROOT / "deploy" / "local.d")]
import run as demo  # noqa: E402
from reckoning import Reckoning  # noqa: E402
from rosters import TODAY  # noqa: E402
from stack import SERVICES, WITH_DATABASE, Stack, build, end_what_was_started, metric, say  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
# What each service counts on its metrics page.
COUNTED = {"statements": "yikatong_database_statements_total", "rpcs": "yikatong_rpc_requests_total"}


def cpu_of(pid: int) -> float:
    """Seconds of one process, with those of children that it has waited for."""
    with contextlib.suppress(OSError):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(fields[index]) for index in (11, 12, 13, 14)) / TICKS
    return 0.0


class Bench(demo.Demo):
    """The demonstration's main job without its mishaps and repairs, measured."""

    def __init__(self, arguments, stack: Stack):
        super().__init__(arguments, stack)
        self.floor = []

    def postmaster(self) -> int:
        return int((self.stack._data_folder / "postmaster.pid").read_text().split("\n")[0])

    def cpu(self) -> dict:
        """CPU seconds so far, by process; PostgreSQL with all its backends."""
        seconds = {name: cpu_of(self.stack.children[name]) for name in SERVICES}
        server = self.postmaster()
        seconds["postgresql"] = cpu_of(server) + sum(
            cpu_of(int(child)) for child in pathlib.Path(f"/proc/{server}/task/{server}/children").read_text().split())
        seconds["yktctl"] = sum(cpu_of(process.pid) for process in self.ctl.processes)
        return seconds

    def counted(self) -> dict:
        """Statements and RPCs so far, over all services, as their own metrics tell."""
        return {what: sum(metric(self.stack.address(service, "metrics"), name) for service in SERVICES) for what, name in COUNTED.items()}

    def indexed_rows(self) -> int:
        """Rows inserted into tables that have an index, over all databases."""
        sql = ("SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables s "
               "WHERE EXISTS (SELECT FROM pg_index i WHERE i.indrelid = s.relid)")
        for service in WITH_DATABASE:
            self.stack._ask("SELECT pg_stat_force_next_flush()", service)
        return sum(int(self.stack._ask(sql, service) or 0) for service in WITH_DATABASE)

    def run_floor(self, rows: int) -> float:
        """Seconds for the same rows by bare statements, in two sessions on the same server."""
        ask = lambda sql, database="floor": subprocess.run(
            ["psql", "-h", str(self.stack.run), "-U", "postgres", "-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql],
            check=True, capture_output=True, text=True)
        ask("DROP DATABASE IF EXISTS floor", "postgres")
        ask("CREATE DATABASE floor", "postgres")
        subprocess.run(["psql", "-h", str(self.stack.run), "-U", "postgres", "-d", "floor", "-XAtq", "-f",
                        str(ROOT / "tests" / "bench" / "floor.sql")], check=True, capture_output=True)
        last = (rows + 1999) // 2000 - 1
        middle = last // 2
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda span: ask(f"CALL floor_steps({rows}, {span[0]}, {span[1]})"),
                          ((0, middle), (middle + 1, last))))
        seconds = time.monotonic() - start
        ask("DROP DATABASE floor", "postgres")
        return seconds

    def measure(self) -> dict:
        demo.FAULTS.update(dict.fromkeys((key for key in demo.FAULTS if key.endswith("permille")), 0))
        demo.LAST_DAY = ""
        self.prepare()
        endpoints = self.endpoints = self.stack.up()
        self.list_policies()
        self.agree_with_banks()
        self.appropriate()
        self.ctl("card-office-1", "person", "load", self.input / "people.csv")
        for service in WITH_DATABASE:
            self.stack._ask("ANALYZE", service)
        say("  floor")
        rows = self.plan["expected"]["accepted"]
        self.floor.append(self.run_floor(rows))
        self.stack._ask("CHECKPOINT")

        cpu, counted, inserted = self.cpu(), self.counted(), self.indexed_rows()
        start = time.monotonic()
        with self.stage("collect"):
            self.collect()
        with self.stage("publish"):
            self.publish()
        with self.stage("review"):
            self.review()
        with self.stage("fund"):
            self.fund()
        with self.stage("pay"):
            self.release(set(self.batches))
            self.wait_until_quiet("pay")
        with self.stage("statements"):
            self.pass_days(1)
            self.wait_until_quiet("statements")
        wall = time.monotonic() - start
        cpu_after, counted_after, inserted_after = self.cpu(), self.counted(), self.indexed_rows()
        say("  floor")
        self.floor.append(self.run_floor(rows))
        differences = Reckoning(endpoints["database_socket"], pathlib.Path(endpoints["bank_journal"]), self.input,
                                demo.DATA / "policies.rules.json").run(self.batches)["differences"]
        floor = min(self.floor)
        paid = rows
        return {"payments": paid, "wall_s": round(wall, 2), "payments_per_s": round(paid / wall),
                "stages_s": self.stages, "floor_s": [round(one, 2) for one in self.floor],
                "floor_payments_per_s": round(paid / floor), "ratio": round(wall / floor, 2),
                "cpu_us_per_payment": {name: round((cpu_after[name] - cpu[name]) * 1e6 / paid, 1) for name in cpu_after},
                "indexed_rows_per_payment": round((inserted_after - inserted) / paid, 2),
                "statements_per_10000": round((counted_after["statements"] - counted["statements"]) * 1e4 / paid, 1),
                "rpcs_per_10000": round((counted_after["rpcs"] - counted["rpcs"]) * 1e4 / paid, 1),
                "differences": differences}


def show(result: dict) -> None:
    print(f"payments                  {result['payments']:,}")
    print(f"wall                      {result['wall_s']} s, {result['payments_per_s']:,} payments/s")
    print(f"floor                     {result['floor_s']} s, {result['floor_payments_per_s']:,} payments/s")
    print(f"ratio to the floor        {result['ratio']}")
    print("stages in s               " + ", ".join(f"{name} {seconds}" for name, seconds in result["stages_s"].items()))
    print("CPU µs a payment          " + ", ".join(f"{name} {micros}" for name, micros in result["cpu_us_per_payment"].items()))
    print(f"indexed rows a payment    {result['indexed_rows_per_payment']}")
    print(f"for 10,000 payments       {result['statements_per_10000']} statements, {result['rpcs_per_10000']} RPCs")
    print(f"differences               {len(result['differences'])}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--payments", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path, help="where to write the figures")
    arguments = parser.parse_args()
    end_what_was_started()
    binaries = build(os.cpu_count() or 2)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="yikatong-bench-"))
    folder.chmod(0o755)
    stack = Stack(folder / "state", binaries, TODAY.isoformat())
    bench = Bench(arguments, stack)
    try:
        result = bench.measure()
    finally:
        bench.ctl.close()
        stack.down()
        stack.forget()
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    show(result)
    for difference in result["differences"]:
        print(f"DIFFERENCE: {difference}")
    return 1 if result["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
