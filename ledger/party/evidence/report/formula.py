"""Every input of the score, and each step to it: an expert recomputes the number with a pocket calculator."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import comb, log2
from typing import Any

from ledger.core.encoding import Json
from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.report.code import CodeSums, code_sums
from ledger.party.evidence.report.examples import sealed_marks
from ledger.party.evidence.report.facts import Facts
from ledger.party.marks.draw_score import log2_of, tail_bits

_MAX_TERMS, _MAX_KINDS = 4, 40
"""So many terms of a sum are written out; the others only shrink."""
Step = dict[str, str]


def formula_words(documents: Documents, facts: Facts) -> dict[str, Any] | None:
    """Return inputs and steps of the score; None where the marks are not opened."""
    ended, sealed = documents.evidence["conclusion"], sealed_marks(documents)
    own = next((item for item in documents.evidence["marks"] if item["transfer"] == documents.case.transfer), None)
    if own is None or own["status"] != "opened" or sealed is None or "needed_millibits" not in ended:
        return None
    stated: Mapping[str, Any] = sealed if facts.prepared is None else facts.prepared.fields
    if facts.prepared is None:
        steps = _stated(documents, own, sealed)
    else:
        steps = [*(_code(own, code_sums(documents)) if "seen" in own else _rows(own)), _paid(own)]
    bound, recipients, tries = Decimal(stated["bound"]), _recipients(documents, stated["recipients"]), ended["seals"]
    steps += [
        _step("score", "the greater of 0 and what is left", _bits(own["score_millibits"])),
        _step("bound", "of false accusations, as it stands in the open", f"{bound}"),
        _step("n'", "recipients of marked copies: those stated, or those known, if these are more", f"{recipients:,}"),
        _step("tries", "marked copies, and pools of no copy, for this recipient: what could be picked", f"{tries:,}"),
        _step(
            "needed",
            f"log2(n' / bound) + log2(tries) = {log2(recipients / bound):.3f} + {log2(tries):.3f}, each rounded up"
            + (f"; at least {_bits(stated['threshold_millibits'])}, as sealed" if facts.prepared is None else ""),
            _bits(ended["needed_millibits"]),
        ),
    ]
    sign = "≥" if ended["score_millibits"] >= ended["needed_millibits"] else "<"
    return {
        "steps": steps,
        "outcome": f"{_bits(ended['score_millibits'])} {sign} {_bits(ended['needed_millibits'])}",
    }


def _paid(own: Mapping[str, Json]) -> Step:
    words = (
        "Σ log2(1 + A(j)) over the columns j of the pool, for a mapping that was chosen after looking. A(j): how many "
        "readings of columns of the found file share a cell with column j. 'verifier bundle' prints each"
    )
    return _step("less paid", words, _bits(own["paid_millibits"]))


def _stated(documents: Documents, own: Mapping[str, Json], sealed: Mapping[str, Any]) -> list[Step]:
    """Return the steps of marks before version 6 of the rules, which rest on bits that the sender states."""
    evidence, bits = documents.evidence, sealed["bits"]
    mapped = [item["column"] for item in evidence["mapping"]]
    steps = [
        _step("B", "bits of the mapped columns together, as sealed", f"{sum(bits[at] for at in mapped)}"),
        _step("K", "rows that were sealed", f"{own['of']:,}"),
        _step("k", "of these, found", f"{own['found']:,}"),
        _step("N, F", "rows and columns of the file", f"{evidence['found']['count']:,}, {_width(evidence)}"),
        _step(
            "D, m",
            "columns with bits, and those of them that are mapped",
            f"{sum(bit > 0 for bit in bits)}, {sum(bits[at] > 0 for at in mapped)}",
        ),
        _step("chance", "B·k − k·log2 N − log2 C(K, k) − m·log2(4·F) − D; 0 if k = 0", _bits(own["chance_millibits"])),
    ]
    if "word_millibits" in own:
        steps += [*_code(own, None), _step("smaller of both", "", _bits(own["score_millibits"]))]
    return steps


def _width(evidence: Mapping[str, Json]) -> int:
    return len(evidence["found"].get("columns", ()))


def _rows(own: Mapping[str, Json]) -> list[Step]:
    drawn, others, hit, others_hit = (own[name] for name in ("drawn", "others", "found", "others_found"))
    total, every = drawn + others, hit + others_hit
    bits = tail_bits(drawn, others, hit, others_hit)
    last = min(drawn, every)
    terms = [f"C({drawn}, {j})·C({others}, {every - j})" for j in range(hit, min(last, hit + _MAX_TERMS - 1) + 1)]
    more = f" + … to j = {last}" if last >= hit + _MAX_TERMS else ""
    ways = sum(comb(drawn, j) * comb(others, every - j) for j in range(hit, last + 1))
    return [
        _step("K", "rows of the pool that were drawn", f"{drawn:,}"),
        _step("M", "rows of the pool that were not drawn", f"{others:,}"),
        _step("k", "drawn rows that speak: found in the file (or lacking, if they were left out)", f"{hit:,}"),
        _step("c", "rows not drawn that do the same", f"{others_hit:,}"),
        _step(
            "tail",
            f"({' + '.join(terms)}{more}) / C({total}, {every}): the chance that of {every:,} rows chosen without "
            f"regard to the draw {hit:,} or more are drawn ones; the sum is 2^{log2_of(ways):.3f}, C({total}, {every}) "
            f"is 2^{log2_of(comb(total, every)):.3f}",
            f"2^−{bits:.3f}",
        ),
        _step("−log2 tail", "", f"{bits:.3f} bits"),
    ]


def _code(own: Mapping[str, Json], sums: CodeSums | None) -> list[Step]:
    seen = f"{own['seen']:,}" if "seen" in own else ""
    counted = "" if sums is None else f". Here, as p, x, y: {_kinds(sums)}"
    steps = [
        _step("positions seen", f"pairs of which one row is found, y; bias p, bit drawn x{counted}", seen),
        _step(
            "S",
            "Σ g(x, y); g(1,1) = √((1−p)/p), g(0,0) = √(p/(1−p)), g(1,0) = −√((1−p)/p), g(0,1) = −√(p/(1−p))",
            "" if sums is None else f"{sums.agreement:.3f}",
        ),
    ]
    if sums is not None:
        steps += [
            _step("λ", "of 1/64, 2/64, … 4, the one that makes the word greatest", f"{sums.strength:.6f}"),
            _step("L", "Σ ln(p·e^(λ·g(1,y)) + (1−p)·e^(λ·g(0,y)))", f"{sums.cost:.3f}"),
        ]
    words = (
        "the greatest of (λ·S − L) / ln 2, where L = Σ ln(p·e^(λ·g(1,y)) + (1−p)·e^(λ·g(0,y))): minus log2 of "
        "Chernoff's bound on the chance that coins agree so well"
    )
    return [*steps, _step("word", words, _bits(own["word_millibits"]))]


def _kinds(sums: CodeSums) -> str:
    """Return how many positions are alike, of which a code has few kinds; of too many, that they are in the pool."""
    if len(sums.kinds) > _MAX_KINDS:
        return f"{len(sums.kinds)} kinds, which follow from the opened pool"
    return "; ".join(f"{count} × ({p:.9g}, {x}, {y})" for (p, x, y), count in sums.kinds.items())


def _recipients(documents: Documents, stated: int) -> int:
    """Return n': recipients stated, or those of the listing's marked copies that are here, if these are more."""
    told = documents.gathered.told()
    offers = [one for one in told if one.type == "transfer.offered" and "marks" in one.fields]
    return max(stated, len({one.name("recipient") for one in offers if one.name("listing") == documents.case.listing}))


def _bits(millibits: int) -> str:
    return f"{millibits / 1000:.3f} bits"


def _step(name: str, words: str, value: str) -> Step:
    return {"name": name, "words": words, "value": value}
