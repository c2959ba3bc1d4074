"""A party on its ledger: who it is (`Member`), and with its key in hand, what it says (`Speaker`)."""

from __future__ import annotations

import time
from collections.abc import Callable

from ledger.core.encoding import Json
from ledger.core.keys import SigningKey
from ledger.party.client import LedgerClient
from ledger.party.composing import STATEMENT_LIFETIME_MS, Frame, fresh_salt, sign_statement
from ledger.party.errors import Problem
from ledger.party.recorded import Recorded
from ledger.party.vault import Vault
from ledger.statements.content import Content, Disclosure

Clock = Callable[[], int]


def now_ms() -> int:
    """Return the machine's time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Member:
    """The party `name`, whose signing key is `keyid`; it cannot sign. `clock` returns Unix milliseconds."""

    def __init__(self, client: LedgerClient, vault: Vault, name: str, keyid: str, clock: Clock = now_ms) -> None:
        self.client = client
        self.vault = vault
        self.name = name
        self.keyid = keyid
        self.clock = clock

    async def frame(self, lifetime_ms: int = STATEMENT_LIFETIME_MS, issuer: str | None = None) -> Frame:
        """Return the common fields of a statement made now, which has seen the newest verified checkpoint."""
        ledger = (await self.client.identity()).id
        return Frame.fresh(ledger, issuer or self.name, self.clock(), await self.client.seen(), lifetime_ms)


class Speaker(Member):
    """The same party with its signing `key` open."""

    def __init__(self, client: LedgerClient, vault: Vault, name: str, key: SigningKey, clock: Clock = now_ms) -> None:
        super().__init__(client, vault, name, key.public.keyid, clock)
        self.key = key

    async def say(self, kind: str, **fields: Json) -> Recorded:
        """Make a statement of this type, sign it and have it recorded."""
        statement = (await self.frame()).statement(kind, [self.keyid], **fields)
        return await self.client.submit(sign_statement(statement, [self.key]))

    async def say_sealed(
        self,
        frame: Frame,
        kind: str,
        content: Content,
        before: Callable[[str, str], None] | None = None,
        **fields: Json,
    ) -> Recorded:
        """Say something with sealed content.

        The disclosure is kept before the statement is sent: if the machine stops in between, a commitment that nobody
        can open must not be on the ledger. `before` is called with (statement id, salt), also before it is sent. Where
        the ledger signs that it refuses the statement, there is nothing to open, and the disclosure is removed.
        """
        salt = fresh_salt()
        sealed = content.seal(frame.place, salt)
        statement = frame.statement(kind, [self.keyid], content=sealed, **fields)
        envelope = sign_statement(statement, [self.key])
        place = frame.place
        self.vault.keep_disclosure(
            Disclosure(
                issuer=place.issuer,
                ledger=place.ledger,
                nonce=place.nonce,
                salt=salt,
                statement_id=envelope.id,
                value=content.model_dump(),
            )
        )
        if before is not None:
            before(envelope.id, salt)
        try:
            return await self.client.submit(envelope)
        except Problem as problem:
            # Only a signed refusal says that it was not recorded; any other answer may be of something in between.
            if problem.refusal is not None:
                self.vault.drop_disclosure(envelope.id)
            raise
