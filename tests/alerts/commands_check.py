"""Every command of yktctl that a runbook names is there, with the options that it names.

    commands_check.py YKTCTL
"""
import pathlib
import re
import subprocess
import sys

CHART = pathlib.Path(__file__).resolve().parents[2] / "helm" / "yikatong"
# `yktctl --as SOMEBODY group [group] command --option …`; an ellipsis stands for what came before it.
NAMED = re.compile(r"`yktctl(?: --as [A-Z-]+)? ([a-z][a-z -]*?)((?: --[a-z-]+(?: [A-Za-z0-9._-]+)?)*)(?: …)?`")


def main() -> int:
    yktctl = sys.argv[1]
    found, faults = {}, []
    for path in [*sorted((CHART / "runbooks").glob("*.md")), CHART / "RESTORING.md"]:
        text = " ".join(path.read_text(encoding="utf-8").split())
        named = NAMED.findall(text)
        if len(named) != text.count("`yktctl"):
            faults.append(f"{path.name}: a command is written in a way that this check does not read")
        for words, options in named:
            found.setdefault((words, tuple(re.findall(r"--[a-z-]+", options))), path.name)
    for (words, options), name in found.items():
        done = subprocess.run([yktctl, *words.split(), "--help"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            faults.append(f"{name}: yktctl {words}: {done.stderr.strip()}")
        # A group's help lists its commands; a command that was mistyped would show the group's.
        elif not done.stdout.split("Usage: ", 1)[-1].startswith(f"yktctl {words} "):
            faults.append(f"{name}: yktctl {words} is no command")
        faults += [f"{name}: yktctl {words} has no {option}" for option in options if f"{option} " not in done.stdout]
    print(f"{len(found)} commands of runbooks, {len(faults)} faults", *faults, sep="\n")
    return 1 if faults or not found else 0


if __name__ == "__main__":
    sys.exit(main())
