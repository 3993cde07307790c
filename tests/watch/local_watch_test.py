"""What `deploy/local/up --watch` starts beside a stack: that it is ready when it is said to run, that what fires in Prometheus arrives
at the Alertmanager, and that `deploy/local/down` ends both, whatever became of whoever started them.

The stack is one page of metrics and one address at which nobody listens.
"""
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "local.d"))
from stack import StackError, alive  # noqa: E402
from watch import PROGRAMS, Watch  # noqa: E402

PATIENCE_S = 60
AWAY = {"groups": [{"name": "away", "rules": [{
    "alert": "Away", "expr": "up == 0", "for": "1s", "labels": {"severity": "warning"}, "annotations": {"summary": "Nobody answers"}}]}]}


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"yikatong_example 1\n")

    def log_message(self, *_):
        pass


def get(address: str, path: str):
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        return json.load(answer)


def eventually(holds, what: str):
    """The first answer of `holds` that is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"within {PATIENCE_S} s: {what}")
        time.sleep(0.1)
    return found


class LocalWatch(unittest.TestCase):
    def setUp(self):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="yikatong-local-watch-"))
        self.addCleanup(shutil.rmtree, self.state, ignore_errors=True)
        self.folder = self.state / "watch"
        self.alerts = self.state / "alerts"
        self.alerts.mkdir()
        self.write_alerts(AWAY)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        nobody = socket.socket()  # bound, so that nobody else is given its port, and never listening
        self.addCleanup(nobody.close)
        nobody.bind(("127.0.0.1", 0))
        self.endpoints = {"processes": [
            {"name": "catalogue", "service": "catalogue", "metrics": f"127.0.0.1:{server.server_port}"},
            {"name": "dispatch-2", "service": "dispatch", "metrics": f"127.0.0.1:{nobody.getsockname()[1]}"}]}
        self.watch = Watch(self.folder, interval="1s", alerts=self.alerts)
        self.addCleanup(lambda: self.watch.end())

    def write_alerts(self, rules: dict) -> None:
        (self.alerts / "Away.yaml").write_text(json.dumps(rules), encoding="utf-8")

    def down(self) -> subprocess.CompletedProcess:
        return subprocess.run([str(ROOT / "deploy" / "local" / "down"), "--state", str(self.state)], capture_output=True, text=True,
                              check=False)

    def test_what_fires_in_prometheus_arrives_at_the_alertmanager_and_down_ends_both(self):
        self.watch.start(self.endpoints)
        addresses = json.loads((self.folder / "watch.json").read_text(encoding="utf-8"))
        self.assertEqual(addresses, self.watch.addresses)
        (alert,) = eventually(lambda: get(addresses["alertmanager"], "/api/v2/alerts"), "the alert is at the Alertmanager")
        self.assertEqual({"alertname": "Away", "suite": "yikatong", "service": "dispatch", "pod": "dispatch-2", "job": "yikatong",
                          "severity": "warning", "instance": self.endpoints["processes"][1]["metrics"]}, alert["labels"])
        self.assertEqual({"summary": "Nobody answers"}, alert["annotations"])
        self.assertEqual("active", alert["status"]["state"])
        self.assertTrue(alert["generatorURL"].startswith(f"http://{addresses['prometheus']}/"), alert["generatorURL"])
        health = {one["labels"]["pod"]: one["health"]
                  for one in get(addresses["prometheus"], "/api/v1/targets")["data"]["activeTargets"]}
        self.assertEqual({"catalogue": "up", "dispatch-2": "down"}, health)
        running = self.watch.running()
        self.assertEqual(sorted(PROGRAMS.values()), sorted(program for _, program in running))
        done = self.down()
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertEqual([], [one for one in running if alive(*one)])
        self.assertFalse((self.folder / "watch.json").exists())

    def test_the_chart_s_own_alerts_are_those_that_are_loaded(self):
        self.watch = Watch(self.folder, interval="1s")
        self.watch.start(self.endpoints)
        groups = get(self.watch.addresses["prometheus"], "/api/v1/rules")["data"]["groups"]
        self.assertEqual({path.stem for path in (ROOT / "helm" / "yikatong" / "alerts").glob("*.yaml")},
                         {rule["name"] for group in groups for rule in group["rules"]})

    def test_a_second_start_ends_what_the_first_started(self):
        self.watch.start(self.endpoints)
        first = self.watch.running()
        again = Watch(self.folder, interval="1s", alerts=self.alerts)
        self.addCleanup(again.end)
        again.start(self.endpoints)
        self.assertEqual([], [one for one in first if alive(*one)])
        self.assertEqual(len(PROGRAMS), len(again.running()))

    def test_a_prometheus_that_ends_at_once_is_told_with_what_it_said_and_nothing_is_left(self):
        self.folder.mkdir()
        (self.folder / "prometheus.log").write_text("said long ago\n", encoding="utf-8")
        self.write_alerts({"groups": [{"name": "away", "rules": [{"alert": "Away", "expr": "up =="}]}]})
        with self.assertRaisesRegex(StackError, "(?s)^prometheus did not start:\n.*Away.yaml.*parse error") as raised:
            self.watch.start(self.endpoints)
        self.assertNotIn("said long ago", str(raised.exception))
        self.assertEqual([], self.watch.running())

    def test_an_alertmanager_that_cannot_start_is_told_before_there_is_a_prometheus(self):
        (self.folder / "data").mkdir(parents=True)
        (self.folder / "data" / "alertmanager").write_text("no folder", encoding="utf-8")
        with self.assertRaisesRegex(StackError, "(?s)^alertmanager did not start:\n.*not a directory"):
            self.watch.start(self.endpoints)
        self.assertEqual([], self.watch.running())
        self.assertFalse((self.folder / "prometheus.log").exists())

    def test_a_start_that_is_interrupted_leaves_nothing(self):
        class Interrupted(Watch):
            def _is_ready(self, address: str) -> bool:
                if address == self.addresses["prometheus"]:
                    raise KeyboardInterrupt
                return super()._is_ready(address)

        self.watch = Interrupted(self.folder, interval="1s", alerts=self.alerts)
        with self.assertRaises(KeyboardInterrupt):
            self.watch.start(self.endpoints)
        self.assertEqual([], self.watch.running())
        self.assertFalse((self.folder / "watch.json").exists())

    def test_where_a_program_is_not_installed_nothing_is_started(self):
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = str(self.folder)
        with self.assertRaisesRegex(StackError, "not installed: prometheus-alertmanager, prometheus .*install-packages watch"):
            self.watch.start(self.endpoints)
        self.assertFalse(self.folder.exists())

    def stand_in(self, program: str, argument: str) -> subprocess.Popen:
        """A process of that name with that argument, which ends by a signal alone."""
        process = subprocess.Popen([program, "-c", "import time; time.sleep(3600)", argument], executable=sys.executable,
                                   stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        eventually(lambda: alive(process.pid, program), f"a process is named {program}")
        return process

    def test_down_ends_one_that_was_left_alone_and_nobody_elses_whatever_was_written_down(self):
        self.watch.start(self.endpoints)
        pids = {program: pid for pid, program in self.watch.running()}
        os.kill(pids["prometheus"], signal.SIGKILL)
        eventually(lambda: not alive(pids["prometheus"], "prometheus"), "Prometheus is no more")
        (self.folder / "watch.json").write_text('{"prometheus": "127', encoding="utf-8")
        others = [self.stand_in("tail", str(self.folder / "prometheus.log")),
                  self.stand_in("tail", f"--config.file={self.folder / 'prometheus.yml'}"),
                  self.stand_in("prometheus", f"--config.file={self.folder}-2/prometheus.yml"),
                  self.stand_in("prometheus-alertmanager", f"--config.file={self.folder / 'prometheus.yml'}")]
        done = self.down()
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertFalse(alive(pids["prometheus-alertmanager"], "prometheus-alertmanager"))
        self.assertEqual([None] * len(others), [process.poll() for process in others])

    def test_down_ends_the_stack_also_where_it_cannot_end_the_watch(self):
        obstacle = self.folder / "watch.json"
        obstacle.mkdir(parents=True)
        redis = self.stand_in("redis-server", "*:0")
        (self.state / "pids.json").write_text(json.dumps({"redis": redis.pid}), encoding="utf-8")
        done = self.down()
        obstacle.rmdir()
        self.assertNotEqual(0, done.returncode)
        self.assertIn("watch.json", done.stderr)
        self.assertFalse(alive(redis.pid, "redis-server"))


if __name__ == "__main__":
    unittest.main()
