"""The case of a bundle, the histories, the claim's evidence, and the judgement (docs/bundle.md §3, §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.bundle.checks import BundleCheck, Outcome
from verifier.bundle.documents import is_ascending, parse_document
from verifier.core.b64 import decode_base64
from verifier.core.ed25519 import is_signed, key_id
from verifier.core.errors import MalformedInput
from verifier.core.jcs import Json
from verifier.judgement.decision import Question, decide
from verifier.judgement.state import Stated
from verifier.rules.subject import Observed
from verifier.schema.checks import base64, codes, hex32, id_, list_of, members, name, size, up_to
from verifier.terms.answers import Truth
from verifier.terms.parsed import is_sealed

if TYPE_CHECKING:
    from verifier.bundle.entries import Chain
    from verifier.bundle.form import Bundle
    from verifier.core.checks import Finding
    from verifier.judgement.judge import Judgement
    from verifier.rules.subject import Told

_HISTORY_TYPE = "application/vnd.provenance-ledger.history.v1+json"
_DECISIONS = {Truth.TRUE: "permitted", Truth.FALSE: "prohibited", Truth.UNKNOWN: "undetermined"}
_OPERANDS = ("purpose", "spatial", "industry", "product", "recipient")
SLUGS = (
    *("transfer-without-license", "transfer-outside-term", "transfer-wrong-recipient", "transfer-wrong-sender"),
    *("marked-without-consent", "marked-otherwise-than-agreed", "listing-withdrawn", "venue-closed"),
    "sublicense-wider-than-parent",
    *("derived-from-unlicensed", "usage-prohibited", "usage-beyond-count", "onward-without-permission"),
    *("digest-mismatch", "not-acknowledged-in-time", "claim-unanswered", "erasure-late"),
    *("license-ended-without-erasure", "duty-unfulfilled", "key-compromised"),
)
"""Of findings, in the order of docs/statements.md §10."""

_envelope = members(
    {
        "payload": base64(1, 1 << 26),
        "payloadType": codes(_HISTORY_TYPE),
        "signatures": list_of(members({"keyid": hex32, "sig": base64(64, 64)}), 1),
    }
)


def _subject(value: Json) -> None:
    (id_ if type(value) is str and value.startswith("sha256:") else name)(value)


_history = members(
    {
        "type": codes("provenance-ledger.history/v1"),
        "indexes": up_to(1 << 20, size),
        "ledger": id_,
        "root": hex32,
        "size": size,
        "subjects": list_of(_subject, 1000),
    }
)

COMPLETE, BY_OPERATOR, OMISSIONS = "complete", "complete according to the operator", "omissions possible"
"""How much of the history is in the bundle (docs/bundle.md §6)."""


@dataclass(frozen=True, slots=True)
class History:
    """What the operator signed about all that concerns some subjects."""

    subjects: tuple[str, ...]
    indexes: frozenset[int]


def read_histories(bundle: Bundle) -> dict[str, tuple[dict[str, Any], dict[str, Any], bytes]]:
    """Return envelope, payload and signed bytes of every history, by path.

    Raises `MalformedInput`.
    """
    read = {}
    for path, raw in bundle.histories.items():
        envelope = parse_document(raw, path, _envelope)
        signed = decode_base64(envelope["payload"]) or b""
        payload = parse_document(signed + b"\n", path, _history)
        if not is_ascending(payload["indexes"]) or not is_ascending(payload["subjects"]):
            raise MalformedInput("bundle", "wrong-value", f"{path}: not ascending")
        message = b"DSSEv1 %d %s %d " % (len(_HISTORY_TYPE), _HISTORY_TYPE.encode(), len(signed)) + signed
        read[path] = envelope, payload, message
    return read


def verify_histories(
    read: dict[str, tuple[dict[str, Any], dict[str, Any], bytes]], chain: Chain, outcome: Outcome
) -> list[History]:
    """Check every history against the checkpoint and the entries that are there; return those that hold."""
    head, histories = chain.opened.checkpoint, []
    for path, (envelope, payload, message) in read.items():
        [signature] = envelope["signatures"]
        raw = decode_base64(signature["sig"]) or b""
        if signature["keyid"] != key_id(chain.service_key) or not is_signed(chain.service_key, message, raw):
            outcome.fail(BundleCheck.HISTORY, "wrong-signature", path)
            continue
        wanted = (head.size, head.root.hex(), chain.ledger)
        if (payload["size"], payload["root"], payload["ledger"]) != wanted:
            outcome.fail(BundleCheck.HISTORY, "other-checkpoint", path, wanted[0], payload["size"])
            continue
        history = History(tuple(payload["subjects"]), frozenset(payload["indexes"]))
        if any(index >= head.size for index in history.indexes):
            outcome.fail(BundleCheck.HISTORY, "out-of-range", path, f"< {head.size}", max(history.indexes))
            continue
        left_out = _concerning(chain, history.subjects) - history.indexes
        for index in sorted(left_out):  # the operator's word against its own signed entry
            outcome.fail(BundleCheck.HISTORY, "left-out", f"{path}: entry {index}")
        if not left_out:
            histories.append(history)
    return histories


def _concerning(chain: Chain, subjects: tuple[str, ...]) -> set[int]:
    """Return the entries of the bundle that concern any of the subjects (docs/format.md §12.3)."""
    found = set[int]()
    for subject in subjects:
        observed = Observed(subject)
        for index, told in chain.told.items():
            observed.take(index, told.time_ms, told.statement)
        found |= observed.concerning.keys()
    return found


def completeness(chain: Chain, histories: list[History], listing: str) -> str:
    """Return how much of the history is in the bundle, in one of the three ways of docs/bundle.md §6."""
    if chain.is_whole:
        return COMPLETE
    is_told = any(listing in history.subjects and history.indexes <= chain.indexes for history in histories)
    return BY_OPERATOR if is_told else OMISSIONS


@dataclass(frozen=True, slots=True)
class Case:
    """What a bundle is about: its entries, which belong together."""

    raw: dict[str, Any]
    listing: Told
    transfer: Told
    license: Told | None
    claim: Told | None
    registration: Told | None = None
    """What committed to the found file, and to how it was obtained (docs/bundle.md §4.1)."""

    @property
    def respondent(self) -> str:
        """Who received the copy that the file is said to come from."""
        return self.transfer.body["recipient"]  # type: ignore[no-any-return]

    @property
    def sender(self) -> str:
        """Who offered it."""
        return self.transfer.issuer


def verify_case(bundle: Bundle, chain: Chain, outcome: Outcome) -> Case:
    """Check that what the case names is there and belongs together (docs/bundle.md §3).

    Raises `Unverifiable` if not: then nothing is about anything.
    """
    raw = bundle.case
    kinds = {"listing": "listing.registered", "transfer": "transfer.offered", "license": "license.agreed",
             "claim": "claim.opened", "registration": "listing.registered"}  # fmt: skip
    named = {member: chain.find(raw[member], kind) for member, kind in kinds.items() if member in raw}
    for member, told in named.items():
        if told is None:
            outcome.fail(BundleCheck.CASE, "unknown-reference", f"case.json/{member}", kinds[member], raw[member])
    if raw["ledger"] != chain.ledger:
        outcome.fail(BundleCheck.CASE, "wrong-ledger", "case.json/ledger", chain.ledger, raw["ledger"])
    for member in ("claimant", "respondent"):
        if raw[member] not in chain.registry.parties:
            outcome.fail(BundleCheck.CASE, "unknown-party", f"case.json/{member}", "", raw[member])
    outcome.stop_if_false()
    listing, transfer = named["listing"], named["transfer"]
    assert listing is not None and transfer is not None  # noqa: S101, PT018 (a failure would have stopped this)
    case = Case(raw, listing, transfer, named.get("license"), named.get("claim"), named.get("registration"))
    _verify_belonging(case, outcome)
    for position, act in enumerate(raw["acts"]):
        terms = chain.find(act["license"], "license.agreed")
        if terms is None or terms.time_ms > act["at_ms"]:
            reason = "unknown-reference" if terms is None else "not-agreed-yet"
            outcome.fail(BundleCheck.CASE, reason, f"case.json/acts/{position}/license", "", act["license"])
    outcome.stop_if_false()
    return case


def _verify_belonging(case: Case, outcome: Outcome) -> None:
    raw, offered = case.raw, case.transfer.body
    facts = [
        ("listing", offered["listing"], raw["listing"]),
        ("respondent", offered["recipient"], raw["respondent"]),
        ("license", offered.get("license"), raw.get("license")),
    ]
    if case.claim is not None:
        body = case.claim.body
        facts += [
            ("claimant", case.claim.issuer, raw["claimant"]),
            ("respondent", body["respondent"], raw["respondent"]),
        ]
        subject = raw["transfer"] if "transfer" in body else raw.get("license")
        facts.append(("claim", body.get("transfer", body.get("license")), subject))
    for member, expected, actual in facts:
        if expected != actual:
            outcome.fail(BundleCheck.CASE, "wrong-value", f"case.json/{member}", expected, actual)


def verify_disclosures(bundle: Bundle, case: Case, chain: Chain, outcome: Outcome) -> None:
    """Check that each disclosure opens a place of an entry that is here, and that the claim's evidence is the trace."""
    for statement_id, items in bundle.disclosures.by_statement.items():
        for item in items.values():
            where = f"disclosures.json: {item.statement_id} {item.pointer}"
            if item.ledger != chain.ledger:
                outcome.fail(BundleCheck.DISCLOSURE, "disclosure-other-ledger", where)
            elif statement_id not in chain.by_id:
                outcome.fail(BundleCheck.DISCLOSURE, "disclosure-unknown-statement", where)
    evidence = case.claim.body.get("evidence") if case.claim is not None else None
    if evidence is None or is_sealed(evidence):
        return
    trace = bundle.trace
    for member, actual in (("bytes", trace.size if trace else None), ("sha256", trace.sha256 if trace else None)):
        if not is_sealed(evidence[member]) and evidence[member] != actual:
            outcome.fail(BundleCheck.DISCLOSURE, "evidence-mismatch", f"trace.json: {member}", evidence[member], actual)


def decide_acts(bundle: Bundle, chain: Chain) -> list[dict[str, Any]]:
    """Return, for each act of the case, what judgement.json has to say of it (docs/bundle.md §5)."""
    decided = []
    for act in bundle.case["acts"]:
        facts = chain.judge(bundle.disclosures, act["at_ms"]).facts
        terms = facts.licenses[bytes.fromhex(act["license"].removeprefix("sha256:"))]
        stated = {name: Stated(act[name], (0, "")) for name in _OPERANDS if name in act}
        decision = decide(terms, Question(act["action"], act["at_ms"], stated, more=1))
        entries = sorted((decision.deciding or terms).entries())
        decided.append({"decision": _DECISIONS[decision.answer.truth], "entries": entries})
    return decided


def list_findings(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return findings with the members of docs/statements.md §10, by index, then in the order of its table."""
    listed = [
        {"entries": list(item.entries), "index": item.index, "party": item.party, "since_ms": item.since_ms,
         "slug": item.slug}
        for item in findings
    ]  # fmt: skip
    return sorted(listed, key=_order)


def _order(finding: dict[str, Any]) -> tuple[int, int]:
    slug = finding["slug"]
    return finding["index"], SLUGS.index(slug) if slug in SLUGS else len(SLUGS)


def verify_judgement(bundle: Bundle, chain: Chain, outcome: Outcome) -> tuple[list[dict[str, Any]], Judgement]:
    """Check judgement.json; return what it ought to say of the acts, and the judgement of the entries."""
    said, acts = bundle.judgement, decide_acts(bundle, chain)
    judgement = chain.judge(bundle.disclosures).close(chain.registry.newest_time_ms)
    if len(said["acts"]) != len(acts):
        outcome.fail(BundleCheck.JUDGEMENT, "wrong-acts", "judgement.json/acts", len(acts), len(said["acts"]))
    for position, (expected, actual) in enumerate(zip(acts, said["acts"], strict=False)):
        if expected != actual:
            outcome.fail(BundleCheck.JUDGEMENT, "wrong-decision", f"judgement.json/acts/{position}", expected, actual)
    findings, listed = list_findings(judgement.findings), said["findings"]
    for missing in (item for item in findings if item not in listed):
        outcome.fail(BundleCheck.JUDGEMENT, "finding-left-out", "judgement.json/findings", missing, "nothing")
    for surplus in (item for item in listed if item not in findings):
        outcome.fail(BundleCheck.JUDGEMENT, "finding-made-up", "judgement.json/findings", "nothing", surplus)
    if list(map(_order, listed)) != list(map(_order, findings)):
        outcome.fail(BundleCheck.JUDGEMENT, "wrong-order", "judgement.json/findings")
    return acts, judgement
