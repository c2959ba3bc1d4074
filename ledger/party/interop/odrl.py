"""ODRL 2.2 policies of others, in any JSON-LD spelling, as the terms of docs/terms.md.

What means the same in our profile is respelt and noted; a clause that could not be judged is refused, by its pointer in
the document as it was given. Nothing of a rule is ever left out: a term that vanished would change what was agreed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError
from ledger.party.interop.contexts import LEDGER, ODRL, ODRL_TERMS, base_context
from ledger.party.interop.errors import NotUnderstood, Unjudgeable
from ledger.party.interop.foreign import Left
from ledger.party.interop.jsonld import Item, Node, read_graph
from ledger.party.interop.odrl_rules import FUNCTIONS, RULES, Rules, name_of
from ledger.statements.reading import read_model
from ledger.statements.terms import Agreement
from ledger.statements.terms.agreement import CONTEXT
from ledger.statements.vocabulary import PROFILE

_POLICIES = tuple(ODRL + kind for kind in ("Policy", "Agreement", "Offer", "Set"))
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", re.ASCII)
_MAX_UID = 500
_WHOLE = frozenset({"constraint", "duty", "inheritFrom", "refinement", "remedy"})


class Imported(NamedTuple):
    """Terms as they go into a license; `notes` say what was read how, and which value has no place here."""

    terms: dict[str, Json]
    notes: list[Left]


def import_terms(document: Json, *, listing: str, licensor: str, licensee: str) -> Imported:
    """Return a policy of somebody's as terms between these two parties about this listing.

    Raises Unjudgeable with the clause, NotUnderstood where the document holds no policy or several, and FormatError for
    what docs/terms.md §3 refuses; places are pointers in `document`.
    """
    graph = read_graph(document, base_context(ODRL_TERMS))
    policies = graph.of_type(*_POLICIES) or [
        node for node in graph.roots if any(ODRL + name in node.properties for name in RULES)
    ]
    if len(policies) != 1:
        raise NotUnderstood(f"the document holds {len(policies)} ODRL policies; exactly one is needed")
    policy, rules = policies[0], Rules(graph)
    terms: dict[str, Json] = {
        "@context": CONTEXT,
        "@type": "Agreement",
        "assignee": f"{LEDGER}party:{licensee}",
        "assigner": f"{LEDGER}party:{licensor}",
        "conflict": "prohibit",
        "profile": PROFILE,
        "target": LEDGER + listing,
        **_uid(policy, rules),
    }
    shared = policy.properties.get(ODRL + "action", [])
    for name in RULES:
        if found := rules.read(name, policy.properties.get(ODRL + name, []), shared):
            terms[name] = found
    _members(policy, rules)
    terms.setdefault("uid", f"{LEDGER}terms:sha256:{hashlib.sha256(canonical(terms)).hexdigest()}")
    try:
        read_model(Agreement, terms)
    except FormatError as error:
        raise FormatError(error.reason, rules.origin(error.field), error.detail) from error
    return Imported(terms, list(dict.fromkeys([*graph.left, *rules.notes])))


def import_rules(document: Json) -> Imported:
    """Return the same without the members that docs/terms.md §1.1 fixes, for parties that are not known yet."""
    imported = import_terms(document, listing=f"sha256:{'0' * 64}", licensor="licensor", licensee="licensee")
    rules = {name: value for name, value in imported.terms.items() if name in {*RULES, "uid"}}
    return Imported(rules, imported.notes)


def _uid(policy: Node, rules: Rules) -> dict[str, Json]:
    if not policy.id or policy.id.startswith("_:"):
        return {}
    if not _ABSOLUTE.fullmatch(policy.id) or len(policy.id) > _MAX_UID:
        rules.notes.append(Left(policy.pointer, "uid", f"{policy.id[:100]!r}: no absolute IRI"))
        return {}
    return {"uid": policy.id}


def _members(policy: Node, rules: Rules) -> None:
    """Refuse what of a policy changes its rules' meaning; note what says nothing about them."""
    for iri, items in policy.properties.items():
        name, place = iri.removeprefix(ODRL), items[0].pointer if items else policy.pointer
        if name in {*RULES, "action"} or not items:
            continue
        if iri.startswith(ODRL) and name in _WHOLE:
            raise Unjudgeable(f"{name} of a policy as a whole: write it into the rules", place)
        if name == "conflict":
            _conflict(items, rules)
        elif name in FUNCTIONS:
            rules.function(name, items)
        elif name == "profile":
            rules.notes += [
                Left(item.pointer, name, f"{name_of(item)}: its words are read as ODRL's")
                for item in items
                if name_of(item) != PROFILE
            ]
        else:
            rules.notes.append(Left(place, policy.names.get(iri, name), "terms have no such member"))
    rules.check_functions()


def _conflict(items: Sequence[Item], rules: Rules) -> None:
    for item in items:
        strategy = name_of(item).removeprefix(ODRL)
        if strategy == "perm":
            raise Unjudgeable("conflict perm: here a prohibition wins over a permission, always", item.pointer)
        if strategy != "prohibit":
            rules.notes.append(Left(item.pointer, "conflict", f"{strategy}: here a prohibition wins over a permission"))
