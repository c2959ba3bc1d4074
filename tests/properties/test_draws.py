"""Whatever a table, a pool or a found file is like, innocents are accused no oftener than a score says (marks.md §9).

The innocent has no part in a draw: its file is fixed before, by whoever means it ill and knows all but the coins.
Ledgers are left out here: 120,000 draws of each kind are made by numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import log2
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from ledger.core.encoding import b64encode, canonical
from ledger.party.marks import draw_score
from ledger.party.marks.pool import parse_pool
from ledger.party.trace.drawn import DrawnPool
from verifier.bundle.score import tail_bits

Flags = NDArray[np.bool_]
Bits = NDArray[np.float64]
INNOCENTS = 120_000
ROWS, DRAWS = 60, 12
CHANCE = np.random.default_rng(6)
_START = CHANCE.bit_generator.state


@pytest.fixture(autouse=True)
def the_same_chance() -> None:
    """Begin every test alike, in whatever order they run."""
    CHANCE.bit_generator.state = _START


def drawn(count: int = INNOCENTS, rows: int = ROWS, draws: int = DRAWS) -> Flags:
    """Return which rows are drawn, for so many innocents: those of the least rank."""
    ranks = CHANCE.random((count, rows))
    return ranks <= np.partition(ranks, draws - 1, axis=1)[:, draws - 1 : draws]


def scores(draw: Flags, hit: Flags) -> Bits:
    """Return the bits of each draw against a file that hits these rows, the same for all or one line for each."""
    found, total = (draw & hit).sum(axis=1), np.broadcast_to(hit, draw.shape).sum(axis=1)
    drew, rows = int(draw[0].sum()), draw.shape[1]
    table = np.zeros((drew + 1, rows + 1))
    for k, both in {(int(k), int(both)) for k, both in zip(found, total, strict=True)}:
        table[k, both] = tail_bits(drew, rows - drew, k, both - k)
    bits: Bits = table[found, total]
    return bits


def check_bound(bits: Bits) -> None:
    """At every level, no more innocents score so many bits than two to the minus that, give or take four deviations."""
    assert len(bits) >= 100_000
    for level in range(1, 15):
        count, expected = int((bits >= level).sum()), len(bits) * 2.0**-level
        assert count <= expected + 4 * expected**0.5 + 4, (level, count, expected)


def rows_of(count: int) -> Flags:
    return np.arange(ROWS) < count


# -- the file, and the pool --------------------------------------------------------------------------------------------

FILES: dict[str, Callable[[], Flags]] = {
    "a register that knows a fifth": lambda: rows_of(ROWS // 5),
    "a register that knows a half": lambda: rows_of(ROWS // 2),
    "a register that knows nine tenths": lambda: rows_of(ROWS * 9 // 10),
    "a register that knows all": lambda: rows_of(ROWS),
    "forty rows of a public file": lambda: rows_of(40),
    "one row": lambda: rows_of(1),
    "every other row": lambda: np.arange(ROWS) % 2 == 0,
    "rows that go together, in blocks of ten": lambda: np.arange(ROWS) // 10 % 3 == 0,
    "each row for each innocent by a coin": lambda: CHANCE.random((INNOCENTS, ROWS)) < 0.5,
    "each row with a chance of its own": lambda: CHANCE.random((INNOCENTS, ROWS)) < np.linspace(0.01, 0.99, ROWS),
    "all rows or none": lambda: np.repeat(CHANCE.random((INNOCENTS, 1)) < 0.5, ROWS, axis=1),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("is_omission", [False, True], ids=["canary", "omission"])
def test_adversarial_files(name: str, is_omission: bool) -> None:
    """What is in the file for whatever reason counts, and where rows are left out, what is not."""
    held = FILES[name]()
    check_bound(scores(drawn(), ~held if is_omission else held))


def test_a_pool_of_a_suspects_public_rows() -> None:
    """The sender knows what a suspect holds, and seals as many of its rows as suits, and of its own as many as suit."""
    for public in (3, 6, 12, 24, 48):
        check_bound(scores(drawn(), rows_of(public)))


@pytest.mark.parametrize(("rows", "draws"), [(12, 6), (40, 2), (200, 40)])
def test_pools_of_any_size(rows: int, draws: int) -> None:
    for share in (0.2, 0.5, 0.95):
        check_bound(scores(drawn(INNOCENTS, rows, draws), np.arange(rows) < share * rows))


# -- whoever chooses afterwards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tries", [2, 5, 16])
def test_a_sender_that_draws_again(tries: int) -> None:
    """Of several preparations it shows the one that accuses best: each is on the ledger, and all are paid for."""
    best = np.max([scores(drawn(), rows_of(20)) for _ in range(tries)], axis=0)
    check_bound(best - log2(tries))
    unpaid = int((best >= 6).sum())
    assert unpaid > INNOCENTS * 2.0**-6, "trying again would pay, if it cost nothing"


@pytest.mark.parametrize("readings", [2, 8])
def test_a_mapping_made_to_fit(readings: int) -> None:
    """A column may be read in several ways, each of which finds other rows; the best is shown, and the choice paid."""
    draw = drawn()
    found = [CHANCE.random(ROWS) < 0.4 for _ in range(readings)]
    each = [scores(draw, one) for one in found]
    best = np.max(each, axis=0)
    check_bound(best - log2(1 + readings))
    assert (best >= 5).sum() > 1.5 * max((one >= 5).sum() for one in each), "choosing would pay, if it cost nothing"


def test_rows_that_are_retired_afterwards() -> None:
    """A sender that knows file and draw retires what was not found, or what was: no score rises, whatever it leaves."""
    for found in range(DRAWS + 1):
        for others in (0, 1, 7, ROWS - DRAWS):
            bits = tail_bits(DRAWS, ROWS - DRAWS, found, others)
            assert all(tail_bits(DRAWS, ROWS - DRAWS, fewer, others) <= bits + 1e-9 for fewer in range(found))


def test_positions_of_a_code_that_are_retired_afterwards() -> None:
    """A sender that knows the word retires where it differs from an innocent file: the score stays what it was."""
    pick = Random(3)
    rows = [b64encode(canonical([f"row {number}"])) for number in range(240)]
    positions = [{"bias": 1 << 31, "rows": [rows[2 * at], rows[2 * at + 1]]} for at in range(120)]
    pool = parse_pool(
        {"type": "provenance-ledger.pool/v1", "method": "tardos", "columns": ["name"], "key": b64encode(bytes(32)),
         "colluders": 1, "positions": positions}
    )  # fmt: skip
    shown = [pick.randrange(2) for _ in positions]
    seen = {pool.records[2 * at + bit] for at, bit in enumerate(shown)}
    whole = DrawnPool("p", pool, "ab" * 32, 0, (), "0.001", 1)
    differing = tuple(at for at, record in whole.numbered.items() if record not in seen)
    chosen = replace(whole, retired=differing)
    assert len(differing) > 40
    assert chosen.score(seen, 0).bits == whole.score(seen, 0).bits
    assert chosen.score(seen, 0).bits < 8


def test_found_rows_left_out_by_the_claimant() -> None:
    """Whoever drops rows from a file that were not drawn raises the score: so the whole file is counted.

    A bundle without its file says nothing but what would follow if that were so (bundle.md §4).
    """
    draw = drawn()
    whole = scores(draw, rows_of(40))
    cut = scores(draw, rows_of(40) & draw)
    check_bound(whole)
    assert int((cut >= 20).sum()) > INNOCENTS / 2


# -- the tail, in both programs ----------------------------------------------------------------------------------------


def test_both_programs_weigh_alike() -> None:
    for found in range(DRAWS + 1):
        for others in range(0, ROWS - DRAWS + 1, 3):
            theirs = tail_bits(DRAWS, ROWS - DRAWS, found, others)
            assert draw_score.tail_bits(DRAWS, ROWS - DRAWS, found, others) == pytest.approx(theirs, abs=1e-6)
