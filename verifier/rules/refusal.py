"""How a rule refuses, and the checks that many types share (docs/format.md §9.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed
from verifier.core.ids import id_text

if TYPE_CHECKING:
    from verifier.rules.examine import Statement
    from verifier.rules.registry import License, Listing, Registry, Transfer


def refuse(  # noqa: PLR0917 (the fields of a Failure, in their order)
    check: Check, reason: str, index: int, where: str = "", expected: str = "", actual: str = ""
) -> NoReturn:
    """Raise `CheckFailed` for the entry at `index`."""
    raise CheckFailed(Failure(check, reason, index, where, expected, actual))


def refuse_unknown(index: int, where: str, named: bytes) -> NoReturn:
    """Refuse a reference to what does not exist, or is of another type."""
    refuse(Check.REFERENCE, "unknown-reference", index, where, actual=id_text(named))


def find_listing(registry: Registry, named: bytes, index: int, where: str = "/listing") -> Listing:
    """Return the listing of this id, or refuse."""
    return registry.listings.get(named) or refuse_unknown(index, where, named)


def find_license(registry: Registry, named: bytes, index: int, where: str = "/license") -> License:
    """Return the license of this id, or refuse."""
    return registry.licenses.get(named) or refuse_unknown(index, where, named)


def find_transfer(registry: Registry, named: bytes, index: int) -> Transfer:
    """Return the transfer of this id, or refuse."""
    return registry.transfers.get(named) or refuse_unknown(index, "/transfer", named)


def verify_issuer(statement: Statement, index: int, *allowed: str) -> None:
    """Refuse a statement that its issuer has not the role for."""
    if statement.issuer not in allowed:
        refuse(Check.REFERENCE, "wrong-role", index, "/issuer", " or ".join(allowed) or "nobody", statement.issuer)


def verify_undecided(decided_index: int | None, index: int) -> None:
    """Refuse what can be said once, and was."""
    if decided_index is not None:
        refuse(Check.REFERENCE, "already-decided", index, actual=f"decided at entry {decided_index}")


def verify_registered(registry: Registry, name: str, index: int, where: str) -> None:
    """Refuse the name of a party that is not registered."""
    if name not in registry.parties:
        refuse(Check.REFERENCE, "unknown-party", index, where, actual=name)


def verify_other_party(registry: Registry, statement: Statement, other: str, index: int, where: str) -> None:
    """Refuse a party that is not registered, or is the issuer itself."""
    verify_registered(registry, other, index, where)
    if other == statement.issuer:
        refuse(Check.REFERENCE, "same-party", index, where, actual=other)


def verify_equal(expected: str, actual: str, index: int, where: str) -> None:
    """Refuse a value that something recorded earlier says differently."""
    if actual != expected:
        refuse(Check.REFERENCE, "wrong-value", index, where, expected, actual)
