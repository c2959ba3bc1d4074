"""What a company holds of one log, side by side, and what of it convicts the operator (docs/format.md §19.4, §19.5).

Pure. Entries come with verified receipts, words were verified when they came. Faults of an entry are looked for in the
order in which a verifier finds them: the first decides of which kind the proof has to be.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ledger.core.checkpoint import Checkpoint, TreeHead
from ledger.core.cosignature import MAX_CLOCK_DIFFERENCE_S
from ledger.core.dsse import HISTORY_TYPE, PROMISE_TYPE, REFUSAL_TYPE
from ledger.core.encoding import Json, b64decode, canonical, parse_canonical
from ledger.core.errors import FormatError, NoteError
from ledger.core.keys import PublicKey
from ledger.core.note import TIMED_TYPES, cosigned_s, parse_note
from ledger.core.policy import Policy
from ledger.core.receipt import parse_receipt
from ledger.party.answers.identity import wrong_signatures
from ledger.party.answers.recorded import Recorded
from ledger.party.audit.frauds import Charge, Pair
from ledger.party.audit.history import History, find_left_out, read_history
from ledger.party.errors import ReceiptInvalid
from ledger.registry.acceptance import MAX_AHEAD_MS
from ledger.statements import version_1
from ledger.statements.party import PartyKeyRevoked

MAX_WORDS = 10_000
_MAX_HELD = 1024
_UNLAWFUL, _UNSIGNED = "unlawful-entry", "unsigned-statement"


@dataclass(frozen=True)
class Word:
    """A history, promise or refusal: what the service key signed beside checkpoints."""

    kind: str
    """Its payload type."""
    payload: dict[str, Json]
    document: Json

    @property
    def size(self) -> int:
        """Of the tree that it names."""
        return number(self.payload.get("size"))

    @property
    def head(self) -> TreeHead:
        """The tree that it names."""
        return TreeHead(self.size, bytes.fromhex(str(self.payload.get("root"))))

    @property
    def time_ms(self) -> int:
        """When it was signed, by its own word; −1 for a history, which does not say."""
        return number(self.payload.get("time", -1))

    @property
    def signed(self) -> bytes:
        """Its bytes, for a proof."""
        return canonical(self.document)


def read_words(documents: Iterable[Json], ledger: str) -> Iterator[Word]:
    """Yield those of kept envelopes that were signed for this ledger; a damaged one proves nothing."""
    for document in documents:
        try:
            payload = parse_canonical(b64decode(document["payload"]))
            kind = document["payloadType"]
        except (FormatError, KeyError, TypeError):
            continue
        if isinstance(payload, dict) and payload.get("ledger") == ledger:
            yield Word(kind, payload, document)


class Held:
    """The entries met last, all words, and what they say of names and keys."""

    def __init__(self, created: Recorded, words: Iterable[Word]) -> None:
        """Begin with entry 0, and the words that are kept."""
        self.words: deque[Word] = deque()
        """The newest ones."""
        self._refusals: dict[str, list[Word]] = {}
        self._entries: OrderedDict[int, Recorded] = OrderedDict()
        self._by_id: OrderedDict[str, Recorded] = OrderedDict()
        self._registered: dict[str, Recorded] = {}
        self._revoked: dict[str, Recorded] = {}
        self._keys: dict[str, PublicKey] = {}
        self.taught: list[Recorded] = []
        """Those that brought keys or names, or revoked keys."""
        self._latest: Recorded | None = None
        """Of those under one checkpoint, the entry with the greatest time."""
        self._newest_ms = -1
        """The time of the newest word."""
        for word in words:
            self.hear(word)
        self.add(created)

    def hear(self, word: Word) -> None:
        """Take what the service key signed; the oldest gives way."""
        self.words.append(word)
        if len(self.words) > MAX_WORDS:
            oldest = self.words.popleft()
            self._refusals.pop(str(oldest.payload.get("statement_id")), None)
        self._newest_ms = max(self._newest_ms, word.time_ms)
        if word.kind == REFUSAL_TYPE:
            self._refusals.setdefault(str(word.payload.get("statement_id")), []).append(word)

    def histories(self) -> Iterator[History]:
        """Yield the histories among the words."""
        for word in self.words:
            subjects = word.payload.get("subjects")
            if word.kind == HISTORY_TYPE and isinstance(subjects, list):
                try:
                    yield replace(read_history(word.payload, subjects), signed=word.document)
                except ReceiptInvalid:
                    continue

    def add(self, entry: Recorded) -> None:
        """Take an entry; the oldest gives way."""
        self._entries[entry.index] = self._by_id[entry.statement_id] = entry
        if len(self._entries) > _MAX_HELD:
            self._entries.popitem(last=False)
        if len(self._by_id) > _MAX_HELD:
            self._by_id.popitem(last=False)
        if self._latest is None or self._latest.checkpoint != entry.checkpoint or _is_later(entry, self._latest):
            self._latest = entry
        if b'"party.' in entry.entry.envelope.payload or not entry.index:  # of many others it would take long
            self._learn(entry)

    def _learn(self, entry: Recorded) -> None:
        """Note which keys and names an entry brings, and which key it revokes."""
        try:
            statement = entry.statement
        except ReceiptInvalid:
            return
        self.taught.append(entry)
        self._keys.update((keyid, key) for keyid, (key, _) in statement.introduced.items())
        if statement.type == "party.registered":
            self._registered.setdefault(statement.issuer, entry)
        if isinstance(statement, PartyKeyRevoked | version_1.PartyKeyRevoked):
            self._revoked[statement.keyid] = entry

    def left_out(self, entry: Recorded) -> Charge | None:
        """Return that a history left an entry out, as far as the entries met last show that it had to list it."""
        for history in self.histories():
            if entry.index < history.head.size and entry.index not in history.indexes:
                entries = {other.index: other for other in (*self._entries.values(), *self.taught, entry)}
                charge = charge_left_out(history, sorted(entries.values(), key=lambda other: other.index))
                if charge is not None:
                    return charge
        return None

    # One entry against all of it

    def charge(self, entry: Recorded) -> Charge | None:
        """Return what an entry shows that the operator did; None if nothing."""
        return self._rewritten(entry) or self._out_of_time(entry) or self._faulty(entry) or self._belied(entry)

    def charge_signatures(self, entry: Recorded, keys: dict[str, PublicKey] | None = None) -> Charge | None:
        """Return that a signature of an entry is wrong for one of `keys`, or of those that entries brought."""
        known = self._keys if keys is None else keys
        wrong = [known[keyid] for keyid in wrong_signatures(entry.entry.envelope, known)]
        if not wrong or not entry.index:
            return None
        detail = f"it recorded entry {entry.index} with a signature that the key {wrong[0].keyid} never made"
        return _about(entry, _UNSIGNED, detail, keys=wrong)

    def _rewritten(self, entry: Recorded) -> Charge | None:
        other = self._entries.get(entry.index) or self._by_id.get(entry.statement_id)
        if other is None or other.index != entry.index or other.entry.raw == entry.entry.raw:
            return None
        return _about(entry, "rewrite", f"it signed two versions of entry {entry.index}", other)

    def _out_of_time(self, entry: Recorded) -> Charge | None:
        other = self._latest
        if other is None or other.index >= entry.index or not _is_later(other, entry) or _note(other) != _note(entry):
            return None
        detail = f"it let time go back from entry {other.index} to entry {entry.index}"
        return _about(entry, "time", detail, other)

    def _faulty(self, entry: Recorded) -> Charge | None:
        """Return a fault of docs/format.md §19.5, each step only if none before it has found one."""
        if not entry.index:
            return None
        before, payload = self._entries.get(entry.index - 1), _payload(entry)
        if before is not None and entry.entry.previous != before.entry.leaf.hex():
            detail = f"it chained entry {entry.index} to another entry than the one before it"
            return _about(entry, _UNLAWFUL, detail, before)
        if not payload:
            return _about(entry, _UNLAWFUL, f"it recorded entry {entry.index}, whose payload is not a statement")
        other = self._by_id.get(entry.statement_id)
        if other is not None and other.index != entry.index:
            late, early = (entry, other) if other.index < entry.index else (other, entry)
            detail = f"it recorded one statement twice, as entries {early.index} and {late.index}"
            return _about(late, _UNLAWFUL, detail, early)
        return self._unsigned(entry, payload) or self._stale(entry, payload) or self._taken(entry, payload)

    def _unsigned(self, entry: Recorded, payload: dict[str, Json]) -> Charge | None:
        signers = payload.get("signers")
        if not isinstance(signers, list) or not all(isinstance(keyid, str) for keyid in signers):
            return None
        if set(signers) != dict(entry.entry.envelope.signatures).keys():
            detail = f"it recorded entry {entry.index} with other signatures than its signers'"
            return _about(entry, _UNSIGNED, detail)
        for keyid in signers:
            revoked = self._revoked.get(str(keyid))
            if revoked is not None and revoked.index < entry.index:
                detail = f"it recorded entry {entry.index}, signed by a key that entry {revoked.index} revoked: {keyid}"
                return _about(entry, _UNSIGNED, detail, revoked)
        return None

    def _stale(self, entry: Recorded, payload: dict[str, Json]) -> Charge | None:
        time_ms, seen, not_after_ms = entry.entry.time_ms, payload.get("seen"), payload.get("not_after_ms")
        if number(payload.get("issued_ms")) > time_ms + MAX_AHEAD_MS:
            return _about(entry, _UNLAWFUL, f"it recorded entry {entry.index} before it was issued")
        if isinstance(not_after_ms, int) and time_ms > not_after_ms:
            return _about(entry, _UNLAWFUL, f"it recorded entry {entry.index} after it had expired")
        if isinstance(seen, dict) and number(seen.get("size")) > entry.index:
            detail = f"it recorded as entry {entry.index} what had seen a log of {seen.get('size')} entries"
            return _about(entry, _UNLAWFUL, detail)
        return None

    def _taken(self, entry: Recorded, payload: dict[str, Json]) -> Charge | None:
        first = self._registered.get(str(payload.get("issuer"))) if payload.get("type") == "party.registered" else None
        if first is None or first.index >= entry.index:
            return None
        detail = f"it let the name {payload.get('issuer')} be registered again by entry {entry.index}"
        return _about(entry, _UNLAWFUL, detail, first)

    def _belied(self, entry: Recorded) -> Charge | None:
        """Return what the service key signed that an entry contradicts."""
        for word in self._refusals.get(entry.statement_id, ()):
            if entry.index < word.size:
                detail = "it refused a statement that it had recorded, as you hold"
                return Charge("refusal-contradicts-log", detail, [pair_of(entry)], [word.signed])
        if entry.entry.time_ms >= self._newest_ms - 1000 * MAX_CLOCK_DIFFERENCE_S:
            return None
        return next(filter(None, (rolled_back(entry, word) for word in self.words)), None)


def rolled_back(entry: Recorded, word: Word) -> Charge | None:
    """Return that a promise or refusal was signed of a shorter log, long after this entry says that it was recorded."""
    is_older = entry.entry.time_ms < word.time_ms - 1000 * MAX_CLOCK_DIFFERENCE_S
    if word.kind not in {PROMISE_TYPE, REFUSAL_TYPE} or entry.index < word.size or not is_older:
        return None
    detail = f"it said that its log ended at {word.size} entries, later than entry {entry.index} says it was recorded"
    return Charge("rollback", detail, [pair_of(entry)], [word.signed], entry.index)


def taken_back(entry: Recorded, newest: Checkpoint, signed: bytes) -> Charge | None:
    """Return that an entry's signers had seen the newest tree that we did, which is longer than where it stands."""
    seen = _payload(entry).get("seen")
    if newest.head.size <= entry.index or seen != {"root": newest.head.root.hex(), "size": newest.head.size}:
        return None
    detail = f"it took its log back: entry {entry.index} was made by who had seen {newest.head.size} entries"
    return Charge("rollback", detail, [pair_of(entry)], [signed], entry.index)


def cosigned_early(entry: Recorded, policy: Policy) -> Charge | None:
    """Return that a witness cosigned the tree with an entry before the time that the entry says (§10.6)."""
    if not policy.witnesses or not entry.index:
        return None
    note = parse_note(_note(entry))
    earliest_s = -(-entry.entry.time_ms // 1000) - MAX_CLOCK_DIFFERENCE_S
    names = {(key.name, key.id): (name, key) for name, key in policy.witnesses.items() if key.type in TIMED_TYPES}
    for line in note.signatures:
        name, key = names.get((line.name, line.key_id), ("", None))
        if key is None or key in policy.logs or cosigned_s(line.signature) >= earliest_s:
            continue
        with suppress(NoteError):
            key.verify(note.text, line.signature)
            return _about(entry, "time", f"it post-dated entry {entry.index}: the witness {name} had seen it before")
    return None


def charge_left_out(history: History, entries: Sequence[Recorded]) -> Charge | None:
    """Return that a history left out one of these entries, ascending by index; None if none had to be listed."""
    found = find_left_out(history, entries)
    if found is None:
        return None
    entry, links = found
    pairs = [pair_of(other) for other in (*links, entry)]
    detail = f"the signed history leaves out entry {entry.index}, which you hold"
    return Charge("left-out-of-history", detail, pairs, [canonical(history.signed)], entry.index)


def charge_fork(entries: Iterable[Recorded], words: Iterable[Word]) -> tuple[bytes, bytes] | None:
    """Return two heads that were signed of one size with two roots; None where no two are."""
    heads: dict[int, tuple[bytes, Recorded | Word]] = {}
    found: list[tuple[TreeHead, Recorded | Word]] = [(entry.checkpoint.head, entry) for entry in entries]
    found += [(word.head, word) for word in words]
    for head, source in found:
        root, other = heads.setdefault(head.size, (head.root, source))
        if root != head.root:
            return _signed(other), _signed(source)
    return None


def _signed(source: Recorded | Word) -> bytes:
    return source.signed if isinstance(source, Word) else _note(source)


def pair_of(entry: Recorded) -> Pair:
    """Return an entry and its receipt as proofs take them."""
    return entry.entry.raw, entry.receipt


def number(value: Json) -> int:
    """Return a JSON integer, or 0."""
    return value if type(value) is int else 0


def _about(entry: Recorded, kind: str, detail: str, *others: Recorded, keys: Iterable[PublicKey] = ()) -> Charge:
    return Charge(kind, detail, [pair_of(entry), *map(pair_of, others)], (), entry.index, tuple(keys))


def _payload(entry: Recorded) -> dict[str, Json]:
    """Return the payload as a canonical JSON object, empty where it is none."""
    try:
        value = parse_canonical(entry.entry.envelope.payload)
    except FormatError:
        return {}
    return value if isinstance(value, dict) else {}


def _note(entry: Recorded) -> bytes:
    return parse_receipt(entry.receipt).checkpoint


def _is_later(entry: Recorded, other: Recorded) -> bool:
    return entry.entry.time_ms > other.entry.time_ms
