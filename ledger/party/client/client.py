"""The companies' SDK: speaks with a ledger and believes none of it.

    async with LedgerClient(url, policy, vault) as client:
        recorded = await client.submit(envelope)

What it reads, and what that is worth, is `LedgerReader`'s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from ledger.core.dsse import Envelope
from ledger.core.policy import Policy
from ledger.party.answers.recorded import Recorded
from ledger.party.client import vouching
from ledger.party.client.bulk import Stream
from ledger.party.client.reader import LedgerReader
from ledger.party.client.submitting import Submitter
from ledger.party.errors import Problem, ReceiptInvalid
from ledger.party.vault.vault import Vault


class LedgerClient(LedgerReader):
    """One ledger, as its policy's log, which it reads and speaks to; an async context manager.

    Without a vault nothing is kept: checkpoints are remembered as long as this object lives.
    """

    def __init__(
        self,
        url: str,
        policy: Policy,
        vault: Vault | None = None,
        *,
        origin: str | None = None,
        backoff_s: float = 0.5,
        mirrors: Sequence[str] = (),
    ) -> None:
        """Take what a `LedgerReader` takes."""
        super().__init__(url, policy, vault, origin=origin, backoff_s=backoff_s, mirrors=mirrors)
        self._submitter = Submitter(self, self._transport, self._memory, self._audit, vault)
        self._stream = Stream(self, self._submitter, self._transport, self._memory, self._audit)

    async def submit(self, envelope: Envelope) -> Recorded:
        """Record a signed statement and return its entry with a verified receipt, kept in the vault.

        Raises Promised if it is not in the log yet, Problem (with the verified refusal, where the ledger signed
        one), FraudProven where what it signed is given the lie by what we hold, Unreachable (then submit it again: it
        is recorded once), NotWitnessed where the witnesses that our policy asks for do not come, ReceiptInvalid,
        ForkDetected.
        """
        return await self._submitter.submit(envelope)

    def submit_many(self, envelopes: Iterable[Envelope]) -> AsyncIterator[Recorded | Problem]:
        """Record many statements in one request; yield the result of each, in order (see `bulk`)."""
        return self._stream.submit_many(envelopes)

    async def check_speaker(self, recorded: Recorded) -> None:
        """Raise ReceiptInvalid unless the issuer's own registered signing keys signed the entry.

        A receipt proves that the operator recorded it. This proves that whoever holds the keys of the name's
        registration signed it, itself or through keys that its recovery keys vouch for in turn; the operator, unless it
        made that registration up, did not write it. That no earlier entry registered the name or revoked one of the
        keys is the operator's word here: only a replay proves that, and only a pin that the keys are a company's.
        """
        try:
            await vouching.check_speaker(self, recorded)
        except ReceiptInvalid:
            self._audit.check_signatures(recorded, await self.public_keys([recorded.statement.issuer]))
            raise
