"""The story of one listing, license, hand-off, claim, other statement or party, in plain sentences.

Everything is told from what a replay established; each sentence names the entries that it follows from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verifier.core.words import escape, format_time
from verifier.explain.rules import rule_sentences
from verifier.explain.sentences import clauses, tell, title
from verifier.explain.values import Book, list_entries
from verifier.judgement.pins import CERTIFIED, NAME_ONLY, PINNED, format_evidence, party_evidence, party_status
from verifier.judgement.words import format_places

if TYPE_CHECKING:
    from verifier.core.checks import Finding
    from verifier.replay.result import Replay
    from verifier.rules.subject import Observed, Told

TYPE = "provenance-ledger.explanation/v1"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that is known of the subject."""

    section: str
    text: str
    """On one line, safe to print."""
    entries: tuple[int, ...] = ()
    """Those that it follows from, ascending."""
    time_ms: int | None = None
    """When it happened, Unix milliseconds; None where that is not a single moment."""


@dataclass(slots=True)
class Explanation:
    """The story of one subject as of a moment."""

    subject: str
    what: str
    """What the subject is, in words."""
    as_of_ms: int
    is_known: bool
    """The subject was recorded by then."""
    sentences: list[Sentence] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return {
            "type": TYPE,
            "subject": self.subject,
            "what": self.what,
            "as_of_ms": self.as_of_ms,
            "is_known": self.is_known,
            "sentences": [
                {"section": item.section, "text": item.text, "entries": list(item.entries)}
                | ({} if item.time_ms is None else {"time_ms": item.time_ms})
                for item in self.sentences
            ],
        }

    def lines(self) -> list[str]:
        """Return it as text, a line a sentence, under the titles of its sections."""
        lines = [f"Story of    {self.what}", f"            {escape(self.subject)}"]
        lines.append(f"As of       {format_time(self.as_of_ms)}")
        section = ""
        for item in self.sentences:
            lines += ["", item.section] if item.section != section else []
            section = item.section
            lines.append(f"  {_where(item)}{item.text}")
        return lines


def _where(item: Sentence) -> str:
    if item.time_ms is None or len(item.entries) != 1:
        return ""
    return f"Entry {item.entries[0]}, {format_time(item.time_ms)}: "


def explain(result: Replay, observed: Observed) -> Explanation:
    """Return the story of what `observed` looked for, after the replay that it was shown."""
    judgement = result.judgement
    if not observed.concerning or (observed.subject_id is None and observed.subject not in _names(observed)):
        return Explanation(observed.subject, _absent(result, observed), judgement.as_of_ms, is_known=False)
    book = Book(result)
    background = observed.background()
    story = list(observed.concerning.values())
    for told in (*background, *story):
        book.learn(told)
    own = observed.own
    what = f"the party {escape(observed.subject)}" if own is None else title(own, book)
    explanation = Explanation(observed.subject, what, judgement.as_of_ms, is_known=True)
    say = explanation.sentences
    say += _who(result, observed, book, [*background, *story])
    say += _entries("What it rests on", background, book)
    say += _entries("What happened", story, book)
    if observed.later_count:
        text = f"{observed.later_count} later entries of the ledger are left out: they are after the moment asked for."
        say.append(Sentence("What happened", text))
    told_ids = {told.statement.id for told in (*background, *story)}
    for terms in judgement.licenses:
        if terms.statement_id in told_ids:
            section = f"The license of entry {terms.index}, rule by rule"
            say += [
                Sentence(section, text, entries) for text, entries in rule_sentences(terms, book, judgement.as_of_ms)
            ]
    say += _follows(result, observed, {told.index for told in (*background, *story)})
    say += _seals(book, [*background, *story])
    return explanation


def _entries(section: str, entries: Iterable[Told], book: Book) -> Iterator[Sentence]:
    """Tell entries one by one, and the clauses of their terms."""
    for told in entries:
        yield Sentence(section, tell(told, book), (told.index,), told.time_ms)
        for clause in clauses(told, book):
            yield Sentence(section, clause, (told.index,))


def _names(observed: Observed) -> set[str]:
    return {told.issuer for told in observed.concerning.values() if told.kind in ("party.registered", "ledger.created")}


def _absent(result: Replay, observed: Observed) -> str:
    if observed.is_later or (observed.subject_id is None and observed.subject in result.registry.parties):
        return f"nothing yet: {escape(observed.subject)} was recorded after the moment asked for"
    what = "statement with this id" if observed.subject_id is not None else "party of this name"
    if result.is_complete:
        return f"nothing: no {what} is on this ledger, which was replayed completely"
    return f"nothing: no {what} is among the entries that could be judged"


def _who(result: Replay, observed: Observed, book: Book, story: Iterable[Told]) -> Iterator[Sentence]:
    """Say who the parties are, and how far that is known."""
    names = {name for told in story for name in told.parties() if name in result.registry.parties}
    section = "Who is who"
    for told in observed.of_parties(names):
        yield Sentence(section, tell(told, book), (told.index,), told.time_ms)
        if told.kind != "party.key_revoked":
            yield Sentence(section, _known(result, told.issuer), (told.index,))


def _known(result: Replay, name: str) -> str:
    evidence = party_evidence(result.registry, result.judge.facts, result.roots, name)
    status, by = party_status(result.registry, result.pins.pinned, name, evidence)
    certificate = "" if evidence is None else f" Its certificate: {format_evidence(evidence)}."
    if status == PINNED:
        words = f"{name} has a key that was given to this verifier (pinned): it is who the parties file says."
    elif status == NAME_ONLY:
        words = f"Nothing but the name says who {name} is: nobody pinned its keys, and nobody vouched for it."
    elif status == CERTIFIED:
        words = f"Nobody pinned the keys of {name}; the holder of a certificate signed them."
    else:
        words = f"Nobody pinned the keys of {name}; {by}, which operates the ledger, admitted it under that name."
    return words + certificate


def _follows(result: Replay, observed: Observed, indexes: set[int]) -> Iterator[Sentence]:
    """Say what was found, what could not be decided, and what would decide it."""
    judgement, issuers = result.judgement, observed.issuers()
    erased = {(item.index, item.pointer): item.erased_index for item in judgement.erased}

    def is_about(finding: Finding) -> bool:
        return finding.index in indexes or finding.party == observed.subject

    found = [finding for finding in judgement.findings if is_about(finding)]
    for finding in found:
        text = f"[{finding.slug}] {_sentence(finding)}"
        if finding.rests_on:
            text += f" It rests on what was disclosed: {format_places(finding.rests_on)}."
        yield Sentence("What follows", text, finding.entries)
    if not found:
        yield Sentence("What follows", f"No finding, as of {format_time(judgement.as_of_ms)}.")
    for finding in filter(is_about, judgement.cleared):
        text = f"[{finding.slug}] No finding: {_sentence(finding)} It rests on what was disclosed: "
        yield Sentence("What follows", f"{text}{format_places(finding.rests_on)}.", finding.entries)
    for finding in filter(is_about, judgement.undetermined):
        text = f"[{finding.slug}] Not decided: {_sentence(finding)}"
        for place in finding.places:
            index, pointer = place
            if place in erased:
                text += f" {escape(pointer)} of entry {index} was erased, says entry {erased[place]}: it stays open."
            else:
                owner = issuers.get(index, "its issuer")
                text += (
                    f" A disclosure of {escape(pointer)} of entry {index}, which {owner} sealed, would help to decide."
                )
        yield Sentence("What could not be decided", text, finding.entries)


def _sentence(finding: Finding) -> str:
    follows = list_entries(finding.entries)
    since = format_time(finding.since_ms)
    return f"{escape(finding.sentence)} By {finding.party}, since {since}; it follows from {follows}."


def _seals(book: Book, story: Iterable[Told]) -> Iterator[Sentence]:
    """Say what is sealed in the entries told, what was disclosed of it, and what is erased."""
    for told in sorted(story, key=lambda told: told.index):
        sealed, opened, erased = book.seals(told)
        parts = [f"sealed: {', '.join(map(escape, sealed))}"] if sealed else []
        parts += [f"disclosed: {', '.join(map(escape, opened))}"] if opened else []
        parts += [f"erased, as entry {by} says: {escape(pointer)}" for pointer, by in erased]
        if parts:
            text = f"Of entry {told.index}, by {told.issuer}, {'; '.join(parts)}."
            yield Sentence("What is sealed", text, (told.index,))
