"""The tables of docs/terms.md §4: which word stands over which. Other tables are another version of the rules.

Every word has at most one parent, so that all words over it form one line. Words are compared code point by code point.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

VERSION: Final = 1
"""Of the vocabulary; `PROFILE` ends in it."""

PROFILE: Final = f"urn:provenance-ledger:odrl-profile:{VERSION}"

_USE = (
    "aggregate", "anonymize", "attribute", "delete", "derive", "distribute", "grantUse", "inform", "obtainConsent",
    "read", "reproduce", "train",
)  # fmt: skip

COVERS: Final[dict[str, frozenset[str]]] = {
    **{action: frozenset({action}) for action in _USE},
    "sell": frozenset({"sell"}),
    "transfer": frozenset({"transfer", "sell"}),
    "use": frozenset({"use", *_USE}),
}
"""Every action, and what it covers, itself included (§4.1)."""

_PURPOSES = {
    "ResearchAndDevelopment": ("AcademicResearch", "CommercialResearch", "NonCommercialResearch"),
    "Marketing": ("Advertising", "DirectMarketing", "PublicRelations", "SocialMediaMarketing"),
    "Advertising": ("PersonalisedAdvertising",),
    "PersonalisedAdvertising": ("TargetedAdvertising",),
    "ServiceProvision": (
        "PaymentManagement",
        "RequestedServiceProvision",
        "ServiceOptimisation",
        "ServicePersonalisation",
        "TechnicalServiceProvision",
    ),
    "ServiceOptimisation": ("OptimisationForConsumer", "OptimisationForController"),
    "CommercialPurpose": ("Marketing", "SellProducts"),
    "FulfilmentOfObligation": ("FulfilmentOfContractualObligation", "LegalObligation"),
    "LegalObligation": ("LegalCompliance",),
    "EnforceSecurity": ("EnforceAccessControl", "FraudPreventionAndDetection", "MisusePreventionAndDetection"),
    "OrganisationGovernance": ("AccountManagement", "HumanResourceManagement", "VendorManagement"),
    "PublicBenefit": ("CounterTerrorism", "ProtectionOfPublicSecurity"),
}
PURPOSE_PARENT: Final[dict[str, str]] = {child: parent for parent, below in _PURPOSES.items() for child in below}
"""Each purpose that has a parent, and which (§4.2)."""

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
REGION_PARENT: Final[dict[str, str]] = {
    **dict.fromkeys(_EU.split(), "EU"),
    **dict.fromkeys(("EU", "IS", "LI", "NO"), "EEA"),
}
"""Each country that is in a union, and each union that is in a larger one (§4.3)."""

_SUBDIVISION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")  # the form of ISO 3166-2


def covers(action: str, other: str) -> bool:
    """Tell whether a rule on `action` is about `other` too (docs/terms.md §4.1); both are actions of `COVERS`."""
    return other in COVERS[action]


@lru_cache(maxsize=1024)
def upward(operand: str, word: str) -> frozenset[str]:
    """Return `word` and every word over it, as words of the left operand (docs/terms.md §4.2–4.5)."""
    return frozenset(_line(operand, word))


def _line(operand: str, word: str) -> list[str]:
    if operand == "purpose":
        return _climb(PURPOSE_PARENT, word)
    if operand == "spatial":
        subdivision = _SUBDIVISION.fullmatch(word)
        return [word, *_climb(REGION_PARENT, subdivision[1])] if subdivision else _climb(REGION_PARENT, word)
    if operand in ("industry", "product"):
        return [word, *(word[:dot] for dot, character in enumerate(word) if character == ".")]
    return [word]


def _climb(parents: dict[str, str], word: str) -> list[str]:
    line = [word]
    while line[-1] in parents:
        line.append(parents[line[-1]])
    return line
