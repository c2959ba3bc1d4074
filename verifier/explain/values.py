"""Values and names in sentences: quoted, sealed, disclosed, erased; and what an id stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.core.ids import id_bytes, id_text
from verifier.core.words import format_time, quote
from verifier.terms.parsed import is_sealed

if TYPE_CHECKING:
    from verifier.core.jcs import Json
    from verifier.replay.result import Replay
    from verifier.rules.registry import License
    from verifier.rules.subject import Told

SEALED = "(sealed)"


def list_entries(indexes: tuple[int, ...]) -> str:
    """Return entries in words."""
    return ("entry " if len(indexes) == 1 else "entries ") + ", ".join(map(str, indexes))


class Book:
    """What a finished replay knows that a sentence about one entry needs."""

    def __init__(self, result: Replay) -> None:
        self.registry = result.registry
        self.facts = result.judge.facts
        self._disclosures = result.judge.disclosures
        self._erased = {(item.index, item.pointer): item.erased_index for item in result.judgement.erased}
        self._indexes: dict[str, int] = {}

    def learn(self, told: Told) -> None:
        """Remember where a statement stands that may be referred to."""
        self._indexes[id_text(told.statement.id)] = told.index

    def reference(self, name: str, statement: str) -> str:
        """Return what a field named `name` with the id `statement` refers to."""
        registry, statement_id = self.registry, id_bytes(statement)
        if terms := registry.licenses.get(statement_id):
            return f"the license of entry {terms.index} ({terms.licensor} to {terms.licensee})"
        if transfer := registry.transfers.get(statement_id):
            return f"the hand-off of entry {transfer.index} ({transfer.sender} to {transfer.recipient})"
        if listing := registry.listings.get(statement_id):
            return f"the listing{self._title(statement_id)} of entry {listing.index}"
        if claim := registry.claims.get(statement_id):
            return f"the claim of entry {claim.index} ({claim.claimant} against {claim.respondent})"
        if preparation := registry.preparations.get(statement_id):
            return f"the pool of entry {preparation.index} ({preparation.issuer} for {preparation.recipient})"
        index = self._indexes.get(statement)
        words = {"disclosure": "the authority's demand", "request": "the request for erasure"}.get(
            name, "the statement"
        )
        return f"{words} of entry {index}" if index is not None else f"{words} {statement}"

    def _title(self, listing: bytes) -> str:
        known = self.facts.listings.get(listing)
        return f" {quote(known.title)}" if known is not None and known.title is not None else ""

    def license_named(self, statement: str) -> License:
        """Return the license of an id, which is there: its amendment was accepted."""
        return self.registry.licenses[id_bytes(statement)]

    def _is_opened(self, told: Told, pointer: str) -> bool:
        return any(item.pointer == pointer for item in told.statement.opened)

    def value(self, told: Told, name: str) -> str:
        """Return a field of the statement in words; it must be there."""
        return self._value(told, told.body[name], f"/{name}", name)

    def value_at(self, told: Told, pointer: str) -> str:
        """Return the value at a pointer of members, which must be there, in words."""
        value: Any = told.body
        *_, name = names = pointer[1:].split("/")
        for member in names:
            value = value[member]
        return self._value(told, value, pointer, name)

    def _value(self, told: Told, value: Json, pointer: str, name: str) -> str:
        if self._is_opened(told, pointer) and not is_sealed(value):
            return f"{self._plain(told, value, pointer, name)} (disclosed)"
        if is_sealed(value):
            erased_index = self._erased.get((told.index, pointer))
            if erased_index is not None:
                return f"(sealed, and erased, as its owner says in entry {erased_index})"
            return SEALED
        return self._plain(told, value, pointer, name)

    def _plain(self, told: Told, value: Any, pointer: str, name: str) -> str:  # noqa: ANN401 (a JSON value)
        if type(value) is dict:
            return "(" + ", ".join(self._members(told, value, pointer)) + ")"
        if type(value) is list:
            return ", ".join(self._value(told, item, f"{pointer}/{at}", name) for at, item in enumerate(value))
        if type(value) is bool:
            return "yes" if value else "no"
        if type(value) is int:
            return format_time(value) if name.endswith("_ms") else str(value)
        if name in ("derived_from", "listing") and value.startswith("sha256:"):
            return self.reference(name, value)
        return quote(value)

    def _members(self, told: Told, value: dict[str, Any], pointer: str) -> list[str]:
        return [
            f"{name.removesuffix('_ms').replace('_', ' ')} {self._value(told, item, f'{pointer}/{name}', name)}"
            for name, item in value.items()
        ]

    def details(self, told: Told, *told_already: str) -> str:
        """Return the fields that a sentence did not tell, as one more sentence; empty if there are none.

        Terms and the digests of contents are told elsewhere, or tell nothing.
        """
        rest = {name: value for name, value in told.body.items() if name not in (*told_already, "content", "terms")}
        return f" It says: {'; '.join(self._members(told, rest, ''))}." if rest else ""

    def seals(self, told: Told) -> tuple[list[str], list[str], list[tuple[str, int]]]:
        """Return the pointers of what is sealed, of what was disclosed, and of what is erased with who says so."""
        opened = [item.pointer for item in told.statement.opened]
        places = self.facts.sealed.get(told.statement.id, (0, "", ()))[2]
        if not places and told.kind in ("transfer.offered", "transfer.acknowledged"):  # there may be millions
            places = () if opened else ("/content",)
        erased = [(place, self._erased[told.index, place]) for place in places if (told.index, place) in self._erased]
        return [place for place in places if (told.index, place) not in self._erased], opened, erased

    def content(self, told: Told) -> str:
        """Return what was disclosed of the content that the statement seals, as a sentence; empty if nothing was."""
        if self._disclosures is None:
            return ""
        for item in told.statement.opened:
            if item.pointer == "/content":
                files = self._disclosures.by_statement[told.statement.id][item.commitment].value["files"]
                size = sum(file["bytes"] for file in files)
                digests = ", ".join(file["sha256"] for file in files[:3]) + (", …" if len(files) > 3 else "")
                return f" Disclosed of its content: {len(files)} files, {size} bytes in all, SHA-256 {digests}."
        return ""
