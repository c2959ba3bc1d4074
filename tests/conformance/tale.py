"""A random history of version 2 on an honest ledger: what is accepted stands, what is refused leaves nothing.

A tale can be told twice from one seed, sealed and in clear: the same statements at the same indexes and times, but for
their ids. What a verifier with every disclosure says of the first must be what anybody says of the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from random import Random

from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.core.keys import Signer
from ledger.registry.acceptance import Duplicate
from ledger.registry.refusal import Refused
from ledger.statements.parse import NEWEST_RULES
from tests.conformance.affairs import Affairs
from tests.conformance.dealings import Dealer
from tests.conformance.moves import Said
from tests.conformance.optional import choose_seals
from tests.harness.forger import Forger
from tests.harness.sealing import seal
from tests.harness.speech import DAY_MS, OPENING_SINCE, signed

HOUR_MS = DAY_MS // 24


class Tale:
    """One history; `step` adds at most one entry."""

    def __init__(self, seed: int, ledger: Forger | None = None, *, is_sealed: bool = True) -> None:
        """Begin with four parties, two listings and a license; `ledger` is one under version 2, unused yet."""
        self.pick = Random(seed)
        self.is_sealed = is_sealed
        self.ledger = ledger or Forger(f"tale {seed}", rules=NEWEST_RULES)
        self.affairs = Affairs(self.pick, self.ledger)
        self.moves = Dealer(self.affairs)
        self.seals = self.pick.choice([0.0, 0.05, 0.1, 0.4])
        """How likely a place that decides something is sealed."""
        self.disclosures: list[dict[str, Json]] = []
        self.refusals: Counter[str] = Counter()
        self.said: Counter[str] = Counter()
        self.before: Callable[[int], None] = lambda _time_ms: None
        """Called with the time of the next entry where it is later than that of the newest one."""
        for move in (*[self.moves.party] * 4, self.moves.listing, self.moves.listing, self.moves.agreement):
            self.offer(move())

    def step(self) -> None:
        """Let time pass, and let somebody speak."""
        moves = self.moves
        weights = {
            moves.party: 1, moves.added_key: 3, moves.revoked_key: 2, moves.listing: 3, moves.amended_listing: 4,
            moves.withdrawal: 1, moves.classification: 1, moves.agreement: 8, moves.sublicense: 9,
            moves.amended_license: 6, moves.end: 4, moves.offer: 14, moves.decision: 12, moves.forwarding: 8,
            moves.compelled: 3, moves.usage: 22, moves.venue: 3, moves.claim: 7, moves.answer: 3,
            moves.determination: 5, moves.request: 5, moves.attestation: 8,
        }  # fmt: skip
        if self.ledger.rules >= OPENING_SINCE:
            weights |= {moves.preparation: 4, moves.copy_request: 5}
        move = self.pick.choices(list(weights), list(weights.values()))[0]
        self.offer(move(), self._next_ms())

    def _next_ms(self) -> int:
        """Return the time of the next entry: now, a little later, or beside a moment that matters."""
        last_ms, pick = self.ledger.times[-1], self.pick
        chance = pick.random()
        if chance < 0.2:
            return last_ms
        if chance < 0.75 or not self.affairs.moments:
            return last_ms + pick.choice([1, 1, 1000, 1000, 60_000, HOUR_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS])
        moment = pick.choice(self.affairs.moments[: pick.choice([1, 1, 1, 2, 5])])
        return max(last_ms, moment + pick.choice([-1, 0, 0, 1, 1]))

    def offer(self, statement: Said, time_ms: int | None = None) -> None:
        """Offer a statement to the ledger as the next entry."""
        now_ms = self.ledger.times[-1] if time_ms is None else time_ms
        clear = deepcopy(statement)
        pointers = choose_seals(self.pick, statement, self.seals)
        clear["issued_ms"] = statement["issued_ms"] = now_ms
        clear["not_after_ms"] = statement["not_after_ms"] = now_ms + DAY_MS
        disclosures = seal(statement, *pointers) if self.is_sealed else []
        try:
            envelope = signed(statement, *self.keys_for(statement))
            is_in_order = not pointers or self.ledger.reads(signed(clear, *self.keys_for(clear)))
        except FormatError:  # nested too deep, by sub-licenses of sub-licenses
            return
        if not is_in_order:  # the two tellings would differ: what is sealed cannot be contradictory
            return
        if now_ms > self.ledger.times[-1]:
            self.before(now_ms)
        try:
            self.ledger.record(envelope, now_ms)
        except (FormatError, Refused, Duplicate) as error:
            self.refusals[f"{statement['type']} {getattr(error, 'reason', 'duplicate')}"] += 1
            return
        self.said[statement["type"]] += 1
        self.affairs.terms.now_ms = now_ms
        self.ledger.speech.now_ms = now_ms
        self.affairs.remember(clear, envelope.id, now_ms)
        disclosures += self.affairs.openings.get(statement["nonce"], [])
        self.disclosures += [item | {"statement_id": envelope.id} for item in disclosures]

    def keys_for(self, statement: Said) -> list[Signer]:
        """Return the private keys of a statement's signers."""
        return [self.affairs.owners[keyid] for keyid in statement["signers"]]
