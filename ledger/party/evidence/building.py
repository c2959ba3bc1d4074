"""From a trace and a vault to an evidence bundle (docs/bundle.md)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from ledger.core.encoding import Json
from ledger.core.entry import parse_entry
from ledger.core.policy import parse_policy
from ledger.party.chain.told import Told
from ledger.party.chain.told import told as told_by
from ledger.party.errors import Problem, Unreachable
from ledger.party.evidence.finishing import Built, finish
from ledger.party.evidence.parts.case import Case, make_case, read_act
from ledger.party.evidence.parts.checking import checked_numbers
from ledger.party.evidence.parts.choices import EVIDENCE, Choice, claimed_evidence, disclose, held_answers
from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.parts.errors import EvidenceError, LedgerGone, Missing, NotOfThisCase
from ledger.party.evidence.parts.gathering import Scope, gather, with_histories
from ledger.party.evidence.parts.judgement import judge
from ledger.party.evidence.parts.ledger_source import LedgerSource
from ledger.party.evidence.parts.matches import open_matches
from ledger.party.evidence.parts.mirror_source import MirrorSource
from ledger.party.evidence.parts.sources import EntrySource, Progress, ledger_identity, no_progress
from ledger.party.evidence.parts.stamps import FOLDER, indexes_of, take_stamps
from ledger.party.evidence.parts.tokens import read_tokens
from ledger.party.evidence.parts.traced import (
    Trace,
    check_covers,
    choose_transfer,
    limit,
    members_of,
    opened_seals,
    read_trace,
    registration_of,
    withhold,
)
from ledger.party.speaking.speaker import Speaker
from ledger.party.trace.form import CHUNKS
from ledger.party.trace.tally import examined_count
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.prepared import preparations
from ledger.party.vault.sealing import is_sealed
from ledger.statements.content import POINTER as CONTENT

EVIDENCE_TYPE = "provenance-ledger.evidence/v1"
DRAWN_EVIDENCE_TYPE = "provenance-ledger.evidence/v2"
"""Where marks of the respondent's copies were drawn from a pool."""
MAX_OPENED = 100_000
_NOT_FOUND = 404
_READABLE = ("csv", "jsonl", "tsv")
_OTHER = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True)
class BundleRequest:
    """What a bundle is to be made of.

    `acts` are (words, Unix milliseconds); `withheld` are hand-offs whose marks stay sealed; `open_count` is how many
    matching records are opened at most, beside the marks; `found` is the found file, put in if `is_found_included`
    and verifiers read its format, for a file that no program reads is nobody's evidence;
    `policy` is the text by which a mirror is trusted, the home's without it.
    """

    trace: Path
    transfer: str | None = None
    claim: str | None = None
    acts: Sequence[tuple[str, int]] = ()
    chosen: Sequence[Choice] = ()
    withheld: frozenset[str] = frozenset()
    open_count: int = 1_000
    found: Path | None = None
    is_found_included: bool = True
    tokens: Sequence[Path] = ()
    scope: Scope = Scope.LISTING
    mirror: Path | None = None
    policy: str | None = None


async def build(speaker: Speaker, request: BundleRequest, progress: Progress = no_progress) -> Built:
    """Return the bundle of a case; the same bytes for the same inputs, ledger, clock and fonts.

    Raises EvidenceError and its kinds, and what client, vault and the dataset's files raise.
    """
    try:
        return await _Builder(speaker, request).build(progress)
    except Unreachable as error:
        raise LedgerGone(error) from error


class _Builder:
    """One bundle under way."""

    def __init__(self, speaker: Speaker, request: BundleRequest) -> None:
        self.speaker = speaker
        self.request = request
        self.policy = request.policy if request.policy is not None else speaker.vault.config().policy

    async def build(self, progress: Progress) -> Built:
        request = self.request
        trace = await asyncio.to_thread(read_trace, request.trace)
        found = await asyncio.to_thread(self.found_file, trace)
        claim = await self.claim()
        transfer = choose_transfer(trace, request.transfer, claim)
        entry = trace.entry(transfer)
        source, ledger = await self.source(str(entry["listing"]), progress)
        if entry["ledger"] != ledger:
            raise NotOfThisCase("the trace is of a hand-off on another ledger", "use the home of that ledger")
        named = {transfer, *(choice.statement_id for choice in request.chosen)}
        named |= {request.claim} if request.claim is not None else set()
        named |= {registration} if (registration := registration_of(trace)) is not None else set()
        if request.scope is Scope.CASE:
            same = [item for item in trace.entries() if (item["ledger"], item["listing"]) == (ledger, entry["listing"])]
            named |= {item["transfer"] for item in same}
            # Each preparation is a try: leaving one out would lower what is needed.
            prepared = await asyncio.to_thread(preparations, self.speaker.vault, str(entry["listing"]))
            named |= {recorded.statement_id for recorded in prepared}
        gathered = await gather(source, sorted(named), scope=request.scope, progress=progress)
        told = {one.id: one for one in gathered.told()}
        case = self.case(trace, told, ledger, transfer)
        if request.scope is not Scope.CASE:
            about = {case.claimant, case.respondent, told[transfer].issuer}
            gathered = await with_histories(source, gathered, about)
        disclosures = await self.disclosures(trace, told, case)
        evidence = await asyncio.to_thread(self.evidence, trace, told, case)
        paid = {item["transfer"]: item["marks"].get("paid_millibits", 0) for item in trace.entries()}
        evidence = await asyncio.to_thread(checked_numbers, evidence, case, told.values(), disclosures, paid)
        documents = Documents(
            case=case,
            evidence=evidence,
            judgement=judge(gathered.entries, case.acts, disclosures),
            gathered=gathered,
            disclosures=tuple(disclosures),
            made={"at_ms": self.speaker.clock(), "by": self.speaker.name, "program": _program()},
            paths=(),
            witnesses=tuple(parse_policy(self.policy).witnesses.values()),
        )
        others = {"policy-hint.txt": self.policy.encode()}
        tokens = await asyncio.to_thread(read_tokens, request.tokens, gathered.note)
        others |= {f"{FOLDER}/{number}.tsr": token for number, token in enumerate(tokens)}
        indexes = indexes_of(case, gathered.told())
        stamps = await take_stamps(source.tree, parse_policy(self.policy), indexes, len(tokens))
        others |= stamps.members
        if claimed_evidence(told.get(case.claim or ""), trace, disclosures):
            others["trace.json"] = trace.raw
        if "path" in evidence["found"]:
            others[evidence["found"]["path"]] = found
        built = await asyncio.to_thread(finish, documents, others)
        return replace(built, left_out=(*built.left_out, *stamps.left_out, *self.unread(evidence)))

    def found_file(self, trace: Trace) -> bytes:
        """Return the found file, where it is to be included; raise NotOfThisCase for another than was traced."""
        path = self.request.found
        if path is None:
            if self.request.is_found_included:
                raise EvidenceError(
                    "where is the file that was found? A bundle without it is conditional, and proves nothing of it",
                    "give it with --found FILE, or leave it out with --without-found-file",
                )
            return b""
        raw = path.read_bytes()
        if not trace.is_of(len(raw), sha256(raw).hexdigest()):
            raise NotOfThisCase(
                f"{path.name} is not the file that was traced: its size or digest differs",
                "give what was traced (of a packed file, what is in it), or trace this file",
            )
        return raw

    async def claim(self) -> Told | None:
        """Return the claim, from our own copy of its entry if there is one."""
        name = self.request.claim
        if name is None:
            return None
        kept = self.speaker.vault.entry(name)
        if kept is not None:
            return told_by(parse_entry(kept[0]))
        if self.request.mirror is not None:
            raise Missing(f"this home opened no claim {name}", "use the claimant's home")
        try:
            return told_by((await self.speaker.client.statement(name)).entry)
        except Problem as problem:
            if problem.status != _NOT_FOUND:
                raise
            raise Missing(
                f"there is no claim {name} on the ledger",
                "open one: 'ledger claim open --transfer … --against … --clause … --evidence trace.json'",
            ) from problem

    async def source(self, listing: str, progress: Progress) -> tuple[EntrySource, str]:
        """Return where entries come from, and the ledger's id."""
        client, vault = self.speaker.client, self.speaker.vault
        if self.request.mirror is None:
            source = await LedgerSource.open(client, listing, case_only=self.request.scope is Scope.CASE)
            return source, source.identity.id
        policy = parse_policy(self.policy)
        mirror = await MirrorSource.open(
            self.request.mirror, policy, listing, origin=client.origin, vault=vault, progress=progress
        )
        return mirror, (await ledger_identity(mirror.tree, policy, client.origin)).id

    def case(self, trace: Trace, told: Mapping[str, Told], ledger: str, transfer: str) -> Case:
        license_id = told[transfer].name("license") if transfer in told else None
        if self.request.acts and license_id is None:
            raise EvidenceError("the hand-off names no license, so no act can be judged by one", "leave out --act")
        acts = [read_act(words, at_ms, license_id or "") for words, at_ms in self.request.acts]
        found_name = str(trace.document["found"]["name"])
        claim = self.request.claim
        return make_case(
            told.values(),
            ledger,
            self.speaker.name,
            acts,
            transfer=transfer,
            claim=claim,
            found_name=found_name,
            registration=registration_of(trace),
        )

    async def disclosures(self, trace: Trace, told: Mapping[str, Told], case: Case) -> list[Disclosure]:
        """Return what opens content on both sides, marks, a sealed evidence document, and what the claimant chose."""
        seals = [name for name in opened_seals(trace, case.listing) if name not in self.request.withheld]
        chosen = list(self.request.chosen)
        if case.claim is not None and is_sealed(told[case.claim].fields.get("evidence")):
            chosen.append(Choice(case.claim, EVIDENCE))
        if case.registration is not None:
            chosen.append(Choice(case.registration, CONTENT))
        chosen += await asyncio.to_thread(held_answers, self.speaker, told, case.transfer)
        return await disclose(self.speaker, told, case.transfer, seals, chosen)

    def evidence(self, trace: Trace, told: Mapping[str, Told], case: Case) -> dict[str, Json]:
        """Return `evidence.json`."""
        offers = [
            one for one in told.values() if one.type == "transfer.offered" and one.name("listing") == case.listing
        ]
        check_covers(trace, offers, case.respondent)
        members = withhold(members_of(trace, case.transfer), trace, case.transfer, self.request.withheld)
        members = limit(members, trace, case.listing, self.request.open_count)
        # Files that were traced since then were examined as well.
        now = examined_count(self.speaker.vault.directory, case.listing)
        members["counts"] = members["counts"] | {"examined": max(members["counts"]["examined"], now)}
        marked = set(trace.document.get("mark_rows", {}).get(case.listing, []))
        members |= open_matches(self.speaker.vault, case.transfer, members, marked, self.request.found)
        if self.request.is_found_included and members["found"]["format"] in _READABLE:
            name = _OTHER.sub("-", members["found"]["name"].lower()).strip("-.") or "file"
            members["found"] = members["found"] | {"path": f"found/{name}"}
        is_drawn = any("prepared" in one.fields.get("marks", {}) for one in offers if _is_to(one, case.respondent))
        return members | {"type": DRAWN_EVIDENCE_TYPE if is_drawn else EVIDENCE_TYPE}

    def unread(self, evidence: Mapping[str, Json]) -> list[str]:
        """Return why the found file is not in the bundle, where it was to be."""
        form = evidence["found"]["format"]
        if not self.request.is_found_included or form in _READABLE:
            return []
        what = "files that are not tables" if form == CHUNKS else f"{form} files"
        return [f"the found file, for verifiers do not read {what}: the bundle is conditional"]


def _is_to(offer: Told, party: str) -> bool:
    return bool(offer.fields["recipient"] == party)


def _program() -> str:
    return f"provenance-ledger {version('provenance-ledger')}"
