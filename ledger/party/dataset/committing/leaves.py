"""Record leaves, whole or redactable (docs/format.md §15.1, §15.2)."""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from hashlib import sha256

from ledger.core.commitment import SALT_BYTES
from ledger.core.hashing import node_hash
from ledger.core.merkle import split


def fresh_salts(count: int) -> bytes:
    """Return `count` independent random salts of 16 bytes, one after the other.

    Without a salt of its own, a record of few possible values could be guessed from its leaf; and were the salts
    derived from one key, whoever opens one record would have to trust that key to nobody.
    """
    return os.urandom(count * SALT_BYTES)


def record_leaf(salt: bytes, record: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ salt ‖ canonical record), 32 bytes."""
    return sha256(b"\x00" + salt + record).digest()


def cell_salt(salt: bytes, number: int) -> bytes:
    """Return s(number), 16 bytes, from a record's salt: s(0) is of the record, s(k) of its k-th cell, from 1."""
    return hmac.digest(salt, number.to_bytes(4, "big"), "sha256")[:SALT_BYTES]


def cell_leaves(salt: bytes, cells: Sequence[bytes]) -> list[bytes]:
    """Return the leaves of a record's canonical cells, in order."""
    return [record_leaf(cell_salt(salt, number), cell) for number, cell in enumerate(cells, 1)]


def redactable_leaf(salt: bytes, cells: Sequence[bytes]) -> bytes:
    """Return the leaf of a record whose cells (at least one, canonical) can be opened one by one."""
    return record_leaf(cell_salt(salt, 0), tree_root(cell_leaves(salt, cells)))


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 root of at least one leaf, by the definition."""
    if len(leaves) == 1:
        return leaves[0]
    middle = split(len(leaves))
    return node_hash(tree_root(leaves[:middle]), tree_root(leaves[middle:]))
