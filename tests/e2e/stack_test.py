#!/usr/bin/python3
"""What the local stack takes for its own: deploy/local/down must never end another's process."""
import datetime
import http.server
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "local.d"))
from ports import HeldPorts  # noqa: E402
from stack import Stack, StackError, alive, ended, wait_for_date  # noqa: E402


def listen(port: int) -> socket.socket:
    """As a server does."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


class Ports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="yikatong-ports-")
        self.addCleanup(folder.cleanup)
        self.state = pathlib.Path(folder.name)

    def test_a_held_port_is_given_to_nobody_else_and_a_server_may_listen_on_it(self):
        ports = HeldPorts()
        port = ports.hold()
        with socket.socket() as other, self.assertRaises(OSError):
            other.bind(("127.0.0.1", port))
        with listen(port) as server, socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()

    def test_a_port_that_was_let_go_is_free(self):
        ports = HeldPorts()
        port = ports.hold()
        ports.let_go()
        with socket.socket() as other:
            other.bind(("127.0.0.1", port))

    def test_a_port_of_another_is_not_held(self):
        with listen(0) as server, self.assertRaises(OSError):
            HeldPorts().hold(server.getsockname()[1])

    def test_a_stack_holds_its_ports_until_it_is_down_also_those_of_an_earlier_start(self):
        first = Stack(self.state, self.state)
        chosen = first.choose_ports()
        self.assertEqual(len(chosen), len(set(chosen.values())))
        for port in chosen.values():
            with socket.socket() as other, self.assertRaises(OSError, msg=port):
                other.bind(("127.0.0.1", port))
        first.held_ports.let_go()
        # One of its processes runs on, and holds its port itself.
        with listen(chosen["catalogue.health"]):
            again = Stack(self.state, self.state)
            self.assertEqual(again.choose_ports(), chosen)
            for port in chosen.values():
                with socket.socket() as other, self.assertRaises(OSError, msg=port):
                    other.bind(("127.0.0.1", port))
            again.down()
        for port in chosen.values():
            with socket.socket() as other:
                other.bind(("127.0.0.1", port))


class NobodysStack(Stack):
    def organisations(self) -> list:
        return []  # each takes a certificate


class Starts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="yikatong-starts-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        self.binaries = self.folder / "bin"
        self.binaries.mkdir()
        provision = self.binaries / "provision"
        provision.write_text("#!/bin/sh\necho 'no database today' >&2\nexit 1\n")
        provision.chmod(0o755)
        self.stack = self.new_stack()
        self.addCleanup(lambda: (self.stack.down(), self.stack.forget()))

    def new_stack(self) -> Stack:
        return NobodysStack(self.folder / "state", self.binaries)

    def redis(self) -> int:
        with self.assertRaisesRegex(StackError, "no database today"):
            self.stack.up()
        pid = self.stack._read("pids.json", {})["redis"]
        self.assertTrue(alive(pid, "redis-server"))
        return pid

    def test_a_start_that_fails_says_why_and_down_ends_what_was_started_before(self):
        pid = self.redis()
        self.stack.down()
        self.assertFalse(alive(pid, ""))

    def test_a_second_start_knows_what_runs_already(self):
        pid = self.redis()
        self.stack = self.new_stack()
        self.assertEqual(self.redis(), pid)
        self.stack.tell_processes()
        self.assertEqual(self.stack._read("pids.json", {}), {"redis": pid})
        # Its parent is still this test, so that it is a zombie until the first stack waits for it.
        self.stack.down()
        self.assertFalse(alive(pid, ""))


class Dates(unittest.TestCase):
    def test_a_day_has_come_when_every_process_that_asks_for_it_lives_on_it(self):
        told = {"/registry": 0.0, "/registry-2": 0.0, "/dispatch": 0.0}

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                day = told[self.path.removesuffix("/metrics")]
                self.wfile.write(f"other 1\nyikatong_business_date_timestamp_seconds {day:.0f}\n".encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        at = f"127.0.0.1:{server.server_port}"
        endpoints = {"processes": [{"service": path[1:].split("-")[0], "metrics": at + path} for path in told]
                     + [{"service": "banksim", "metrics": "127.0.0.1:1"}]}
        midnight = datetime.datetime(2026, 7, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=8))).timestamp()
        told.update({"/registry": midnight, "/dispatch": midnight, "/registry-2": midnight - 86_400})
        with self.assertRaises(TimeoutError):
            wait_for_date(endpoints, datetime.date(2026, 7, 4), 0.05)
        told["/registry-2"] = midnight
        wait_for_date(endpoints, datetime.date(2026, 7, 4), 0.05)


class Processes(unittest.TestCase):
    def test_a_program_is_known_by_its_own_name_and_not_by_its_arguments(self):
        sleeper = subprocess.Popen(["/usr/bin/sleep", "300"], stdin=subprocess.DEVNULL)
        reader = subprocess.Popen(["/usr/bin/tail", "-f", "/dev/null", "--pid", str(os.getpid())], stdin=subprocess.DEVNULL)
        named = subprocess.Popen(["redis-server *:0", "300"], executable="/usr/bin/sleep", stdin=subprocess.DEVNULL)
        try:
            # A process has its own name a moment after it was started.
            deadline = time.monotonic() + 10
            for process, program in ((sleeper, "sleep"), (reader, "tail"), (named, "redis-server")):
                while not alive(process.pid, program):
                    self.assertLess(time.monotonic(), deadline, program)
            self.assertTrue(alive(sleeper.pid, ""))
            self.assertFalse(alive(sleeper.pid, "300"))
            self.assertFalse(alive(sleeper.pid, "usr"))
            self.assertFalse(alive(reader.pid, "null"))
        finally:
            for process in (sleeper, reader, named):
                process.kill()
        # A zombie is no more, though its number is still taken.
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
        self.assertFalse(alive(sleeper.pid, "sleep"))
        self.assertTrue(ended(sleeper.pid))
        for process in (sleeper, reader, named):
            process.wait()
        self.assertFalse(alive(sleeper.pid, ""))


if __name__ == "__main__":
    unittest.main()
