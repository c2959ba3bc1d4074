"""Disputes: a claim, its answer, and how it ended; a settlement is signed by both sides (docs/statements.md §8)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ledger.core.encoding import Json
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.replies import ClaimState
from ledger.party.client.client import LedgerClient
from ledger.party.errors import ReceiptInvalid, Unfit
from ledger.party.speaking.countersigning import check_draft, likely_keyids
from ledger.party.speaking.drafts import Draft
from ledger.party.speaking.speaker import Member, Speaker
from ledger.statements.claim import ClaimAnswered, ClaimDetermined, ClaimOpened

SETTLED = "settled"
WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Story:
    """A claim from its entries, each with a verified receipt; that no other entry answers it is the operator's word."""

    opened: Recorded
    claim: ClaimOpened
    answered: Recorded | None
    determined: Recorded | None


async def open_claim(
    speaker: Speaker,
    *,
    respondent: str,
    clause: str,
    license_id: str | None = None,
    transfer: str | None = None,
    demand: str | None = None,
    evidence: Json = None,
    answer_by_ms: int | None = None,
    legal_hold: bool = False,
    tribunal: str | None = None,
    seal: Collection[str] = (),
) -> Recorded:
    """Claim that `respondent` broke a clause. `evidence` is a document (`ledger.party.digests.document`)."""
    return await speaker.say(
        "claim.opened",
        seal=seal,
        license=license_id,
        transfer=transfer,
        respondent=respondent,
        clause=clause,
        demand=demand,
        evidence=evidence,
        answer_by_ms=answer_by_ms,
        legal_hold=legal_hold or None,
        tribunal=tribunal,
    )


async def answer(
    speaker: Speaker, claim: str, position: str, words: str | None = None, *, seal: Collection[str] = ()
) -> Recorded:
    """Answer a claim against us; raise Unfit where it is against somebody else."""
    opened = await _opened(speaker.client, claim)
    if opened.respondent != speaker.name:
        raise Unfit(f"the claim is against {opened.respondent}, who alone answers it")
    return await speaker.say("claim.answered", seal=seal, claim=claim, position=position, answer=words)


async def determine(
    speaker: Speaker,
    claim: str,
    outcome: str,
    *,
    decision: str | None = None,
    document: Json = None,
    seal: Collection[str] = (),
) -> Recorded:
    """Withdraw a claim of ours, or decide one as its tribunal; raise Unfit where that is not for us to do."""
    opened = await _opened(speaker.client, claim)
    if outcome == SETTLED:
        raise Unfit("a settlement is signed by both sides, so it is drafted first: 'ledger claim settle'")
    if outcome == WITHDRAWN and opened.issuer != speaker.name:
        raise Unfit(f"the claim is {opened.issuer}'s, who alone withdraws it")
    if outcome != WITHDRAWN and opened.tribunal is None:
        raise Unfit("the claim names no tribunal: it can be withdrawn, or settled by both sides, and not decided")
    if outcome != WITHDRAWN and opened.tribunal != speaker.name:
        raise Unfit(f"the claim names {opened.tribunal} as the tribunal, which alone decides it")
    return await speaker.say(
        "claim.determined", seal=seal, claim=claim, outcome=outcome, decision=decision, document=document
    )


async def draft_settlement(
    member: Member,
    claim: str,
    *,
    decision: str | None = None,
    document: Json = None,
    other_keyid: str | None = None,
    seal: Collection[str] = (),
) -> Draft:
    """Return an unsigned settlement between claimant and respondent, one of whom is the member.

    `other_keyid` says with which of its keys the other side will sign; by default with its newest.
    """
    opened = await _opened(member.client, claim)
    sides = [opened.issuer, opened.respondent]
    if member.name not in sides:
        raise Unfit(f"the claim is between {sides[0]} and {sides[1]}: {member.name} settles nothing in it")
    other = sides[1] if member.name == sides[0] else sides[0]
    signers = {*member.keyids, *await likely_keyids(member.client, other, other_keyid)}
    fields: dict[str, Json] = {"claim": claim, "outcome": SETTLED, "decision": decision, "document": document}
    return await member.draft("claim.determined", signers, issuer=opened.issuer, seal=seal, **fields)


async def review(member: Member, drafted: Draft) -> tuple[ClaimDetermined, ClaimOpened]:
    """Check everything about a settlement that can be checked before signing; return it with its claim, to be shown.

    What is sealed in it is open in what is returned: a draft holds what opens it. Raises Unfit as `check_draft` does,
    and for a draft that is not a settlement, one of somebody else's claim, or one of a claim that ended before.
    """
    statement = drafted.opened
    if not isinstance(statement, ClaimDetermined) or statement.outcome != SETTLED:
        raise Unfit(f"the draft is a {statement.type}, not a settlement")
    story = await tell_story(member.client, statement.claim)
    if statement.issuer != story.claim.issuer:
        raise Unfit(f"the draft speaks for {statement.issuer}, and the claim is {story.claim.issuer}'s")
    if story.determined is not None:
        raise Unfit(f"the claim ended before, by entry {story.determined.index}")
    await check_draft(member, drafted, [story.claim.issuer, story.claim.respondent])
    return statement, story.claim


async def tell_story(client: LedgerClient, claim: str) -> Story:
    """Return a claim and what became of it: the operator says which entries, the entries say what."""
    opened = await client.statement(claim)
    statement = _as_opened(opened)
    state = await client.claim(claim)
    answered = await _follow_up(client, state, state.answered_index, ClaimAnswered)
    determined = await _follow_up(client, state, state.determined_index, ClaimDetermined)
    return Story(opened, statement, answered, determined)


async def _follow_up(
    client: LedgerClient, state: ClaimState, index: int | None, kind: type[ClaimAnswered | ClaimDetermined]
) -> Recorded | None:
    if index is None:
        return None
    recorded = await client.entry(index)
    statement = recorded.statement
    if not isinstance(statement, kind) or statement.claim != state.id:
        raise ReceiptInvalid(f"entry {index} is no {kind.__name__} of this claim")
    return recorded


async def _opened(client: LedgerClient, claim: str) -> ClaimOpened:
    return _as_opened(await client.statement(claim))


def _as_opened(recorded: Recorded) -> ClaimOpened:
    if not isinstance(recorded.statement, ClaimOpened):
        raise Unfit(f"{recorded.statement_id} is a {recorded.statement.type}, and no claim")
    return recorded.statement
