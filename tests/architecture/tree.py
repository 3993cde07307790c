"""What the rules of this folder share: the tree's own files, and a way to report."""
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def root() -> pathlib.Path:
    return pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()


def files(*endings: str):
    """Files of the tree that git tracks or would track, by ending, as (relative path, text)."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root(), check=True,
                            capture_output=True, text=True).stdout.split("\n")
    for name in sorted(set(listed)):
        path = root() / name
        if name.endswith(endings) and path.is_file():
            yield name, path.read_text(encoding="utf-8")


def includes(text: str):
    return [match.group(2) for match in INCLUDE.finditer(text)]


def report(rule: str, checked: int, findings: list) -> int:
    for finding in findings:
        print(finding)
    if checked == 0:
        print(f"{rule}: nothing was checked, which cannot be right")
        return 1
    print(f"{rule}: {checked} checked, {len(findings)} broken")
    return 1 if findings else 0
