"""Lies that show only where views of a log meet, or over time: what readers, witnesses and monitors are shown."""

# ruff: noqa: D401 - the docstring of a view is what is done

from __future__ import annotations

from collections.abc import Callable

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.encoding import b64decode
from ledger.core.receipt import format_receipt
from tests.harness.forger import Files, Scene
from tests.harness.frauds import inclusion, listing, take_back
from tests.harness.people import key
from tests.harness.sealing import disclosures_file, seal
from tests.harness.telling import PROOFS, REPLAY, Catch, Step, Telling, check, done_by, log_files
from tests.harness.witness import Witness

View = Callable[[], Telling]
VIEWS: list[View] = []
WATCH = ("--policy", "policy.txt", "--state", "seen", "--fraud-dir", PROOFS, "--quiet", "--once")
ONE, OTHER = Witness("one.example"), Witness("other.example")


def view(tell: View) -> View:
    """Add a view to the list."""
    VIEWS.append(tell)
    return tell


def _two_trees() -> tuple[Scene, Files]:
    """Return a log, and the files of another one that its key has signed."""
    scene = Scene()
    shown = scene.files()
    take_back(scene)
    scene.force(listing(scene))
    return scene, shown


def _alarm(kind: str, words: str = "") -> Catch:
    return Catch(f"the alarm {kind}", words or f'"kind": "{kind}"')


FORKED = _alarm("false", "[remembered] fork")


@view
def two_trees_compared() -> Telling:
    """The operator shows one tree to one reader, and another to another; the two compare what they were shown."""
    scene, shown = _two_trees()
    step = Step((*REPLAY, "--also", "other", "--fraud-dir", PROOFS), 1, (check("remembered", "fork"),))
    return Telling(done_by(two_trees_compared), log_files(scene, other=shown), (step,))


@view
def another_tree_for_the_monitor() -> Telling:
    """A monitor follows the log, and the next day it is shown another past."""
    scene, shown = _two_trees()
    steps = (Step(("watch", "before", *WATCH), 0), Step(("watch", "log", *WATCH), 1, (FORKED,)))
    return Telling(done_by(another_tree_for_the_monitor), log_files(scene, before=shown), steps)


@view
def another_tree_for_a_peer() -> Telling:
    """A peer was shown another tree, and drops its checkpoint into the monitor's folder."""
    scene, shown = _two_trees()
    step = Step(("watch", "log", "--peers", "peers", *WATCH), 1, (_alarm("fork"),))
    files = log_files(scene, peers={"from a peer": shown["checkpoint"]})
    return Telling(done_by(another_tree_for_a_peer), files, (step,))


@view
def a_log_that_stalls() -> Telling:
    """The log stays where it is for longer than its monitor is told to wait."""
    steps = (
        Step(("watch", "log", *WATCH), 0),
        Step(("watch", "log", "--stall", "0.001", *WATCH), 0, (_alarm("stalled"),)),
    )
    return Telling(done_by(a_log_that_stalls), log_files(Scene()), steps)


def _watched(tell: View, kind: str, say: Callable[[Scene], object], *mine: str) -> Telling:
    """Return a log that carol's monitor knows, and on which something is then said."""
    scene = Scene()
    before = scene.files()
    say(scene)
    words = ("--party", "carol", *mine, *WATCH)
    steps = (Step(("watch", "before", *words), 0), Step(("watch", "log", *words), 0, (_alarm(kind),)))
    return Telling(done_by(tell), log_files(scene, before=before), steps)


@view
def my_key_used() -> Telling:
    """Somebody has carol's key, and puts data on offer with it."""
    return _watched(
        my_key_used, "key-used", lambda scene: scene.say(scene.speech.listing_registered(scene.carol), scene.carol.key)
    )


@view
def my_key_revoked() -> Telling:
    """Somebody has carol's recovery key, and revokes her key."""

    def say(scene: Scene) -> None:
        scene.say(scene.speech.key_revoked(scene.carol, scene.carol.key), scene.carol.recovery)

    return _watched(my_key_revoked, "key-revoked", say)


@view
def a_key_added_to_mine() -> Telling:
    """Somebody has carol's recovery key, and adds a key that speaks for her."""

    def say(scene: Scene) -> None:
        new = key("not carol's")
        scene.say(scene.speech.key_added(scene.carol, new), new, scene.carol.recovery)

    return _watched(a_key_added_to_mine, "key-added", say)


def _cosigned(tell: View, note: Callable[[Scene], bytes], quorum: str, step: Step) -> Telling:
    """Return a log under a policy of two witnesses, with the checkpoint that somebody serves."""
    scene = Scene()
    files = log_files(scene, scene.files() | {"checkpoint": note(scene)})
    lines = f"{ONE.policy_line}\n{OTHER.policy_line}\n{quorum}"
    return Telling(
        done_by(tell), files | {"policy.txt": scene.policy().replace("quorum none", lines).encode()}, (step,)
    )


BOTH = "group both all one.example other.example\nquorum both"


@view
def one_witness_of_two() -> Telling:
    """The policy asks for two witnesses, and the operator has only one of them to show."""
    step = Step(REPLAY, 3, (check("quorum"),))
    return _cosigned(
        one_witness_of_two, lambda scene: ONE.cosign(scene.checkpoint(), scene.times[-1] // 1000), BOTH, step
    )


@view
def one_witness_twice() -> Telling:
    """The policy asks for two witnesses, and one has signed twice."""

    def note(scene: Scene) -> bytes:
        at_s = scene.times[-1] // 1000
        return ONE.cosign(ONE.cosign(scene.checkpoint(), at_s), at_s + 1)

    return _cosigned(one_witness_twice, note, BOTH, Step(REPLAY, 3, (check("quorum"),)))


@view
def a_witness_that_signed_another_tree() -> Telling:
    """Under the operator's checkpoint stands a witness's line for another one."""

    def note(scene: Scene) -> bytes:
        other = sign_checkpoint(scene.origin, TreeHead(scene.size, bytes(32)), scene.log_key)
        return scene.checkpoint() + ONE.cosign(other, scene.times[-1] // 1000).removeprefix(other)

    step = Step(REPLAY, 1, (check("checkpoint-signature", "wrong-signature"),))
    return _cosigned(a_witness_that_signed_another_tree, note, "quorum one.example", step)


@view
def a_witness_that_signed_before_the_entries() -> Telling:
    """A witness has seen the tree an hour before its newest entry is said to have been recorded."""
    step = Step(REPLAY, 1, (check("cosignature-time"),))
    return _cosigned(
        a_witness_that_signed_before_the_entries,
        lambda scene: ONE.cosign(scene.checkpoint(), scene.times[-1] // 1000 - 3600),
        "quorum one.example",
        step,
    )


@view
def a_size_without_end() -> Telling:
    """A source offers a checkpoint of 2^63 entries, which nobody could read."""
    scene = Scene()
    note = scene.checkpoint().replace(b"\n%d\n" % scene.size, b"\n9223372036854775808\n")
    files = log_files(scene, scene.files() | {"checkpoint": note})
    return Telling(done_by(a_size_without_end), files, (Step(REPLAY, 1, (check("checkpoint-form"),)),))


@view
def a_file_cut_off() -> Telling:
    """A source serves half of a file of entries."""
    scene = Scene()
    files = scene.files()
    bundle = f"tile/entries/000.p/{scene.size}"
    files[bundle] = files[bundle][: len(files[bundle]) // 2]
    return Telling(done_by(a_file_cut_off), log_files(scene, files), (Step(REPLAY, 1, (check("bundle"),)),))


@view
def a_file_withheld() -> Telling:
    """A source does not serve the entries at all."""
    scene = Scene()
    files = scene.files()
    del files[f"tile/entries/000.p/{scene.size}"]
    return Telling(done_by(a_file_withheld), log_files(scene, files), (Step(REPLAY, 3, (check("available"),)),))


@view
def a_receipt_of_another_entry() -> Telling:
    """Somebody shows an entry, and the receipt of the one before it."""
    scene = Scene()
    at = scene.size - 1
    receipt = format_receipt(
        at - 1, [b64decode(str(item)) for item in inclusion(scene, at - 1, scene.size)], scene.checkpoint()
    )
    files = {"mine.entry": scene.entries[at], "mine.tlog-proof": receipt, "policy.txt": scene.policy().encode()}
    words = ("receipt", "mine.tlog-proof", "--entry", "mine.entry", "--policy", "policy.txt")
    return Telling(done_by(a_receipt_of_another_entry), files, (Step(words, 1, (check("inclusion"),)),))


@view
def another_value_disclosed() -> Telling:
    """Alice sealed one title, and shows another."""
    scene = Scene()
    statement = scene.speech.listing_registered(scene.alice)
    [shown] = seal(statement, "/content")
    name = scene.say(statement, scene.alice.key)
    false = shown | {"statement_id": name, "value": "something else"}
    files = log_files(scene) | {"shown.json": disclosures_file([false])}
    step = Step((*REPLAY, "--disclosures", "shown.json"), 1, (check("disclosure"),))
    return Telling(done_by(another_value_disclosed), files, (step,))
