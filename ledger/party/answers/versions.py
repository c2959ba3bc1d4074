"""Statements of every version of the rules (docs/statements.md): written under the one in force, read under any."""

from __future__ import annotations

from contextlib import suppress

from ledger.core.errors import FormatError
from ledger.party.errors import NeedsRules, Unfit
from ledger.statements.common import Statement
from ledger.statements.parse import NEWEST_RULES, STATEMENTS, parse_statement


def check_statement(payload: bytes, rules: int) -> Statement:
    """Parse what we are about to say under the version in force.

    Raises FormatError for what every ledger would refuse, NeedsRules for what only a newer version allows, and Unfit
    where the ledger is under a version that this software does not know.
    """
    if rules not in STATEMENTS:
        raise Unfit(
            f"this ledger is under version {rules} of the rules, and this software knows {NEWEST_RULES}: update it"
        )
    try:
        return parse_statement(payload, rules)
    except FormatError as error:
        for newer in range(rules + 1, NEWEST_RULES + 1):
            with suppress(FormatError):
                raise NeedsRules(parse_statement(payload, newer).type, error.field, rules, newer) from error
        raise


def read_statement(payload: bytes) -> Statement:
    """Parse what somebody said; raise FormatError.

    Which version was in force then is not told by one entry. It need not be: what is well formed under several versions
    means the same under all of them.
    """
    try:
        return parse_statement(payload)
    except FormatError:
        for rules in sorted(STATEMENTS, reverse=True)[1:]:
            with suppress(FormatError):
                return parse_statement(payload, rules)
        raise
