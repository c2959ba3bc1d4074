"""The tables of fields since version 2 (docs/statements.md), place by place, against a second writing of them."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tests.verifier.builder import TYPES, canonical
from tests.verifier.schema.examples_v2 import EXAMPLES, HEX, ID, OPTIONAL, OTHER_ID, SEALABLE, SEALED, example
from verifier.core.errors import CheckFailed, MalformedInput
from verifier.core.jcs import parse_canonical
from verifier.schema.entries import parse_statement
from verifier.schema.templates import read_template
from verifier.schema.versions import NEWEST_RULES, STATEMENT_TYPES, verify_fields
from verifier.terms.vocabulary import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[str | int, ...]


def places(value: Any, above: Place = ()) -> Iterator[Place]:
    """Every member and item of a value, at any depth, but what a commitment holds."""
    if isinstance(value, dict) and value.keys() != {"sealed"}:
        for name, member in value.items():
            yield (*above, name)
            yield from places(member, (*above, name))
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield (*above, position)
            yield from places(member, (*above, position))


def at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def changed(statement: dict[str, Any], place: Place, new: Any) -> dict[str, Any]:
    """Return a copy with another value at one place."""
    copy = deepcopy(statement)
    at(copy, place[:-1])[place[-1]] = new
    return copy


def pattern(place: Place) -> str:
    return "".join("/*" if isinstance(step, int) else f"/{step}" for step in place)


def own_places(kind: str) -> Iterator[Place]:
    return places(EXAMPLES[kind])


def refusal(statement: dict[str, Any], rules: int = NEWEST_RULES) -> str | None:
    """Return the reason why a statement's fields are refused, by the tables and by the bytes alike."""
    try:
        verify_fields(statement["type"], statement, rules)
    except MalformedInput as error:
        with pytest.raises(CheckFailed):
            parse_statement(canonical(statement), rules)
        return error.reason
    assert parse_statement(canonical(statement), rules) == statement
    return None


def test_the_types_are_those_of_the_page() -> None:
    since_4, since_6 = {"ledger.log_key_added", "ledger.log_key_retired"}, {"transfer.prepared", "transfer.requested"}
    assert STATEMENT_TYPES[2] == STATEMENT_TYPES[NEWEST_RULES] - since_4 - since_6 == set(TYPES)
    assert set(EXAMPLES) == set(TYPES) | since_6


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_field_may_stand_and_only_optional_ones_may_be_left_out(kind: str) -> None:
    """With everything that its table has a statement is good; without a field, only if that is optional."""
    whole = example(kind)
    assert refusal(whole) is None
    optional = OPTIONAL.get(kind, "").split()
    for name in EXAMPLES[kind]:
        without = {field: value for field, value in whole.items() if field != name}
        assert refusal(without) == (None if name in optional else "missing-field"), name
    least = {name: value for name, value in whole.items() if name not in optional}
    assert refusal(least) == ("missing-field" if kind in {"listing.amended", "license.amended"} else None)
    for place in [(), *own_places(kind)]:
        holder = at(whole, place)
        if isinstance(holder, dict) and "terms" not in place:
            assert refusal(changed(whole, (*place, "zzz"), 1)) == "unknown-field", place


@pytest.mark.parametrize("kind", EXAMPLES)
def test_only_places_that_are_marked_may_be_sealed(kind: str) -> None:
    """Every place of every type: a commitment may stand there if and only if the table says so."""
    whole, sealable = example(kind), SEALABLE.get(kind, "").split()
    met = set[str]()
    for place in own_places(kind):
        if at(whole, place) == SEALED:
            continue
        reason = refusal(changed(whole, place, SEALED))
        assert (reason is None) == (pattern(place) in sealable), (place, reason)
        if reason is None:
            met.add(pattern(place))
            assert refusal(changed(whole, place, SEALED | {"x": 1})) == "unknown-field", place
            assert refusal(changed(whole, place, {"sealed": HEX[1:]})) == "wrong-value", place
            assert refusal(changed(whole, place, {"sealed": None})) == "wrong-type", place
    assert met == set(sealable)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_value_of_another_json_type_is_refused(kind: str) -> None:
    """Absent is absent, never `null`; a bool is no integer, and a number is no text."""
    whole = example(kind)
    for place in own_places(kind):
        if place[0] == "terms" and len(place) > 1:
            continue  # their words are verifier/terms/terms.py's
        value = at(whole, place)
        others: tuple[Any, ...] = (None, "7", 7, True, [], {})
        for other in others:
            if type(other) is not type(value):
                assert refusal(changed(whole, place, other)) in {"wrong-type", "missing-field"}, (place, other)


_DESCRIBED = "listing.registered+listing.amended"
_TEXTS = f"""
party.registered line identity/legal_name 300, identity/jurisdiction 100, identity/registration/authority 300
party.registered line identity/registration/number 100
{_DESCRIBED} line title 300, publisher 300, rights_holder 300, version 50, keywords/0 100, spatial/1 200
{_DESCRIBED} line conforms_to/0 500, distributions/0/title 300, distributions/0/access_url 2000, venue/name 300
{_DESCRIBED} line sources/0/title 300, sources/0/publisher 300, sources/0/uri 2000, venue/registration 200
{_DESCRIBED} line use/classification 500, use/consents 500, use/copyright 500, use/license 500, use/patent 500
{_DESCRIBED} line use/privacy_enhancing 500, use/trademark 500, use/intended_purpose/0 300
{_DESCRIBED} line use/processing_excluded/0 300, use/processing_included/1 300
{_DESCRIBED} line use/storage_allowed/0 300, use/storage_forbidden/1 300
{_DESCRIBED}+classification.changed line classification/level 100, classification/authority 200
{_DESCRIBED} text description 4000
party.key_revoked+listing.withdrawn+classification.changed+license.ended+transfer.refused text reason 1000
license.agreed+license.amended line governing_law 300, forum 300
license.agreed+transfer.offered line dsp/agreement 500, dsp/provider_pid 500, dsp/consumer_pid 500
license.ended line notice/channel 200
transfer.forwarded line outsider 300, purpose 200, spatial 200
disclosure.compelled line authority 300, instrument 500
disclosure.compelled+erasure.requested text scope 4000
usage.reported line purpose 200, spatial 200, industry 200, product 200, recipient 200, derivatives/0/title 300
venue.status text note 1000
claim.opened line clause 500
claim.opened text demand 4000
claim.answered text answer 4000
claim.determined text decision 4000
erasure.requested line authority 300
erasure.attested line method 300
"""
"""Types, whether it is a *line* or a *text*, places and their bounds."""


def texts() -> list[tuple[str, Place, int, bool]]:
    """Type, place, most characters, and whether a line feed may stand in it."""
    found: list[tuple[str, Place, int, bool]] = []
    for row in _TEXTS.strip().split("\n"):
        kinds, form, listed = row.split(None, 2)
        for kind in kinds.split("+"):
            for bound in listed.split(", "):
                path, most = bound.split()
                place = tuple(int(step) if step.isdigit() else step for step in path.split("/"))
                found.append((kind, place, int(most), form == "text"))
    return found


@pytest.mark.parametrize(("kind", "place", "most", "is_text"), texts())
def test_texts_have_bounds(kind: str, place: Place, most: int, is_text: bool) -> None:
    """Counted in code points, whatever the script; only a *text* has lines."""
    whole = example(kind)
    for word, reason in (
        ("\u4e2d" * most, None),
        ("\U0001f600" * most, None),
        ("x" * (most + 1), "wrong-value"),
        ("", "wrong-value"),
        ("a\nb", None if is_text else "wrong-value"),
    ):
        assert refusal(changed(whole, place, word)) == reason, word[:3]


def ids(count: int) -> list[str]:
    return [f"sha256:{number:064x}" for number in range(count)]


LISTS: list[tuple[str, str, list[Any], int]] = [
    ("listing.registered", "keywords", ["w"], 20),
    ("listing.registered", "spatial", ["w"], 20),
    ("listing.registered", "conforms_to", ["w"], 20),
    ("listing.registered", "distributions", [{"media_type": "a/b"}], 100),
    ("listing.registered", "sources", [{"title": "w"}], 50),
    ("usage.reported", "derivatives", [{"title": "w"}], 50),
]


@pytest.mark.parametrize(("kind", "name", "item", "most"), LISTS)
def test_lists_have_bounds(kind: str, name: str, item: list[Any], most: int) -> None:
    """From one item up to the bound, sealed items among them; in any order, and as often as wanted."""
    whole = example(kind)
    assert refusal(whole | {name: item * most}) is None
    assert refusal(whole | {name: [SEALED, *item * (most - 1)]}) is None
    assert refusal(whole | {name: []}) == refusal(whole | {name: item * (most + 1)}) == "wrong-value"


def certified(chain: list[str], signature: str) -> dict[str, Any]:
    return {"certificates": {"chain": chain, "signature": signature}}


MARKS = {"bound": "0.001", "method": "tardos", "seal": SEALED, "threshold_millibits": 20_000}
"""What an offer said of marks under versions 3 to 5."""
OF_SALTS = {"transfer": None, "request": None, "statement": ID}


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("listing.registered", {"derived_from": ids(50)}, None),
        ("listing.registered", {"derived_from": ids(51)}, "wrong-value"),
        ("listing.registered", {"derived_from": [OTHER_ID, ID]}, "wrong-value"),
        ("listing.registered", {"derived_from": [ID, ID]}, "wrong-value"),
        ("listing.registered", {"use": {}}, "missing-field"),
        ("listing.registered", {"venue": {}}, "missing-field"),
        ("party.registered", {"identity": {}}, "missing-field"),
        ("party.registered", {"identity": certified([""], "QQ==")}, "wrong-value"),
        ("party.registered", {"identity": certified(["QQ=="] * 5, "QQ==")}, "wrong-value"),
        ("party.registered", {"identity": certified(["QQ"], "QQ==")}, "bad-base64"),
        ("party.registered", {"identity": certified(["QQ=="], "QUJD" * 342)}, "wrong-value"),
        ("license.agreed", {"dsp": {}}, "missing-field"),
        ("license.agreed", {"valid_from_ms": 2}, "wrong-value"),
        ("license.agreed", {"valid_until_ms": 2**53}, "wrong-value"),
        ("license.agreed", {"text": {"bytes": 0, "media_type": "a/b", "sha256": HEX}}, "wrong-value"),
        ("license.agreed", {"licensee": "cedar"}, "wrong-value"),
        ("license.agreed", {"listing": OTHER_ID}, "wrong-value"),
        ("license.ended", {"code": "boredom"}, "wrong-value"),
        ("transfer.refused", {"code": "breach"}, "wrong-value"),
        ("transfer.offered", {"acknowledge_by_ms": -1}, "wrong-value"),
        ("transfer.forwarded", {"recipient": "birch"}, "unknown-field"),
        ("disclosure.compelled", {"listing": ID}, "unknown-field"),
        ("usage.reported", {"action": "burn"}, "wrong-value"),
        ("usage.reported", {"fulfils": ["inform", "attribute"]}, "wrong-value"),
        ("usage.reported", {"fulfils": ["burn"]}, "wrong-value"),
        ("usage.reported", {"count": 0}, "wrong-value"),
        ("venue.status", {"status": "asleep"}, "wrong-value"),
        ("claim.opened", {"transfer": ID}, "unknown-field"),
        ("claim.answered", {"position": "maybe"}, "wrong-value"),
        ("claim.determined", {"outcome": "maybe"}, "wrong-value"),
        ("erasure.requested", {"transfer": ID}, "unknown-field"),
        ("erasure.requested", {"basis": "whim"}, "wrong-value"),
        ("erasure.attested", {"license": ID}, "unknown-field"),
        ("erasure.attested", {"destroyed": ["keys", "data"]}, "wrong-value"),
        ("erasure.attested", {"pointers": ["/title"]}, "unknown-field"),
        ("erasure.attested", {"transfer": None, "statement": ID}, "missing-field"),
        ("erasure.attested", {"transfer": None, "statement": ID, "pointers": ["/title"]}, "unknown-field"),
        ("erasure.attested", OF_SALTS | {"pointers": ["/title"]}, None),
        ("erasure.attested", OF_SALTS | {"pointers": []}, "wrong-value"),
        ("erasure.attested", OF_SALTS | {"pointers": ["/b", "/a"]}, "wrong-value"),
    ],
)  # fmt: skip
def test_bounds_and_relations(kind: str, change: dict[str, Any], reason: str | None) -> None:
    """What the tables say of sets, codes, and several fields at once; None takes a field away."""
    fields = {name: value for name, value in (example(kind) | change).items() if value is not None}
    assert refusal(fields) == reason


def test_the_least_form_of_things_that_need_one_member() -> None:
    """One of the alternatives is enough, sealed or not, wherever a table says *any of*."""
    whole = example("listing.amended")
    common = {name: value for name, value in whole.items() if name not in EXAMPLES["listing.amended"]}
    for name in OPTIONAL["listing.amended"].split():
        assert refusal(common | {"listing": ID, name: whole[name]}) is None, name
    for kind, name in (("listing.registered", "use"), ("party.registered", "identity"), ("license.agreed", "dsp")):
        for member in EXAMPLES[kind][name]:
            assert refusal(changed(example(kind), (name,), {member: SEALED})) is None, (name, member)


def test_terms_that_nest_too_deeply_are_refused_as_such() -> None:
    """Of all fields only terms can nest; no path of reading lets more than sixteen levels pass."""
    constraint: dict[str, Any] = {"leftOperand": "count", "operator": "lt", "rightOperand": 5}
    accepted = []
    for depth in range(1, 12):
        terms = EXAMPLES["license.agreed"]["terms"] | {"permission": [{"action": "use", "constraint": [constraint]}]}
        statement = example("license.agreed") | {"terms": terms}
        if is_canonical(statement):
            assert refusal(statement) is None, depth
            accepted.append(depth)
        else:
            assert refusal(statement) == "too-deep"
        constraint = {"or": [constraint, {"leftOperand": "count", "operator": "lt", "rightOperand": 9 + depth}]}
    assert accepted == [1, 2, 3, 4, 5, 6]  # the constraint of depth 1 stands at level 6, and each `or` adds two


def is_canonical(value: Any) -> bool:
    try:
        parse_canonical(canonical(value), "x")
    except MalformedInput:
        return False
    return True


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"method": "paint"}, "wrong-value"),
        ({"method": "omission"}, "wrong-value"),
        ({"method": "canary"}, None),
        ({"threshold_millibits": 0}, "wrong-value"),
        ({"threshold_millibits": 2**53}, "wrong-value"),
        ({"seal": {"codes": []}}, "missing-field"),
        ({"seal": HEX}, "wrong-type"),
    ],
)
def test_marks_before_version_6(change: dict[str, Any], reason: str | None) -> None:
    """They keep their meaning where that version is in force, and are no marks of the newest."""
    whole = example("transfer.offered") | {"marks": MARKS | change}
    assert [refusal(whole, rules) for rules in (3, 4, 5)] == [reason] * 3
    assert refusal(whole) == "missing-field"
    assert refusal(example("transfer.offered"), 5) == "missing-field"


@pytest.mark.parametrize(
    ("bound", "reason"),
    [
        ("0.1", None),
        ("0." + "0" * 29 + "1", None),
        ("0." + "9" * 30, None),
        ("0.10", None),
        ("0." + "1" * 31, "wrong-value"),
        *((text, "wrong-value") for text in ("0.0", "0." + "0" * 30, "0.", "0", "1", "1.0", ".1", "00.1", "-0.1")),
        *((text, "wrong-value") for text in ("0.1\n", " 0.1", "0.1 ", "0,1", "0.1e-3", "0.\u0661", "0.x", "")),
        (0, "wrong-type"),
        (SEALED, "wrong-type"),
    ],
)
def test_the_bound_of_marks(bound: Any, reason: str | None) -> None:
    """A decimal above 0 and below 1, with up to 30 digits."""
    whole = example("transfer.offered") | {"marks": MARKS | {"bound": bound}}
    assert refusal(whole, 5) == reason
    assert refusal(example("transfer.prepared") | {"bound": bound}) == reason


def test_version_2_knows_no_marks() -> None:
    """All else means the same under version 3."""
    for kind in TYPES:
        whole = example(kind)
        is_newer = kind in {"transfer.offered", "transfer.acknowledged"}
        assert refusal(whole, 2) == ("unknown-field" if is_newer else None), kind
        whole.pop("marks", None)
        whole.pop("opens", None)
        assert refusal(whole, 2) is None, kind


def test_version_1_reads_as_it_always_did() -> None:
    """What only version 2 has is unknown under version 1, and what only version 1 had under version 2."""
    assert refusal(example("transfer.offered") | {"dsp": None}, 1) == "unknown-field"
    assert refusal(example("listing.registered"), 1) == "unknown-field"
    plain = {name: value for name, value in example("transfer.refused").items() if name not in {"code", "content"}}
    assert (refusal(plain, 1), refusal(plain, 2)) == (None, "missing-field")
    assert refusal(plain | {"reason": SEALED}, 1) == "wrong-type"
    for kind in STATEMENT_TYPES[2] - STATEMENT_TYPES[1]:
        with pytest.raises(CheckFailed) as caught:
            parse_statement(canonical(example(kind)), 1)
        assert caught.value.failure.reason == "unknown-type"


def slowly(payload: bytes, rules: int) -> Any:
    """Return the statement by way of the general reader and the field tables, None if they refuse it."""
    try:
        value = parse_canonical(payload, "payload")
        verify_fields(value["type"], value, rules)
    except (MalformedInput, KeyError, TypeError):
        return None
    return value


_RARE = {"industry", "product", "recipient", "from_ms", "until_ms", "fulfils", "derivatives"}
_USE = {name: value for name, value in example("usage.reported").items() if name not in _RARE}


@pytest.mark.parametrize("left_out", [(), ("count", "purpose", "seen", "transfer")])
def test_the_template_of_a_use_reads_what_the_tables_read(left_out: tuple[str, ...]) -> None:
    """Since version 2; every byte, changed into every other."""
    payload = canonical({name: value for name, value in _USE.items() if name not in left_out})
    for rules in STATEMENT_TYPES:
        assert read_template(payload, rules) == (slowly(payload, rules) if rules > 1 else None)
    assert read_template(payload, NEWEST_RULES) == json.loads(payload)
    for at in range(len(payload)):
        for byte in range(256):
            changed = payload[:at] + bytes([byte]) + payload[at + 1 :]
            template = read_template(changed, 2)
            assert template is None or template == slowly(changed, 2), changed


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("action", [*sorted(ACTIONS), "", "trains", "Use", None]),
        ("count", [1, 2**53 - 1, 0, 2**53, 10**16, True, 1.0, "1", SEALED]),
        ("purpose", ["x" * 200, "x" * 201, "", "a\nb", 'a"b', "a\\b", "~ !", "\x7f", "ä", SEALED, None]),
        ("spatial", ["DE", "DE-BY", "x" * 201, "", "a\nb", '"', "\\", SEALED]),
        ("transfer", ["sha256:" + "A" * 64, "sha256:" + "a" * 63, SEALED]),
        ("license", ["sha256:" + "a" * 65, "a" * 64]),
        ("seen", [{"root": HEX, "size": 0}, {"root": HEX, "size": 2**53}, {"root": HEX}, SEALED]),
        ("not_after_ms", [0, 2**53]),
        ("industry", ["word"]),
        ("fulfils", [["inform"]]),
        ("extra", [1]),
    ],
)
def test_the_template_of_a_use_leaves_what_is_rare_to_the_tables(name: str, values: list[Any]) -> None:
    """It says what the tables say, or nothing."""
    assert {read_template(canonical(_USE | {"action": action}), 2) is None for action in ACTIONS} == {False}
    for value in values:
        changed = canonical(_USE | {name: value})
        template = read_template(changed, 2)
        assert template is None or template == slowly(changed, 2), changed


def test_the_template_of_an_offer_reads_when_it_is_to_be_acknowledged() -> None:
    """Since version 2 only; whatever is out of the ordinary is left to the tables."""
    plain = example("transfer.offered")
    marks = {"marks": plain.pop("marks")}
    del plain["dsp"]
    assert read_template(canonical(plain), 2) == read_template(canonical(plain), NEWEST_RULES) == plain
    assert read_template(canonical(plain | marks), NEWEST_RULES) is None
    assert read_template(canonical(plain), 1) is None
    assert refusal(plain, 1) == "unknown-field"
    for wrong in (2**53, -1, "7", None, 10**16):
        assert read_template(canonical(plain | {"acknowledge_by_ms": wrong}), 2) is None
    without = {name: value for name, value in plain.items() if name != "acknowledge_by_ms"}
    assert read_template(canonical(without), 2) == read_template(canonical(without), 1) == without
    assert read_template(canonical(without | {"dsp": SEALED}), 2) is None
    text = canonical(plain)
    for spot in re.finditer(rb"[0-9]", text):
        swapped = text[: spot.start()] + b"x" + text[spot.end() :]
        template = read_template(swapped, 2)
        assert template is None or template == parse_canonical(swapped, "x")
