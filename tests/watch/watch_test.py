"""What people watch, over a demonstration: a real Prometheus reads every service while payments run, then each query of each panel
is asked, and each alert's rule must have been evaluated without an error.

    watch_test.py SOURCE-FOLDER BUILD-FOLDER
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

SOURCE = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.path[:0] = [str(SOURCE / "deploy" / "demo.d"), str(SOURCE / "deploy" / "local.d")]
from rosters import TODAY  # noqa: E402
from run import Demo  # noqa: E402
from stack import Stack  # noqa: E402
from watch import Watch  # noqa: E402

PAYMENTS = 2_000
PATIENCE_S = 120
CHART = SOURCE / "helm" / "yikatong"
CORE = ("auditlog", "catalogue", "registry", "bankgateway", "dispatch")


class Prometheus(Watch):
    """Asked over its HTTP interface."""

    @property
    def address(self) -> str:
        return self.addresses["prometheus"]

    def get(self, path: str, **arguments) -> dict:
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {arguments}: {error.read().decode()}") from error

    def ask(self, query: str) -> list:
        return self.get("query", query=query)["result"]


def eventually(what: str, holds):
    """The first answer of `holds` that is true; asked again until PATIENCE_S are over."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            found = holds()
        except OSError:
            found = None
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"within {PATIENCE_S} s: {what}")
        time.sleep(0.2)


class Watched(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="yikatong-watch-"))
        cls.folder.chmod(0o755)
        cls.stack = Stack(cls.folder / "state", BUILD / "bin", TODAY.isoformat())
        cls.prometheus = Prometheus(cls.folder / "watch", interval="1s")
        cls.addClassCleanup(cls.end)
        watched = threading.Thread(target=cls.watch_from_the_start)
        watched.start()
        cls.report = Demo(argparse.Namespace(payments=PAYMENTS, seed=1), cls.stack).run()
        watched.join()
        after = time.time()
        # All have been read once more after everything was paid.
        eventually("every process is read", lambda: all(
            float(one["value"][1]) >= after for one in cls.prometheus.ask("timestamp(up)")) and
            len(cls.prometheus.ask("up == 1")) == len(cls.prometheus.ask("up")))
        eventually("where the money is was looked at", lambda: cls.prometheus.ask(f"yikatong_ledger_checked_timestamp_seconds > {after}"))

    @classmethod
    def watch_from_the_start(cls):
        endpoints = cls.stack.state / "endpoints.json"
        eventually("the stack is up", endpoints.exists)
        cls.prometheus.start(json.loads(endpoints.read_text(encoding="utf-8")))

    @classmethod
    def end(cls):
        cls.prometheus.end()
        cls.stack.down()
        cls.stack.forget()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def panels(self):
        """(dashboard, panel, query) of every panel, for each service where a dashboard is of one."""
        for path in sorted((CHART / "dashboards").glob("*.json")):
            dashboard = json.loads(path.read_text(encoding="utf-8"))
            by_service = any(one["name"] == "service" for one in dashboard["templating"]["list"])
            for panel in dashboard["panels"]:
                for target in panel.get("targets", []):
                    for service in CORE if by_service else ("",):
                        yield f"{dashboard['uid']} {service}", panel["title"], target["expr"].replace("$service", service)

    def test_the_demonstration_is_whole(self):
        self.assertEqual(self.report["differences"], [])

    def test_every_panel_shows_something(self):
        asked = 0
        for dashboard, title, query in self.panels():
            with self.subTest(dashboard, panel=title):
                result = self.prometheus.ask(query)
                self.assertTrue(result, query)
                self.assertTrue(any(one["value"][1] != "NaN" for one in result), query)
                asked += 1
        self.assertGreater(asked, 60)

    def test_the_pages_are_what_prometheus_wants(self):
        for process in json.loads((self.stack.state / "endpoints.json").read_text(encoding="utf-8"))["processes"]:
            with urllib.request.urlopen(f"http://{process['metrics']}/metrics", timeout=30) as page:
                done = subprocess.run(["promtool", "check", "metrics"], input=page.read(), capture_output=True, check=False)
            with self.subTest(process["name"]):
                self.assertEqual(done.returncode, 0, done.stdout.decode() + done.stderr.decode())

    def test_every_alert_is_evaluated_and_none_that_is_critical_fires(self):
        names = {path.stem for path in (CHART / "alerts").glob("*.yaml")}

        def rules():
            found = {rule["name"]: rule for group in self.prometheus.get("rules")["groups"] for rule in group["rules"]}
            return found if all(one["health"] != "unknown" for one in found.values()) else None
        found = eventually("every rule was evaluated", rules)
        self.assertEqual(set(found), names)
        for name, rule in found.items():
            with self.subTest(name):
                self.assertEqual(rule["health"], "ok", rule.get("lastError"))
        firing = {name for name, rule in found.items() if rule["state"] == "firing" and rule["labels"]["severity"] == "critical"}
        self.assertEqual(firing, set())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
