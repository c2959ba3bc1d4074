"""Templates: everything that they show is escaped for where it stands; nothing that a party wrote is ever markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.party.extras import MissingExtra
from ledger.party.text import plain

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, /, **values: object) -> str:
    """Return a template filled with values, every string of which is shown as text; raise MissingExtra."""
    return _environment().get_template(template).render(shown(values))


def shown(value: object) -> Any:  # noqa: ANN401 - what goes in comes out, with its strings made safe to show
    """Return a value with every string in it made plain: no control or bidirectional character survives.

    Autoescaping stops markup; this stops what needs none: an override that makes text read in another order. Markup of
    ours (`jinja2`'s Markup) stays as it is.
    """
    if hasattr(value, "__html__"):
        return value
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {name: shown(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [shown(item) for item in value]
    return value


@cache
def _environment() -> jinja2.Environment:
    try:
        import jinja2  # noqa: PLC0415 - only reports need it
    except ImportError as error:
        raise MissingExtra("jinja2") from error
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(("html", "svg")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
