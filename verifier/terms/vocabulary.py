"""The words of terms, and what stands over what: version 1 of the tables (docs/terms.md §3.1, §4)."""

from __future__ import annotations

import re
from functools import lru_cache

COVERED_BY_USE = frozenset(
    {"use", "read", "reproduce", "derive", "aggregate", "anonymize", "distribute", "grantUse", "delete", "attribute"}
    | {"inform", "obtainConsent", "train"}
)
ACTIONS = COVERED_BY_USE | {"transfer", "sell"}
"""Every action of docs/terms.md §4.1."""

ORDERINGS = frozenset({"lt", "lteq", "gt", "gteq"})
_EQUAL = frozenset({"eq", "neq"})
ORDERED = _EQUAL | ORDERINGS
OF_SETS = frozenset({"isAnyOf", "isAllOf", "isNoneOf"})
"""Operators whose right operand is a list."""
BENEATH = frozenset({"isA", "isPartOf"})

NUMERIC = frozenset({"dateTime", "elapsedTime", "count"})
"""Left operands that are compared as integers."""
OPERATORS: dict[str, frozenset[str]] = {
    "dateTime": ORDERED,
    "elapsedTime": ORDERED,
    "count": ORDERED,
    "version": ORDERED | OF_SETS,
    "purpose": _EQUAL | BENEATH | OF_SETS,
    "spatial": _EQUAL | BENEATH | OF_SETS,
    "industry": _EQUAL | BENEATH | OF_SETS,
    "product": _EQUAL | BENEATH | OF_SETS,
    "recipient": _EQUAL | OF_SETS,
}
"""Left operand to the operators that it has (docs/terms.md §3.1)."""

_PURPOSES = {
    "ResearchAndDevelopment": "AcademicResearch CommercialResearch NonCommercialResearch",
    "Marketing": "Advertising DirectMarketing PublicRelations SocialMediaMarketing",
    "Advertising": "PersonalisedAdvertising",
    "PersonalisedAdvertising": "TargetedAdvertising",
    "ServiceProvision": "PaymentManagement RequestedServiceProvision ServiceOptimisation ServicePersonalisation "
    "TechnicalServiceProvision",
    "ServiceOptimisation": "OptimisationForConsumer OptimisationForController",
    "CommercialPurpose": "Marketing SellProducts",
    "FulfilmentOfObligation": "FulfilmentOfContractualObligation LegalObligation",
    "LegalObligation": "LegalCompliance",
    "EnforceSecurity": "EnforceAccessControl FraudPreventionAndDetection MisusePreventionAndDetection",
    "OrganisationGovernance": "AccountManagement HumanResourceManagement VendorManagement",
    "PublicBenefit": "CounterTerrorism ProtectionOfPublicSecurity",
}
_PURPOSE_PARENT = {child: parent for parent, children in _PURPOSES.items() for child in children.split()}
_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_REGION_PARENT = dict.fromkeys(_EU.split(), "EU") | dict.fromkeys(("EU", "IS", "LI", "NO"), "EEA")
_is_subdivision = re.compile("[A-Z]{2}-[A-Z0-9]{1,3}").fullmatch
"""The form of a code of ISO 3166-2; anything else with a hyphen is a word of its own."""


def covers(action: str, other: str) -> bool:
    """Tell whether a rule about `action` is about `other` too (docs/terms.md §4.1)."""
    return action == other or (action == "use" and other in COVERED_BY_USE) or (action, other) == ("transfer", "sell")


def _parent(operand: str, word: str) -> str | None:
    """Return the one word that stands directly over `word`, None if none does."""
    if operand == "purpose":
        return _PURPOSE_PARENT.get(word)
    if operand == "spatial":
        return word.partition("-")[0] if _is_subdivision(word) else _REGION_PARENT.get(word)
    if operand in ("industry", "product"):
        over, dot, _ = word.rpartition(".")
        return over if dot else None
    return None


@lru_cache(maxsize=1024)
def lineage(operand: str, word: str) -> frozenset[str]:
    """Return `word` and all that stands over it, as values of a left operand (docs/terms.md §4.2 to §4.5)."""
    words = {word}
    step = _parent(operand, word)
    while step is not None:
        words.add(step)
        step = _parent(operand, step)
    return frozenset(words)
