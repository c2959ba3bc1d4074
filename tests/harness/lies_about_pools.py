"""Lies about pools, coins and draws: each records one statement that had to be refused (docs/statements.md §5)."""

# ruff: noqa: D401 - the docstring of a lie is what it says

from __future__ import annotations

from ledger.core.encoding import Json, b64encode
from tests.harness.forger import Expected
from tests.harness.people import Person
from tests.harness.scene_2 import Scene2, lie_2
from tests.harness.speech import COIN, drawn_marks, marks, sealed

NOWHERE = "sha256:" + "0" * 64
AGREED: dict[str, Json] = {"bound": "0.001", "method": "canary", "recipients": 2}


def _prepared(scene: Scene2, check: str, reason: str, by: Person | None = None, **fields: Json) -> list[Expected]:
    who = by or scene.alice
    statement = scene.speech.transfer_prepared(who, scene.bob, scene.listing, **fields)
    return [(scene.force_said(statement, who.key), check, reason)]


def _requested(scene: Scene2, reason: str, prepared: str, by: Person | None = None, **fields: Json) -> list[Expected]:
    who, seen = by or scene.bob, {"seen": scene.seen()}
    statement = scene.speech.transfer_requested(who, prepared, **(seen | fields))
    return [(scene.force_said(statement, who.key), "reference", reason)]


def _offered(scene: Scene2, said: Json, check: str, reason: str, **fields: Json) -> list[Expected]:
    offer = scene.speech.transfer_offered(scene.alice, scene.bob, scene.listing, scene.license, marks=said, **fields)
    return [(scene.force_said(offer, scene.alice.key), check, reason)]


def _drawn(scene: Scene2, said: Json, **fields: Json) -> list[Expected]:
    return _offered(scene, said, "reference", "wrong-value", **fields)


# -- what is sealed, and what is not -----------------------------------------------------------------------------------


@lie_2
def pool_in_the_open(scene: Scene2) -> list[Expected]:
    """Who reads the ledger could take the marks out of a copy: they are sealed, always."""
    return _prepared(scene, "fields", "wrong-type", seal=["0101"])


@lie_2
def coin_in_the_open(scene: Scene2) -> list[Expected]:
    """A recipient that knows the sender's coin before it says its own chooses what is drawn, if it knows the pool."""
    return _prepared(scene, "fields", "wrong-type", coin=COIN["value"])


@lie_2
def pool_whose_bound_is_sealed(scene: Scene2) -> list[Expected]:
    """A bound that is shown only once somebody is accused is no bound."""
    return _prepared(scene, "fields", "wrong-type", bound=sealed("bound"))


@lie_2
def pool_by_no_method(scene: Scene2) -> list[Expected]:
    """A method that nobody can check."""
    return _prepared(scene, "fields", "wrong-value", method="secret")


@lie_2
def marks_that_were_not_drawn(scene: Scene2) -> list[Expected]:
    """Marks that their sender chose, in a seal of their own, as before version 6."""
    return _offered(scene, marks(), "fields", "missing-field")


# -- who prepares what for whom ----------------------------------------------------------------------------------------


@lie_2
def pool_for_a_listing_that_is_not_there(scene: Scene2) -> list[Expected]:
    """A pool sealed before anybody can know for what."""
    return _prepared(scene, "reference", "unknown-reference", listing=NOWHERE)


@lie_2
def pool_for_nobody(scene: Scene2) -> list[Expected]:
    """A pool for a name that nobody has yet, and somebody may take."""
    return _prepared(scene, "reference", "unknown-party", recipient="nobody.example")


@lie_2
def pool_for_oneself(scene: Scene2) -> list[Expected]:
    """Both coins would be one party's."""
    return _prepared(scene, "reference", "same-party", recipient="alice.example")


@lie_2
def requested_by_the_sender(scene: Scene2) -> list[Expected]:
    """Alice adds the recipient's coin as well as her own, so that she chooses what is drawn."""
    return _requested(scene, "wrong-role", scene.prepare(), scene.alice)


@lie_2
def requested_twice(scene: Scene2) -> list[Expected]:
    """Bob, who likes another draw better, adds a second coin."""
    prepared = scene.prepare()
    scene.ask(prepared)
    return _requested(scene, "already-decided", prepared, coin=b64encode(b"R" * 32))


@lie_2
def requested_of_nothing(scene: Scene2) -> list[Expected]:
    """A coin for a pool that may be sealed once the coin is known."""
    return _requested(scene, "unknown-reference", NOWHERE)


@lie_2
def requested_without_having_seen(scene: Scene2) -> list[Expected]:
    """A coin that was added to a pool of which its owner had no proof, so that an operator may put one before it."""
    return _requested(scene, "wrong-value", scene.prepare(), seen=None)


@lie_2
def requested_over_an_older_tree(scene: Scene2) -> list[Expected]:
    """The same: what bob has seen ends just before the preparation."""
    prepared = scene.prepare()
    return _requested(scene, "wrong-value", prepared, seen=scene.seen(scene.size - 1))


# -- what is drawn -----------------------------------------------------------------------------------------------------


@lie_2
def drawn_before_anybody_asked(scene: Scene2) -> list[Expected]:
    """Alice draws with her coin alone: bob refuses to ask, or was never told."""
    return _drawn(scene, drawn_marks(scene.prepare()))


@lie_2
def drawn_from_nothing(scene: Scene2) -> list[Expected]:
    """Marks of a pool that is nowhere."""
    return _offered(scene, drawn_marks(NOWHERE), "reference", "unknown-reference")


@lie_2
def drawn_for_somebody_else(scene: Scene2) -> list[Expected]:
    """The pool that bob drew from marks carol's copy, who drew nothing."""
    prepared = scene.prepare()
    scene.ask(prepared)
    return _drawn(scene, drawn_marks(prepared), recipient="carol")


@lie_2
def drawn_for_another_listing(scene: Scene2) -> list[Expected]:
    """Its pool was sealed for airports, and marks stations."""
    prepared = scene.prepare()
    scene.ask(prepared)
    return _drawn(scene, drawn_marks(prepared), listing=scene.second, license=None)


@lie_2
def drawn_by_the_request_of_another_pool(scene: Scene2) -> list[Expected]:
    """Alice seals two pools, bob asks for the first, and she draws from the second with what he said."""
    first, second = scene.prepare(), scene.prepare(seal=sealed("a pool that suits her"))
    scene.ask(first)
    return _drawn(scene, drawn_marks(second))


@lie_2
def coin_chosen_afterwards(scene: Scene2) -> list[Expected]:
    """Alice sees bob's coin, and only then chooses hers, among thousands that she tried."""
    prepared = scene.prepare()
    scene.ask(prepared)
    return _drawn(scene, drawn_marks(prepared, coin=COIN | {"value": b64encode(b"C" * 32)}))


@lie_2
def coin_with_another_salt(scene: Scene2) -> list[Expected]:
    """The same, if commitments could be opened by more than one salt."""
    prepared = scene.prepare()
    scene.ask(prepared)
    return _drawn(scene, drawn_marks(prepared, coin=COIN | {"salt": b64encode(b"S" * 16)}))


@lie_2
def coin_of_another_preparation(scene: Scene2) -> list[Expected]:
    """A coin that an earlier offer has shown already is sealed again, by copying its commitment."""
    first = scene.speech.transfer_prepared(scene.alice, scene.bob, scene.listing)
    shown = scene.say(first, scene.alice.key)
    scene.ask(shown)
    offer = scene.speech.transfer_offered(
        scene.alice, scene.bob, scene.listing, scene.license, marks=drawn_marks(shown)
    )
    scene.say(offer, scene.alice.key)
    again = scene.prepare(coin=dict(first["coin"]))
    scene.ask(again)
    return _drawn(scene, drawn_marks(again))


# -- what is agreed, and what was received -----------------------------------------------------------------------------


@lie_2
def marking_of_a_license_that_forbids_marks(scene: Scene2) -> list[Expected]:
    """How copies are marked, where bob did not consent that they are."""
    statement = scene.speech.license_agreed(scene.alice, scene.bob, scene.listing, marking=AGREED)
    return [(scene.force_said(statement, scene.alice.key, scene.bob.key), "fields", "wrong-value")]


@lie_2
def marking_taken_back_and_kept(scene: Scene2) -> list[Expected]:
    """An amendment that takes consent back, and says how copies are marked all the same."""
    fields: dict[str, Json] = {"marking": AGREED, "marking_consent": False}
    at = scene.lie("license.amended", scene.alice, scene.bob, license=scene.license, **fields)
    return [(at, "fields", "wrong-value")]


@lie_2
def acknowledged_without_opening(scene: Scene2) -> list[Expected]:
    """Bob signs for a copy, and does not say that it is the one that alice sealed."""
    statement = scene.speech.transfer_acknowledged(scene.bob, scene.open, opens=None)
    return [(scene.force_said(statement, scene.bob.key), "fields", "missing-field")]


@lie_2
def acknowledged_what_was_not_offered(scene: Scene2) -> list[Expected]:
    """Bob says that what he received opens something that alice never sealed."""
    statement = scene.speech.transfer_acknowledged(scene.bob, scene.open, opens=sealed("another copy")["sealed"])
    return [(scene.force_said(statement, scene.bob.key), "reference", "wrong-value")]
