"""Marked copies of every format: rows added at random places, nothing else changed (docs/marks.md §1)."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from ledger.cli.demo.story import EXAMPLES
from ledger.core.encoding import b64decode
from ledger.party.dataset.reading.formats import detect
from ledger.party.dataset.reading.table import open_table
from ledger.party.marks.drawing import SourceTable, draw, present, survey
from ledger.party.marks.errors import CannotMark, TooLittleRoom
from ledger.party.marks.making import Design, Wish, design, design_again, make
from ledger.party.marks.planting import check_planted, plant
from ledger.party.marks.recipe import learn
from ledger.party.marks.value import CanaryMarks, TardosMarks

PLANES = EXAMPLES / "planes.csv"
CANARIES = Wish("canary", 20, "0.000001")


def surveyed(path: Path) -> SourceTable:
    how = detect(path)
    assert how is not None
    return survey(path, how, random.Random(1))


def drawn(path: Path, wish: Wish = CANARIES) -> tuple[SourceTable, Design, CanaryMarks | TardosMarks]:
    source = surveyed(path)
    designed = design(source, wish)
    return source, designed, make(designed, 0, random.Random(2))


def planted(source: SourceTable, records: tuple[bytes, ...], copy: Path) -> bytes:
    with copy.open("wb") as out:
        plant(source, records, out, random.Random(3))
    check_planted(source, copy, records)
    return copy.read_bytes()


def as_file(path: Path, kind: str) -> Path:
    """Return planes.csv written in another way."""
    raw = PLANES.read_text()
    table = pa.csv.read_csv(PLANES, convert_options=pa.csv.ConvertOptions(null_values=["NA"], strings_can_be_null=True))
    match kind:
        case "crlf.csv" | "bare.csv":
            path.write_bytes(raw.replace("\n", "\r\n").encode() if kind == "crlf.csv" else raw.rstrip("\n").encode())
        case "quoted.csv":
            lines = [",".join(f'"{cell}"' for cell in line.split(",")) for line in raw.splitlines()]
            path.write_text("\n".join([lines[0], '"N1,""x""\n2"' + lines[1][8:], "", *lines[2:]]) + "\n")
        case "utf16.csv":
            path.write_bytes(raw.encode("utf-16"))
        case "table.tsv":
            path.write_bytes(b"\xef\xbb\xbf" + raw.replace(",", "\t").encode())
        case "lines.jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
        case "table.parquet":
            pq.write_table(table, path, row_group_size=1000)
        case "table.arrow":
            with pa.ipc.new_file(path, table.schema) as sink:
                sink.write_table(table, max_chunksize=700)
    return path


@pytest.mark.parametrize(
    "kind",
    ["crlf.csv", "bare.csv", "quoted.csv", "utf16.csv", "table.tsv", "lines.jsonl", "table.parquet", "table.arrow"],
)
def test_a_marked_copy_is_the_table_and_its_marks(kind: str, tmp_path: Path) -> None:
    path = as_file(tmp_path / kind, kind)
    source, _, marks = drawn(path)
    copy = tmp_path / f"marked-{kind}"
    raw = planted(source, marks.all_marks, copy)
    with open_table(path, source.how) as before, open_table(copy, source.how) as after:
        old = Counter(record for batch in before.rows() for record in batch.records())
        new = Counter(record for batch in after.rows() for record in batch.records())
    assert new - old == Counter(marks.all_marks)
    assert not old - new
    if kind.endswith("parquet"):
        assert pq.read_schema(copy).equals(pq.read_schema(path), check_metadata=True)
    elif not kind.endswith("arrow"):
        name = "utf-16-le" if kind == "utf16.csv" else "utf-8"
        lines, ours = (
            raw.decode(name).splitlines(keepends=True),
            iter(path.read_bytes().decode(name).splitlines(keepends=True)),
        )
        waiting, added = next(ours), []
        for line in lines:
            if line == waiting or line.rstrip("\r\n") == waiting:
                waiting = next(ours, "")
            else:
                added.append(line)
        assert waiting == ""  # every line is there as it was, in its order
        assert len(added) == len(marks.all_marks)
        assert {line.endswith("\r\n") for line in added} == {kind == "crlf.csv"}
        if kind == "quoted.csv":
            assert all(line.count('"') == 18 for line in added)


def test_marks_stand_at_random_places(tmp_path: Path) -> None:
    source, _, marks = drawn(PLANES)
    lines = planted(source, marks.all_marks, tmp_path / "copy.csv").decode().splitlines()
    there = set(PLANES.read_text().splitlines())
    places = [number for number, line in enumerate(lines) if line not in there]
    assert 0.4 < sum(places) / len(places) / len(lines) < 0.6
    assert min(places) < len(lines) / 10 < len(lines) * 0.9 < max(places)


@pytest.mark.parametrize("name", ["planes.csv", "airports.csv"])
def test_drawn_rows_look_like_the_table_and_exist_nowhere(name: str) -> None:
    source, _, marks = drawn(EXAMPLES / name)
    assert isinstance(marks, CanaryMarks)
    records = marks.all_marks + marks.control_records
    assert not present(source, records)
    rows = [json.loads(record) for record in records]
    for column in range(len(source.columns)):
        cells = {row[column] for row in source.sample}
        if source.columns[column] not in {"tailnum", "year", "faa", "name", "lat", "lon", "alt"}:
            assert {row[column] for row in rows} <= cells
    first = source.columns.index("tailnum" if name == "planes.csv" else "faa")
    assert len({row[first] for row in rows}) == len(rows)
    assert not {row[first] for row in rows} & {row[first] for row in source.sample}


def test_bits_are_not_more_than_the_values_that_a_base_may_get() -> None:
    """Each cell is drawn uniformly from at least 2^bits: so often, at most, two draws from one base are equal."""
    source = surveyed(EXAMPLES / "airports.csv")
    recipe = learn(source.columns, source.sample, source.rows, 200)
    generator = random.Random(7)
    for base in recipe.bases[::40]:
        for column, redraw in recipe.redraws.items():
            cells = [redraw.draw(base[column] or "", generator) for _ in range(200)]
            pairs = sum(count * (count - 1) / 2 for count in Counter(cells).values())
            expected = 200 * 199 / 2 / 2**redraw.bits
            assert pairs <= expected + 6 * expected**0.5 + 1


def test_numbers_without_gaps_go_on_past_the_last(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    generator = random.Random(3)
    path.write_text("id,price\n" + "".join(f"{n},{generator.randrange(10**6) / 100:.2f}\n" for n in range(1, 2001)))
    source = surveyed(path)
    recipe = learn(source.columns, source.sample, source.rows, 100)
    rows = draw(source, recipe, 100, generator)
    assert all(int(row[0] or 0) > 2000 for row in rows)


@pytest.mark.parametrize(
    "text",
    ["flag\n" + "yes\nno\n" * 50, "a,b\n", "id,x\n" + "".join(f"{n:02d}A,1\n" for n in range(100))],
    ids=["two values", "no rows", "all names taken"],
)
def test_a_table_without_room_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(CannotMark) as caught:
        drawn(path)
    assert caught.value.advice


def test_too_few_bits_for_the_bound_are_refused() -> None:
    source = surveyed(EXAMPLES / "airports.csv")
    with pytest.raises(CannotMark):
        design(source, Wish("tardos", 20, "0.000001", colluders=21))
    recipe = learn(source.columns[4:7], [row[4:7] for row in source.sample], source.rows, 100)
    assert recipe.room.row_bits < 12
    path_like = SourceTable(
        source.path, source.how, source.columns[4:7], source.rows, [row[4:7] for row in source.sample]
    )
    with pytest.raises(TooLittleRoom):
        design(path_like, CANARIES)


def test_rows_of_ones_own(tmp_path: Path) -> None:
    header = PLANES.read_text().splitlines()[0]
    own = tmp_path / "own.csv"
    rows = [f"N{n}ZZ,2001,Fixed wing multi engine,BOEING,737-7H4,2,140,NA,Turbo-fan" for n in range(700, 712)]
    own.write_text("\n".join([header, *rows]) + "\n")
    source, _, marks = drawn(PLANES, Wish("canary", 20, "0.000001", canaries=own, bits_per_row=20))
    assert isinstance(marks, CanaryMarks)
    assert (marks.origin, marks.controls, marks.bits) == ("brought", [], [20, 0, 0, 0, 0, 0, 0, 0, 0])
    assert len(planted(source, marks.all_marks, tmp_path / "copy.csv").splitlines()) == source.rows + 13
    for text, bits in (
        ("\n".join([header, *rows]), 8),
        ("\n".join([header, *rows[:2]]), 60),
        ("a,b\n1,2", 20),
        (PLANES.read_text(), 20),
        (f"{header}\n", 20),
    ):
        own.write_text(text + "\n")
        with pytest.raises(CannotMark):
            drawn(PLANES, Wish("canary", 20, "0.000001", canaries=own, bits_per_row=bits))


def test_a_code_is_shared_by_the_listings_recipients(tmp_path: Path) -> None:
    wish = Wish("tardos", 20, "0.000001", colluders=3)
    source, designed, marks = drawn(PLANES, wish)
    assert isinstance(marks, TardosMarks)
    assert len(marks.positions) == designed.parameters.marks
    again = make(design_again(source, wish, marks), 1, random.Random(9))
    assert again.model_dump() == marks.model_dump() | {"file": 1}
    alpha, beta = marks.planted("alpha.example"), marks.planted("beta.example")
    assert 0 < len(set(alpha) & set(beta)) < len(alpha)
    copy = tmp_path / "copy.csv"
    planted(source, alpha, copy)
    with pytest.raises(CannotMark):
        design_again(source, Wish("tardos", 21, "0.000001", colluders=3), marks)
    with pytest.raises(CannotMark):
        design_again(surveyed(copy), wish, marks)
    with pytest.raises(CannotMark):
        check_planted(source, copy, beta)


def test_what_cannot_be_written_alike_is_refused(tmp_path: Path) -> None:
    nested = tmp_path / "nested.jsonl"
    nested.write_text("".join(json.dumps({"id": f"N{n * 7919 % 100_000:05d}", "x": [1]}) + "\n" for n in range(3000)))
    source, _, marks = drawn(nested)
    with pytest.raises(CannotMark):
        plant(source, marks.all_marks, io.BytesIO(), random.Random(1))
    assert b64decode(marks.key)


def test_random_identifiers_are_drawn_character_by_character(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    generator = random.Random(6)
    path.write_text("id\n" + "".join(f"{generator.getrandbits(64):016x}\n" for _ in range(500)))
    source = surveyed(path)
    recipe = learn(source.columns, source.sample, source.rows, 100)
    assert recipe.room.row_bits > 50
    assert all(len(row[0] or "") == 16 for row in draw(source, recipe, 100, generator))


def test_no_mark_is_likelier_than_its_bits_say_where_most_combinations_are_taken(tmp_path: Path) -> None:
    """Addresses: of 120 numbers of a street with 108 houses, twelve are left to draw, and an innocent may list them."""
    draw_ = random.Random(1)
    homes = [f"{number} {street} Street" for street in ("Oak", "Elm", "Pine", "Ash", "Fir") for number in range(1, 121)]
    held = draw_.sample(homes, 540)
    path = tmp_path / "homes.csv"
    path.write_text("address\n" + "".join(f"{home}\n" for home in held), encoding="utf-8")
    source = surveyed(path)
    try:
        recipe = learn(source.columns, source.sample, source.rows, 8)
    except CannotMark:
        return
    rows = recipe.rows(draw_)
    taken = {home.lower() for home in held}
    drawn = [cell for _, (cell,) in islice(rows, 40_000) if cell is not None and cell.lower() not in taken]
    greatest = max(Counter(drawn).values()) / len(drawn)
    assert greatest <= 1.3 * 2**-recipe.room.row_bits, "a third more, for counting"
