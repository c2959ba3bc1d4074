"""Fraud proofs (docs/format.md §19), from what a company holds: signed heads, entries with receipts, promises.

Pure. What is made here convicts the operator by its own signatures; where these do not suffice, None is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import HISTORY_TYPE, PROMISE_TYPE, REFUSAL_TYPE
from ledger.core.encoding import Json, b64encode, parse_json
from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey
from ledger.core.merkle import Node, consistency_roots
from ledger.core.receipt import parse_receipt

TYPE = "provenance-ledger.fraud/v1"
Pair = tuple[bytes, bytes]
"""An entry's bytes, and its receipt."""


@dataclass
class ProofDraft:
    """A fraud proof in the making, about the log `origin`."""

    kind: str
    origin: str
    heads: list[Json] = field(default_factory=list)
    more: dict[str, Json] = field(default_factory=dict)

    def head(self, signed: bytes) -> int | None:
        """Add a checkpoint, or what the service key signed; return its position, None for what is neither."""
        value = read_head(signed)
        if value is None:
            return None
        if value not in self.heads:
            self.heads.append(value)
        return self.heads.index(value)

    def entries(self, pairs: Iterable[Pair]) -> None:
        """Add entries under the checkpoints of their receipts."""
        listed: list[Json] = []
        for raw, receipt in pairs:
            proof = parse_receipt(receipt)
            path: list[Json] = [b64encode(value) for value in proof.path]
            own = {"entry": b64encode(raw), "head": self.head(proof.checkpoint), "index": proof.index, "path": path}
            listed.append(own)
        self.more["entries"] = listed

    def document(self) -> dict[str, Json]:
        """Return the file's value."""
        return {"heads": self.heads, "kind": self.kind, "origin": self.origin, "type": TYPE} | self.more


def read_head(signed: bytes) -> Json:
    """Return a head as fraud proofs write it; None for bytes that the operator did not sign as one."""
    if not signed.startswith(b"{"):
        return {"checkpoint": signed.decode()}
    try:
        envelope = parse_json(signed)
    except FormatError:
        return None
    kinds = {HISTORY_TYPE, PROMISE_TYPE, REFUSAL_TYPE}
    return {"signed": envelope} if isinstance(envelope, dict) and envelope.get("payloadType") in kinds else None


def prove_fork(
    origin: str, known: bytes, other: bytes, consistency: tuple[bytes, Sequence[bytes]] | None, created: Pair | None
) -> dict[str, Json] | None:
    """Return the proof that two signed heads contradict each other.

    `consistency`: the root that the larger tree has at the smaller size, and the path that shows it; None for equal
    sizes. `created` is entry 0: needed where the service key signed one of the heads.
    """
    draft = ProofDraft("fork", origin)
    if draft.head(known) is None or draft.head(other) is None:
        return None
    if any("signed" in head for head in draft.heads if isinstance(head, dict)):
        if created is None:
            return None
        draft.entries([created])
    if consistency is not None:
        root, path = consistency
        draft.more["consistency"] = {"path": [b64encode(value) for value in path], "root": root.hex()}
    return draft.document()


def contradiction(
    old: TreeHead, new: TreeHead, path: Sequence[bytes], first: bytes | None
) -> tuple[bytes, Sequence[bytes]] | None:
    """Return the root that the larger tree has at the smaller size, where the served path shows that it is another.

    `first` is the hash over the first `old.size` entries of the larger tree, by its tiles: a path between these sizes
    leaves it out where it is one node.
    """
    if first is None and first_node(old.size) is not None:
        return None
    shown, root = consistency_roots(old.size, new.size, path, first or old.root)
    return (shown, path) if root == new.root and shown != old.root else None


def first_node(size: int) -> Node | None:
    """Return the node over the first `size` entries; None where it is no one node, and a path has its parts."""
    return Node(size.bit_length() - 1, 0) if size & (size - 1) == 0 else None


@dataclass(frozen=True)
class Charge:
    """What the operator did, and what shows it, in the terms of docs/format.md §19.1; entry 0 is added by `prove`."""

    kind: str
    detail: str
    """In words, about "it"."""
    pairs: Sequence[Pair] = ()
    heads: Sequence[bytes] = ()
    """What it signed beside the receipts' checkpoints, the one in question first."""
    index: int | None = None
    keys: Sequence[PublicKey] = ()
    statement: bytes | None = None


def prove(origin: str, created: Pair, charge: Charge) -> dict[str, Json]:
    """Return the fraud proof of a charge; `created` is entry 0, which vouches for the service key."""
    draft = ProofDraft(charge.kind, origin)
    for signed in charge.heads:
        draft.head(signed)
    draft.entries(dict.fromkeys([created, *charge.pairs]))
    if charge.index is not None:
        draft.more["index"] = charge.index
    if charge.keys:
        draft.more["keys"] = [dict(key.document()) for key in charge.keys]
    if charge.statement is not None:
        draft.more["statement"] = b64encode(charge.statement)
    return draft.document()
