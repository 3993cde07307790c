"""The hash tree of RFC 6962, as notices, chunks and the log are committed to."""
import hashlib


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Tree:
    """An RFC 6962 tree that grows leaf by leaf. With `nodes` it keeps the complete ones above the leaves, by (level, index)."""

    def __init__(self, nodes: dict | None = None):
        self.levels = []
        self.size = 0
        self.nodes = nodes

    def add(self, leaf_hash: bytes) -> None:
        index, level = self.size, 0
        self.size += 1
        while index % 2:
            leaf_hash = sha256(b"\x01", self.levels[level], leaf_hash)
            index, level = index // 2, level + 1
            if self.nodes is not None:
                self.nodes[(level, index)] = leaf_hash
        if level == len(self.levels):
            self.levels.append(leaf_hash)
        self.levels[level] = leaf_hash

    def root(self) -> bytes:
        root, size = None, self.size
        for level in range(len(self.levels)):
            if size >> level & 1:
                root = self.levels[level] if root is None else sha256(b"\x01", self.levels[level], root)
        return root if root is not None else sha256()
