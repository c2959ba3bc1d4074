"""Seals of marks, and what of them is in the found file (docs/marks.md §3, §4); pools are tried by `pool`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from verifier.bundle.checks import BundleCheck, Outcome
from verifier.bundle.documents import EVIDENCE_1, EVIDENCE_2
from verifier.bundle.pool import Alternatives, Pool, PoolMarks, seed_of
from verifier.bundle.records import Found, ShownRecord, distinct, read_mapping
from verifier.bundle.score import CONTROL_NAMES, MIN_BITS, Code, chance_bits, millibits, word_bit
from verifier.core.b64 import decode_base64
from verifier.core.ids import id_bytes, id_text
from verifier.sealed.disclosures import POOL_PLACE
from verifier.sealed.normal import Mapping
from verifier.sealed.rows import Cells, parse_record
from verifier.sealed.values import TARDOS

if TYPE_CHECKING:
    from verifier.bundle.case import Case
    from verifier.bundle.entries import Chain
    from verifier.bundle.form import Bundle
    from verifier.rules.subject import Told

_SEAL, _CONTENT = "/marks/seal", "/content"


@dataclass(frozen=True, slots=True)
class Trial:
    """The found file, as marks are looked for in it."""

    mapping: Mapping
    forms: frozenset[Cells]
    """What its rows are compared by."""
    row_count: int
    column_count: int

    def holds(self, row: str) -> bool:
        """Tell whether a committed row, base64 of its canonical record, is found."""
        return self.form(row) in self.forms

    def form(self, row: str) -> Cells | None:
        """Return what a committed row is compared by."""
        cells = parse_record(decode_base64(row) or b"")
        return None if cells is None else self.mapping.of_record(cells)


class Seal:
    """An opened seal of marks, tried on the found file."""

    def __init__(self, value: dict[str, Any], recipient: str, trial: Trial) -> None:
        self.value, self.recipient, self.trial = value, recipient, trial
        self.is_code = value["method"] == TARDOS
        self.key = decode_base64(value["key"]) or b""
        mapped = [item.column for item in trial.mapping.columns]
        self.mapped = mapped if all(column < len(value["bits"]) for column in mapped) else []
        self.tells = sum(value["bits"][column] for column in self.mapped) >= MIN_BITS

    @cached_property
    def pairs(self) -> list[tuple[bool, bool]]:
        """For each position of a code, whether either row is found."""
        return [tuple(map(self._holds, position["rows"])) for position in self.value["positions"]]  # type: ignore[misc]

    def _holds(self, row: str) -> bool:
        return self.tells and self.trial.holds(row)

    @cached_property
    def counts(self) -> tuple[int, int]:
        """K and k: the rows of the seal, and those that are found."""
        if self.is_code:
            return 2 * len(self.pairs), sum(map(sum, self.pairs))
        return len(self.value["rows"]), sum(map(self._holds, self.value["rows"]))

    @cached_property
    def planted(self) -> list[str]:
        """The rows that are in the recipient's copy: of a code, one of each position."""
        if not self.is_code:
            return self.value["rows"]  # type: ignore[no-any-return]
        return [
            position["rows"][word_bit(self.key, self.recipient, number, position["bias"])]
            for number, position in enumerate(self.value["positions"])
        ]

    @cached_property
    def planted_found(self) -> list[str]:
        """Those of them that are found."""
        return [row for row in self.planted if self._holds(row)]

    @cached_property
    def different(self) -> int:
        """How many different rows, as they are compared, it is found by: of a code, those of positions that are seen.

        Rows that the mapped columns do not tell apart are one: a single row of the file would find them all.
        """
        rows = self.planted_found
        if self.is_code:
            rows = [self.value["positions"][number]["rows"][bit] for number, _, bit in self._seen]
        return len({self.trial.form(row) for row in rows})

    @cached_property
    def chance(self) -> float:
        """Bits of the chance score."""
        return self._chance(*self.counts)

    def _chance(self, total: int, found: int) -> float:
        trial = self.trial
        return chance_bits(total, found, self.value["bits"], self.mapped, trial.row_count, trial.column_count)

    @cached_property
    def _seen(self) -> list[tuple[int, int, int]]:
        """Number, bias and bit of every position of a code of which just one row is found."""
        return [
            (number, position["bias"], int(pair[1]))
            for number, (position, pair) in enumerate(zip(self.value["positions"], self.pairs, strict=True))
            if pair[0] != pair[1]
        ]

    @cached_property
    def _code(self) -> Code:
        return Code(self.key, self._seen)

    def word(self, name: str) -> float:
        """Return the bits of a name's word; of a code."""
        return self._code.word_bits(name)

    def score(self, name: str) -> float:
        """Return the score of a name under this seal, in bits."""
        return min(self.word(name), self.chance) if self.is_code else self.chance

    @property
    def bound(self) -> str:
        """How often somebody may be accused falsely, at most."""
        return self.value["bound"]  # type: ignore[no-any-return]

    @property
    def recipients(self) -> int:
        """How many share it."""
        return self.value["recipients"]  # type: ignore[no-any-return]

    @property
    def threshold(self) -> int:
        """The score that the sender asks for, in millibits."""
        return self.value["threshold_millibits"]  # type: ignore[no-any-return]

    @property
    def file(self) -> int:
        """Position of the marked file in the content."""
        return self.value["file"]  # type: ignore[no-any-return]

    @cached_property
    def own_score(self) -> float:
        """Bits of the recipient's score."""
        return self.score(self.recipient)

    is_fit_known = True
    """How many marks a part of the copy would hold can be told."""

    @property
    def observed(self) -> int:
        """How many marks speak, as the evidence counts them."""
        return len(self.planted_found)

    @property
    def numbers(self) -> dict[str, int]:
        """What the evidence has to say of it (docs/bundle.md §4)."""
        total, found = self.counts
        own = {"of": total, "found": found, "chance_millibits": millibits(self.chance)}
        word = {"word_millibits": millibits(self.word(self.recipient))} if self.is_code else {}
        return own | word | {"score_millibits": millibits(self.own_score)}

    @cached_property
    def control(self) -> float | None:
        """The greatest score of a control, None if there are none."""
        if self.is_code:
            return max(map(self.score, CONTROL_NAMES))
        controls = self.value["controls"]
        return self._chance(len(controls), sum(map(self._holds, controls))) if controls else None


@dataclass(slots=True)
class Tried:
    """Every marked hand-off of the listing that is in the bundle, and its seal where it is opened."""

    handoffs: list[Told] = field(default_factory=list)
    """Those to the respondent, ascending by id."""
    others: list[Told] = field(default_factory=list)
    """Those to others, likewise."""
    seals: dict[bytes, Seal | PoolMarks] = field(default_factory=dict)
    """By the id of the hand-off."""
    own: Seal | PoolMarks | None = None
    """That of the hand-off that the case is about."""
    shortcomings: tuple[str, ...] = ()
    """Why its marks do not show where the file comes from, as docs/marks.md §5 names them; none if they do."""
    pools: dict[bytes, Pool] = field(default_factory=dict)
    """Opened pools, by the id of the preparation."""


def opened_value(bundle: Bundle, told: Told, pointer: str) -> Any:  # noqa: ANN401 (the value of a commitment)
    """Return what a disclosure opened at a place of an entry, None if none did."""
    for item in told.statement.opened:
        if item.pointer == pointer:
            return bundle.disclosures.by_statement[told.statement.id][item.commitment].value
    return None


def verify_marks(  # noqa: PLR0917 (what all checks before this one have left)
    bundle: Bundle,
    chain: Chain,
    case: Case,
    found: Found,
    shown: dict[tuple[int, int], ShownRecord],
    outcome: Outcome,
) -> Tried:
    """Check that no seal is hidden and that what was found was in the copy; `shown` are the matched records."""
    mapping = read_mapping(bundle)
    trial = Trial(mapping, frozenset(distinct(found.rows.values(), mapping)), found.count, found.column_count)
    alternatives = Alternatives(found.rows.values(), found.column_count)
    tried = Tried()
    marked = [
        told
        for told in chain.of_kind("transfer.offered")
        if told.body["listing"] == case.raw["listing"] and "marks" in told.body
    ]
    for told in sorted(marked, key=lambda told: told.statement.id):
        is_own = told.body["recipient"] == case.respondent
        (tried.handoffs if is_own else tried.others).append(told)
        if "prepared" in told.body["marks"]:
            _try_pool(bundle, chain, told, trial, alternatives, tried, outcome)
        elif (value := opened_value(bundle, told, _SEAL)) is not None:
            _verify_seal(value, told, opened_value(bundle, told, _CONTENT), outcome)
            tried.seals[told.statement.id] = Seal(value, told.body["recipient"], trial)
    tried.own = tried.seals.get(case.transfer.statement.id)
    _verify_statuses(bundle, tried, outcome)
    _verify_type(bundle, tried, outcome)
    if tried.own is not None:
        file = tried.own.file
        copied = {record.canonical for (position, _), record in shown.items() if position == file}
        for row in tried.own.planted_found:
            if decode_base64(row) not in copied:
                outcome.fail(BundleCheck.MARKS, "mark-not-in-copy", "evidence.json/records", "", row)
    return tried


def _verify_seal(value: dict[str, Any], told: Told, content: dict[str, Any] | None, outcome: Outcome) -> None:
    """Check that a seal says what the offer says in the open, and is about a file of the content."""
    where = f"disclosures.json: {id_text(told.statement.id)} {_SEAL}"
    for name in ("bound", "method", "threshold_millibits"):
        if value[name] != told.body["marks"][name]:
            outcome.fail(BundleCheck.MARKS, "not-as-offered", f"{where}/{name}", told.body["marks"][name], value[name])
    _verify_columns(value["columns"], value["file"], content, where, outcome)


def _try_pool(  # noqa: PLR0917 (what all checks before this one have left)
    bundle: Bundle,
    chain: Chain,
    told: Told,
    trial: Trial,
    alternatives: Alternatives,
    tried: Tried,
    outcome: Outcome,
) -> None:
    """Try the marks of an offer whose pool is opened."""
    marks = told.body["marks"]
    prepared = id_bytes(marks["prepared"])
    preparation = chain.registry.preparations[prepared]
    value = opened_value(bundle, chain.by_id[prepared], POOL_PLACE)
    if value is None:
        return
    where = f"disclosures.json: {marks['prepared']} {POOL_PLACE}"
    if value["method"] != preparation.method:
        outcome.fail(BundleCheck.MARKS, "not-as-offered", f"{where}/method", preparation.method, value["method"])
    _verify_columns(value["columns"], marks["file"], opened_value(bundle, told, _CONTENT), where, outcome)
    if prepared not in tried.pools:
        tried.pools[prepared] = Pool(value, seed_of(prepared, preparation, marks), trial, alternatives)
    tried.seals[told.statement.id] = PoolMarks(tried.pools[prepared], preparation, marks)


def _verify_type(bundle: Bundle, tried: Tried, outcome: Outcome) -> None:
    """Check that the evidence says by its type whether marks of the respondent come from a pool."""
    is_pooled = any("prepared" in told.body["marks"] for told in tried.handoffs)
    wanted, actual = EVIDENCE_2 if is_pooled else EVIDENCE_1, bundle.evidence["type"]
    if wanted != actual:
        outcome.fail(BundleCheck.MARKS, "wrong-value", "evidence.json/type", wanted, actual)


def _verify_columns(
    columns: list[str], file: int, content: dict[str, Any] | None, where: str, outcome: Outcome
) -> None:
    """Check that marks are rows of a file of the content, where that is opened."""
    if content is None:
        return
    files = content["files"]
    records = files[file].get("records", {}) if file < len(files) else {}
    if records.get("columns") != columns:
        outcome.fail(BundleCheck.MARKS, "other-columns", where)


def _verify_statuses(bundle: Bundle, tried: Tried, outcome: Outcome) -> None:
    """Check that every marked hand-off to the respondent is named once, as opened or withheld."""
    expected = {
        id_text(told.statement.id): "opened" if told.statement.id in tried.seals else "withheld"
        for told in tried.handoffs
    }
    named = {item["transfer"]: item["status"] for item in bundle.evidence["marks"]}
    for transfer in sorted(expected.keys() | named.keys()):
        wanted, actual = expected.get(transfer, "not to be named"), named.get(transfer, "not named")
        if wanted != actual:
            outcome.fail(BundleCheck.MARKS, "wrong-status", f"evidence.json/marks: {transfer}", wanted, actual)
