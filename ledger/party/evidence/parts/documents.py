"""Everything of a bundle that a verifier reads, as values: reports are made of this and of nothing else.

So a report cannot say what the bundle does not hold, nor show what its maker did not choose to disclose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.core.checkpoint import parse_checkpoint
from ledger.core.dsse import HISTORY_TYPE, read_envelope
from ledger.core.encoding import Json, parse_canonical
from ledger.core.note import TIMED_TYPES, NoteKey, cosigned_s, parse_note
from ledger.party.chain.told import Told
from ledger.party.evidence.parts.case import Case
from ledger.party.evidence.parts.gathering import Gathered
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.sealing import open_fields, sealed_places


@dataclass(frozen=True)
class Documents:
    """The readable parts of one bundle; `made` is the manifest's, `paths` are all members but the manifest."""

    case: Case
    evidence: Mapping[str, Json]
    judgement: Mapping[str, Json]
    gathered: Gathered
    disclosures: tuple[Disclosure, ...]
    made: Mapping[str, Json]
    paths: tuple[str, ...]
    witnesses: tuple[NoteKey, ...] = ()
    """Those that the claimant's policy names: whose cosignatures on the checkpoint are counted."""

    def opened(self) -> list[Told]:
        """Return what the entries say, with the disclosed values in their places."""
        by_statement: dict[str, list[Disclosure]] = {}
        for item in self.disclosures:
            by_statement.setdefault(item.statement_id, []).append(item)
        return [
            Told(told.index, told.time_ms, told.id, open_fields(dict(told.fields), by_statement.get(told.id, [])))
            for told in self.gathered.told()
        ]

    def withheld(self) -> list[tuple[int, str, str]]:
        """Return index, pointer and commitment of every sealed place that nothing here opens."""
        opened = {(item.statement_id, item.pointer) for item in self.disclosures}
        return [
            (told.index, pointer, commitment)
            for told in self.gathered.told()
            for pointer, commitment in sealed_places(told.fields)
            if (told.id, pointer) not in opened
        ]

    def completeness(self) -> str:
        """Return in one of three ways whether entries may have been left out (docs/bundle.md §6)."""
        indexes = {entry.index for entry in self.gathered.entries}
        if len(indexes) == self.gathered.head.size:
            return "complete"
        for history in self.gathered.histories:
            payload = parse_canonical(_payload(history))
            if self.case.listing in payload["subjects"] and indexes.issuperset(payload["indexes"]):
                return "complete according to the operator"
        return "omissions possible"

    def tokens(self) -> int:
        """Return how many time-stamp tokens are in the bundle."""
        return sum(path.startswith("timestamps/") and path.endswith(".tsr") for path in self.paths)

    def cosigned_s(self) -> list[tuple[str, int]]:
        """Return name and time (Unix seconds) of every cosignature by an independent witness of the policy."""
        note = parse_note(self.gathered.note)
        origin = parse_checkpoint(note.text).origin
        known = {(key.name, key.id) for key in self.witnesses if key.type in TIMED_TYPES and key.name != origin}
        return [
            (line.name, cosigned_s(line.signature)) for line in note.signatures if (line.name, line.key_id) in known
        ]


def by_id(told: Sequence[Told]) -> dict[str, Told]:
    """Return statements by their ids."""
    return {one.id: one for one in told}


def _payload(envelope: Json) -> bytes:
    return read_envelope(envelope, HISTORY_TYPE).payload
