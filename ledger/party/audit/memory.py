"""What the log has shown us before (docs/format.md §2, §10.4).

A log that shows different people different histories must keep them apart for good: this is where it fails to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from ledger.core.checkpoint import Checkpoint, TreeHead, parse_checkpoint
from ledger.core.encoding import Json
from ledger.core.errors import LedgerError, ProofError
from ledger.core.merkle import Node, verify_consistency
from ledger.core.note import parse_note
from ledger.core.policy import Policy
from ledger.party.audit.frauds import contradiction, first_node, prove_fork
from ledger.party.errors import ForkDetected, Problem, ReceiptInvalid, Unproven
from ledger.party.vault.vault import Vault

Prove = Callable[[int, int], Awaitable[list[bytes]]]
"""Asks the ledger for the consistency path between two sizes."""
Find = Callable[[Node, int], Awaitable[bytes]]
"""Asks the ledger for the hash of a node of its tree of a size."""

_CLIENT_ERRORS = range(400, 500)
_TOO_MANY = 429
_MAX_AGREED = 10_000


class Memory:
    """The newest verified checkpoint of one log; every further tree head is checked against it.

    With a vault it outlives the process and is shared by processes; without one it lasts as long as this object.
    """

    def __init__(self, policy: Policy, origin: str, prove: Prove, find: Find, vault: Vault | None = None) -> None:
        """Remember the log `origin`; `prove` fetches consistency paths, and `find` nodes."""
        self._policy = policy
        self._origin = origin
        self._prove = prove
        self._find = find
        self._vault = vault
        self._own: bytes | None = None
        self._agreed: set[TreeHead] = set()

    def newest(self) -> tuple[Checkpoint, bytes] | None:
        """Return the newest verified checkpoint and its signed bytes."""
        raw = self._load()
        return (parse_checkpoint(parse_note(raw).text), raw) if raw is not None else None

    async def remember(self, raw: bytes) -> Checkpoint:
        """Verify a checkpoint, and that it agrees with the newest one; keep it if it is newer.

        Raises NoteError (QuorumError), ReceiptInvalid for another log's, and what `check` raises.
        """
        checkpoint = self._policy.open_checkpoint(raw)
        if checkpoint.origin != self._origin or checkpoint.head.size == 0:
            raise ReceiptInvalid(f"not a checkpoint of {self._origin} with entries")
        while True:
            expected = self._load()
            await self.check(checkpoint.head, raw)
            newest = self.newest()
            if newest is not None and newest[0].head.size >= checkpoint.head.size:
                return checkpoint
            # Another process may have remembered a newer one meanwhile: then compare with that one, too.
            if self._replace(expected, raw):
                return checkpoint

    async def check(self, head: TreeHead, signed: bytes) -> None:
        """Raise ForkDetected if `head`, which `signed` vouches for, does not agree with the newest checkpoint.

        Raises Unproven where the ledger gives no proof, Unreachable or Problem where it cannot be asked now.
        """
        newest = self.newest()
        if newest is None or head in self._agreed:
            return
        known, raw = newest
        old, new = sorted([known.head, head], key=lambda item: item.size)
        if old.size == new.size:
            if old.root != new.root:
                proof = prove_fork(self._origin, raw, signed, None, self._created())
                raise self._fork(raw, signed, f"two roots at size {old.size}", proof, certain=True)
        else:
            await self._check_extends(old, new, raw, signed)
        if head.size <= known.head.size:
            # A prefix of the newest is one of whatever extends the newest. Of a longer tree, that cannot be said.
            if len(self._agreed) >= _MAX_AGREED:
                self._agreed.clear()
            self._agreed.add(head)

    async def _check_extends(self, old: TreeHead, new: TreeHead, raw: bytes, signed: bytes) -> None:
        try:
            path = await self._prove(old.size, new.size)
        except Problem as problem:
            if problem.status not in _CLIENT_ERRORS or problem.status == _TOO_MANY:
                raise
            # It signed both sizes. Perhaps it lost or hides one of its histories; perhaps a proxy said this, not it.
            raise self._unproven(old, new, raw, signed, problem) from problem
        try:
            verify_consistency(old.size, old.root, new.size, new.root, path)
        except ProofError as error:
            proof = await self._contradiction(old, new, raw, signed, path)
            raise self._fork(raw, signed, str(error), proof, certain=proof is not None) from error

    async def _contradiction(
        self, old: TreeHead, new: TreeHead, known: bytes, other: bytes, path: Sequence[bytes]
    ) -> dict[str, Json] | None:
        """Return the proof of a fork, if the path that the ledger served shows it: that of another tree is as good."""
        try:
            node = first_node(old.size)
            first = await self._find(node, new.size) if node is not None else None
            shown = contradiction(old, new, path, first)
        except (LedgerError, IndexError):
            return None
        return None if shown is None else prove_fork(self._origin, known, other, shown, self._created())

    def _created(self) -> tuple[bytes, bytes] | None:
        return self._vault.created(self._origin) if self._vault is not None else None

    def _fork(
        self, known: bytes, other: bytes, detail: str, proof: dict[str, Json] | None, *, certain: bool
    ) -> ForkDetected:
        """Keep the proof, or else both signed heads, before anything else: they will not be served twice."""
        fork = ForkDetected(self._origin, known, other, detail, certain=certain)
        if proof is not None and self._vault is not None:
            fork.kept = self._vault.keep_evidence(proof)
        else:
            fork.kept = self._keep(known, other, detail)
        return fork

    def _unproven(self, old: TreeHead, new: TreeHead, known: bytes, other: bytes, problem: Problem) -> Unproven:
        """Keep both signed heads here too: the second may turn out to be half of a fork's evidence."""
        detail = f"no proof from size {old.size} to size {new.size}: {problem}"
        unproven = Unproven(self._origin, detail)
        unproven.kept = self._keep(known, other, detail)
        return unproven

    def _keep(self, known: bytes, other: bytes, detail: str) -> Path | None:
        if self._vault is None:
            return None
        heads: dict[str, Json] = {"known": known.decode(), "other": other.decode()}
        more: dict[str, Json] = {"detail": detail, "origin": self._origin, "type": "provenance-ledger.unproven/v1"}
        return self._vault.keep_evidence(heads | more)

    def _load(self) -> bytes | None:
        return self._vault.checkpoint(self._origin) if self._vault is not None else self._own

    def _replace(self, expected: bytes | None, raw: bytes) -> bool:
        if self._vault is not None:
            return self._vault.replace_checkpoint(self._origin, expected, raw)
        if self._own != expected:
            return False
        self._own = raw
        return True
