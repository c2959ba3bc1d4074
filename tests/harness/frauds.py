"""The Forger's frauds: what an operator that lies signs, and the file that convicts it (docs/format.md §19).

Each fraud is told once to an honest scene and returns a file, written here with the ledger's own ground floor, so that
it does not depend on the verifier's makers of such files.
"""

# ruff: noqa: D401 - the docstring of a fraud is what it says

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ledger.core.dsse import Envelope, sign
from ledger.core.encoding import Json, b64encode, canonical
from ledger.core.keys import Signer
from ledger.core.merkle import Node, consistency_ranges, inclusion_ranges, nodes_of, prove
from tests.harness.builder import LedgerBuilder
from tests.harness.forger import Forger, Scene
from tests.harness.speech import signed
from tests.harness.witness import Witness

HISTORY = "application/vnd.provenance-ledger.history.v1+json"
PROMISE = "application/vnd.provenance-ledger.promise.v1+json"
REFUSAL = "application/vnd.provenance-ledger.refusal.v1+json"
WITNESS = Witness("w1")


def inclusion(builder: LedgerBuilder, index: int, size: int) -> list[Json]:
    """Return an inclusion path, base64."""
    ranges = inclusion_ranges(index, size)
    return [b64encode(value) for value in prove(ranges, _nodes(builder, nodes_of(ranges)))]


def consistency(builder: LedgerBuilder, old: int, new: int) -> list[Json]:
    """Return a consistency path, base64."""
    ranges = consistency_ranges(old, new)
    return [b64encode(value) for value in prove(ranges, _nodes(builder, nodes_of(ranges)))]


def _nodes(builder: LedgerBuilder, nodes: set[Node]) -> dict[Node, bytes]:
    return {node: builder._hashes[node] for node in nodes}


@dataclass
class FraudFile:
    """A fraud proof in the making, about the ledger of `builder`, which may be taken back while it is made."""

    kind: str
    builder: LedgerBuilder
    value: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin."""
        self.value = {"heads": [], "kind": self.kind, "origin": self.builder.origin} | self.value
        self.value["type"] = "provenance-ledger.fraud/v1"

    def head(self, note: bytes | None = None) -> int:
        """Add a checkpoint, of now by default; return its position."""
        self.value["heads"].append({"checkpoint": (note or self.builder.checkpoint()).decode()})
        return len(self.value["heads"]) - 1

    def said(self, kind: str, by: Signer | None = None, **fields: Json) -> int:
        """Add something that the service key signed on the log as it stands now; return its position."""
        payload = {"ledger": self.builder.id, "root": self.builder.head().root.hex(), "size": self.builder.size}
        name = kind.split(".")[2]
        payload |= {"type": f"provenance-ledger.{name}/v1"} | fields
        self.value["heads"].append({"signed": sign(payload, [by or self.builder.service_key], kind).document()})
        return len(self.value["heads"]) - 1

    def entry(self, index: int, head: int, size: int | None = None) -> None:
        """Add an entry as it stands now, in the tree of `size`, that of now by default."""
        size = self.builder.size if size is None else size
        own = {"entry": b64encode(self.builder.entries[index]), "head": head, "index": index}
        self.value.setdefault("entries", []).append(own | {"path": inclusion(self.builder, index, size)})

    def prefix(self, count: int, head: int) -> None:
        """Add the first entries."""
        entries = [b64encode(raw) for raw in self.builder.entries[:count]]
        path = consistency(self.builder, count, self.builder.size)
        self.value["prefix"] = {"entries": entries, "head": head, "path": path}

    @property
    def raw(self) -> bytes:
        """The file."""
        return canonical(self.value) + b"\n"


@dataclass(frozen=True)
class Told:
    """A fraud, the policy that convicts, and words that the report must say."""

    file: FraudFile
    words: tuple[str, ...] = ()
    policy: str = ""


Tell = Callable[[Scene], Told]
FRAUDS: list[Tell] = []


def fraud(tell: Tell) -> Tell:
    """Add a fraud to the list."""
    FRAUDS.append(tell)
    return tell


def take_back(scene: Forger, count: int = 1) -> None:
    """Undo the newest entries, as if they had never been."""
    del scene.entries[-count:], scene.times[-count:]
    scene.rehash()


def listing(scene: Scene, title: str = "Planes") -> Envelope:
    """Return a statement of the third party's."""
    return signed(scene.speech.listing_registered(scene.carol, title), scene.carol.key)


@fraud
def fork_of_one_size(scene: Scene) -> Told:
    """Two trees of one size."""
    file = FraudFile("fork", scene)
    file.head()
    take_back(scene)
    scene.force(listing(scene))
    file.head()
    return Told(file, ("two trees of 11 entries",))


@fraud
def fork_of_two_sizes(scene: Scene) -> Told:
    """A larger tree whose beginning is not the smaller one."""
    file = FraudFile("fork", scene)
    file.head()
    old = scene.size
    take_back(scene)
    for title in ("Planes", "Airlines", "Routes"):
        scene.force(listing(scene, title))
    file.head()
    root = scene.root_at(old).hex()
    file.value["consistency"] = {"path": consistency(scene, old, scene.size), "root": root}
    return Told(file, ("neither extends the other",))


@fraud
def fork_in_a_refusal(scene: Scene) -> Told:
    """A refusal on a tree that the checkpoint of the same size denies."""
    file = FraudFile("fork", scene)
    file.said(REFUSAL, reason="expired", statement_id=scene.open, time=scene.now_ms, root="ab" * 32)
    file.entry(0, file.head())
    return Told(file, ("a refusal of 11 entries", "a checkpoint of 11 entries"))


@fraud
def rewritten_entry(scene: Scene) -> Told:
    """Two versions of one entry."""
    at = scene.size - 1
    file = FraudFile("rewrite", scene, {"index": at})
    file.entry(at, file.head())
    take_back(scene)
    scene.force(listing(scene))
    file.entry(at, file.head())
    return Told(file, (f"two versions of entry {at}", "listing.registered by carol"))


@fraud
def overwritten_after_a_rollback(scene: Scene) -> Told:
    """A statement that has seen a longer log is recorded where that log already had something else."""
    file = FraudFile("rollback", scene)
    file.head()
    seen = {"root": scene.root_at(scene.size).hex(), "size": scene.size}
    take_back(scene, 2)
    at = scene.force(signed(scene.speech.listing_registered(scene.carol, seen=seen), scene.carol.key))
    file.value["index"] = at
    file.entry(at, file.head())
    return Told(file, ("took the log back", f"recorded entry {at} anew"))


@fraud
def turned_back(scene: Scene) -> Told:
    """A refusal says that the log ended where an older entry stands."""
    file = FraudFile("rollback", scene)
    at = scene.size
    file.said(REFUSAL, reason="expired", statement_id=scene.open, time=scene.now_ms + 400_000)
    scene.record(listing(scene))
    head = file.head()
    file.value["index"] = at
    file.entry(0, head)
    file.entry(at, head)
    return Told(file, ("that its log ended there",))


@fraud
def time_goes_back(scene: Scene) -> Told:
    """An entry is older than the one before."""
    at = scene.force(listing(scene), scene.now_ms - 60_000)
    file = FraudFile("time", scene, {"index": at})
    head = file.head()
    file.entry(at - 1, head)
    file.entry(at, head)
    return Told(file, ("let time go back",))


@fraud
def entry_from_the_future(scene: Scene) -> Told:
    """An entry is later than the witness that saw it."""
    scene.record(listing(scene))
    at = scene.size - 1
    file = FraudFile("time", scene, {"index": at})
    note = WITNESS.cosign(scene.checkpoint(), scene.times[-1] // 1000 - 302)
    file.entry(at, file.head(note))
    policy = scene.policy().replace("quorum none", f"{WITNESS.policy_line}\nquorum w1")
    return Told(file, ("post-dated", "as sure as the clock of the witness w1"), policy)


def _promise(scene: Scene, envelope: Envelope) -> tuple[FraudFile, int]:
    file = FraudFile("omission-after-promise", scene)
    deadline_ms = scene.now_ms + 60_000
    file.said(PROMISE, statement_id=envelope.id, deadline_ms=deadline_ms, time=scene.now_ms)
    return file, deadline_ms


@fraud
def omitted_as_a_history_says(scene: Scene) -> Told:
    """The deadline passed, and the operator signs that nothing of the statement is there."""
    promised = listing(scene, "Promised")
    file, deadline_ms = _promise(scene, promised)
    scene.record(listing(scene), deadline_ms + 1)
    head = file.head()
    file.said(HISTORY, subjects=[promised.id], indexes=[])
    file.entry(0, head)
    file.entry(scene.size - 1, head)
    return Told(file, ("promised to record", "nothing of it is in a history"))


@fraud
def omitted_as_the_log_says(scene: Scene) -> Told:
    """The deadline passed, and every entry until then is another."""
    file, deadline_ms = _promise(scene, listing(scene, "Promised"))
    scene.record(listing(scene), deadline_ms + 1)
    file.prefix(scene.size, file.head())
    return Told(file, ("promised to record", f"none of the first {scene.size} entries"))


@fraud
def omitted_as_a_refusal_says(scene: Scene) -> Told:
    """The deadline passed by the operator's own clock, and nothing was recorded at all."""
    promised = listing(scene, "Promised")
    file, deadline_ms = _promise(scene, promised)
    file.said(HISTORY, subjects=[promised.id], indexes=[])
    file.said(REFUSAL, reason="expired", statement_id=scene.open, time=deadline_ms + 1)
    file.entry(0, file.head())
    return Told(file, ("promised to record", "no smaller than that"))


@fraud
def recorded_too_late(scene: Scene) -> Told:
    """The statement is there, and too late."""
    promised = listing(scene, "Promised")
    file, deadline_ms = _promise(scene, promised)
    scene.record(promised, deadline_ms + 1)
    head = file.head()
    file.entry(0, head)
    file.entry(scene.size - 1, head)
    return Told(file, ("too late",))


@fraud
def left_out_of_a_history(scene: Scene) -> Told:
    """A history of a listing does not list the license under it."""
    at = scene.view.recorded[scene.license]
    file = FraudFile("left-out-of-history", scene, {"index": at})
    file.said(HISTORY, subjects=[scene.listing], indexes=[scene.view.recorded[scene.listing]])
    head = file.head()
    file.entry(0, head)
    file.entry(at, head)
    return Told(file, (f"left out entry {at}", "license.agreed by alice.example"))


@fraud
def left_out_by_a_reference(scene: Scene) -> Told:
    """A history of a listing does not list an acknowledgement, which names only the hand-off."""
    at = scene.view.recorded[scene.acknowledged]
    file = FraudFile("left-out-of-history", scene, {"index": at})
    file.said(HISTORY, subjects=[scene.listing], indexes=[scene.view.recorded[scene.listing]])
    head = file.head()
    for index in (0, scene.view.recorded[scene.listing], scene.view.recorded[scene.done], at):
        file.entry(index, head)
    return Told(file, (f"left out entry {at}",))


@fraud
def refused_what_is_recorded(scene: Scene) -> Told:
    """A refusal of a statement that the log holds."""
    file = FraudFile("refusal-contradicts-log", scene)
    file.said(REFUSAL, reason="wrong-role", statement_id=scene.open, time=scene.now_ms)
    head = file.head()
    file.entry(0, head)
    file.entry(scene.view.recorded[scene.open], head)
    return Told(file, ("it was recorded there already",))


def _refused(scene: Scene, reason: str, envelope: Envelope, **fields: Json) -> FraudFile:
    file = FraudFile("refusal-contradicts-log", scene, {"statement": b64encode(envelope.recorded)})
    file.said(REFUSAL, reason=reason, statement_id=envelope.id, time=scene.now_ms, **fields)
    return file


@fraud
def refused_as_expired(scene: Scene) -> Told:
    """It had not expired, by the refusal's own time."""
    file = _refused(scene, "expired", listing(scene))
    file.entry(0, file.head())
    return Told(file, ("it could be recorded until",))


@fraud
def refused_as_of_a_stranger(scene: Scene) -> Told:
    """Its issuer was registered."""
    file = _refused(scene, "unknown-party", listing(scene))
    head = file.head()
    file.entry(0, head)
    file.entry(3, head)
    return Told(file, ("every party that it names is registered there",))


@fraud
def refused_as_having_seen_nothing(scene: Scene) -> Told:
    """What it has seen was signed by the log."""
    seen = {"root": scene.root_at(5).hex(), "size": 5}
    envelope = signed(scene.speech.listing_registered(scene.carol, seen=seen), scene.carol.key)
    file = _refused(scene, "seen-mismatch", envelope)
    file.head(scene.checkpoint(5))
    file.entry(0, file.head())
    return Told(file, ("the tree that it has seen, of 5 entries, was signed by the log",))


@fraud
def refused_against_every_rule(scene: Scene) -> Told:
    """On the whole log that the refusal names, the statement keeps every rule."""
    file = _refused(scene, "already-decided", listing(scene))
    file.prefix(scene.size, file.head())
    return Told(file, ("on those entries it keeps every rule",))
