"""Bundles whose marks were drawn from a sealed pool (docs/marks.md §9), good and forged, by the letter of the page.

The draw follows from ids of statements: so a copy is made only after its recipient has asked for it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from hashlib import sha256
from math import ceil, comb, log2
from typing import Any

from ledger.core.encoding import Json, b64encode, canonical
from tests.harness.bundle_leak import Leak, leak
from tests.harness.bundle_math import Cells, canonical_record, millibits, surprise_bits, word_bit, word_bits
from tests.harness.bundle_story import COLUMNS, Copy, Story, plane
from tests.harness.bundles import NOT_NEEDED, Case, Maker, document, finished, good, with_manifest, zipped
from tests.harness.people import Person
from tests.harness.reference import ReferenceTree

BOUND, RECIPIENTS = "0.000001", 3
ROWS, DRAWS, POSITIONS = 600, 12, 64
OMISSION_ROWS, OMISSION_DRAWS = 48, 16
SALT, COIN = b64encode(b"s" * 16), b64encode(b"c" * 32)
RETIRED = 2
"""So many of the marks of a copy that carries not all of them are missing."""
BOB = "bob.example"


class PoolCopy(Copy):
    """A copy whose marks were drawn; `marks` are rows that it has and another has not."""

    def __init__(self, recipient: str, method: str, seed: str, *, retires: bool) -> None:
        """Draw from the pool of this recipient by a seed."""
        super().__init__(recipient, "")
        self.method = method
        self.key = sha256(f"key of {recipient}".encode()).digest()
        self.seed, self.biases = seed, [2**31 + (at % 5 - 2) * 2**28 for at in range(POSITIONS)]
        count, draws = (OMISSION_ROWS, OMISSION_DRAWS) if method == "omission" else (ROWS, DRAWS)
        self.pairs = [[plane(f"{recipient} {at} {bit}") for bit in (0, 1)] for at in range(POSITIONS)]
        base = [plane(f"base {number}") for number in range(len(self.base))]
        self.pool: list[list[str | None]] = (
            base[:count] if method == "omission" else [plane(f"{recipient} pooled {number}") for number in range(count)]
        )
        ranks = [hmac.digest(self.key, f"draw\n{seed}\n{number}".encode(), "sha256") for number in range(count)]
        self.drawn = sorted(sorted(range(count), key=lambda number: (ranks[number], number))[:draws])
        if method == "tardos":
            self.drawn = list(range(POSITIONS))
            self.marks = [pair[word_bit(self.key, seed, at, self.biases[at])] for at, pair in enumerate(self.pairs)]
        elif method == "canary":
            self.marks = [self.pool[number] for number in self.drawn]
        left_out = [self.pool[number] for number in self.drawn] if method == "omission" else []
        self.retired = self.drawn[:RETIRED] if retires else []
        if method != "omission":
            self.marks = self.marks[len(self.retired) :]
        base = [row for row in base if row not in left_out]
        self.base = [canonical_record(row) for row in base]
        self.rows = sorted([*base, *self.marks], key=lambda row: sha256(canonical_record(row)).digest())
        self.records = [canonical_record(row) for row in self.rows]
        self.salts = self.salts[: len(self.rows)] + [
            sha256(f"more {recipient} {number}".encode()).digest()[:16] for number in range(len(self.rows))
        ]
        self.tree = ReferenceTree([self._leaf(number) for number in range(len(self.rows))])

    def value(self) -> dict[str, Any]:
        """Return the value that is sealed at `/seal` of the preparation."""
        own = {"type": "provenance-ledger.pool/v1", "method": self.method, "columns": COLUMNS,
               "key": b64encode(self.key)}  # fmt: skip
        if self.method != "tardos":
            return own | {"draws": len(self.drawn), "rows": [b64encode(canonical_record(row)) for row in self.pool]}
        positions = [
            {"bias": bias, "rows": [b64encode(canonical_record(row)) for row in pair]}
            for bias, pair in zip(self.biases, self.pairs, strict=True)
        ]
        return own | {"colluders": 2, "positions": positions}


class PoolStory(Story):
    """Alice seals a pool for bob and one for carol; each asks, and gets a copy by what was drawn."""

    def __init__(
        self,
        method: str = "canary",
        *,
        agreed: dict[str, Json] | None = None,
        spent: int = 0,
        copies: int = 1,
        retires: bool = False,
        spoil: Callable[[dict[str, Any]], object] | None = None,
        without: str = "",
        **fields: Any,
    ) -> None:
        """Tell it.

        `agreed`: how the licenses say that copies are marked; `spent`: pools that alice prepared for bob and used for
        nothing; `copies`: how many bob gets of the same pool; `retires`: his lack some of their marks; `spoil`: what is
        done to a pool before it is sealed; `without`: the label of what is not said.
        """
        self.pool_method, self.agreed, self.spent, self.copy_count = method, agreed, spent, copies
        self.retires, self.spoil_pool, self.without = retires, spoil, without
        super().__init__(method="", rules=6, **fields)

    def _license(self, who: Person) -> Json:
        return super()._license(who) | ({} if self.agreed is None else {"marking": self.agreed})

    def _prepare(self, who: Person, label: str) -> None:
        value = PoolCopy(who.name, self.pool_method, "", retires=False).value()
        if self.spoil_pool is not None:
            self.spoil_pool(value)
        statement = self.speech.say(
            "transfer.prepared", self.alice, self.alice.voice, listing=self.listing, recipient=who.name, bound=BOUND,
            recipients=RECIPIENTS, method=self.pool_method, coin=COIN, seal=value,
        )  # fmt: skip
        sealed = _commitment(self.id, statement["nonce"], "coin", "/coin", COIN)
        statement["coin"] = sealed
        self.tell(label, statement, *self.alice.voice, seals={"/seal": "pool"})

    def _hand_over(self, who: Person, again: str) -> None:
        own = f"{who.name}{again}"
        for number in range(self.spent if who.name == BOB else 0):
            self._prepare(who, f"prepared {own} in vain {number}")
        self._prepare(who, f"prepared {own}")
        prepared = self.said[f"prepared {own}"].id
        seen = {"root": self.root_at(self.size).hex(), "size": self.size}
        asked = self.speech.say(
            "transfer.requested", who, who.voice, prepared=prepared, coin=b64encode(b"r" * 32), seen=seen
        )
        requested = "sha256:" + "0" * 64
        if self.without != f"requested {own}":
            self.tell(f"requested {own}", asked, *who.voice)
            requested = self.said[f"requested {own}"].id
        seed = sha256(canonical(["provenance-ledger/draw/v1", prepared, requested, COIN])).hexdigest()
        copy = self.copies[who.name] = PoolCopy(
            who.name, self.pool_method, seed, retires=self.retires and who.name == BOB
        )
        for number in range(self.copy_count if who.name == BOB else 1):
            self._offer(who, copy, own + (f" copy {number}" if number else ""), prepared)

    def _offer(self, who: Person, copy: PoolCopy, label: str, prepared: str) -> None:
        marks: dict[str, Json] = {"prepared": prepared, "coin": {"salt": SALT, "value": COIN}, "file": 0}
        if copy.retired:
            marks["retired"] = copy.retired
        statement = self.speech.transfer_offered(
            self.alice, who, self.listing, self.said[f"license {who.name}"].id, acknowledge_by_ms=self.now_ms,
            content=copy.content(), marks=marks,
        )  # fmt: skip
        self.tell(f"transfer {label}", statement, *self.alice.voice, seals={"/content": "content"})
        acknowledged = self.speech.transfer_acknowledged(
            who, self.said[f"transfer {label}"].id, content=copy.content(), opens=statement["content"]["sealed"]
        )
        self.tell(f"acknowledged {label}", acknowledged, *who.voice, seals={"/content": "content"})


def _commitment(ledger: str, nonce: str, kind: str, pointer: str, value: Json) -> dict[str, str]:
    named = [f"provenance-ledger/{kind}/v1", ledger, "alice.example", nonce, pointer, SALT, value]
    return {"sealed": sha256(canonical(named)).hexdigest()}


def _plain(cell: str | None, column: int) -> str | None:
    """Return what a cell of this table is compared by, in the reading that fits it."""
    if not cell or not cell.strip():
        return None
    if column == 2 and "/" in cell:
        day, month, year = map(int, cell.split("/"))
        return f"{year}-{month:02d}-{day:02d}"
    if column == 2:
        year, month, day = map(int, cell.split("-"))
        return f"{year}-{month:02d}-{day:02d}"
    return " ".join(cell.lower().split()).removesuffix(".0")


class PoolScores:
    """The numbers of an evidence file, from what the story knows."""

    def __init__(self, maker: PoolMaker) -> None:
        self.maker, self.story, self.leaked = maker, maker.story, maker.leaked
        self.leaked_rows = {
            tuple(_plain(row[item["found"]], item["column"]) for item in self.leaked.mapping)
            for row in self.leaked.rows
        }
        self.own = self.story.copies[BOB]
        self.records_found = sum(self.is_found(json.loads(record)) for record in self.own.base)

    def is_found(self, row: Cells) -> bool:
        return tuple(_plain(row[item["column"]], item["column"]) for item in self.leaked.mapping) in self.leaked_rows

    def paid(self, copy: PoolCopy) -> float:
        """Every column of this table has one reading by which any of its cells can be found."""
        rows = [row for pair in copy.pairs for row in pair] if copy.method == "tardos" else copy.pool
        total = 0.0
        for item in self.leaked.mapping:
            column, place = item["column"], item["found"]
            shown = {_plain(row[place], column) for row in self.leaked.rows}
            total += log2(2) if shown & {_plain(row[column], column) for row in rows} else 0
        return total

    def hits(self, copy: PoolCopy) -> tuple[int, int]:
        is_hit = [self.is_found(row) != (copy.method == "omission") for row in copy.pool]
        found = sum(is_hit[number] for number in copy.drawn if number not in copy.retired)
        return found, sum(hit for number, hit in enumerate(is_hit) if number not in copy.drawn)

    def seen(self, copy: PoolCopy) -> list[tuple[int, int, int]]:
        """Return position, bias and bit of every position that is seen."""
        seen = []
        for at, (bias, pair) in enumerate(zip(copy.biases, copy.pairs, strict=True)):
            is_found = [self.is_found(row) for row in pair]
            if is_found[0] != is_found[1]:  # retired or not: who knows the word could choose by it
                seen.append((at, bias, int(is_found[1])))
        return seen

    def word(self, copy: PoolCopy, name: str) -> float:
        seen = [(bias, bit, word_bit(copy.key, name, at, bias)) for at, bias, bit in self.seen(copy)]
        return word_bits(seen) if seen else 0.0

    def chance(self, copy: PoolCopy) -> float:
        if copy.method == "tardos":
            return self.word(copy, copy.seed)
        found, others = self.hits(copy)
        drawn, rest = len(copy.drawn), len(copy.pool) - len(copy.drawn)
        ways = sum(
            comb(drawn, j) * comb(rest, found + others - j) for j in range(found, min(drawn, found + others) + 1)
        )
        return max(0.0, log2(comb(drawn + rest, found + others)) - log2(ways))

    def score(self, copy: PoolCopy) -> float:
        return max(0.0, self.chance(copy) - self.paid(copy))

    def observed(self, copy: PoolCopy) -> int:
        return self.hits(copy)[0] if copy.method != "tardos" else sum(map(self.is_found, copy.marks))

    def opened(self, copy: PoolCopy, transfer: str) -> dict[str, Any]:
        item = {"paid_millibits": millibits(self.paid(copy)), "score_millibits": millibits(self.score(copy)),
                "status": "opened", "transfer": transfer}  # fmt: skip
        if copy.method == "tardos":
            return item | {"seen": len(self.seen(copy)), "word_millibits": millibits(self.chance(copy))}
        found, others = self.hits(copy)
        return item | {"drawn": len(copy.drawn), "found": found, "others": len(copy.pool) - len(copy.drawn),
                       "others_found": others}  # fmt: skip

    def members(self) -> dict[str, Any]:
        """Return the members of evidence.json that hold numbers."""
        said, withheld = self.maker.said, self.maker.withheld
        transfers = {label: item.id for label, item in said.items() if label.startswith("transfer")}
        mine = sorted(name for label, name in transfers.items() if BOB in label)
        is_opened = BOB not in withheld
        observed = self.observed(self.own) if is_opened else 0
        members: dict[str, Any] = {
            "marks": [self.opened(self.own, name) if is_opened else {"status": "withheld", "transfer": name}
                      for name in mine],
            "counts": {"exclusive": 0, "marks": observed, "records": len(self.own.base),
                       "records_found": self.records_found, "shared": self.records_found},
            "controls": {"others": []}, "hypotheses": [], "conclusion": {"is_enough": False},
        }  # fmt: skip
        carol = self.story.copies["carol.example"]
        others = [name for label, name in transfers.items() if "carol" in label and "carol.example" not in withheld]
        for name in others:
            score = millibits(self.score(carol))
            members["controls"]["others"] = [{"party": carol.recipient, "score_millibits": score, "transfer": name}]
        if not is_opened:
            return members
        greatest = 0
        if self.own.method == "tardos":
            words = [self.word(self.own, f"control/{number}") for number in range(1000)]
            greatest = millibits(max(0.0, max(words) - self.paid(self.own)))
            members["controls"]["greatest_millibits"] = greatest
        if self.own.method != "omission":
            members["hypotheses"] = self._hypotheses(carol if others else None)
        tries = len(mine) + sum(label.startswith(f"prepared {BOB} in vain") for label in said)
        needed = ceil(1000 * log2(RECIPIENTS / Fraction(BOUND)) - 1e-6) + ceil(1000 * log2(tries) - 1e-6)
        score = millibits(self.score(self.own))
        speaking = len(self.seen(self.own)) if self.own.method == "tardos" else observed
        is_enough = score >= needed and speaking >= 3 and greatest < needed + 9_966
        members["conclusion"] = {"is_enough": is_enough, "needed_millibits": needed, "score_millibits": score,
                                 "seals": tries}  # fmt: skip
        return members

    def _hypotheses(self, carol: PoolCopy | None) -> list[dict[str, Any]]:
        listed = [self._fit(name, self.own, party) for name, party in (("recipient", BOB), ("sender", "alice.example"))]
        if carol is not None:
            listed.append(self._fit("other", carol, carol.recipient))
        nothing = {"expected_milli": 0, "observed": self.observed(self.own),
                   "surprise_millibits": millibits(self.chance(self.own))}  # fmt: skip
        return [*listed, {"hypothesis": "none"} | nothing]

    def _fit(self, name: str, copy: PoolCopy, party: str) -> dict[str, Any]:
        planted, found = len(copy.marks), self.observed(copy)
        share = Fraction(self.records_found, len(self.own.base))
        return {
            "expected_milli": 1000 * planted * self.records_found // len(self.own.base),
            "hypothesis": name,
            "observed": found,
            "party": party,
            "surprise_millibits": millibits(surprise_bits(planted, found, share)),
        }


class PoolMaker(Maker):
    """Makes a bundle of a pool's story; `withheld` are recipients whose pools are not opened."""

    story: Any  # a PoolStory: what the maker it extends says is a Story, whose copies are others
    findings: tuple[dict[str, Any], ...] = ()
    """That the marks of a copy are other than agreed."""

    def about_the_listing(self) -> list[int]:
        """Return the entries that concern the listing."""
        drawing = [said.index for label, said in self.story.said.items() if label.startswith(("prepared", "requested"))]
        return sorted([*super().about_the_listing(), *drawing])

    def disclosures(self) -> list[dict[str, Any]]:
        """Return what opens the claim's evidence, the content, and the pools."""
        said = self.said
        shown = [said["claim"].disclosures[0], said[f"transfer {BOB}"].disclosures[0]]
        recipients = [name for name in (BOB, "carol.example") if name not in self.withheld]
        return shown + [said[f"prepared {name}"].disclosures[0] for name in recipients]

    def judgement(self) -> dict[str, Any]:
        """Return the judgement of a story whose licenses may have said how copies are marked."""
        judgement = super().judgement()
        agreed = {"bound": BOUND, "method": self.story.pool_method, "recipients": RECIPIENTS}
        if self.story.agreed in (None, agreed):
            return judgement
        findings = []
        for late in judgement["findings"]:
            name = late["party"]
            entries = [self.story.said[f"{what} {name}"].index for what in ("license", "prepared")] + [late["index"]]
            findings.append(late | {"entries": sorted(entries), "party": "alice.example",
                                    "slug": "marked-otherwise-than-agreed"})  # fmt: skip
            findings.append(late)
        return judgement | {"findings": findings}

    def evidence(self) -> dict[str, Any]:
        """Return evidence of the second version."""
        own = self.own
        had = own.method
        own.method = ""  # what is not about marks is as ever
        evidence = super().evidence()
        own.method = had
        return evidence | {"type": "provenance-ledger.evidence/v2"} | PoolScores(self).members()


def pooled(method: str = "canary", shape: str = "changed", *, marks: int = 8, base: int = 40, **how: Any) -> PoolMaker:
    """Return the maker of a good bundle; `how` are fields of the story, or of the maker."""
    of_maker = {name: how.pop(name) for name in ("withheld", "left_out", "is_whole", "includes_found") if name in how}
    story = PoolStory(method, **how)
    leaked: Leak = leak([story.copies[BOB]], shape, marks=marks * (5 if method == "tardos" else 1), base=base)
    return PoolMaker(story, leaked, **of_maker)


def _edited(change: Callable[[dict[str, Any]], object], **how: Any) -> tuple[bytes, str]:
    """Change the evidence of a good bundle."""
    maker = pooled(**how)
    files = maker.files()
    evidence = json.loads(files["evidence.json"])
    change(evidence)
    files["evidence.json"] = document(evidence)
    return zipped(with_manifest(files)), maker.story.policy()


def _retyped(maker: Maker) -> tuple[bytes, str]:
    """Call evidence about older marks by the newer type."""
    files = maker.files()
    evidence = json.loads(files["evidence.json"]) | {"type": "provenance-ledger.evidence/v2"}
    files["evidence.json"] = document(evidence)
    return zipped(with_manifest(files)), maker.story.policy()


def _tampered(label: str, change: Callable[[dict[str, Any]], object], **how: Any) -> tuple[bytes, str]:
    """Change a statement before it is signed, and have an operator record it that looks away."""

    def tamper(said: str, statement: dict[str, Any], keys: list[Any]) -> list[Any]:
        if said == label:
            change(statement)
        return keys

    return finished(pooled(tamper=tamper, **how))


def _set(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value.update(fields)


def _add(path: str, by: int) -> Callable[[dict[str, Any]], object]:
    def change(value: Any) -> None:
        *above, last = path.split("/")
        for step in above:
            value = value[int(step)] if isinstance(value, list) else value[step]
        value[last] += by

    return change


def _good(how: dict[str, Any]) -> tuple[bytes, str]:
    return finished(pooled(**how))


AGREED: dict[str, Json] = {"bound": BOUND, "method": "canary", "recipients": RECIPIENTS}
NOT_HERE = NOT_NEEDED | {f"requested {BOB}"}
OTHER_COIN = {"salt": SALT, "value": b64encode(b"d" * 32)}

_HOW: dict[str, dict[str, Any]] = {
    **{f"{method}-{shape}": {"method": method, "shape": shape} for method in ("canary", "tardos")
       for shape in ("changed", "exact")},
    **{f"omission-{shape}": {"method": "omission", "shape": shape, "base": 44} for shape in ("changed", "exact")},
    "whole-log": {"is_whole": True},
    "few-rows": {"marks": 2},
    "of-nobody": {"marks": 0},
    "tries": {"spent": 3},
    "two-copies": {"copies": 2},
    "retired": {"retires": True},
    "tardos-retired": {"method": "tardos", "retires": True},
    "withheld": {"withheld": frozenset({BOB})},
    "other-withheld": {"withheld": frozenset({"carol.example"})},
    "as-agreed": {"agreed": AGREED},
    "otherwise-than-agreed": {"agreed": AGREED | {"recipients": 4}},
}  # fmt: skip
GOOD = [
    *(Case(f"good-pool-{name}", partial(_good, how)) for name, how in _HOW.items()),
    Case("good-conditional-pool", partial(_good, {"includes_found": False}), 3, "found"),
]
LIES = [
    Case(f"pool-{name}", make, 1, check)
    for name, make, check in (
        ("drawn-by-nobody", lambda: finished(pooled(without=f"requested {BOB}", tamper=lambda _l, _s, keys: keys)),
         "acceptance"),
        ("request-left-out", lambda: finished(pooled(left_out=NOT_HERE)), "acceptance"),
        ("requested-unseen", lambda: _tampered(f"requested {BOB}", lambda said: said.pop("seen")), "acceptance"),
        ("requested-by-the-sender", lambda: _tampered(f"requested {BOB}", _set(seen={"root": "0" * 64, "size": 1})),
         "acceptance"),
        ("another-coin", lambda: _tampered(f"transfer {BOB}", lambda said: said["marks"].update(coin=OTHER_COIN)),
         "acceptance"),
        ("for-another", lambda: _tampered(f"prepared {BOB}", _set(recipient="carol.example")), "acceptance"),
        ("opens-something-else", lambda: _tampered(f"acknowledged {BOB}", _set(opens="0" * 64)), "acceptance"),
        ("of-no-form", lambda: finished(pooled(spoil=_set(draws=ROWS))), "marks"),
        ("twice-the-row", lambda: finished(pooled(spoil=lambda pool: pool["rows"].append(pool["rows"][0]))), "marks"),
        ("by-another-method", lambda: finished(pooled(spoil=_set(method="omission"))), "marks"),
        ("of-other-columns", lambda: finished(pooled(spoil=_set(columns=["a", "b", "c", "d"]))), "marks"),
        ("as-evidence-1", lambda: _edited(_set(type="provenance-ledger.evidence/v1"), withheld=frozenset({BOB})),
         "marks"),
        ("evidence-2-without-a-pool", lambda: _retyped(good()), "marks"),
        ("evidence-1-with-a-draw", lambda: _edited(_set(type="provenance-ledger.evidence/v1")), "bundle-form"),
        ("called-withheld", lambda: _edited(lambda e: e["marks"].__setitem__(
            0, {"status": "withheld", "transfer": e["marks"][0]["transfer"]})), "marks"),
        ("found-more", lambda: _edited(_add("marks/0/found", 1)), "score"),
        ("others-found-fewer", lambda: _edited(_add("marks/0/others", 1)), "score"),
        ("drawn-fewer", lambda: _edited(_add("marks/0/drawn", -1)), "score"),
        ("paid-less", lambda: _edited(_add("marks/0/paid_millibits", -1000)), "score"),
        ("score-raised", lambda: _edited(_add("marks/0/score_millibits", 1000)), "score"),
        ("word-raised", lambda: _edited(_add("marks/0/word_millibits", 1000), method="tardos"), "score"),
        ("seen-more", lambda: _edited(_add("marks/0/seen", 1), method="tardos"), "score"),
        ("tries-not-counted", lambda: _edited(_add("conclusion/seals", -3), spent=3), "score"),
        ("tries-not-paid", lambda: _edited(_add("conclusion/needed_millibits", -2000), spent=3), "score"),
        ("two-rows-are-enough", lambda: _edited(lambda e: e["conclusion"].update(is_enough=True), marks=2), "score"),
        ("hypotheses-of-omission", lambda: _edited(lambda e: e["hypotheses"].append(
            {"expected_milli": 0, "hypothesis": "chance", "observed": 0, "surprise_millibits": 0}),
            method="omission", base=44), "score"),
        ("marks-counted-more", lambda: _edited(_add("counts/marks", 1)), "score"),
        ("control-made-up", lambda: _edited(lambda e: e["controls"].update(greatest_millibits=0)), "control"),
        ("control-lowered", lambda: _edited(_add("controls/others/0/score_millibits", 1000)), "control"),
        ("otherwise-not-said", lambda: finished(_unjudged(pooled(agreed=AGREED | {"bound": "0.001"}))), "judgement"),
    )
]  # fmt: skip


def _unjudged(maker: PoolMaker) -> PoolMaker:
    """Leave the findings about marks out of the judgement."""
    judgement = Maker.judgement(maker)
    maker.judgement = lambda: judgement  # type: ignore[method-assign]
    return maker


CASES = [*GOOD, *LIES]
