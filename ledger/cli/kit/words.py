"""Words out. Whatever comes from the ledger or another company is shown as text and can never steer the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from ledger.core.encoding import Json, parse_json
from ledger.party.text import MAX_TIME_MS, plain

if TYPE_CHECKING:  # a command that asks no ledger says its words without the models of all statements
    from ledger.party.answers.recorded import Recorded
    from ledger.party.answers.replies import Page, Reply

_ItemT = TypeVar("_ItemT", bound="Reply")

_LABEL_WIDTH = 15


def console(*, err: bool = False) -> Console:
    """Return a console that interprets no markup; made anew, so that it follows a redirected stream."""
    return Console(stderr=err, markup=False, emoji=False, highlight=False, soft_wrap=True)


def say(text: str = "", style: str = "", *, err: bool = False) -> None:
    """Print a line."""
    console(err=err).print(Text(plain(text), style))


def fields(pairs: Mapping[str, object] | Sequence[tuple[str, object]], *, err: bool = False) -> None:
    """Print label and value, one a line; further lines of a value are indented, so that none can pass for a field."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    out = console(err=err)
    for label, value in items:
        if value is not None:
            text = plain(str(value)).replace("\n", "\n" + " " * (_LABEL_WIDTH + 2))
            out.print(Text(f"  {label:<{_LABEL_WIDTH}}", "dim") + Text(text, "not dim"))


def as_json(document: Json) -> None:
    """Print a JSON document, in ASCII."""
    typer.echo(json.dumps(document, indent=2, sort_keys=True))


def when(time_ms: int | None) -> str | None:
    """Return a time in Unix milliseconds as RFC 3339, UTC."""
    if time_ms is None:
        return None
    if time_ms > MAX_TIME_MS:
        return f"{time_ms} ms after 1970"
    text = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return text.replace("T00:00:00Z", "")


def recorded_document(recorded: Recorded) -> dict[str, Json]:
    """Return what a program wants to know of a recorded statement."""
    return {
        "duplicate": recorded.duplicate,
        "index": recorded.index,
        "receipt": str(recorded.kept) if recorded.kept is not None else None,
        "size": recorded.checkpoint.head.size,
        "state": recorded.state,
        "statement_id": recorded.statement_id,
        "time": recorded.entry.time_ms,
        "type": recorded.statement.type,
    }


def entry_document(recorded: Recorded, state: Json = None) -> dict[str, Json]:
    """Return an entry as JSON: what is proved (`statement`), and what the operator says (`state`)."""
    return {
        "index": recorded.index,
        "state": state,
        "statement": parse_json(recorded.entry.envelope.payload),
        "statement_id": recorded.statement_id,
        "time": recorded.entry.time_ms,
    }


def tell(recorded: Recorded, done: str, *, json_output: bool, **more: Json) -> None:
    """Print the outcome of a write: the statement id, the index, and where the receipt is kept."""
    if json_output:
        as_json(recorded_document(recorded) | more)
        return
    say(f"{done}{' (it was recorded before)' if recorded.duplicate else ''}", "bold green")
    fields(
        [
            ("statement", recorded.statement_id),
            ("index", recorded.index),
            ("state", state_words(recorded)),
            ("receipt", recorded.kept),
            *more.items(),
        ]
    )


def state_words(recorded: Recorded) -> str | None:
    """Return how far a statement got, and what is missing; None where the ledger did not say."""
    if recorded.is_quorate:
        return "witnessed: the witnesses that your policy asks for cosigned it"
    match recorded.state:
        case "witnessed":
            return "witnessed, says the ledger; your policy asks for no witness, so that no cosignature was checked"
        case "recorded":
            return (
                "recorded: in the log, on disk, and not cosigned by a quorum of the ledger's witnesses; if it has any, "
                "'show' fetches their cosignatures later"
            )
        case _:
            return None


def tell_page(page: Page[_ItemT], line: Callable[[_ItemT], str], *, json_output: bool) -> None:
    """Print a page of things, a line each, and how to get the next."""
    if json_output:
        as_json(page.model_dump())
        return
    for item in page.items:
        say(line(item))
    if page.next is not None:
        say(f"More with --cursor {page.next}", "dim")
