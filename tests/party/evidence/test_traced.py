"""What of a trace goes into a case: which hand-off, which matches, which seals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.core.encoding import Json
from ledger.party.chain.told import Told
from ledger.party.evidence.parts.errors import EvidenceError, Missing, NotOfThisCase
from ledger.party.evidence.parts.traced import Trace, check_covers, choose_transfer, limit, read_trace, withhold
from ledger.party.evidence.report import numbers


def a_transfer(name: str, recipient: str, *, is_enough: bool = False, **more: Json) -> dict[str, Json]:
    own = {
        "conclusion": {"is_enough": is_enough},
        "controls": {"others": []},
        "hypotheses": [],
        "ledger": "the ledger",
        "license": f"license of {recipient}",
        "listing": "the listing",
        "marks": {"method": "canary", "status": "opened", "transfer": name},
        "recipient": recipient,
        "transfer": name,
    }
    return own | more


def a_trace(*transfers: dict[str, Json], **more: Json) -> Trace:
    found = {"bytes": 1, "format": "csv", "name": "leak.csv", "sha256": "ab"}
    document = {"custody": [], "found": found, "found_rows": [], "mark_rows": {}, "type": "provenance-ledger.trace/v1"}
    return Trace(b"{}", document | {"transfers": list(transfers)} | more)


def a_claim(**fields: Json) -> Told:
    return Told(9, 9, "claim", {"type": "claim.opened", "issuer": "alpha", "respondent": "beta"} | fields)


def test_the_hand_off_is_the_one_named_else_the_claims_else_the_only_one_that_has_enough() -> None:
    trace = a_trace(a_transfer("t1", "beta"), a_transfer("t2", "beta", is_enough=True), a_transfer("t3", "gamma"))
    assert choose_transfer(trace, "t1", a_claim(transfer="t3")) == "t1"
    assert choose_transfer(trace, None, a_claim(transfer="t3")) == "t3"
    assert choose_transfer(trace, None, a_claim(license="license of beta")) == "t2"
    assert choose_transfer(trace, None, None) == "t2"
    with pytest.raises(Missing, match="0 hand-offs"):
        choose_transfer(trace, None, a_claim(license="another"))
    with pytest.raises(Missing, match="2 hand-offs"):
        choose_transfer(a_trace(a_transfer("t1", "beta"), a_transfer("t2", "beta")), None, None)


def test_matches_are_spread_and_marks_are_never_left_out() -> None:
    matches = [{"file": 0, "kind": "exact", "record": at, "row": at} for at in range(100)]
    rows = [{"row": at, "value": ""} for at in range(100)]
    trace = a_trace(a_transfer("t1", "beta"), mark_rows={"the listing": [7, 200]})
    kept = limit({"found_rows": [*rows, {"row": 200, "value": ""}], "matches": matches}, trace, "the listing", 3)
    assert [match["record"] for match in kept["matches"]] == [0, 7, 34, 67]
    assert [row["row"] for row in kept["found_rows"]] == [0, 7, 34, 67, 200]


@pytest.mark.parametrize(("method", "others"), [("canary", ["t3"]), ("tardos", ["t2", "t3"])])
def test_a_withheld_seal_takes_with_it_what_needs_it_and_no_more(method: str, others: list[str]) -> None:
    marks = {"method": method, "status": "opened"}
    trace = a_trace(
        *(a_transfer(name, who, marks=marks) for name, who in (("t1", "beta"), ("t2", "gamma"), ("t3", "delta"))),
        a_transfer("t4", "beta", marks=marks),
    )
    members: dict[str, Json] = {
        "controls": {"greatest_millibits": 0, "others": [{"transfer": "t2"}, {"transfer": "t3"}]},
        "hypotheses": [{"hypothesis": name} for name in ("recipient", "sender")]
        + [{"hypothesis": "other", "party": name} for name in ("gamma", "delta")],
        "marks": [{"status": "opened", "transfer": name} for name in ("t1", "t4")],
    }
    kept = withhold(members, trace, "t1", {"t2", "t4"})
    assert [item["transfer"] for item in kept["controls"]["others"]] == others
    assert [item.get("party") for item in kept["hypotheses"]] == [None, None, "delta"]
    assert kept["marks"] == [members["marks"][0], {"status": "withheld", "transfer": "t4"}]
    for wrong in ({"t1"}, {"t9"}):
        with pytest.raises(EvidenceError):
            withhold(members, trace, "t1", wrong)


def test_a_marked_copy_that_was_not_traced_is_missed() -> None:
    trace = a_trace(a_transfer("t1", "beta"))
    later = Told(9, 9, "t2", {"type": "transfer.offered", "issuer": "alpha", "marks": {}})
    check_covers(trace, [Told(8, 8, "t1", later.fields)], "beta")
    with pytest.raises(NotOfThisCase, match="t2"):
        check_covers(trace, [later], "beta")


@pytest.mark.parametrize(
    "spoilt",
    [b"", b"[]", b'{"type": "provenance-ledger.trace/v1"}', b"\xff\x00", b'{"a": 1.5}', b'{"a": {}, "a": {}}'],
)
def test_what_is_no_trace_is_none(spoilt: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(spoilt)
    with pytest.raises(NotOfThisCase, match=r"trace\.json is not a trace"):
        read_trace(path)
    path.write_text(json.dumps(a_trace(a_transfer("t1", "beta")).document))
    assert read_trace(path).entry("t1")["recipient"] == "beta"


def test_numbers_in_words_never_claim_too_much() -> None:
    assert numbers.bound("0.000001") == "one in 1,000,000 (0.000001)"
    assert (numbers.milli(59_629), numbers.milli(0), numbers.bits(24_254)) == ("59.6", "0", "24.3")
