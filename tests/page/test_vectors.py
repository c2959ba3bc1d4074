"""What others computed, the page computes: signatures, trees, records, marks (tests/vectors/README.md)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.vectors import load, wycheproof
from tests.page.browser import Opened


@pytest.mark.parametrize("is_native", [True, False], ids=["WebCrypto", "own arithmetic"])
def test_ed25519(page: Opened, is_native: bool) -> None:
    """Project Wycheproof's cases, where the browser has Ed25519 and where it has not."""
    cases = wycheproof()
    asked = [[case.public.hex(), case.message.hex(), case.signature.hex(), is_native] for case in cases]
    said = page.call(
        "const {unhex} = parts, said = [];"
        "for (const [key, message, signature, isNative] of argument)"
        "  said.push(await parts.isSigned(unhex(key), unhex(message), unhex(signature), isNative));"
        "return said;",
        asked,
    )
    assert said == [case.is_valid for case in cases]


def test_weak_keys(page: Opened) -> None:
    """Keys that browsers take, and with which one signature fits every message."""
    identity = "01" + "00" * 31
    other = ["ec" + "ff" * 30 + "7f", "00" * 32, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"]
    not_canonical = "ee" + "ff" * 30 + "7f"
    strong = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    keys = [identity, *other, not_canonical, strong]
    assert page.call("return argument.map(key => parts.isStrong(parts.unhex(key)))", keys) == [False] * 5 + [True]


def test_inclusion(page: Opened) -> None:
    probes = load("merkle-probes.json")["inclusion"]
    said = page.call(
        "const {decode64} = parts;"
        "return argument.map(({leafHash, leafIdx, treeSize, proof, ...probe}) => {"
        "  const root = decode64(probe.root), path = (proof ?? []).map(decode64);"
        "  const found = parts.rootByPath(decode64(leafHash), leafIdx, treeSize, path);"
        "  return found !== null && parts.hex(found) === parts.hex(root);"
        "});",
        probes,
    )
    assert said == [not probe["wantErr"] for probe in probes]


def test_a_checkpoint_that_go_signed(page: Opened) -> None:
    vector = load("note-go-sumdb.json")
    note, policy = vector["note"], f"log {vector['vkey']}\nquorum none\n"
    said = page.call(
        "const bytes = new TextEncoder().encode(argument[0]), note = parts.parseNote(bytes);"
        "const policy = parts.parsePolicy(new TextEncoder().encode(argument[1]));"
        "const text = new TextEncoder().encode(note.text);"
        "return parts.isSigned(policy.logs[0].publicKey, text, note.signatures[0].signature);",
        [note, policy],
    )
    assert said is True


def test_tables(page: Opened) -> None:
    """Quotes, line ends, byte-order marks, encodings, missing and empty, JSON Lines (docs/format.md §15.3)."""
    cases = load("records/tables.json")
    said = page.call(
        "const said = [];"
        "for (const {file, how} of argument) {"
        "  try {"
        "    const {columns, rows} = await parts.readTable(parts.decode64(file), how);"
        "    said.push([columns, rows.map(row => JSON.stringify(row))]);"
        "  } catch { said.push(null); }"
        "}"
        "return said;",
        cases,
    )
    assert said == [None if "error" in case else [case["columns"], case["records"]] for case in cases]


def test_normal_forms_and_equality(page: Opened) -> None:
    cases, pairs = load("records/normal.json"), load("records/equal.json")
    said = page.call("return argument.map(({cell, reading}) => parts.normalForm(cell, reading))", cases)
    assert said == [case["normal"] for case in cases]
    said = page.call("return argument.map(item => parts.rowEquals(item.record, item.found, item.mapping))", pairs)
    assert said == [case["equal"] for case in pairs]


def test_opened_records(page: Opened) -> None:
    """Every one is of its content; of none with another root, at another place, or with another salt."""
    cases = [item for item in load("records/roots.json") if item["opened"]]
    opens = (
        "const opens = (opened, records) => {"
        "  try { parts.openedForm(opened); parts.openRecord(opened, records); return true; } catch { return false; }"
        "};"
    )
    assert all(
        page.call(
            opens
            + "return argument.flatMap(({opened, records}) => opened.flatMap(item => ["
            + "  opens(item, records), !opens(item, {...records, root: 'cd'.repeat(32)}),"
            + "  !opens({...item, record: item.record + 1}, records),"
            + "  !opens({...item, salt: 'A'.repeat(22) + '=='}, records)]));",
            cases,
        )
    )


def test_chunks(page: Opened) -> None:
    files = [item for item in load("records/chunks.json")["files"] if all("bytes" in part for part in item["parts"])]
    assert len(files) > 1
    said = page.call(
        "return argument.map(({parts: pieces}) => {"
        "  const whole = pieces.flatMap(({bytes, times}) => Array(times).fill(bytes)).join('');"
        "  return parts.chunkEnds(parts.unhex(whole));"
        "});",
        files,
    )
    assert said == [item["ends"] for item in files]


def test_scores(page: Opened) -> None:
    """Marks, words and scores, against values that were computed to 60 digits (docs/marks.md §4)."""
    cases = load("marks/scores.json")["cases"]
    said = page.call(
        "const said = [], inMillibits = parts.millibits;"
        "for (const item of argument) {"
        "  const rows = item.found_rows.map(row => parts.parseRecord(parts.decode64(row)));"
        "  const found = await new parts.FoundRows(rows, item.mapping, rows.length, item.found_columns).prepare();"
        "  const seal = parts.readSeal(item.marks, item.marks), score = parts.scoreSeal(seal, found, 'nobody');"
        "  const names = Object.keys(item.expected.words ?? {});"
        "  said.push({"
        "    of: score.of, found_count: score.found, chance_millibits: inMillibits(score.chance),"
        "    score_millibits: inMillibits(score.score),"
        "    words: Object.fromEntries(names.map(name => [name, inMillibits(score.wordFor(name))])),"
        "  });"
        "}"
        "return said;",
        cases,
    )
    for case, item in zip(cases, said, strict=True):
        expected = case["expected"]
        assert (item["of"], item["found_count"]) == (expected["of"], expected["found_count"]), case["name"]
        assert item["chance_millibits"] == pytest.approx(expected["chance_millibits"], abs=2)
        if "words" not in expected:
            assert item["score_millibits"] == pytest.approx(expected["score_millibits"], abs=2)
        for name, word in expected.get("words", {}).items():
            assert item["words"][name] == pytest.approx(word["word_millibits"], abs=2), (case["name"], name)


def test_what_is_needed_and_what_surprises(page: Opened) -> None:
    vectors: dict[str, Any] = load("marks/scores.json")
    said = page.call(
        "return argument.map(item => {"
        "  const seal = {threshold_millibits: item.threshold_millibits, bound: item.bound, recipients: 1};"
        "  return parts.needed(seal, item.n, item.seals);"
        "});",
        vectors["needed"],
    )
    assert said == [item["needed_millibits"] for item in vectors["needed"]]
    said = page.call(
        "return argument.map(({planted, found, records_found, records}) =>"
        "  parts.millibits(parts.surpriseBits(planted, found, records_found / records)));",
        vectors["surprises"],
    )
    for item, millibits in zip(vectors["surprises"], said, strict=True):
        assert millibits == pytest.approx(item["surprise_millibits"], abs=2), item
