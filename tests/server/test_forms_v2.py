"""The tables of docs/statements.md, read a third time: ledger and verifier must both read them so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError
from ledger.statements.parse import STATEMENTS, parse_statement
from tests.server.faults_v2 import DECIDED, EXCLUSIVE, REFERENCES, ROLES, TERMS
from tests.server.forms_v2 import FORMS, allowed, refused
from tests.server.good_v2 import good
from tests.server.stage_v2 import Stage
from verifier.core.errors import MalformedInput
from verifier.schema.versions import NEWEST_RULES, verify_fields

Reason = str | None
OLD = {"ledger.created", "ledger.rules_changed", "party.registered", "party.key_added", "party.key_revoked"}
KEYS = {"ledger.log_key_added", "ledger.log_key_retired"}
"""Version 4 has them; test_log_keys.py and the conformance suite spoil them."""
DRAWN = {"transfer.requested"}
"""Needs a checkpoint over what it names, as an offer's marks need one: the conformance suite has both."""


def by_ledger(statement: Json) -> Reason:
    """Return why the ledger's models refuse a statement, or None."""
    try:
        parse_statement(canonical(statement))
    except FormatError as error:
        return error.reason
    return None


def by_verifier(statement: Json) -> Reason:
    """Return why the verifier's tables refuse a statement, or None."""
    try:
        verify_fields(statement["type"], statement, NEWEST_RULES)
    except MalformedInput as error:
        return error.reason
    return None


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


def test_every_new_type_has_its_table() -> None:
    assert set(FORMS) | OLD | KEYS | DRAWN == set(STATEMENTS[NEWEST_RULES])


@pytest.mark.parametrize("read", [by_ledger, by_verifier])
def test_both_readings_are_that_of_the_tables(stage: Stage, read: Callable[[Json], Reason]) -> None:
    originals = good(stage)
    assert {kind: read(statement) for kind, statement in originals.items()} == dict.fromkeys(originals)
    malformed = [(change, read(change.apply(originals[change.kind])), reasons) for change, reasons, _ in refused()]
    assert not [item for item in malformed if item[1] not in item[2]]
    formed = [(change, read(change.apply(originals[change.kind]))) for change in allowed()]
    assert not [item for item in formed if item[1] is not None]
    assert (len(malformed) > 1500, len(formed) > 600) == (True, True)


@pytest.mark.parametrize("read", [by_ledger, by_verifier])
def test_both_readings_tell_exclusive_fields_and_terms(stage: Stage, read: Callable[[Json], Reason]) -> None:
    faults = EXCLUSIVE | TERMS
    assert {name: read(fault.make(stage)) for name, fault in faults.items()} == {
        name: fault.reason for name, fault in faults.items()
    }
    well_formed = REFERENCES | ROLES | DECIDED
    assert {name: read(fault.make(stage)) for name, fault in well_formed.items()} == dict.fromkeys(well_formed)
