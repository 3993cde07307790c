"""deploy/local/up and deploy/local/down."""
import argparse
import os
import pathlib
import sys

from stack import MOST_REPLICAS, ROOT, Stack, StackError, build, say
from watch import Watch


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/local")
    parser.add_argument("what", choices=("up", "down"))
    parser.add_argument("--state", type=pathlib.Path, default=ROOT / "build" / "local")
    parser.add_argument("--start-date", default="", help="first business date of a new state folder")
    parser.add_argument("--replicas", type=int, default=1, choices=range(1, MOST_REPLICAS + 1), metavar="N",
                        help="processes of each service with a database (1)")
    parser.add_argument("--watch", action="store_true", help="Prometheus and Alertmanager beside it, with the alerts")
    arguments = parser.parse_args()
    watch = Watch(arguments.state / "watch")
    try:
        if arguments.what == "down":
            try:
                watch.end()
            finally:
                Stack(arguments.state, ROOT / "build" / "release" / "bin").down()
            return 0
        say("building")
        stack = Stack(arguments.state, build(os.cpu_count() or 2), arguments.start_date, arguments.replicas)
        say("starting")
        endpoints = stack.up()
        for process in endpoints["processes"]:
            print(f"{process['name']:12} pid {process['pid']:<8} gRPC {process['grpc']:22} metrics {process['metrics']}", flush=True)
        if arguments.watch:
            watch.start(endpoints)
            print(f"{'prometheus':12} http://{watch.addresses['prometheus']}")
            # That of Debian has no pages.
            print(f"{'alertmanager':12} amtool alert query --alertmanager.url=http://{watch.addresses['alertmanager']}")
    except StackError as error:
        say(str(error))
        return 1
    print(f"\n{stack.state / 'endpoints.json'} says the rest. Try:\n"
          f"  export YKT_ENDPOINTS={stack.state / 'endpoints.json'}\n"
          f"  {stack.binaries / 'yktctl'} --as auditor-1 policy list")
    return 0


if __name__ == "__main__":
    sys.exit(main())
