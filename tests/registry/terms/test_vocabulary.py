"""The tables of the code are those of docs/terms.md §4, word by word."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.statements.vocabulary import COVERS, PURPOSE_PARENT, REGION_PARENT, covers, upward

PAGE = (Path(__file__).parents[3] / "docs" / "terms.md").read_text(encoding="utf-8")
TABLES = PAGE[PAGE.index("## 4.") : PAGE.index("## 5.")]


def section(number: str, following: str) -> str:
    return TABLES[TABLES.index(f"{number} **") : TABLES.index(following)]


def test_actions() -> None:
    text = section("4.1", "4.2 **")
    use, transfer = re.findall(r"`(\w+)` covers (?:all of )?((?:`\w+`(?:, )?)+)", text)
    assert use[0] == "use"
    assert COVERS["use"] == {"use", *re.findall(r"\w+", use[1])}
    assert transfer == ("transfer", "`sell`")
    assert COVERS["transfer"] == {"transfer", "sell"}
    assert len(COVERS) == 15
    assert {action for action in COVERS if len(COVERS[action]) > 1} == {"use", "transfer"}
    assert all(covers(action, action) for action in COVERS)
    assert not covers("use", "transfer")
    assert not covers("read", "use")


def test_purposes() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section("4.2", "4.3 **"), re.MULTILINE)
    table = {child: parent for parent, below in rows for child in re.findall(r"\w+", below)}
    assert len(rows) == 12
    assert table == PURPOSE_PARENT
    line = {"TargetedAdvertising", "PersonalisedAdvertising", "Advertising", "Marketing", "CommercialPurpose"}
    assert upward("purpose", "TargetedAdvertising") == line
    assert upward("product", "TargetedAdvertising") == {"TargetedAdvertising"}


def test_regions() -> None:
    text = section("4.3", "4.4 **")
    union = re.search(r"`EU` is over ([A-Z\s]+);", text)
    assert union is not None
    states = union[1].split()
    assert len(states) == 27
    assert dict.fromkeys(states, "EU") | dict.fromkeys(("EU", "IS", "LI", "NO"), "EEA") == REGION_PARENT
    assert upward("spatial", "DE-BY") == {"DE-BY", "DE", "EU", "EEA"}
    assert upward("spatial", "欧盟") == {"欧盟"}
    assert "DE" not in upward("spatial", "EU")


def test_codes() -> None:
    for operand in ("industry", "product"):
        assert upward(operand, "64.19.2") == {"64.19.2", "64.19", "64"}
        assert upward(operand, "64") == {"64"}
    assert upward("recipient", "bob.example") == {"bob.example"}
    assert upward("version", "1.2") == {"1.2"}
