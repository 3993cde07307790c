"""The checks are checked: one row is dropped, doubled or altered in each store of a seed that holds, and each time they fail."""
import binascii
import contextlib
import pathlib
import uuid

import psycopg2

# What is done, in which database, by which statement; and the figure that must not be 0 then.
ROWS = (
    ("an entry of the log dropped", "audit_differences", "auditlog",
     "DELETE FROM entry WHERE index = (SELECT max(index) FROM entry WHERE producer = 'dispatch')"),
    ("an entry of an outbox altered", "audit_differences", "dispatch",
     "UPDATE outbox_number SET body = body || '\\x0a' WHERE number = 1"),
    ("a chunk that stands still", "stuck", "dispatch",
     "UPDATE chunk SET stage = 3 WHERE (district, batch_id, chunk) = "
     "(SELECT district, batch_id, chunk FROM chunk WHERE stage = 4 LIMIT 1)"),
    ("a file that stands still", "stuck", "bankgateway",
     "UPDATE file SET state = 2 WHERE file_id = (SELECT min(file_id) FROM file)"),
    ("an attempt dropped", "lost", "dispatch",
     "DELETE FROM attempt WHERE (district, reference) = (SELECT district, reference FROM attempt ORDER BY reference LIMIT 1)"),
    ("an item dropped", "lost", "dispatch",
     "DELETE FROM item WHERE (district, item_id) = "
     "(SELECT district, item_id FROM attempt a JOIN item i USING (district) WHERE i.item_id = a.reference / 100 LIMIT 1)"),
    ("an instruction altered", "lost", "bankgateway",
     "UPDATE instruction SET amount_fen = amount_fen + 1 WHERE (district, reference) = "
     "(SELECT district, reference FROM instruction LIMIT 1)"),
    ("a ledger row doubled", "ledger_differences", "dispatch",
     "UPDATE ledger SET amount_fen = amount_fen * 2 WHERE entry_id = (SELECT entry_id FROM ledger WHERE step = 'paid' "
     "ORDER BY entry_id LIMIT 1)"),
)


@contextlib.contextmanager
def altered(socket: str, database: str, statement: str):
    """The rows of every table that the statement touches are put back as they were, from a copy of them."""
    table = statement.split()[2] if statement.startswith("DELETE") else statement.split()[1]
    connection = psycopg2.connect(host=socket, dbname=database, user="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # what refers to a row does not keep it
        cursor.execute(f"CREATE TABLE kept_by_test AS SELECT * FROM {table}")
        try:
            cursor.execute(statement)
            if cursor.rowcount != 1:
                raise ValueError(f"{cursor.rowcount} rows instead of one: {statement}")
            yield
        finally:
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"INSERT INTO {table} SELECT * FROM kept_by_test")
            cursor.execute("DROP TABLE kept_by_test")
    connection.close()


def credited_twice(journal: pathlib.Path, copy: pathlib.Path) -> None:
    """A copy of the bank's journal in which one credit stands twice."""
    whole = journal.read_bytes()
    line = next(one for one in whole.split(b"\n") if one.startswith(b"C|"))
    end = b"E|1|"
    copy.write_bytes(whole + line + b"\n" + end + f"{binascii.crc32(end):08x}".encode() + b"\n")


def overlooked(endpoints: dict, folder: pathlib.Path, check) -> list:
    """What `check` does not find. `check(journal, acknowledged)` counts: figure -> how many."""
    journal = pathlib.Path(endpoints["bank_journal"])
    missed = []
    if any(check(journal, []).values()):
        return ["the state is wrong before anything is altered"]
    for what, figure, database, statement in ROWS:
        with altered(endpoints["database_socket"], database, statement):
            if not check(journal, [])[figure]:
                missed.append(what)
    doubled = folder / "doubled-journal"
    credited_twice(journal, doubled)
    if not check(doubled, [])["paid_twice"]:
        missed.append("a credit doubled")
    if not check(journal, [(str(uuid.UUID(int=1)), "batch seal")])["audit_differences"]:
        missed.append("an acknowledged request that is nowhere")
    if any(check(journal, []).values()):
        missed.append("what was altered was not put back")
    return missed
