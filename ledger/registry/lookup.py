"""Finding things by their names, and the chains that licenses form."""

from __future__ import annotations

from typing import TypeVar

from ledger.registry.facts import LedgerFact, LicenseFact, Thing, TransferFact, View
from ledger.registry.refusal import Refused
from ledger.registry.things import StandingFact, standing_key

_ThingT = TypeVar("_ThingT", bound=Thing)


def find(view: View, kind: type[_ThingT], name: str, field: str) -> _ThingT:
    """Return the thing that `name` names, or raise Refused `unknown-reference` at `field`."""
    thing = view.get(kind, name)
    if thing is None:
        raise Refused("unknown-reference", field, f"no {kind.kind} {name} on this ledger")
    return thing


def ledger_of(view: View) -> LedgerFact:
    """Return the ledger, or raise Refused `not-created`."""
    if view.ledger is None:
        raise Refused("not-created", "/type", "entry 0 is ledger.created")
    return view.ledger


def chain(view: View, name: str | None) -> list[LicenseFact]:
    """Return the license that `name` names, its parent, and so on up (docs/statements.md §10); empty without one."""
    found: list[LicenseFact] = []
    while (license_ := view.get(LicenseFact, name)) is not None:
        found.append(license_)
        name = license_.parent
    return found


def thing_of(view: View, statement_id: str) -> tuple[str | None, str | None]:
    """Return, as a license or as a transfer, what a statement made; neither if it made something else."""
    is_license = view.get(LicenseFact, statement_id) is not None
    is_transfer = view.get(TransferFact, statement_id) is not None
    return statement_id if is_license else None, statement_id if is_transfer else None


def root(view: View, license_: str | None, transfer: str | None) -> str:
    """Return where what is said of a license or a transfer is gathered: the license, else the transfer itself."""
    if license_ is not None:
        return license_
    offered = view.get(TransferFact, transfer)
    return (offered.license if offered is not None else None) or transfer or ""


def standing(view: View, name: str, index: int = 0) -> StandingFact:
    """Return how the license or transfer stands that was made at `index`; nothing happened to it yet by default."""
    return view.get(StandingFact, standing_key(name)) or StandingFact(index, name)


def standing_of(view: View, name: str) -> StandingFact:
    """Return how the license or transfer of this id stands."""
    thing = view.get(Thing, name)
    return standing(view, name, thing.index if thing is not None else 0)
