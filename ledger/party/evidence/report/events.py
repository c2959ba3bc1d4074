"""What happened, in order: every entry as a sentence, and which of them a timeline shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.party.chain.told import Told
from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.report.sentences import Sentences

_KINDS = {"license.agreed": "license", "transfer.offered": "hand-off", "claim.opened": "claim"}
_BEGINNINGS = ("listing.", "license.", "transfer.", "claim.", "disclosure.", "usage.", "erasure.", "classification.")


@dataclass(frozen=True)
class Event:
    """One thing that happened at a time (Unix milliseconds).

    `index` is its entry's; None is what the claimant says, and no entry proves. `is_central`: it is of the hand-off in
    question.
    """

    time_ms: int
    words: str
    index: int | None = None
    is_central: bool = False


def custody_of(documents: Documents) -> list[dict[str, Any]]:
    """Return who handled the found file: what was registered of it first, if it was (docs/bundle.md §4.1)."""
    steps, link = list(documents.evidence["custody"]), documents.evidence.get("registration")
    if link is None:
        return steps
    told = next(one for one in documents.gathered.told() if one.id == documents.case.registration)
    acquisition = link["acquisition"]
    beside = "".join(f"; {item['kind']} {item['name']}, SHA-256 {item['sha256']}" for item in acquisition["records"])
    second = f"; with {acquisition['second']}" if "second" in acquisition else ""
    obtained = f"{acquisition['how']}, from {acquisition['address']}{beside}{second}"
    what = f"{obtained}. Registered, sealed, as entry {told.index}."
    first = {"at_ms": link["at_ms"], "tools": [], "what": what, "who": link["who"]}
    return sorted([*steps, first], key=lambda step: step["at_ms"])


class Tale:
    """The entries of a bundle, told."""

    def __init__(self, documents: Documents) -> None:
        """Name everything: the first license is `license 1`, and so on in the order of the log."""
        self.told = documents.opened()
        self.labels = _labels(self.told)
        titles = _titles(self.told)
        self.title = titles.get(documents.case.listing, "(sealed)")
        self._sentences = Sentences(titles, self.labels)
        self._case = documents.case
        self._custody = custody_of(documents)

    def entries(self) -> list[Event]:
        """Return every entry."""
        central = {self._case.transfer, self._case.claim, self._case.license}
        return [
            Event(
                one.time_ms,
                self._sentences.tell(one),
                one.index,
                one.id in central or one.name("transfer") == self._case.transfer,
            )
            for one in self.told
        ]

    def timeline(self) -> list[Event]:
        """Return what the parties did about the case's listing, the alleged acts and the custody, in order."""
        chosen = {one.index for one in self.told if self._is_shown(one)}
        events = [event for event in self.entries() if event.index in chosen]
        for act in self._case.acts:
            label = self.labels.get(act.license, "license")
            more = ", ".join(f"{name} {value}" for name, value in act.stated.items())
            events.append(Event(act.at_ms, f"Alleged: {act.action}{f' ({more})' if more else ''} under {label}."))
        events += [Event(item["at_ms"], f"{item['who']}: {item['what']}") for item in self._custody]
        return sorted(events, key=lambda event: (event.time_ms, event.index is None, event.index or 0))

    def label(self, statement_id: str) -> str:
        """Return what a statement is called."""
        return self._sentences.label(statement_id)

    def _is_shown(self, told: Told) -> bool:
        """Tell whether a timeline shows it: what is between others than the two sides is in the list of entries."""
        if not told.type.startswith(_BEGINNINGS):
            return False
        sides = {self._case.claimant, self._case.respondent}
        others = {told.name(field) for field in ("licensee", "recipient", "respondent")} - {None}
        return told.issuer in sides and others <= sides


def handoffs(told: Sequence[Told]) -> Iterable[tuple[Told, Told | None]]:
    """Yield each offer with what decided it."""
    decided = {one.name("transfer"): one for one in told if one.type in {"transfer.acknowledged", "transfer.refused"}}
    return [(one, decided.get(one.id)) for one in told if one.type == "transfer.offered"]


def _labels(told: Iterable[Told]) -> dict[str, str]:
    counts: dict[str, int] = {}
    labels = {}
    for one in told:
        kind = _KINDS.get(one.type)
        if kind is not None:
            counts[kind] = counts.get(kind, 0) + 1
            labels[one.id] = f"{kind} {counts[kind]}"
    return labels


def _titles(told: Iterable[Told]) -> Mapping[str, str]:
    """Return the newest title of each listing that is not sealed."""
    found: dict[str, str] = {}
    for one in told:
        title = one.fields.get("title")
        if one.type in {"listing.registered", "listing.amended"} and isinstance(title, str):
            found[one.name("listing") or one.id] = title
    return found
