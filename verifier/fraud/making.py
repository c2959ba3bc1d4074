"""Making fraud proofs (docs/format.md §19), pure: from what somebody holds to a file's bytes, or None.

What is made here is checked by `verify_fraud` before it leaves: nobody is accused by a false file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.core.b64 import encode_base64
from verifier.core.jcs import format_canonical
from verifier.core.tree import consistency_path, inclusion_path
from verifier.core.verdict import VERIFIED
from verifier.fraud.form import MAX_FRAUD_BYTES, TYPE
from verifier.fraud.fraud import verify_fraud

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.core.keys import PublicKey
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import OpenedCheckpoint, Policy
    from verifier.core.tree import Tree


class Draft:
    """A fraud proof in the making."""

    def __init__(self, kind: str, policy: Policy, log: VerifierKey) -> None:
        self._policy, self._log = policy, log
        self._value: dict[str, Any] = {"heads": [], "kind": kind, "origin": log.name, "type": TYPE}

    def head(self, note: bytes) -> int:
        """Add a checkpoint, unless it is there, and return its position."""
        return self._head({"checkpoint": note.decode()})

    def signed(self, envelope: dict[str, Any]) -> int:
        """Add what the service key signed, and return its position."""
        return self._head({"signed": envelope})

    def _head(self, value: dict[str, Any]) -> int:
        heads: list[dict[str, Any]] = self._value["heads"]
        if value not in heads:
            heads.append(value)
        return heads.index(value)

    def entry(self, raw: bytes, index: int, head: int, path: Iterable[bytes]) -> None:
        """Add an entry under a head."""
        item = {"entry": encode_base64(raw), "head": head, "index": index, "path": list(map(encode_base64, path))}
        self._value.setdefault("entries", []).append(item)

    def prefix(self, raws: Sequence[bytes], head: int, path: Iterable[bytes]) -> None:
        """Add the first entries of the log."""
        own = {"entries": list(map(encode_base64, raws)), "head": head, "path": list(map(encode_base64, path))}
        self._value["prefix"] = own

    def consistency(self, root: bytes, path: Iterable[bytes]) -> None:
        """Add the root that a larger tree has at an earlier size."""
        self._value["consistency"] = {"path": list(map(encode_base64, path)), "root": root.hex()}

    def key(self, public_key: PublicKey) -> None:
        """Add a party's key."""
        own = {"alg": public_key.algorithm, "public_key": encode_base64(public_key.raw)}
        self._value.setdefault("keys", []).append(own)

    def about(self, index: int) -> None:
        """Say which entry is in question."""
        self._value["index"] = index

    def finish(self) -> bytes | None:
        """Return the file, if it proves what it claims."""
        raw = format_canonical(self._value) + b"\n"
        return raw if verify_fraud(raw, self._policy, self._log).exit_code == VERIFIED else None


def make_fork(
    older: OpenedCheckpoint, newer: OpenedCheckpoint, tree: Tree | None, policy: Policy, log: VerifierKey
) -> bytes | None:
    """Return the proof that two checkpoints contradict each other.

    `tree` is that of the larger one, and needed only where their sizes differ.
    """
    draft = Draft("fork", policy, log)
    draft.head(older.raw)
    draft.head(newer.raw)
    small, large = sorted([older.checkpoint.size, newer.checkpoint.size])
    if small != large:
        if tree is None or small == 0 or tree.size < large:
            return None
        draft.consistency(tree.root(small), consistency_path(tree, small, large))
    return draft.finish()


class HeldLog:
    """A tree under a checkpoint, and entries that hash to its leaves: what a replay or a mirror holds of a log."""

    def __init__(self, opened: OpenedCheckpoint, tree: Tree, policy: Policy, log: VerifierKey) -> None:
        self.opened, self.tree, self.policy, self.log = opened, tree, policy, log

    @property
    def size(self) -> int:
        """Of the checkpoint."""
        return self.opened.checkpoint.size

    def draft(self, kind: str, index: int) -> Draft:
        """Begin a proof about an entry of this log."""
        draft = Draft(kind, self.policy, self.log)
        draft.about(index)
        draft.head(self.opened.raw)
        return draft

    def add(self, draft: Draft, index: int, raw: bytes) -> None:
        """Add an entry of this log to a proof."""
        draft.entry(raw, index, draft.head(self.opened.raw), inclusion_path(self.tree, index, self.size))

    def add_consistency(self, draft: Draft, size: int) -> None:
        """Add the root that this log has at an earlier size, 1 … its own."""
        draft.consistency(self.tree.root(size), consistency_path(self.tree, size, self.size))

    def add_prefix(self, draft: Draft, raws: Sequence[bytes]) -> bool:
        """Add the first entries of this log; False where they are too many for one file."""
        if not raws or sum(map(len, raws)) > MAX_FRAUD_BYTES // 2:
            return False
        path = consistency_path(self.tree, len(raws), self.size)
        draft.prefix(raws, draft.head(self.opened.raw), path)
        return True


def make_rewrite(old: HeldLog, new: HeldLog, index: int, raws: tuple[bytes, bytes]) -> bytes | None:
    """Return the proof that an entry was changed: `raws` are its bytes in the old log and in the new one."""
    draft = old.draft("rewrite", index)
    old.add(draft, index, raws[0])
    new.add(draft, index, raws[1])
    return draft.finish()
