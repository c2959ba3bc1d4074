"""Entries that break a rule, as far as a file that stands alone can show it (docs/format.md §19.5).

With every entry before it (`prefix`), an entry is judged by the replay's own rules. Without, only by those that hold
under every version and that no missing entry can excuse: about the entry's own bytes, and about what one earlier entry
rules out for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed, MalformedInput
from verifier.core.jcs import parse_canonical
from verifier.core.moments import MAX_CLOCK_DIFFERENCE_MS
from verifier.core.tree import Tree, leaf_hash, verify_consistency
from verifier.fraud.form import UntoldFraud
from verifier.fraud.parts import NotProven, Parts, Shown
from verifier.rules.acceptance import verify_acceptance
from verifier.rules.consequences import ACCEPTANCE
from verifier.rules.examine import Examined, Reading, examine_entry
from verifier.rules.registry import Registry
from verifier.schema.checks import Fault, hex32, id_, members, size, time
from verifier.schema.entries import FIRST_LINK, guess_rules, parse_entry, pre_authentication
from verifier.schema.versions import KNOWN_RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verifier.core.keys import PublicKey

UNSIGNED = frozenset(
    {Check.SIGNATURE_SET, Check.KEY_KNOWN, Check.SIGNATURE, Check.KEY_REVOKED, Check.ISSUER, Check.SIGNERS}
)
"""Checks that an entry fails which its issuer's keys did not sign."""
PLACED = frozenset({Check.ENTRY_FORM, Check.ENTRY_INDEX, Check.LINK})
"""Checks of an entry's place, whatever its statement says."""
_ED25519 = "ed25519"


def find_fault(parts: Parts, disputed: Shown) -> Failure:
    """Return what the operator recorded against the rules.

    Raises `NotProven` where nothing of what is shown is against them, `UntoldFraud` under unknown rules.
    """
    failure = _find_misplaced(parts, disputed)
    if failure is None and parts.prefix_size >= disputed.index:
        failure = _judge_whole(parts, disputed)
    elif failure is None:
        failure = next(_find_eternal(parts, disputed), None)
    if failure is None:
        raise NotProven("no-fault", f"nothing that is shown forbids entry {disputed.index}")
    return failure


def _find_misplaced(parts: Parts, disputed: Shown) -> Failure | None:
    index, entry = disputed.index, disputed.entry
    if entry is None:
        try:
            parse_entry(disputed.raw)
        except CheckFailed as error:
            return error.failure
        return None
    if entry.index != index:
        return Failure(Check.ENTRY_INDEX, "wrong-index", index, "/index", str(index), str(entry.index))
    before = {leaf_hash(item.raw) for item in parts.shown if item.index == index - 1} if index else {FIRST_LINK}
    if before and entry.previous not in before:
        expected = " or ".join(leaf.hex() for leaf in before)
        return Failure(Check.LINK, "wrong-previous", index, "/previous", expected, entry.previous.hex())
    return None


class Beginning:
    """The first entries of a log, replayed: what the rules judge the next statement by."""

    def __init__(self, raws: tuple[bytes, ...]) -> None:
        """Replay all of them.

        Raises `UntoldFraud` where rules are in force that this program does not know, `NotProven` where entry 0 creates
        no ledger.
        """
        self.tree = Tree(b"".join(map(leaf_hash, raws)))
        self.registry = Registry()
        self.registry.rules = guess_rules(raws[0]) if raws else self.registry.rules
        self._keys: dict[str, PublicKey] = {}
        for index, raw in enumerate(raws):
            self._take(index, raw)

    def judge(self, raw: bytes, index: int) -> Failure | None:
        """Return the check that an entry at this index fails; None where it keeps all rules."""
        item = self._examine(raw)
        if isinstance(item, Failure):
            return item
        try:
            verify_acceptance(self.registry, self.tree, item, index)
        except CheckFailed as error:
            return error.failure
        return None

    def _take(self, index: int, raw: bytes) -> None:
        item = self._examine(raw)
        if isinstance(item, Failure):
            return
        try:
            statement = verify_acceptance(self.registry, self.tree, item, index)
        except CheckFailed as error:
            if error.failure.check is Check.RULES_VERSION:
                raise UntoldFraud("unknown-rules", f"entry {index}") from None
            if index == 0:
                raise NotProven("wrong-entry-0", error.failure.reason) from None
            return  # without effect, as docs/format.md §9 says
        self.registry.record(index, statement)

    def _examine(self, raw: bytes) -> Examined | Failure:
        rules = self.registry.rules
        if rules not in KNOWN_RULES:
            raise UntoldFraud("unknown-rules", f"version {rules}")
        types = self.registry.types if self.registry.ledger is not None else None
        return examine_entry(raw, self._keys, Reading(rules, types))


def _judge_whole(parts: Parts, disputed: Shown) -> Failure | None:
    prefix = parts.fraud.prefix
    raws = () if prefix is None else prefix.entries[: disputed.index]
    failure = Beginning(raws).judge(disputed.raw, disputed.index)
    if failure is not None and failure.check is Check.RULES_VERSION:
        raise UntoldFraud("unknown-rules", f"entry {disputed.index}")
    return failure


_COMMON: dict[str, Callable[[Any], None]] = {
    "ledger": id_,
    "issued_ms": time,
    "not_after_ms": time,
    "seen": members({"root": hex32, "size": size}),
}


def _common(value: dict[str, Any], name: str) -> Any:  # noqa: ANN401 (a JSON value)
    """Return a field of docs/format.md §5, which no version changes; None if it is not there or not of its form."""
    try:
        _COMMON[name](value.get(name))
    except Fault:
        return None
    return value[name]


def _find_eternal(parts: Parts, disputed: Shown) -> Iterator[Failure]:
    """Yield what no later version of the rules and no entry that is not here could excuse."""
    index, entry = disputed.index, disputed.entry
    if entry is None or entry.envelope_failure is not None:
        return
    try:
        payload = parse_canonical(entry.payload, "payload")
    except MalformedInput as error:
        yield Failure(Check.PAYLOAD, error.reason, index, error.detail)
        return
    if type(payload) is not dict:
        yield Failure(Check.PAYLOAD, "not-an-object", index)
        return
    ledger = _common(payload, "ledger")
    if parts.ledger and index and ledger not in {None, parts.ledger}:
        yield Failure(Check.LEDGER, "wrong-ledger", index, "/ledger", parts.ledger, ledger)
    before = list(parts.before(index))
    for item in before:
        if item.statement_id == disputed.statement_id:
            actual = f"{item.statement_id}, at entry {item.index} before"
            yield Failure(Check.DUPLICATE, "duplicate-statement", index, actual=actual)
    yield from _find_unsigned(parts, disputed, payload, before)
    yield from _find_stale(index, entry.time_ms, payload)
    yield from _find_unseen(parts, disputed, _common(payload, "seen"))
    yield from _find_taken(index, payload, before)


def _find_taken(index: int, payload: dict[str, Any], before: list[Shown]) -> Iterator[Failure]:
    if payload.get("type") == "party.registered":
        for item in before:
            earlier = item.payload()
            if earlier.get("type") == "party.registered" and earlier.get("issuer") == payload.get("issuer"):
                actual = f"registered at entry {item.index}"
                yield Failure(Check.REFERENCE, "name-taken", index, "/issuer", actual=actual)


def _find_stale(index: int, time_ms: int, payload: dict[str, Any]) -> Iterator[Failure]:
    issued_ms, not_after_ms = _common(payload, "issued_ms"), _common(payload, "not_after_ms")
    if issued_ms is not None and issued_ms > time_ms + MAX_CLOCK_DIFFERENCE_MS:
        latest = f"≤ {time_ms + MAX_CLOCK_DIFFERENCE_MS}"
        yield Failure(Check.FRESHNESS, "issued-in-future", index, "/issued_ms", latest, str(issued_ms))
    if not_after_ms is not None and time_ms > not_after_ms:
        yield Failure(Check.FRESHNESS, "expired", index, "/not_after_ms", f"≥ {time_ms}", str(not_after_ms))


def _find_unsigned(parts: Parts, disputed: Shown, payload: dict[str, Any], before: list[Shown]) -> Iterator[Failure]:
    """Yield what is wrong with the signatures; a keyid is the hash of its key, whoever shows it."""
    entry, index = disputed.entry, disputed.index
    signers = payload.get("signers")
    if entry is None or type(signers) is not list or not all(type(keyid) is str for keyid in signers):
        return
    present = {keyid for keyid, _ in entry.signatures}
    if present != set(signers):
        reason = "missing-signature" if set(signers) - present else "extra-signature"
        yield Failure(Check.SIGNATURE_SET, reason, index, "/signers")
    keys = {key.keyid: key for key in parts.fraud.keys}
    message = pre_authentication(entry.payload)
    for keyid, signature in entry.signatures:
        if keyid in keys and not keys[keyid].is_signed(message, signature):
            yield Failure(Check.SIGNATURE, "wrong-signature", index, keyid)
    for item in before:
        revoked = item.payload()
        if revoked.get("type") == "party.key_revoked" and revoked.get("keyid") in signers:
            expected = f"signed before its revocation at entry {item.index}"
            yield Failure(Check.KEY_REVOKED, "revoked-key", index, "/signers", expected, revoked["keyid"])


def _find_unseen(parts: Parts, disputed: Shown, seen: dict[str, Any] | None) -> Iterator[Failure]:
    if seen is None:
        return
    index, actual = disputed.index, seen["root"]
    if seen["size"] > index:
        yield Failure(Check.SEEN, "seen-mismatch", index, "/seen/size", f"≤ {index}", str(seen["size"]))
    consistency, head = parts.fraud.consistency, disputed.head
    if consistency is None or not 1 <= seen["size"] <= index:
        return
    try:
        verify_consistency(seen["size"], consistency.root, head.size, head.root, consistency.path)
    except MalformedInput as error:
        raise NotProven(error.reason, "consistency") from None
    if consistency.root.hex() != actual:
        yield Failure(Check.SEEN, "seen-mismatch", index, "/seen/root", consistency.root.hex(), actual)


RULES = ACCEPTANCE | PLACED
"""Every check that the operator has to make before it records."""
