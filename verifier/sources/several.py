"""Several sources of one log: what each shows, and whether they show the same (docs/format.md §20.3).

A log that shows two groups two trees is caught where their checkpoints meet. Here they are made to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed, SourceUnavailable
from verifier.core.policy import OpenedCheckpoint, Policy, open_checkpoint
from verifier.sources.source import Location, open_source, read_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.core.notes import VerifierKey
    from verifier.core.tree import Tree


@dataclass(frozen=True, slots=True)
class View:
    """What one source, or one peer, shows as the log's newest checkpoint."""

    where: str
    opened: OpenedCheckpoint | None = None
    failure: Failure | None = None
    """Why it is not a checkpoint of the log."""
    why: str = ""
    """Why it could not be read."""


def look_at(locations: Sequence[str], policy: Policy, log: VerifierKey) -> list[View]:
    """Return what each source shows now."""
    return [_look_at(location, policy, log) for location in locations]


def _look_at(location: str, policy: Policy, log: VerifierKey) -> View:
    try:
        source = open_source(location)
        try:
            raw = read_checkpoint(source)
        finally:
            source.close()
    except SourceUnavailable as error:
        return View(location, why=error.why)
    return view_of(location, raw, policy, log)


def view_of(where: str, raw: bytes, policy: Policy, log: VerifierKey) -> View:
    """Return the view that a checkpoint's bytes are."""
    try:
        return View(where, open_checkpoint(raw, policy, log))
    except CheckFailed as error:
        failure = error.failure
        place = f"{where} ({failure.where})" if failure.where else where
        return View(
            where, failure=Failure(failure.check, failure.reason, None, place, failure.expected, failure.actual)
        )


def by_use(views: Sequence[View]) -> Location:
    """Return the locations to read from: whose checkpoint verifies, enough witnesses and then the newest first."""

    def worth(view: View) -> tuple[bool, int]:
        return (view.opened.is_quorate, view.opened.checkpoint.size) if view.opened else (False, -1)

    return tuple(view.where for view in sorted(views, key=worth, reverse=True) if view.failure is None)


def compare_views(views: Sequence[View], tree: Tree, base: View) -> list[Failure]:
    """Return what is false about several views: what is not a checkpoint of the log, and every fork that they prove."""
    return [view.failure for view in views if view.failure] + contradictions(views, tree, base)


def contradictions(views: Sequence[View], tree: Tree, base: View) -> list[Failure]:
    """Return the forks that checkpoints prove against `base`, whose tree is `tree`.

    Both notes are signed by the log's key; `tree` tells nothing if it is not the one that `base` signs. A checkpoint of
    more entries than `base` has is compared later, when these were read.
    """
    found = []
    if base.opened is None:
        return []
    signed = base.opened.checkpoint
    is_signed_tree = tree.size >= signed.size and tree.root(signed.size) == signed.root
    for view in views:
        head = view.opened.checkpoint if view.opened else None
        if head is None or (head.size, head.root) == (signed.size, signed.root):
            continue
        if head.size != signed.size and not (is_signed_tree and head.size < signed.size):
            continue
        root = signed.root if head.size == signed.size else tree.root(head.size)
        if root == head.root:
            continue
        where = f"the root at size {head.size}, as {view.where} and {base.where} have it under the log's signature"
        found.append(Failure(Check.REMEMBERED, "fork", None, where, root.hex(), head.root.hex()))
    return found


def describe_views(views: Sequence[View]) -> list[dict[str, Any]]:
    """Return views as JSON values, with the notes: two that contradict each other are the proof of a fork."""
    return [
        {
            "source": view.where,
            "size": view.opened.checkpoint.size if view.opened else None,
            "root": view.opened.checkpoint.root.hex() if view.opened else None,
            "note": view.opened.raw.decode() if view.opened else None,
            "why": view.why or (view.failure.reason if view.failure else None),
        }
        for view in views
    ]


def view_words(views: Sequence[View]) -> list[str]:
    """Return what each source shows, in words."""
    words = []
    for view in views:
        head = view.opened.checkpoint if view.opened else None
        shows = f"size {head.size}, root {head.root.hex()}" if head else view.why or "no checkpoint of this log"
        words.append(f"{view.where}: {shows}")
    return words
