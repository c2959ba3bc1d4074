"""What a new entry has to do with me: pure, from statements and what the chain says of what they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from verifier.registry import RECOVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verifier.examine import Statement
    from verifier.registry import Registry

ALARM, NOTICE = "alarm", "notice"
"""Severities: something that should not be, and something to know."""
BY_ME = frozenset({"key-revoked", "key-added", "key-used", "in-my-name"})
"""Kinds of what I may have done myself."""
_ID_BYTES = 32


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


def name_id(raw: bytes) -> str:
    """Return an id as text."""
    return f"sha256:{raw.hex()}"


def touched(statement: Statement, registry: Registry) -> set[str]:
    """Return every party, key and id that a statement names, with what the hand-offs, licenses and claims in it name.

    `registry` is that of the chain with the statement in it.
    """
    names = {name_id(statement.id), statement.issuer, *statement.signers, *_strings(statement.body)}
    left = [name for name in names if name.startswith("sha256:")]
    while left:
        more = set(_behind(bytes.fromhex(left.pop()[7:]), registry)) - names
        names |= more
        left += [name for name in more if name.startswith("sha256:")]
    return names


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 (JSON, or its compact form)
    if isinstance(value, str):
        if not value.startswith("sha256:") or len(value) == len("sha256:") + 2 * _ID_BYTES:
            yield value
    elif isinstance(value, bytes):
        yield name_id(value)
    elif isinstance(value, dict):
        for member in value.values():
            yield from _strings(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _strings(member)


def _behind(statement_id: bytes, registry: Registry) -> Iterator[str]:
    """Yield what a statement of the chain was about."""
    if (transfer := registry.transfers.get(statement_id)) is not None:
        yield from (transfer.sender, transfer.recipient, name_id(transfer.listing))
        if transfer.license is not None:
            yield name_id(transfer.license)
    elif (terms := registry.licenses.get(statement_id)) is not None:
        yield from (terms.licensor, terms.licensee, name_id(terms.listing))
    elif (claim := registry.claims.get(statement_id)) is not None:
        yield from (claim.claimant, claim.respondent, name_id(claim.subject))
    elif (listing := registry.listings.get(statement_id)) is not None:
        yield listing.issuer


def concern(  # noqa: PLR0911 (one table)
    statement: Statement, registry: Registry, interests: Interests
) -> Concern | None:
    """Return what to tell about a statement that was accepted, None if it is no concern of mine or is my own."""
    mine = touched(statement, registry) & interests.names
    if not mine or interests.is_own(name_id(statement.id)):
        return None
    keys = interests.keys | {
        keyid
        for keyid in statement.signers
        if keyid in registry.keys and registry.keys[keyid].owner in interests.parties
    }
    what = f"{statement.kind} by {statement.issuer}"
    body = statement.body if isinstance(statement.body, dict) else {}
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
