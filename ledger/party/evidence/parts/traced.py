"""What the claimant's trace says, made ready for one case (docs/trace.md, docs/bundle.md §4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ledger.core.encoding import Json, parse_json
from ledger.core.errors import FormatError
from ledger.party.chain.told import Told
from ledger.party.evidence.parts.errors import EvidenceError, Missing, NotOfThisCase
from ledger.party.trace.evidence import evidence_members
from ledger.party.trace.form import TraceForm
from ledger.statements.reading import read_model

_MAX_BYTES = 1 << 28


@dataclass(frozen=True)
class Trace:
    """`trace.json`: its bytes, which a claim commits to, and what it says, which has the form of `TraceForm`."""

    raw: bytes
    document: Mapping[str, Json]

    def entries(self) -> list[Mapping[str, Json]]:
        """Return what it says of each hand-off."""
        return list(self.document["transfers"])

    def entry(self, transfer: str) -> Mapping[str, Json]:
        """Return what it says of one; raise NotOfThisCase."""
        for item in self.entries():
            if item["transfer"] == transfer:
                return item
        raise NotOfThisCase(
            f"the trace did not look at {transfer}", "trace again: 'ledger trace FOUND', with the home that sent it"
        )

    def is_document(self, document: Mapping[str, Json]) -> bool:
        """Tell whether a statement's *document* names this very file."""
        return (document.get("bytes"), document.get("sha256")) == (len(self.raw), sha256(self.raw).hexdigest())

    def is_of(self, size_bytes: int, digest: str) -> bool:
        """Tell whether a file of this size and digest is the one that was traced."""
        found = self.document["found"]
        return (found["bytes"], found["sha256"]) == (size_bytes, digest)


def read_trace(path: Path) -> Trace:
    """Read a trace; raise NotOfThisCase for what is none, OSError."""
    with path.open("rb") as file:
        raw = file.read(_MAX_BYTES + 1)
    advice = "give the file that 'ledger trace FOUND --out trace.json' has written"
    if len(raw) > _MAX_BYTES:
        raise NotOfThisCase(f"{path.name} is not a trace: it has more than {_MAX_BYTES} bytes", advice)
    try:
        document = parse_json(raw)
        read_model(TraceForm, document)
    except FormatError as error:
        raise NotOfThisCase(f"{path.name} is not a trace: {error}", advice) from error
    return Trace(raw, document)


def choose_transfer(trace: Trace, transfer: str | None, claim: Told | None) -> str:
    """Return the hand-off that a case is about: the one named, else the claim's, else the only one that has enough.

    Raises Missing where that leaves several or none.
    """
    if transfer is not None:
        return transfer
    named = claim.name("transfer") if claim is not None else None
    if named is not None:
        return named
    fit = [item for item in trace.entries() if claim is None or _is_about(claim, item)]
    enough = [item["transfer"] for item in fit if item["conclusion"]["is_enough"]]
    candidates = enough or [item["transfer"] for item in fit]
    if len(candidates) != 1:
        raise Missing(
            f"the trace leaves {len(candidates)} hand-offs that it could be about",
            "say which with --transfer; 'ledger trace' lists them",
        )
    return str(candidates[0])


def members_of(trace: Trace, transfer: str) -> dict[str, Json]:
    """Return evidence.json's members for a hand-off, but for `records` and `type`; raise NotOfThisCase."""
    trace.entry(transfer)
    return evidence_members(dict(trace.document), transfer)


def registration_of(trace: Trace) -> str | None:
    """Return the statement that committed to the found file before it was traced, if one did (docs/bundle.md §4.1)."""
    registration = trace.document.get("registration")
    return None if registration is None else str(registration["statement"])


def check_covers(trace: Trace, offers: Collection[Told], respondent: str) -> None:
    """Raise NotOfThisCase unless the trace looked at every marked hand-off of the listing that the bundle holds.

    A later one would change the scores that are needed, and the controls.
    """
    traced = {item["transfer"] for item in trace.entries() if item["marks"]["status"] != "none"}
    marked = {offer.id for offer in offers if "marks" in offer.fields}
    for offer in sorted(marked - traced):
        raise NotOfThisCase(
            f"the marked hand-off {offer} of this listing is not in the trace (the case is against {respondent})",
            "trace again: it may have been made after the trace, or by another sender",
        )


def opened_seals(trace: Trace, listing: str) -> list[str]:
    """Return the hand-offs of a listing whose marks the trace had open, ascending."""
    return sorted(
        item["transfer"]
        for item in trace.entries()
        if item["listing"] == listing and item["marks"]["status"] == "opened"
    )


def withhold(members: dict[str, Json], trace: Trace, transfer: str, withheld: Collection[str]) -> dict[str, Json]:
    """Return the members as they are if the seals of some other hand-offs stay closed; raise EvidenceError.

    Those to the same recipient are listed as withheld, and still count; those to others are left out of the controls
    and hypotheses that need them (docs/bundle.md §4).
    """
    if not withheld:
        return members
    if transfer in withheld:
        raise EvidenceError(
            "the marks of the hand-off in question cannot be withheld: they are the evidence",
            "leave --withhold out for it",
        )
    entry = trace.entry(transfer)
    opened = opened_seals(trace, entry["listing"])
    unknown = sorted(set(withheld) - set(opened))
    if unknown:
        raise EvidenceError(f"there are no opened marks to withhold of {unknown[0]}")
    marks = [
        {"status": "withheld", "transfer": item["transfer"]} if item["transfer"] in withheld else item
        for item in members["marks"]
    ]
    others = members["controls"]["others"]
    if entry["marks"].get("method") != "tardos":
        others = [item for item in others if item["transfer"] not in withheld]
    return members | {
        "controls": members["controls"] | {"others": others},
        "hypotheses": _kept(members["hypotheses"], trace, entry, opened, withheld),
        "marks": marks,
    }


def limit(members: dict[str, Json], trace: Trace, listing: str, count: int) -> dict[str, Json]:
    """Return the members with at most `count` matches, spread evenly, beside those by which marks are found."""
    marked = set(trace.document.get("mark_rows", {}).get(listing, []))
    plain = [match for match in members["matches"] if match["row"] not in marked]
    kept = [match for match in members["matches"] if match["row"] in marked]
    kept += plain if len(plain) <= count else [plain[at * len(plain) // count] for at in range(count)]
    kept.sort(key=lambda match: (match["file"], match["record"], match["row"]))
    named = {match["row"] for match in kept} | marked
    rows = [row for row in members["found_rows"] if row["row"] in named]
    return members | {"found_rows": rows, "matches": kept}


def _is_about(claim: Told, item: Mapping[str, Json]) -> bool:
    return item.get("license") == claim.name("license") and item["recipient"] == claim.name("respondent")


def _kept(
    hypotheses: Sequence[Mapping[str, Json]],
    trace: Trace,
    entry: Mapping[str, Json],
    opened: Sequence[str],
    withheld: Collection[str],
) -> list[Mapping[str, Json]]:
    """Return the hypotheses without those about withheld copies: `other` stands once a hand-off, ascending."""
    others = iter([name for name in opened if trace.entry(name)["recipient"] != entry["recipient"]])
    return [item for item in hypotheses if item["hypothesis"] != "other" or next(others, None) not in withheld]
