"""Sealed places: nobody sees a value, equal values never look equal, and only what is shown is signed."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.core.commitment import commit
from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError
from ledger.party.errors import Unfit
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.sealing import check_opens, open_fields, seal_fields, sealed_places
from ledger.statements.reading import read_model

ID = "sha256:" + "1" * 64
OTHER_ID = "sha256:" + "2" * 64
STATEMENT: dict[str, Any] = {
    "issuer": "alpha",
    "ledger": "sha256:" + "0" * 64,
    "nonce": "A" * 22 + "==",
    "title": "Flights",
    "keywords": ["a", "a", "b"],
    "use": {"consents": "all", "a/b~c": [{"deep": ["x"]}]},
}


def test_any_place_is_sealed_at_any_depth_and_opens_to_the_very_same_statement() -> None:
    pointers = ["/title", "/keywords/1", "/keywords/0", "/use/a~1b~0c/0/deep/0", "/use/consents"]
    sealed, openings = seal_fields(STATEMENT, pointers)
    places = dict(sealed_places(sealed))
    assert sorted(places) == sorted(pointers)
    assert sealed["keywords"][2] == "b"
    assert places["/keywords/0"] != places["/keywords/1"]
    for opening in openings:
        assert places[opening.place.pointer] == commit(opening.place, opening.salt, opening.value)
    assert len({opening.salt for opening in openings}) == len(pointers)
    assert b"Flights" not in canonical(sealed)
    assert STATEMENT["title"] == "Flights"
    disclosures = [opening.disclosure(ID) for opening in openings]
    check_opens(sealed, ID, disclosures)
    assert open_fields(sealed, disclosures) == STATEMENT
    again, _ = seal_fields(STATEMENT, pointers)
    assert not {sealed for _, sealed in sealed_places(again)} & set(places.values())


@pytest.mark.parametrize(
    ("pointers", "words"),
    [
        (["/nothing"], "nothing at /nothing"),
        (["/keywords/3"], "nothing at"),
        (["/keywords/01"], "nothing at"),
        (["/keywords/-"], "nothing at"),
        (["/title/0"], "nothing at"),
        (["title"], "not a pointer"),
        ([""], "not a pointer"),
        (["/use", "/use/consents"], "lies in /use"),
        (["/secret"], "sealed already"),
    ],
)
def test_what_cannot_be_sealed_is_said(pointers: list[str], words: str) -> None:
    with pytest.raises(Unfit, match=words):
        seal_fields(STATEMENT | {"secret": {"sealed": "0" * 64}}, pointers)


@pytest.mark.parametrize(
    "change",
    [
        {"value": "Trains"},
        {"salt": "B" * 21 + "A=="},
        {"pointer": "/keywords/0"},
        {"statement_id": OTHER_ID},
        {"nonce": "B" * 21 + "A=="},
        {"issuer": "beta"},
        {"kind": "content"},
    ],
)
def test_a_disclosure_of_anything_else_opens_nothing(change: Json) -> None:
    sealed, (opening,) = seal_fields(STATEMENT, ["/title"])
    with pytest.raises(Unfit):
        check_opens(sealed, ID, [opening.disclosure(ID).model_copy(update=change)])


def test_what_is_sealed_of_marks_is_of_a_kind_of_its_own() -> None:
    """It opens its place, and is never put into it: an offer with open marks would be no statement."""
    marked = STATEMENT | {"marks": {"seal": {"codes": [1, 2]}}}
    sealed, (opening,) = seal_fields(marked, ["/marks/seal"])
    disclosure = opening.disclosure(ID)
    check_opens(sealed, ID, [disclosure])
    assert (disclosure.kind, disclosure.value) == ("marks", {"codes": [1, 2]})
    assert open_fields(sealed, [disclosure]) == sealed


@pytest.mark.parametrize(
    ("pointer", "change"),
    [
        ("/marks/seal", {"kind": "field"}),
        ("/marks/seal", {"kind": "content"}),
        ("/marks/seal", {"value": ["codes"]}),
        ("/marks/seal", {"value": "codes"}),
        ("/marks/bound", {"kind": "marks"}),
        ("/title", {"kind": "marks"}),
        ("/title", {"kind": "content"}),
        ("/content", {"kind": "marks"}),
        ("/content", {"kind": "field"}),
    ],
)
def test_each_place_takes_one_kind(pointer: str, change: dict[str, Json]) -> None:
    """What is disclosed as of another kind, or of marks and no object, is no disclosure (docs/format.md §8)."""
    kind = {"/content": "content", "/marks/seal": "marks"}.get(pointer, "field")
    own = {name: STATEMENT[name] for name in ("issuer", "ledger", "nonce")}
    good = own | {"kind": kind, "pointer": pointer, "salt": "A" * 22 + "==", "statement_id": ID, "value": {}}
    assert read_model(Disclosure, good).kind == kind
    with pytest.raises(FormatError):
        read_model(Disclosure, good | change)
