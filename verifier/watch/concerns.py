"""What a new entry has to do with me: pure, from statements and what the chain says of what they name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from verifier.core.ids import id_text
from verifier.rules.registry import RECOVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verifier.rules.examine import Statement
    from verifier.rules.registry import Registry

ALARM, NOTICE = "alarm", "notice"
"""Severities: something that should not be, and something to know."""
BY_ME = frozenset({"key-revoked", "key-added", "key-used", "in-my-name"})
"""Kinds of what I may have done myself."""
_is_id = re.compile("sha256:[0-9a-f]{64}").fullmatch


class Concern(NamedTuple):
    """One thing to tell about one entry."""

    kind: str
    severity: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Interests:
    """Who I am, and what is mine; `is_own` tells whether a statement id (text) is one that I made."""

    parties: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    listings: frozenset[str] = frozenset()
    licenses: frozenset[str] = frozenset()
    is_own: Callable[[str], bool] = field(default=lambda _id: False)

    @property
    def names(self) -> frozenset[str]:
        """All of it."""
        return self.parties | self.keys | self.listings | self.licenses


def touched(statement: Statement, registry: Registry) -> Iterator[str]:
    """Yield every party, key and id that a statement names, with what the hand-offs, licenses and claims in it name.

    `registry` is that of the chain with the statement in it. What is nearest comes first: who only wants to know
    whether a name is among them need not hear them all.
    """
    left = [statement.id, *_named(dict(statement.body)), *statement.signers, statement.issuer]
    seen: set[str | bytes] = set()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        if isinstance(name, str):
            yield name
        else:
            yield id_text(name)
            left += _behind(name, registry)


def _named(value: Any) -> Iterator[str | bytes]:  # noqa: ANN401 (JSON)
    """Yield every string in a value; what has the form of an id, as the bytes of one."""
    if isinstance(value, str):
        yield bytes.fromhex(value[7:]) if _is_id(value) else value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _named(member)
    elif isinstance(value, list):
        for member in value:
            yield from _named(member)


def _behind(statement_id: bytes, registry: Registry) -> tuple[str | bytes, ...]:
    """Return what a statement of the chain was about: parties, and the bytes of ids."""
    if (transfer := registry.transfers.get(statement_id)) is not None:
        about = (transfer.listing, transfer.sender, transfer.recipient)
        return about if transfer.license is None else (transfer.license, *about)
    if (terms := registry.licenses.get(statement_id)) is not None:
        return terms.listing, terms.licensor, terms.licensee
    if (claim := registry.claims.get(statement_id)) is not None:
        return claim.subject, claim.claimant, claim.respondent
    if (listing := registry.listings.get(statement_id)) is not None:
        return (listing.issuer,)
    return ()


def concern(  # noqa: PLR0911 (one table)
    statement: Statement, registry: Registry, interests: Interests
) -> Concern | None:
    """Return what to tell about a statement that was accepted, None if it is not a concern of mine or is my own."""
    mine = interests.names.intersection(touched(statement, registry))
    if not mine or interests.is_own(id_text(statement.id)):
        return None
    keys = interests.keys | {
        keyid
        for keyid in statement.signers
        if keyid in registry.keys and registry.keys[keyid].owner in interests.parties
    }
    what = f"{statement.kind} by {statement.issuer}"
    body = statement.body
    if statement.kind == "party.key_revoked" and _is_key_of_mine(body["keyid"], registry, interests):
        return Concern("key-revoked", ALARM, f"{what} revokes my key {body['keyid']}")
    if statement.kind == "party.key_added" and statement.issuer in interests.parties:
        return Concern("key-added", ALARM, f"{what} gives my party another key")
    if keys & set(statement.signers):
        used = sorted(keys & set(statement.signers))
        kinds = {registry.keys[keyid].use for keyid in used if keyid in registry.keys}
        key = "recovery key" if RECOVERY in kinds else "key"
        return Concern("key-used", ALARM, f"{what} is signed with my {key} {', '.join(used)}")
    if statement.issuer in interests.parties:
        return Concern("in-my-name", ALARM, f"{what}, in my name, is none that I made")
    if statement.kind == "claim.opened" and body.get("respondent") in interests.parties:
        return Concern("claim-against-me", ALARM, f"{what} is against {body['respondent']}")
    return Concern("names-me", NOTICE, f"{what} concerns {', '.join(sorted(mine))}")


def _is_key_of_mine(keyid: str, registry: Registry, interests: Interests) -> bool:
    owner = registry.keys[keyid].owner if keyid in registry.keys else ""
    return keyid in interests.keys or owner in interests.parties
