"""Lies about bytes, links and the tree: each sets `scene.edit`, or rewrites entries under a new signature."""

# ruff: noqa: D401 - the docstring of a lie is what it says

from __future__ import annotations

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.encoding import b64encode
from ledger.core.hashing import leaf_hash
from ledger.core.tiles import format_bundle
from tests.harness.forger import Expected, Files, Scene, lie
from tests.harness.people import key
from tests.harness.speech import signed


def _bundle(scene: Scene) -> str:
    return f"tile/entries/000.p/{scene.size}"


@lie
def changed_byte(scene: Scene) -> list[Expected]:
    """One digit of a signature differs from what was hashed; tiles and checkpoint are the true ones."""
    at = scene.force_said(scene.speech.listing_registered(scene.carol), scene.carol.key)
    scene.go_on()
    true = scene.entries[at]
    digit = true.index(b'"sig":"') + 20
    false = true[:digit] + (b"A" if true[digit : digit + 1] != b"A" else b"B") + true[digit + 1 :]
    entries = [*scene.entries[:at], false, *scene.entries[at + 1 :]]
    scene.edit = lambda files: files.update({_bundle(scene): format_bundle(entries)})
    return [
        (at, "signature", "wrong-signature"),
        (at, "entry-bytes", "changed-bytes"),
        (at + 1, "link", "wrong-previous"),
        (None, "root", "root-mismatch"),
    ]


@lie
def swapped_entries(scene: Scene) -> list[Expected]:
    """Two entries of the same time change places, under a new root."""
    now_ms = scene.now_ms
    for title in ("Planes", "Airlines"):
        scene.record(signed(scene.speech.listing_registered(scene.carol, title), scene.carol.key), now_ms)
    at = scene.size - 2
    scene.go_on()
    scene.entries[at], scene.entries[at + 1] = scene.entries[at + 1], scene.entries[at]
    scene.rehash()
    wrong_links: list[Expected] = [(at + n, "link", "wrong-previous") for n in range(3)]
    return [(at, "entry-index", "wrong-index"), (at + 1, "entry-index", "wrong-index"), *wrong_links]


@lie
def dropped_middle_entry(scene: Scene) -> list[Expected]:
    """An entry is gone, under a new root; the rest is as it was."""
    at = scene.size
    scene.say(scene.speech.listing_registered(scene.carol), scene.carol.key)
    scene.go_on()
    del scene.entries[at]
    scene.rehash()
    later: list[Expected] = [(index, "entry-index", "wrong-index") for index in range(at, scene.size)]
    return [*later, (at, "link", "wrong-previous")]


@lie
def truncated_tail(scene: Scene) -> list[Expected]:
    """The last two entries are gone, which only somebody who saw them can know."""
    shorter = scene.files()
    scene.go_on()
    scene.remembered = scene.files()
    scene.edit = lambda files: _replace(files, shorter)
    return [(None, "remembered", "rollback")]


@lie
def resigned_fork(scene: Scene) -> list[Expected]:
    """Another history of the same length, signed by the log's own key, shown to one who saw the first."""
    scene.is_over = True
    scene.remembered = scene.files()
    scene.entries.pop()
    scene.times.pop()
    scene.rehash()
    scene.force_said(scene.speech.listing_registered(scene.carol), scene.carol.key)
    return [(None, "remembered", "fork")]


@lie
def resigned_shorter_fork(scene: Scene) -> list[Expected]:
    """An older state of the log, signed on with something else: shorter still than what was seen before."""
    scene.go_on()
    scene.remembered = scene.files()
    del scene.entries[-3:], scene.times[-3:]
    scene.rehash()
    scene.force_said(scene.speech.listing_registered(scene.carol), scene.carol.key)
    return [(None, "remembered", "fork")]


@lie
def resigned_longer_fork(scene: Scene) -> list[Expected]:
    """Another and longer history, in the same partial bundle as the one seen before."""
    scene.is_over = True
    scene.remembered = scene.files()
    at = scene.size - 1
    scene.entries.pop()
    scene.times.pop()
    scene.rehash()
    for title in ("Planes", "Airlines"):
        scene.force_said(scene.speech.listing_registered(scene.carol, title), scene.carol.key)
    return [
        (at, "remembered", "changed-entry"),
        (at + 1, "link", "wrong-previous"),
        (None, "remembered", "fork"),
    ]


@lie
def fork_in_the_remembered_past(scene: Scene) -> list[Expected]:
    """A longer history that differs in a full bundle, which a resumed replay need not read again."""
    scene.is_over = True
    at = scene.size
    for title in ("Airports", "Planes"):
        scene.say(scene.speech.listing_registered(scene.carol, title), scene.carol.key)
    while scene.size < 260:
        scene.say(scene.speech.listing_registered(scene.carol), scene.carol.key)
    scene.remembered = scene.files()
    scene.entries[at], scene.entries[at + 1] = scene.entries[at + 1], scene.entries[at]
    scene.rehash()
    scene.say(scene.speech.listing_registered(scene.carol), scene.carol.key)
    return [(None, "remembered", "fork"), (None, "tile", "wrong-hash")]


@lie
def signed_by_another_key(scene: Scene) -> list[Expected]:
    """The checkpoint names the log and is signed by a key that the policy does not know."""
    scene.go_on()
    other = sign_checkpoint(scene.origin, scene.head(), key("somebody else"))
    scene.edit = lambda files: files.update(checkpoint=other)
    return [(None, "checkpoint-signature", "no-log-signature")]


@lie
def forged_checkpoint(scene: Scene) -> list[Expected]:
    """The log's signature stands under another root."""
    scene.go_on()
    text, _, line = scene.checkpoint().partition(b"\n\n")
    forged = b"\n".join([*text.split(b"\n")[:2], b64encode(bytes(32)).encode()]) + b"\n\n" + line
    scene.edit = lambda files: files.update(checkpoint=forged)
    return [(None, "checkpoint-signature", "wrong-signature")]


@lie
def wrong_root(scene: Scene) -> list[Expected]:
    """The log signs a root that is not that of its entries."""
    scene.go_on()
    false = sign_checkpoint(scene.origin, TreeHead(scene.size, bytes(32)), scene.log_key)
    scene.edit = lambda files: files.update(checkpoint=false)
    return [(None, "root", "root-mismatch")]


@lie
def checkpoint_of_another_log(scene: Scene) -> list[Expected]:
    """The checkpoint's first line names another log."""
    scene.go_on()
    false = sign_checkpoint("elsewhere.example/log", scene.head(), scene.log_key)
    scene.edit = lambda files: files.update(checkpoint=false)
    return [(None, "checkpoint-origin", "wrong-origin")]


@lie
def wrong_tile(scene: Scene) -> list[Expected]:
    """A level-0 tile has one wrong hash."""
    scene.go_on()
    scene.edit = lambda files: _flip(files, f"tile/0/000.p/{scene.size}", 32 * 3)
    return [(3, "tile", "wrong-hash")]


@lie
def wrong_upper_tile(scene: Scene) -> list[Expected]:
    """A level-1 tile is wrong: replay needs it nowhere, but proofs made from it would fail."""
    while scene.size < 256:
        scene.say(scene.speech.listing_registered(scene.carol), scene.carol.key)
    scene.go_on()
    scene.edit = lambda files: _flip(files, "tile/1/000.p/1", 0)
    return [(None, "tile", "wrong-hash")]


@lie
def trailing_bytes(scene: Scene) -> list[Expected]:
    """Something follows the last entry of a bundle."""
    scene.go_on()
    scene.edit = lambda files: files.update({_bundle(scene): files[_bundle(scene)] + b"\0"})
    return [(scene.size - 1, "bundle", "trailing-bytes")]


def _replace(files: Files, others: Files) -> None:
    files.clear()
    files.update(others)


def _flip(files: Files, path: str, at: int) -> None:
    content = files[path]
    files[path] = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@lie
def wrong_previous(scene: Scene) -> list[Expected]:
    """An entry names another before it."""
    statement = scene.speech.listing_registered(scene.carol)
    at = scene.force(signed(statement, scene.carol.key), previous=leaf_hash(scene.entries[0]).hex())
    return [(at, "link", "wrong-previous")]


@lie
def wrong_index(scene: Scene) -> list[Expected]:
    """An entry says that it stands elsewhere."""
    statement = scene.speech.listing_registered(scene.carol)
    at = scene.force(signed(statement, scene.carol.key), index=scene.size + 1)
    return [(at, "entry-index", "wrong-index")]


@lie
def time_going_back(scene: Scene) -> list[Expected]:
    """An entry is older than the one before."""
    later_ms = scene.now_ms
    at = scene.force_said(scene.speech.listing_registered(scene.carol), scene.carol.key, time_ms=scene.times[-1] - 1)
    scene.times[-1] = later_ms
    return [(at, "time", "time-decreased")]


@lie
def unreadable_entry(scene: Scene) -> list[Expected]:
    """An entry is no JSON."""
    return [(scene.force_raw(b"entry"), "entry-form", "not-json")]


@lie
def duplicate_key_in_entry(scene: Scene) -> list[Expected]:
    """An entry has two times: one for each kind of reader."""
    scene.say(scene.speech.listing_registered(scene.carol), scene.carol.key)
    last = scene.entries.pop()
    now_ms = scene.times.pop()
    scene.rehash()
    at = scene.force_raw(last[:-1] + b',"time":%d}' % now_ms, now_ms)
    return [(at, "entry-form", "duplicate-key")]


@lie
def non_canonical_entry(scene: Scene) -> list[Expected]:
    """An entry has a blank that its canonical form has not."""
    scene.say(scene.speech.listing_registered(scene.carol), scene.carol.key)
    last, now_ms = scene.entries.pop(), scene.times.pop()
    scene.rehash()
    return [(scene.force_raw(last.replace(b":", b": ", 1), now_ms), "entry-form", "non-canonical")]
