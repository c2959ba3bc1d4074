"""Statements before they are signed: the common fields of docs/format.md §5, fresh for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import nacl.utils

from ledger.core.checkpoint import TreeHead
from ledger.core.commitment import Place
from ledger.core.dsse import Envelope, sign
from ledger.core.encoding import Json, b64encode, canonical
from ledger.core.errors import FormatError
from ledger.core.keys import Signer
from ledger.party.answers.versions import check_statement
from ledger.party.errors import Unfit
from ledger.party.vault.sealing import Opening, seal_fields
from ledger.statements.content import CONTENT, POINTER
from ledger.statements.fields import NONCE_BYTES
from ledger.statements.parse import NEWEST_RULES

DAY_MS = 24 * 60 * 60 * 1000
STATEMENT_LIFETIME_MS = DAY_MS
DRAFT_LIFETIME_MS = 30 * DAY_MS


@dataclass(frozen=True)
class Frame:
    """The common fields of one statement. `nonce` is base64; times are Unix milliseconds.

    `rules` is the version in force, under which it is checked.
    """

    ledger: str
    issuer: str
    issued_ms: int
    not_after_ms: int
    seen: TreeHead | None
    nonce: str
    rules: int = NEWEST_RULES

    @classmethod
    def fresh(
        cls,
        ledger: str,
        issuer: str,
        now_ms: int,
        seen: TreeHead | None,
        lifetime_ms: int = STATEMENT_LIFETIME_MS,
        *,
        rules: int = NEWEST_RULES,
    ) -> Frame:
        """Return a frame with a new nonce, issued now and valid for `lifetime_ms`."""
        nonce = b64encode(nacl.utils.random(NONCE_BYTES))
        return cls(ledger, issuer, now_ms, now_ms + lifetime_ms, seen, nonce, rules)

    @property
    def place(self) -> Place:
        """Where this statement seals its content (docs/format.md §8.1)."""
        return Place(CONTENT, self.ledger, self.issuer, self.nonce, POINTER)

    def statement(self, kind: str, signers: Iterable[str], **fields: Json) -> dict[str, Json]:
        """Return the statement's JSON form; a field that is None is left out.

        Raises FormatError, with the field at fault, for what every ledger would refuse, and NeedsRules for what this
        one's rules do not know yet.
        """
        common = {
            "issued_ms": self.issued_ms,
            "issuer": self.issuer,
            "ledger": self.ledger,
            "nonce": self.nonce,
            "not_after_ms": self.not_after_ms,
            "seen": {"root": self.seen.root.hex(), "size": self.seen.size} if self.seen is not None else None,
            "signers": sorted(signers),
            "type": kind,
        }
        statement = {name: value for name, value in (common | fields).items() if value is not None}
        check_statement(canonical(statement), self.rules)
        return statement

    def sealed(
        self, kind: str, signers: Iterable[str], seal: Collection[str] = (), **fields: Json
    ) -> tuple[dict[str, Json], tuple[Opening, ...]]:
        """Return the statement with the places `seal` (RFC 6901 pointers) sealed, and what opens them.

        The values are checked before they are sealed: one of the wrong type would open nothing. Raises FormatError as
        `statement` does, and Unfit for a place that is not there or that the rules do not let anybody seal.
        """
        sealed, openings = seal_fields(self.statement(kind, signers, **fields), seal)
        if openings:
            try:
                check_statement(canonical(sealed), self.rules)
            except FormatError as error:
                raise Unfit(
                    f"{error.field or kind} cannot be sealed: docs/statements.md marks with † what can"
                ) from error
        return sealed, openings


def sign_statement(statement: dict[str, Json], keys: Sequence[Signer]) -> Envelope:
    """Return the statement signed by all its signers; raise Unfit where `keys` are others."""
    if sorted(key.public.keyid for key in keys) != statement["signers"]:
        raise Unfit("the keys at hand are not the statement's signers")
    return sign(statement, keys)
