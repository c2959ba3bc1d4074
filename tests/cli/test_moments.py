"""Moments and places as people write them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import typer

from ledger.cli.kit.moments import parse_moment
from ledger.cli.kit.saying import exactly_one, pointers
from ledger.cli.party.usage import _derivative
from ledger.party.acts.reporting import Derivative

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("text", "from_now_ms"),
    [
        ("P30D", 30 * DAY_MS),
        ("PT12H", DAY_MS // 2),
        ("P1W", 7 * DAY_MS),
        ("P1DT6H30M1S", DAY_MS + 23_401_000),
        ("-P7D", -7 * DAY_MS),
        ("+PT1M", 60_000),
        ("PT0S", 0),
    ],
)
def test_a_duration_counts_from_now(text: str, from_now_ms: int) -> None:
    before = time.time_ns() // 1_000_000
    found = parse_moment(text, "--by")
    assert before + from_now_ms <= found <= time.time_ns() // 1_000_000 + from_now_ms


def test_a_date_or_time_is_itself() -> None:
    assert parse_moment("2027-01-31", "--by") == 1_801_353_600_000
    assert parse_moment("2027-01-31T01:00:00+01:00", "--by") == 1_801_353_600_000


@pytest.mark.parametrize(
    "text",
    ["P", "PT", "P1M", "P1Y", "P1.5D", "p30d", "30d", "P-1D", "P1DT", "P1D ", "-P999999D", "2027-02-30", "", "P٣D"],
)
def test_what_is_neither_is_refused_with_the_option_named(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="--by"):
        parse_moment(text, "--by")


def test_a_place_may_be_written_without_its_slash() -> None:
    assert pointers(["purpose", "/purpose", "/derivatives/0/title"]) == ["/derivatives/0/title", "/purpose"]
    assert pointers(None) == []


@pytest.mark.parametrize("given", [{"license": None, "transfer": None}, {"license": "a", "transfer": "b"}])
def test_one_of_two_is_asked_for_by_name(given: dict[str, str | None]) -> None:
    with pytest.raises(typer.BadParameter, match="--license or --transfer"):
        exactly_one(**given)
    exactly_one(license="a", transfer=None)


def test_a_derivative_is_a_title_an_id_or_a_file_and_never_a_mistyped_name(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"abc")
    listing = "sha256:" + "ab" * 32
    assert _derivative("Model 7") == Derivative("Model 7")
    assert _derivative("a=b=") == Derivative("a=b")
    assert _derivative(f"Model={listing}") == Derivative("Model", listing=listing)
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert _derivative(f"Model={file}") == Derivative("Model", sha256=digest)
    with pytest.raises(typer.BadParameter, match="neither"):
        _derivative(f"Model={tmp_path / 'modle.bin'}")
