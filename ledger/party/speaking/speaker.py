"""A party on its ledger: who it is (`Member`), and with its key in hand, what it says (`Speaker`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property

from ledger.core.encoding import Json
from ledger.core.keys import Signer
from ledger.party.answers.recorded import Recorded
from ledger.party.client.client import LedgerClient
from ledger.party.errors import Problem
from ledger.party.speaking.composing import DRAFT_LIFETIME_MS, STATEMENT_LIFETIME_MS, Frame, sign_statement
from ledger.party.speaking.drafts import Draft, new_draft
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.locker import Locker
from ledger.party.vault.sealing import Opening, fresh_salt
from ledger.party.vault.vault import Vault
from ledger.statements.content import Content

Clock = Callable[[], int]


def now_ms() -> int:
    """Return the machine's time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Member:
    """The party `name`, whose signing key is `keyid`; it cannot sign. `clock` returns Unix milliseconds.

    `lasting` is the keyid of its ML-DSA-44 key, where it has one, and so speaks with both (docs/format.md §16.4).
    """

    def __init__(
        self,
        client: LedgerClient,
        vault: Vault,
        name: str,
        keyid: str,
        clock: Clock = now_ms,
        *,
        lasting: str | None = None,
    ) -> None:
        self.client = client
        self.vault = vault
        self.name = name
        self.keyids = [keyid] if lasting is None else [keyid, lasting]
        self.clock = clock

    async def frame(self, lifetime_ms: int = STATEMENT_LIFETIME_MS, issuer: str | None = None) -> Frame:
        """Return the common fields of a statement made now, which has seen the newest verified checkpoint."""
        ledger = (await self.client.identity()).id
        seen, rules = await self.client.seen(), await self.client.rules()
        return Frame.fresh(ledger, issuer or self.name, self.clock(), seen, lifetime_ms, rules=rules)

    async def draft(
        self, kind: str, signers: Iterable[str], *, issuer: str, seal: Collection[str] = (), **fields: Json
    ) -> Draft:
        """Return an unsigned draft of a statement that others sign too; the places of `seal` are sealed as in `say`.

        It holds what opens them; `sign_draft` keeps that in the vault of everybody who signs.
        """
        frame = await self.frame(DRAFT_LIFETIME_MS, issuer)
        return new_draft(*frame.sealed(kind, signers, seal, **fields))


class Speaker(Member):
    """The same party with its signing `key` open, and with its ML-DSA-44 key `lasting` where it has one."""

    def __init__(
        self,
        client: LedgerClient,
        vault: Vault,
        name: str,
        key: Signer,
        clock: Clock = now_ms,
        *,
        lasting: Signer | None = None,
    ) -> None:
        keyid = lasting.public.keyid if lasting is not None else None
        super().__init__(client, vault, name, key.public.keyid, clock, lasting=keyid)
        self.key = key
        self._keys = [key] if lasting is None else [key, lasting]

    @cached_property
    def locker(self) -> Locker:
        """What opens our commitments, encrypted in the vault; its calls wait for the disk."""
        return self.vault.locker(self.key)

    async def say(self, kind: str, *, seal: Collection[str] = (), **fields: Json) -> Recorded:
        """Make a statement of this type, sign it and have it recorded.

        Each place of `seal`, an RFC 6901 pointer such as `/keywords/0`, is replaced by a commitment under a fresh salt.
        """
        statement, openings = (await self.frame()).sealed(kind, self.keyids, seal, **fields)
        return await self._say(statement, openings)

    async def say_sealed(
        self,
        frame: Frame,
        kind: str,
        content: Content,
        before: Callable[[str, str], None] | None = None,
        *,
        seal: Collection[str] = (),
        **fields: Json,
    ) -> Recorded:
        """Say something with sealed content, and the places of `seal` sealed as in `say`.

        `before` is called with (statement id, the content's salt), before the statement is sent.
        """
        opening = Opening(frame.place, fresh_salt(), content.value())
        sealed = content.seal(opening.place, opening.salt)
        statement, openings = frame.sealed(kind, self.keyids, seal, content=sealed, **fields)

        def kept(made: str) -> None:
            if before is not None:
                before(made, opening.salt)

        return await self._say(statement, (opening, *openings), kept)

    async def say_opened(self, frame: Frame, kind: str, openings: Sequence[Opening], **fields: Json) -> Recorded:
        """Say something in which `fields` hold commitments already; `openings` are what opens them."""
        return await self._say(frame.statement(kind, self.keyids, **fields), openings)

    async def keep_disclosures(self, disclosures: Sequence[Disclosure]) -> None:
        """Keep what opens commitments of ours, before the statement that holds them is sent."""
        if disclosures:
            await asyncio.to_thread(lambda: self.locker.keep(disclosures))

    async def sign_draft(self, drafted: Draft) -> Draft:
        """Return the draft with our signatures, once it was reviewed; what opens its sealed places is kept here."""
        await self.keep_disclosures(drafted.disclosures)
        for key in self._keys:
            drafted = drafted.signed(key)
        return drafted

    async def _say(
        self,
        statement: dict[str, Json],
        openings: Sequence[Opening],
        before: Callable[[str], None] = lambda _: None,
    ) -> Recorded:
        """Sign and submit.

        The disclosures are kept before the statement is sent: if the machine stops in between, a commitment that nobody
        can open must not be on the ledger. Where the ledger signs that it refuses the statement, there is nothing to
        open, and they are dropped.
        """
        envelope = sign_statement(statement, self._keys)
        await self.keep_disclosures([opening.disclosure(envelope.id) for opening in openings])
        before(envelope.id)
        try:
            return await self.client.submit(envelope)
        except Problem as problem:
            # Only a signed refusal says that it was not recorded; any other answer may be of something in between.
            if openings and problem.refusal is not None:
                await asyncio.to_thread(self.locker.drop, envelope.id)
            raise
