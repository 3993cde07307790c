"""The audit log joined both ways: with itself, with what each service sent it, and with the rows that its entries speak of."""
import collections
import hmac

from by_reference import MOST_PLACES
from log_facts import FACTS, rows_of, stated
from tree import Tree, sha256

OUTCOMES = {1: "paid", 2: "failed", 3: "unknown", 4: "returned"}
# What was committed to by each step of a chunk: the rows of its tree, in the order of the leaves.
COLLECTED = """SELECT concat('batches/', b.district, '/', batch_id, '/chunks/', chunk), batch_id, '', item_id, person_id, village,
                      amount_fen, masked_name FROM item JOIN batch b USING (batch_id) ORDER BY batch_id, chunk, item_id"""
SUBMITTED = """SELECT concat('batches/', b.district, '/', a.batch_id, '/chunks/', a.chunk), a.batch_id, '', i.item_id, i.person_id,
                      i.village, i.amount_fen, i.masked_name
               FROM attempt a JOIN batch b ON b.batch_id = a.batch_id
               JOIN item i ON i.district = a.district AND i.item_id = a.reference / 100
               ORDER BY a.batch_id, a.chunk, a.reference"""
APPLIED = """SELECT concat('outcomes/', r.district, '/', r.number), i.batch_id, r.state, i.item_id, i.person_id, i.village,
                    i.amount_fen, i.masked_name
             FROM (SELECT number, district, unnest(item_references) AS reference, unnest(states) AS state,
                          generate_subscripts(item_references, 1) AS place FROM applied_chunk) r
             JOIN item i ON i.district = r.district AND i.item_id = r.reference / 100 ORDER BY r.number, r.district, r.place"""
# Requests that were done, each with one entry of its service; refusals leave an entry only, and what found nothing to send
# again leaves none.
REQUESTS = {"catalogue": "SELECT request_id FROM request",
            "dispatch": "SELECT request_id FROM request WHERE NOT (method = 'ReissueItems' AND answer = '')",
            "bankgateway": "SELECT request_id FROM request UNION ALL SELECT request_id FROM submission"}
COMMITTED = ("items.collected", "chunk.submitted", "outcomes.applied")


class Log:
    """`rows` and `stream` read a statement of a database; `differ` compares two lists by their keys."""

    def __init__(self, rows, stream, find, differ, producers: tuple):
        self.rows, self.stream, self.find, self.differ = rows, stream, find, differ
        self.producers = producers
        self.committed = collections.Counter()  # (kind, subject, root, leaves)
        self.stated = collections.Counter()     # what entries say in words
        self.requests = {producer: set() for producer in REQUESTS}

    def join(self) -> None:
        sent = self._sent()
        highest = self._entries(sent)
        self._relays(highest)
        committed = collections.Counter()
        self._trees(committed, "items.collected", "collect", COLLECTED)
        self._trees(committed, "chunk.submitted", "submit", SUBMITTED)
        self._trees(committed, "outcomes.applied", "outcome", APPLIED)
        for place in sorted((committed - self.committed) + (self.committed - committed), key=str)[:MOST_PLACES]:
            self.find(f"auditlog.entry and dispatch's rows differ at {place[0]} {place[1]}")
        for kind, (service, *_) in FACTS.items():
            ours = collections.Counter(rows_of(kind, self.rows))
            theirs = collections.Counter({one: times for one, times in self.stated.items() if one[0] == kind})
            for place in sorted((ours - theirs) + (theirs - ours))[:MOST_PLACES]:
                self.find(f"{service}'s rows and auditlog.entry differ at {' '.join(place)}: {ours[place]} and {theirs[place]}")
        for producer, sql in REQUESTS.items():
            for request in sorted({name for (name,) in self.rows(producer, sql)} ^ self.requests[producer])[:MOST_PLACES]:
                self.find(f"{producer}.request and auditlog.entry differ at {request}")

    def _sent(self) -> dict:
        """(producer, epoch, number) -> hash of what the producer sent. What is on its way counts as said already."""
        sent = {}
        for service in self.producers:
            for producer, number, body in self.rows(service, "SELECT producer, number, body FROM outbox_number"):
                name, epoch = producer.rsplit("/", 1)
                key = (name, int(epoch), number)
                if key in sent or name != service:
                    self.find(f"{service}.outbox_number, not the one number {number} of {producer}")
                sent[key] = sha256(b"\x00", bytes(body))
            for (body,) in self.rows(service, "SELECT body FROM outbox"):
                self._take(bytes(body))
        return sent

    @staticmethod
    def _facts(body: bytes) -> dict:
        return dict(line.split(": ", 1) for line in body.decode().split("\n") if ": " in line)

    def _take(self, body: bytes) -> dict:
        """The fields of an entry; counts what it says was done."""
        facts = self._facts(body)
        kind, request = facts.get("kind", ""), facts.get("request_id")
        if kind in COMMITTED and facts.get("root"):
            self.committed[(kind, facts["subject"], bytes.fromhex(facts["root"]), int(facts["leaves"]))] += 1
        if kind in FACTS:
            self.stated[stated(facts)] += 1
        if request and facts.get("service") in REQUESTS and not kind.endswith("refused"):
            self.requests[facts["service"]].add(request)
        return facts

    def _entries(self, sent: dict) -> dict:
        """Each entry against itself, its number, its place in the tree and its producer. Gives the highest numbers."""
        nodes = {}
        tree, roots = Tree(nodes), {}
        numbers = {}
        seen = set()
        last = {(service, epoch): kept for service in self.producers for epoch, kept in self.rows(
            service, "SELECT epoch - 1, kept_through FROM restored")}
        for producer, epoch, number in sent:
            last[(producer, epoch)] = max(number, last.get((producer, epoch), 0))
        for index, producer, epoch, number, leaf_hash, district, kind, subject, root, body in self.stream(
                "auditlog", "SELECT index, producer, restore_epoch, number, leaf_hash, district, kind, subject, subtree_root, "
                "body FROM entry ORDER BY index"):
            body = bytes(body)
            own = sha256(b"\x00", body)
            if index != tree.size:
                self.find(f"auditlog.entry, not the next one: {index}")
            # What was numbered after its producer was read speaks of rows that were not read either; what was numbered behind
            # the moment to which its producer was put back, of rows that are undone.
            later = producer in self.producers and number > last.get((producer, epoch), 0)
            facts = self._facts(body) if later else self._take(body)
            if bytes(leaf_hash) != own:
                self.find(f"auditlog.entry, the hash of {index} is not that of its body")
            shown = (facts.get("service"), facts.get("kind"), facts.get("subject"), facts.get("district"), facts.get("root") or "")
            if shown != (producer, kind, subject, str(district), bytes(root).hex() if root is not None else ""):
                self.find(f"auditlog.entry, {index} is filed as something else than it is")
            if number != numbers.get((producer, epoch), 0) + 1:
                self.find(f"auditlog.entry, {producer}'s number {number} at {index} does not follow")
            numbers[(producer, epoch)] = number
            # The log writes entries of its own (who read it): nobody sent those.
            if producer in self.producers and not later and sent.get((producer, epoch, number)) != own:
                self.find(f"{producer}.outbox_number and auditlog.entry differ at number {number}")
            seen.add((producer, epoch, number))
            tree.add(own)
            roots[tree.size] = tree.root()
        self._tree(tree, roots, nodes)
        for producer, epoch, number in sorted(sent.keys() - seen):
            if number <= numbers.get((producer, epoch), 0):
                self.find(f"{producer}.outbox_number and auditlog.entry differ at number {number}: it is not in the log")
        self._on_their_way(sent.keys() - seen)
        return numbers

    def _on_their_way(self, keys) -> None:
        """What is numbered and not yet in the log says what was done all the same."""
        for service in sorted({name for name, _, _ in keys}):
            wanted = {number for name, _, number in keys if name == service}
            for number, body in self.rows(service, "SELECT number, body FROM outbox_number"):
                if number in wanted:
                    self._take(bytes(body))

    def _tree(self, tree: Tree, roots: dict, nodes: dict) -> None:
        heads = self.rows("auditlog", "SELECT size, root FROM tree_head ORDER BY size")
        if len({size for size, _ in heads}) != len(heads):
            self.find(f"auditlog.tree_head, a size that is there twice among {len(heads)}")
        for size, root in heads:
            if roots.get(size) != bytes(root):
                self.find(f"auditlog.tree_head, not the root of the first {size} entries")
        if roots and (not heads or heads[-1][0] != tree.size):
            self.find(f"auditlog.tree_head, none over all {tree.size} entries")
        stored = self.rows("auditlog", "SELECT level, index, hash FROM tree_node")
        if len({place[:2] for place in stored}) != len(stored):
            self.find(f"auditlog.tree_node, one that is there twice among {len(stored)}")
        self.differ("auditlog.tree_node, not the hash of what is under it", {row[:2]: bytes(row[2]).hex() for row in stored},
                    {place: node.hex() for place, node in nodes.items()})

    def _relays(self, highest: dict) -> None:
        """What each service believes that it has sent, and that the log has."""
        for service in self.producers:
            numbered = dict(self.rows(service, "SELECT producer, max(number) FROM outbox_number GROUP BY producer"))
            # What a restore left without an acknowledgement is numbered anew under the epoch that began with it.
            relays = self.rows(service, "SELECT producer, CASE WHEN EXISTS (SELECT FROM restored WHERE concat(current_database(), "
                               "'/', epoch - 1) = producer) THEN acked_number ELSE last_number END, acked_number FROM outbox_relay")
            self.differ(f"{service}.outbox_relay, not the last number of", {name: last for name, last, _ in relays}, numbered)
            for name, _, acked in relays:
                short, epoch = name.rsplit("/", 1)
                if acked > highest.get((short, int(epoch)), 0):
                    self.find(f"{service}.outbox_relay, {name} believes that number {acked} is in the log")
            if len(relays) != len({name for name, _, _ in relays}):
                self.find(f"{service}.outbox_relay, one that is there twice among {len(relays)}")

    # --- What dispatch's rows commit to ---------------------------------------------------------------------------------

    def _trees(self, found: collections.Counter, kind: str, step: str, sql: str) -> None:
        """Makes the root of each chunk again, from the items that its rows name."""
        batches = {batch: (policy, period, bytes(key)) for batch, policy, period, key in self.rows(
            "dispatch", "SELECT batch_id, policy_id, period, salt_key FROM batch")}
        tree, place = Tree(), ""
        states = {"collect": "accepted", "submit": "sent"}
        for subject, batch, state, item, person, village, fen, name in self.stream("dispatch", sql):
            if subject != place:
                if tree.size:
                    found[(kind, place, tree.root(), tree.size)] += 1
                tree, place = Tree(), subject
            if batch not in batches:
                continue
            policy, period, key = batches[batch]
            salt = hmac.digest(key, str(item).encode(), "sha256").hex()
            state = states.get(step) or OUTCOMES.get(state, state)
            tree.add(sha256(b"\x00", (f"yikatong-item/v1\nstep: {step}\nitem: {item}\nbatch: {batch}\nperson: {person}\n"
                                      f"village: {village}\npolicy: {policy}\nperiod: {period}\namount_fen: {fen}\n"
                                      f"state: {state}\nname: {name}\nsalt: {salt}\n").encode()))
        if tree.size:
            found[(kind, place, tree.root(), tree.size)] += 1
