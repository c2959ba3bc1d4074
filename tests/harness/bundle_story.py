"""The story that bundles are made of: two marked copies of one table, an acknowledgement, a leak, a claim.

Everything follows from labels, so that every run writes the same bytes. A tamperer may change any statement before it
is signed: then nothing is judged while it is recorded, as by an operator who looks away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, b64encode, canonical
from ledger.core.keys import Signer
from tests.harness.agreements import atomic, fixed_members, rule
from tests.harness.bundle_math import (
    Cells,
    canonical_cell,
    canonical_record,
    cell_salt,
    needed_millibits,
    salted_leaf,
    word_bit,
)
from tests.harness.forger import Forger
from tests.harness.people import Person, lasting_key, person
from tests.harness.reference import ReferenceTree
from tests.harness.sealing import seal
from tests.harness.speech import signed

COLUMNS = ["tail", "seats", "built", "note"]
BITS = [16, 0, 12, 0]
BASE_COUNT, CANARY_COUNT, POSITION_COUNT = 60, 12, 64
BOUND, RECIPIENTS = "0.000001", 3
Tamper = Callable[[str, dict[str, Any], list[Signer]], list[Signer]]
"""Label, statement (to be changed in place) and its keys to the keys that sign."""


def _number(label: str, below: int) -> int:
    return int.from_bytes(sha256(label.encode()).digest()[:8], "big") % below


def plane(label: str) -> list[str | None]:
    """Return the cells of one plausible aeroplane."""
    built = f"{1970 + _number(label + 'y', 50)}-{1 + _number(label + 'm', 12):02d}-{13 + _number(label + 'd', 15):02d}"
    note = [None, "", "kept “dry”", 'says "ok"', "two\nlines", "Zoë, 北京"][_number(label + "n", 6)]
    return [f"N{10000 + _number(label + 't', 90000)}", str(50 + _number(label + "s", 300)), built, note]


def csv_cell(cell: str | None) -> str:
    return (
        ""
        if cell is None
        else '"' + cell.replace('"', '""') + '"'
        if cell == "" or set(cell) & set('",;\n\t')
        else cell
    )


def csv_file(rows: list[Cells], delimiter: str = ",") -> bytes:
    """Return rows as CSV, the columns' names first."""
    return "".join(delimiter.join(map(csv_cell, row)) + "\n" for row in rows).encode()


class Copy:
    """One recipient's copy: the table, its marks among the rows, a salt a record, the tree over them."""

    def __init__(
        self,
        recipient: str,
        method: str,
        *,
        redactable: bool = False,
        chunked: bool = False,
        base_count: int = BASE_COUNT,
    ) -> None:
        """Plant the marks of `method` (`canary`, `tardos`, or empty for none) for a recipient.

        `chunked`: the file is no table, and its rows are chunks of whatever bytes.
        """
        self.recipient, self.method, self.redactable, self.chunked = recipient, method, redactable, chunked
        self.key = sha256(b"key of the table").digest()
        base = [plane(f"base {number}") for number in range(base_count)]
        self.base = [canonical_record(row) for row in base]
        count = {"canary": CANARY_COUNT, "tardos": POSITION_COUNT, "": 0}[method]
        self.biases = [2**31 + (position % 5 - 2) * 2**28 for position in range(count)]
        if method == "tardos":  # the same pairs for everybody: each copy holds one of each
            self.pairs = [[plane(f"pair {position} {bit}") for bit in (0, 1)] for position in range(count)]
            self.marks = [
                pair[word_bit(self.key, recipient, position, self.biases[position])]
                for position, pair in enumerate(self.pairs)
            ]
        else:
            self.pairs = []
            self.marks = [plane(f"mark {recipient} {number}") for number in range(count)]
        self.controls = [plane(f"control {recipient} {number}") for number in range(count)]
        rows = [*base, *self.marks]
        self.rows = sorted(rows, key=lambda row: sha256(canonical_record(row)).digest())
        self.records = [b"\x89PNG" + canonical_record(row) if chunked else canonical_record(row) for row in self.rows]
        self.salts = [sha256(f"salt {recipient} {number}".encode()).digest()[:16] for number in range(len(rows))]
        self.tree = ReferenceTree([self._leaf(number) for number in range(len(rows))])

    def _leaf(self, number: int) -> bytes:
        salt = self.salts[number]
        if not self.redactable:
            return salted_leaf(salt, self.records[number])
        return salted_leaf(cell_salt(salt, 0), self._cells(number).root(len(COLUMNS)))

    def _cells(self, number: int) -> ReferenceTree:
        salt = self.salts[number]
        cells = enumerate(self.rows[number], start=1)
        return ReferenceTree([salted_leaf(cell_salt(salt, k), canonical_cell(cell)) for k, cell in cells])

    def opened(self, number: int, columns: Sequence[int] = range(4)) -> dict[str, Json]:
        """Return one record as it is shown (docs/format.md §15.6); of redactable ones these cells, all of a mark."""
        if self.rows[number] in self.marks:
            columns = range(4)
        salt, count = self.salts[number], len(self.records)
        path = [b64encode(step) for step in self.tree.inclusion(number, count)]
        shown: dict[str, Json] = {"file": 0, "path": path, "record": number}
        if not self.redactable:
            return shown | {"salt": b64encode(salt), "value": b64encode(self.records[number])}
        tree = self._cells(number)
        cells = [
            {
                "column": column + 1,
                "path": [b64encode(step) for step in tree.inclusion(column, len(COLUMNS))],
                "salt": b64encode(cell_salt(salt, column + 1)),
                "value": b64encode(canonical_cell(cell)),
            }
            for column, cell in enumerate(self.rows[number])
            if column in columns
        ]
        return shown | {"cells": cells, "salt": b64encode(cell_salt(salt, 0))}

    def content(self) -> dict[str, Any]:
        """Return the value that a hand-off of this copy seals at `/content`."""
        raw = b"".join(self.records) if self.chunked else csv_file([COLUMNS, *self.rows])
        count = len(self.records)
        own = {"columns": COLUMNS, "redactable": self.redactable}
        kind = {"canonicalisation": "chunks/v1"} if self.chunked else {"canonicalisation": "rows/v1"} | own
        records = kind | {"count": count, "root": self.tree.root(count).hex()}
        file = {"bytes": len(raw), "media_type": "text/csv", "records": records, "sha256": sha256(raw).hexdigest()}
        return {"files": [file]}

    def seal(self) -> dict[str, Any]:
        """Return the value that is sealed at `/marks/seal`."""
        own: dict[str, Any] = {
            "type": "provenance-ledger.marks/v1",
            "method": self.method,
            "bound": BOUND,
            "threshold_millibits": needed_millibits(0, RECIPIENTS, BOUND, 1),
            "recipients": RECIPIENTS,
            "file": 0,
            "columns": COLUMNS,
            "bits": BITS,
            "origin": "drawn",
            "key": b64encode(self.key),
        }
        if self.method == "canary":
            rows, controls = (
                [b64encode(canonical_record(row)) for row in rows] for rows in (self.marks, self.controls)
            )
            return own | {"rows": rows, "controls": controls}
        positions = [
            {"bias": bias, "rows": [b64encode(canonical_record(row)) for row in pair]}
            for bias, pair in zip(self.biases, self.pairs, strict=True)
        ]
        return own | {"colluders": 2, "positions": positions}


@dataclass(frozen=True)
class Said:
    """A statement of the story."""

    id: str
    index: int
    disclosures: list[dict[str, Any]]
    """Of its seals, by the order in which they were made."""


class Story(Forger):
    """Alice hands marked copies to bob and carol; bob's leaks; alice opens a claim."""

    def __init__(
        self,
        method: str = "canary",
        *,
        label: str = "first",
        tamper: Tamper | None = None,
        redactable: bool = False,
        chunked: bool = False,
        base_count: int = BASE_COUNT,
        second_seal: bool = False,
        spoil: Callable[[dict[str, Any]], object] | None = None,
        received: Callable[[dict[str, Any]], object] | None = None,
        trace: bytes = b"{}\n",
        rules: int = 3,
        lasting: Collection[str] = (),
        **fields: Json,
    ) -> None:
        """Tell it.

        `second_seal`: bob gets another marked copy; `spoil`: what is done to a value of marks before it is sealed;
        `received`: what is done to the content that a recipient seals; `trace`: what the claim's evidence commits to;
        `lasting`: names of those who have keys of ML-DSA-44 beside the others (since version 5 of `rules`); `label` and
        `fields` are those of LedgerBuilder.
        """
        super().__init__(label, rules=rules, **fields)
        self.tamper, self.spoil, self.received, self.trace = tamper, spoil, received, trace
        self.alice, self.bob, self.carol, self.dave = (
            person(name) for name in ("alice.example", "bob.example", "carol.example", "dave.example")
        )
        for who in (self.alice, self.bob, self.carol, self.dave):
            if who.name in lasting:
                who.keys.append(lasting_key(f"{who.name} signing"))
                who.recovery_keys.append(lasting_key(f"{who.name} recovery"))
        self.said: dict[str, Said] = {}
        self.parties = {who.name: self._register(who) for who in (self.alice, self.bob, self.carol, self.dave)}
        speech = self.speech
        self.tell("listing", speech.listing_registered(self.alice, "Planes"), *self.alice.voice)
        self.tell("unrelated", speech.listing_registered(self.dave, "Ships"), *self.dave.voice)
        self.listing = self.said["listing"].id
        for who in (self.bob, self.carol):
            self.tell(f"license {who.name}", self._license(who), *self.alice.voice, *who.voice)
        how: dict[str, Any] = {"redactable": redactable, "chunked": chunked, "base_count": base_count}
        self.copies = {who.name: Copy(who.name, method, **how) for who in (self.bob, self.carol)}
        for who in (self.bob, self.carol):
            self._hand_over(who, "")
        if second_seal:
            self._hand_over(self.bob, " again")
        self.tell("unrelated end", speech.listing_withdrawn(self.dave, self.said["unrelated"].id), *self.dave.voice)
        evidence = {"bytes": len(trace), "media_type": "application/json", "sha256": sha256(trace).hexdigest()}
        claim = speech.say(
            "claim.opened", self.alice, self.alice.voice, license=self.said["license bob.example"].id,
            respondent="bob.example", clause="3.1", evidence=evidence,
        )  # fmt: skip
        self.tell("claim", claim, *self.alice.voice, seals={"/evidence": "field"})

    def _register(self, who: Person) -> int:
        countersign = [self.operator] if self.admission == "operator" else []
        statement = self.speech.party_registered(who, *countersign)
        self.tell(f"party {who.name}", statement, *who.all_keys, *(operator.key for operator in countersign))
        return self.size - 1

    def tell(self, label: str, statement: Json, *keys: Signer, seals: dict[str, str] | None = None) -> None:
        """Seal what is to be sealed (pointer to kind), let the tamperer at it, and record it."""
        disclosures = [item for at, kind in (seals or {}).items() for item in seal(statement, at, kind=kind)]
        signing = list(keys)
        if self.tamper is None:
            statement_id = self.say(statement, *signing)
        else:
            signing = self.tamper(label, statement, signing)
            envelope: Envelope = signed(statement, *signing)
            self.force(envelope)
            statement_id = envelope.id
        for item in disclosures:
            item["statement_id"] = statement_id
        self.said[label] = Said(statement_id, self.size - 1, disclosures)

    def _license(self, who: Person) -> Json:
        research = rule("use", atomic("purpose", "isA", "ResearchAndDevelopment"))
        terms = fixed_members(self.listing, self.alice.name, who.name) | {"permission": [research]}
        return self.speech.license_agreed(self.alice, who, self.listing, terms=terms, marking_consent=True)

    def _hand_over(self, who: Person, again: str) -> None:
        copy = self.copies[who.name]
        fields: dict[str, Json] = {"content": copy.content()}
        seals = {"/content": "content"}
        if copy.method:
            value = self.seal_of(copy)
            fields["marks"] = {
                "bound": value["bound"],
                "method": value["method"],
                "seal": value,
                "threshold_millibits": value["threshold_millibits"],
            }
            seals["/marks/seal"] = "marks"
        license_id = self.said[f"license {who.name}"].id
        statement = self.speech.transfer_offered(
            self.alice, who, self.listing, license_id, acknowledge_by_ms=self.now_ms, **fields
        )
        self.tell(f"transfer {who.name}{again}", statement, *self.alice.voice, seals=seals)
        received = copy.content()
        if self.received is not None:
            self.received(received)
        offered = self.said[f"transfer {who.name}{again}"].id
        statement = self.speech.transfer_acknowledged(who, offered, content=received)
        self.tell(f"acknowledged {who.name}{again}", statement, *who.voice, seals={"/content": "content"})

    def seal_of(self, copy: Copy) -> dict[str, Any]:
        """Return what a hand-off of the copy seals of its marks."""
        value = copy.seal()
        if self.spoil is not None:
            self.spoil(value)
        return value

    def history(self, subject: str, indexes: list[int]) -> bytes:
        """Return a history signed by the service key at the newest size (docs/format.md §12.2)."""
        payload = {
            "indexes": indexes,
            "ledger": self.id,
            "root": self.root_at(self.size).hex(),
            "size": self.size,
            "subjects": [subject],
            "type": "provenance-ledger.history/v1",
        }
        kind = "application/vnd.provenance-ledger.history.v1+json"
        unsigned = Envelope(canonical(payload), (), kind)
        key = self.service_key
        return unsigned.with_signatures([(key.public.keyid, key.sign(unsigned.signed_bytes))]).recorded + b"\n"
