#!/usr/bin/env python3
"""Every call that changes something can be repeated: it carries a request id, or says by what else a repetition is known."""
import re
import sys

from tree import files, report

READS = re.compile(r"(Get|List|Find|Resolve|Watch|Quote|Check|Export|Trace)[A-Z]")
# Calls that are known again by something of their own.
KNOWN_BY = {
    "AuditLogService.AppendEntries": ("first_number", "the producer's dense numbers"),
    "AgentBankService.SubmitFile": ("head", "its head: the file's id, sequence and digest"),
    "DispatchService.UploadItems": ("chunk", "the chunk's number and content within its batch"),
    "RegistryService.LoadPeople": ("load_id", "the load's id, the chunk's number and content"),
    "RegistryService.ApplyChanges": ("source", "each event's source and id"),
}
# Calls that change nothing but what they answer or what a test's bank pretends.
CHANGE_NOTHING = {
    "RegistryService.SealAccounts": "what is sealed and not sent is worth nothing; each seal has its own name",
    "AgentBankService.QueryReferences": "a question",
    "BankSimulatorService.SetFaults": "sets what the stand-in bank does from now on; the same again is the same",
}


def messages(texts: dict, package: str) -> dict:
    """Body of each message of one package, by name."""
    found = {}
    for path, text in texts.items():
        if path.startswith(package):
            found.update(re.findall(r"^message (\w+) \{\n(.*?)^\}", text, re.M | re.S))
    return found


def main() -> int:
    texts = {path: re.sub(r"//[^\n]*", "", text) for path, text in files(".proto")
             if path.startswith("proto/yikatong/")}
    checked, findings, named = 0, [], set()
    for path, text in texts.items():
        bodies = messages(texts, path.rsplit("/", 1)[0] + "/")
        for service, body in re.findall(r"^service (\w+) \{\n(.*?)^\}", text, re.M | re.S):
            for name, request in re.findall(r"rpc (\w+)\((?:stream )?(\w+)\)", body):
                if READS.match(name):
                    continue
                checked += 1
                call = f"{service}.{name}"
                key, _ = KNOWN_BY.get(call, ("request_id", ""))
                named.add(call)
                if call not in CHANGE_NOTHING and not re.search(rf"\b{key}\b = \d+", bodies.get(request, "")):
                    findings.append(f"{path}: {call} changes something and cannot be repeated: it has no {key}")
    for call in sorted((KNOWN_BY.keys() | CHANGE_NOTHING.keys()) - named):
        findings.append(f"contracts_test.py names {call}, which there is none of")
    return report("contracts", checked, findings)


if __name__ == "__main__":
    sys.exit(main())
