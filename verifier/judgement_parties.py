"""What judging keeps of a registration: the certificates that stand for a name (docs/statements.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.identity import Presented
from verifier.schema_checks import key_of
from verifier.terms_parsed import is_sealed

if TYPE_CHECKING:
    from verifier.judgement_facts import Entry, Facts

_PLACES = frozenset({"/identity", "/identity/certificates"})


def take_registered(facts: Facts, entry: Entry) -> None:
    """Keep the certificates that a registration shows, if it does."""
    identity = entry.body.get("identity")
    if identity is None or is_sealed(identity) or "certificates" not in identity:
        return
    certificates = identity["certificates"]
    if not is_sealed(certificates):
        facts.certificates[entry.issuer] = Presented(
            entry.index,
            entry.time_ms,
            tuple(sorted(key_of(key).keyid for key in entry.body["keys"])),
            tuple(certificates["chain"]),
            certificates["signature"],
            not _PLACES.isdisjoint(entry.opened),
        )
