"""What is said under one version of the rules, and read under any."""

from __future__ import annotations

import pytest

from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError
from ledger.party.answers.versions import check_statement, read_statement
from ledger.party.errors import NeedsRules, Unfit
from ledger.statements import version_1, version_2, version_5
from ledger.statements.common import Statement
from ledger.statements.parse import NEWEST_RULES, STATEMENTS
from ledger.statements.transfer import TransferOffered
from tests.harness.people import person
from tests.harness.speech import Speech, drawn_marks, marks

ID = "sha256:" + "5e" * 32
ALICE, BOB = person("alice"), person("bob")
SPEECH = Speech(ID)


def offer(**fields: Json) -> bytes:
    return canonical(SPEECH.transfer_offered(ALICE, BOB, ID, **fields))


@pytest.mark.parametrize(
    ("payload", "needed", "last"),
    [
        (offer(), 1, NEWEST_RULES),
        (offer(acknowledge_by_ms=1), 2, NEWEST_RULES),
        (offer(marks=marks()), 3, 5),
        (offer(marks=drawn_marks(ID)), 6, NEWEST_RULES),
    ],
)
@pytest.mark.parametrize("rules", STATEMENTS)
def test_what_is_too_new_is_said_to_need_the_first_version_that_knows_it(
    payload: bytes, needed: int, last: int, rules: int
) -> None:
    if rules > last:
        with pytest.raises(FormatError):
            check_statement(payload, rules)
        return
    if rules >= needed:
        assert isinstance(check_statement(payload, rules), STATEMENTS[rules]["transfer.offered"])
        return
    with pytest.raises(NeedsRules) as error:
        check_statement(payload, rules)
    assert (error.value.kind, error.value.rules, error.value.needed) == ("transfer.offered", rules, needed)


def test_what_no_version_knows_is_wrong_under_each_of_them() -> None:
    for rules in STATEMENTS:
        with pytest.raises(FormatError):
            check_statement(offer(marks=marks(bound="0.0")), rules)
        with pytest.raises(FormatError):
            check_statement(offer(more=1), rules)


def test_a_version_that_this_software_does_not_know_is_told() -> None:
    with pytest.raises(Unfit, match="update it"):
        check_statement(offer(), NEWEST_RULES + 1)


def test_what_is_of_a_version_is_of_the_earlier_ones_too() -> None:
    """Where a version only adds to a type: who reads an offer need not ask of which version it is."""
    said: list[type[Statement]] = [
        version_1.TransferOffered, version_2.TransferOffered, version_5.TransferOffered, TransferOffered
    ]  # fmt: skip
    assert [STATEMENTS[rules]["transfer.offered"] for rules in (1, 2, 3, 6)] == said
    for rules in STATEMENTS:
        assert isinstance(check_statement(offer(), rules), version_1.TransferOffered)
    assert isinstance(read_statement(offer(marks=marks())), version_5.TransferOffered)
    assert isinstance(read_statement(offer(marks=drawn_marks(ID))), TransferOffered)
