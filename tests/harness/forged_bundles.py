"""Forged bundles: each lies in one thing, and hides it as well as whoever could tell it can.

Whoever edits a bundle writes its manifest anew; whoever runs the log signs it anew; a party signs what it likes. So
only the check named can tell. Lies about bytes are in `forged_bytes`, about evidence in `forged_evidence`: importing
them fills `LIES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from ledger.core.checkpoint import sign_checkpoint
from ledger.core.encoding import Json
from ledger.core.keys import Signer
from ledger.core.note import ED25519_TYPE, NoteKey
from ledger.core.receipt import format_receipt, parse_receipt
from tests.harness.builder import ORIGIN
from tests.harness.bundle_leak import leak
from tests.harness.bundle_story import Story, Tamper
from tests.harness.bundles import Case, Files, Maker, document, finished, good, packed, unpacked, with_manifest, zipped
from tests.harness.people import key, person
from tests.harness.reference import ReferenceTree, entry_leaf
from tests.harness.speech import DAY_MS, keyids

LIES: list[Case] = []
"""Every lie, with the check that has to catch it first."""
Document = dict[str, Any]


def lie(name: str, check: str, make: Callable[[], tuple[bytes, str]]) -> None:
    """Add a lie: exit 1, by this check."""
    LIES.append(Case(name, make, 1, check))


def edited(name: str, check: str, edit: Callable[[Files], object], **fields: Any) -> None:
    """Add a lie that edits the members of a good bundle, whose manifest is then written anew."""

    def make() -> tuple[bytes, str]:
        maker = good(**fields)
        files = maker.files()
        edit(files)
        return zipped(with_manifest(files)), maker.story.policy()

    lie(name, check, make)


def rewritten(name: str, check: str, path: str, edit: Callable[[Document], object], **fields: Any) -> None:
    """Add a lie that edits one JSON file of a good bundle."""

    def rewrite(files: Files) -> None:
        value = json.loads(files[path])
        edit(value)
        files[path] = document(value)

    edited(name, check, rewrite, **fields)


def conditioned(name: str, check: str, path: str, edit: Callable[[Document], object], **fields: Any) -> None:
    """Add a lie that nobody can see who has not the found file: so exit 3, by this check, and nothing is verified."""
    rewritten(name, check, path, edit, **fields)
    LIES.append(replace(LIES.pop(), exit_code=3))


def told(name: str, check: str, tamper: Tamper | None = None, **fields: Any) -> None:
    """Add a lie that is on the ledger: a statement tampered with before it was signed."""

    def make() -> tuple[bytes, str]:
        story = Story(tamper=tamper or _honest, **fields)
        return finished(Maker(story, leak([story.copies["bob.example"]])))

    lie(name, check, make)


def _honest(_label: str, _statement: Document, keys: list[Signer]) -> list[Signer]:
    return keys


def at(label: str, change: Callable[[Document, list[Signer]], list[Signer] | None]) -> Tamper:
    """Return a tamperer that changes one statement; where it returns keys, these sign."""

    def tamper(where: str, statement: Document, keys: list[Signer]) -> list[Signer]:
        return (change(statement, keys) if where == label else None) or keys

    return tamper


def made(name: str, check: str, change: Callable[[Maker], object], **fields: Any) -> None:
    """Add a lie about which only the maker decides: what goes in, under which checkpoint."""

    def make() -> tuple[bytes, str]:
        maker = good(**fields)
        policy = maker.story.policy()
        changed = change(maker)
        return finished(changed if isinstance(changed, Maker) else maker, policy)

    lie(name, check, make)


# -- the checkpoint and what leads to it ------------------------------------------------------------------------------


def _sign_by_another(maker: Maker) -> None:
    maker.cosigned = sign_checkpoint(ORIGIN, maker.story.head(), key("another log"))


def _of_another_ledger(_maker: Maker) -> Maker:
    story = Story(label="second")
    return Maker(story, leak([story.copies["bob.example"]]))


made("checkpoint-by-another-key", "checkpoint", _sign_by_another)
made("checkpoint-of-another-ledger-of-that-name", "checkpoint", _of_another_ledger)


def _other_time(raw: bytes) -> bytes:
    return raw[:-2] + (b"1" if raw[-2:-1] != b"1" else b"2") + raw[-1:]


def _change_byte(files: Files) -> None:
    files["entries/9.entry"] = _other_time(files["entries/9.entry"])


def _change_path(files: Files) -> None:
    receipt = parse_receipt(files["receipts/5.tlog-proof"])
    path = (receipt.path[1], receipt.path[0], *receipt.path[2:])
    files["receipts/5.tlog-proof"] = format_receipt(receipt.index, path, receipt.checkpoint)


def _older_checkpoint(files: Files) -> None:
    story = Story()
    receipt = parse_receipt(files["receipts/5.tlog-proof"])
    files["receipts/5.tlog-proof"] = format_receipt(5, receipt.path, story.checkpoint(8))


def _entry_of_another_ledger(files: Files) -> None:
    files["entries/5.entry"] = Story(label="second").entries[5]


edited("entry-byte-changed-in-version-1", "receipt", _change_byte, version=1)
edited("receipt-path-changed", "receipt", _change_path, version=1)
edited("receipt-of-an-older-checkpoint", "receipt", _older_checkpoint, version=1)
edited("entry-of-another-ledger-in-version-1", "receipt", _entry_of_another_ledger, version=1)


def repacked(change: Callable[[dict[int, bytes]], object]) -> Callable[[Files], None]:
    """Change the entries of a bundle, by index; what proves them stays what it was."""

    def repack(files: Files) -> None:
        entries = unpacked(files["entries.bin"])
        change(entries)
        files["entries.bin"] = packed(entries)

    return repack


def _hashes(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Files], None]:
    def rehash(files: Files) -> None:
        raw = files["inclusion.bin"]
        files["inclusion.bin"] = b"".join(change([raw[at : at + 32] for at in range(0, len(raw), 32)]))

    return rehash


edited("entry-byte-changed", "receipt", repacked(lambda entries: entries.update({9: _other_time(entries[9])})))
edited(
    "entry-of-another-ledger",
    "receipt",
    repacked(lambda entries: entries.update({5: Story(label="second").entries[5]})),
)
edited(
    "entries-that-change-places", "receipt", repacked(lambda entries: entries.update({7: entries[8], 8: entries[7]}))
)
edited("entry-past-the-checkpoint", "receipt", repacked(lambda entries: entries.update({10**6: entries[9]})))
edited("entry-that-nothing-proves", "receipt", repacked(lambda entries: entries.pop(9)))
edited("inclusion-hash-changed", "receipt", _hashes(lambda hashes: [bytes(32), *hashes[1:]]))
edited("inclusion-hashes-change-places", "receipt", _hashes(lambda hashes: [*hashes[1:], hashes[0]]))
edited("inclusion-with-a-hash-too-many", "receipt", _hashes(lambda hashes: [*hashes, bytes(32)]))
edited("inclusion-with-a-hash-too-few", "receipt", _hashes(lambda hashes: hashes[:-1]))
edited("inclusion-with-half-a-hash", "receipt", _hashes(lambda hashes: [*hashes, bytes(16)]))
edited("inclusion-of-nothing", "receipt", _hashes(lambda _: []))


# -- the operator -----------------------------------------------------------------------------------------------------


def _last_entry(change: Callable[[Document], object]) -> Callable[[Maker], object]:
    """Change the newest entry, and sign the log anew."""

    def relog(maker: Maker) -> None:
        story = maker.story
        entry = json.loads(story.entries[-1])
        change(entry)
        story.entries[-1] = document(entry)[:-1]
        story.rehash()

    return relog


made("link-to-nothing", "entry", _last_entry(lambda entry: entry.update(previous="ab" * 32)), is_whole=True)
made("time-goes-back", "entry", _last_entry(lambda entry: entry.update(time=entry["time"] - 10_000)))
made("entry-at-another-index", "entry", _last_entry(lambda entry: entry.update(index=entry["index"] + 1)))


class _Forging:
    """A key that signs in another's name."""

    def __init__(self, name: Signer, hand: Signer) -> None:
        self.public, self.sign = name.public, hand.sign


def _forged(_statement: Document, keys: list[Signer]) -> list[Signer]:
    return [cast("Signer", _Forging(item, key("somebody"))) for item in keys]


def _only_alice(statement: Document, keys: list[Signer]) -> list[Signer]:
    statement["signers"] = keyids(keys[:1])
    return keys[:1]


def _unknown(statement: Document, _keys: list[Signer]) -> list[Signer]:
    stranger = key("stranger")
    statement["signers"] = keyids([stranger])
    return [stranger]


LICENSE = "license bob.example"
told("signature-stripped", "signature", at(LICENSE, lambda _, keys: keys[:1]))
told("license-not-signed-by-the-licensee", "signature", at(LICENSE, _only_alice))
told("signed-by-a-key-nobody-registered", "signature", at("listing", _unknown))
told("signature-forged", "signature", at("acknowledged bob.example", _forged))


def _answer_with_a_revoked_key() -> tuple[bytes, str]:
    story = Story(tamper=_honest)
    story.tell("revoked", story.speech.key_revoked(story.bob, story.bob.key), story.bob.recovery)
    fields = {"claim": story.said["claim"].id, "position": "admitted"}
    story.tell(
        "claim answered", story.speech.say("claim.answered", story.bob, [story.bob.key], **fields), story.bob.key
    )
    return finished(Maker(story, leak([story.copies["bob.example"]])))


lie("signed-by-a-revoked-key", "signature", _answer_with_a_revoked_key)


def _role(statement: Document, _keys: list[Signer]) -> list[Signer]:
    carol = key("carol.example signing")
    statement |= {"issuer": "carol.example", "signers": keyids([carol])}
    return [carol]


def _set(**fields: Json) -> Callable[[Document, list[Signer]], None]:
    return lambda statement, _keys: statement.update(fields)


EARLY_MS = 1_600_000_000_000
told("acknowledged-by-somebody-else", "acceptance", at("acknowledged bob.example", _role))
told("statement-that-had-expired", "acceptance", at(LICENSE, _set(issued_ms=EARLY_MS, not_after_ms=EARLY_MS + DAY_MS)))
told("statement-for-another-ledger", "acceptance", at(LICENSE, _set(ledger="sha256:" + "ab" * 32)))
told("seen-a-tree-that-never-was", "acceptance", at("listing", _set(seen={"root": "ab" * 32, "size": 3})))
OTHER_KEY = NoteKey(ORIGIN, ED25519_TYPE, key("another log").public.raw).vkey()
told("entry-0-for-another-log", "acceptance", log_keys=[OTHER_KEY])


def _without(index: int) -> Callable[[Files], None]:
    def drop(files: Files) -> None:
        entries, story = unpacked(files["entries.bin"]), Story()
        del entries[index]
        tree = ReferenceTree([entry_leaf(raw) for raw in story.entries])
        files["entries.bin"] = packed(entries)
        files["inclusion.bin"] = b"".join(tree.shared(list(entries), story.size))

    return drop


edited("license-left-out", "acceptance", _without(7))
edited("registration-left-out", "signature", _without(2))


# -- the history and the case -----------------------------------------------------------------------------------------


def _short_history(files: Files) -> None:
    story = Story()
    indexes = Maker(story, leak([story.copies["bob.example"]])).about_the_listing()
    files["histories/0.json"] = story.history(story.listing, indexes[:-1])


def _history_by_alice(files: Files) -> None:
    story = Story()
    story.service_key = story.alice.key
    indexes = Maker(story, leak([story.copies["bob.example"]])).about_the_listing()
    files["histories/0.json"] = story.history(story.listing, indexes)


def _history_of_another_time(files: Files) -> None:
    story = Story()
    indexes = Maker(story, leak([story.copies["bob.example"]])).about_the_listing()
    story.register(person("stranger.example"))
    files["histories/0.json"] = story.history(story.listing, indexes)


edited("history-that-leaves-an-entry-out", "history", _short_history)
edited("history-signed-by-another-key", "history", _history_by_alice)
edited("history-of-another-checkpoint", "history", _history_of_another_time)

STORY = Story()
CASE = "case.json"


def name_of(label: str) -> str:
    return STORY.said[label].id


rewritten("case-of-another-transfer", "case", CASE, lambda v: v.update(transfer=name_of("transfer carol.example")))
rewritten("case-against-somebody-else", "case", CASE, lambda v: v.update(respondent="carol.example"))
rewritten("case-under-another-license", "case", CASE, lambda v: v.update(license=name_of("license carol.example")))
rewritten("case-without-its-license", "case", CASE, lambda v: v.pop("license"))
rewritten("claim-that-is-none", "case", CASE, lambda v: v.update(claim=name_of("transfer bob.example")))
rewritten("claimant-that-did-not-claim", "case", CASE, lambda v: v.update(claimant="dave.example"))
rewritten("case-on-another-ledger", "case", CASE, lambda v: v.update(ledger="sha256:" + "ab" * 32))
rewritten("act-under-an-unknown-license", "case", CASE, lambda v: v["acts"][0].update(license="sha256:" + "ab" * 32))
rewritten("act-before-its-license", "case", CASE, lambda v: v["acts"][0].update(at_ms=EARLY_MS))
