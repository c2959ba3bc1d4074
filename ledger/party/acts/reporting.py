"""What a licensee does with the data, as it reports it itself (docs/statements.md §6)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ledger.core.encoding import Json
from ledger.party.answers.recorded import Recorded
from ledger.party.speaking.speaker import Speaker


@dataclass(frozen=True)
class Derivative:
    """Something made from the data: a title and, where it has them, its listing's id and its file's SHA-256 (hex)."""

    title: str
    listing: str | None = None
    sha256: str | None = None

    @property
    def document(self) -> dict[str, Json]:
        """Its JSON form; what it does not have is left out."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Use:
    """One use, or `count` of the same. `action` and `purpose` are words of docs/terms.md §4; times are Unix ms.

    `fulfils` names the actions that were duties and are met by it, such as `attribute`.
    """

    action: str
    transfer: str | None = None
    purpose: str | None = None
    spatial: str | None = None
    industry: str | None = None
    product: str | None = None
    recipient: str | None = None
    count: int | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    fulfils: frozenset[str] = frozenset()
    derivatives: tuple[Derivative, ...] = ()

    @property
    def fields(self) -> dict[str, Json]:
        """The fields of a `usage.reported`; None for what is not stated."""
        lists: dict[str, Json] = {
            "derivatives": [item.document for item in self.derivatives] or None,
            "fulfils": sorted(self.fulfils) or None,
        }
        return vars(self) | lists


async def report(speaker: Speaker, license_id: str, use: Use, *, seal: Collection[str] = ()) -> Recorded:
    """Report a use under a license, whose licensee the speaker is."""
    return await speaker.say("usage.reported", seal=seal, license=license_id, **use.fields)
