"""The frame of a PROV document: names, attributes and agents, for `provenance` to fill (W3C PROV-DM).

Importing this needs the library prov.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey
from ledger.party.chain.told import Told
from ledger.party.extras import MissingExtra
from ledger.party.interop.contexts import LEDGER
from ledger.party.interop.words import format_ms
from ledger.party.text import MAX_TIME_MS

try:
    from prov.identifier import Namespace, QualifiedName
    from prov.model import Literal, ProvDocument
except ModuleNotFoundError as error:
    raise MissingExtra("prov") from error

VOCABULARY = Namespace("pl", LEDGER + "vocabulary#")
STATEMENT = Namespace("statement", LEDGER + "sha256:")
ACTIVITY = Namespace("activity", LEDGER + "activity:sha256:")
COPY = Namespace("copy", LEDGER + "copy:sha256:")
THING = Namespace("thing", LEDGER + "thing:sha256:")
PARTY = Namespace("party", LEDGER + "party:")
KEY = Namespace("key", LEDGER + "key:")
WORDS = Namespace("words", LEDGER + "words:sha256:")

SEALED = VOCABULARY["Sealed"]
_PLAIN = frozenset({"issued_ms", "issuer", "ledger", "nonce", "not_after_ms", "seen", "signers", "type"})
MAKES_VERSION = frozenset(
    {"classification.changed", "license.agreed", "license.amended", "listing.amended", "listing.registered"}
)
"""The types of statements that say what a version of a listing or license is."""

Attributes = list[tuple[QualifiedName | str, object]]


class Frame:
    """A document under way. `registrations` are what the parties said of themselves when they registered."""

    def __init__(self, registrations: Mapping[str, Told]) -> None:
        self.document = ProvDocument()
        for namespace in (VOCABULARY, STATEMENT, ACTIVITY, COPY, THING, PARTY, KEY, WORDS):
            self.document.add_namespace(namespace)
        self.registrations = registrations
        self.owners = {keyid: name for name, told in registrations.items() for keyid in _keyids(told)}
        self._agents: set[QualifiedName] = set()
        self._entities: set[QualifiedName] = set()

    def entity(self, name: QualifiedName, kind: str, label: str, more: Attributes | None = None) -> QualifiedName:
        """Add an entity, once; return its name."""
        if name not in self._entities:
            self._entities.add(name)
            kinds: Attributes = [("prov:type", VOCABULARY[kind])]
            if kind == "Agreement":
                kinds.append(("prov:type", self.document.valid_qualified_name("prov:Plan")))
            self.document.entity(name, [("prov:label", label), *kinds, *(more or [])])
        return name

    def activity(self, told: Told, label: str, start_ms: Json = None, end_ms: Json = None) -> QualifiedName:
        """Add what a statement did, associated with the keys that signed it; return its name.

        It carries the statement's fields, unless the statement made a version that does.
        """
        name = ACTIVITY[hexadecimal(told.id)]
        attributes: Attributes = [("prov:label", label), ("prov:type", VOCABULARY[told.type])]
        attributes += place(told) + ([] if told.type in MAKES_VERSION else said(told))
        self.document.activity(name, _moment(start_ms), _moment(end_ms), attributes)
        for keyid in told.fields.get("signers", ()):
            owner = self.owners.get(keyid, told.issuer)
            key = self._agent(KEY[keyid], f"key {keyid[:8]}…", "Key", [(VOCABULARY["keyid"], keyid)])
            self.document.association(name, key, other_attributes=[("prov:role", VOCABULARY["signer"])])
            self.document.delegation(key, self.party(owner), name)
        return name

    def party(self, name: str) -> QualifiedName:
        """Add a party as an agent, with what its registration says of it; return its name."""
        agent = PARTY[name]
        attributes: Attributes = [("prov:type", self.document.valid_qualified_name("prov:Organization"))]
        registration = self.registrations.get(name)
        if registration is not None:
            attributes += place(registration)
            identity = registration.fields.get("identity", {})
            attributes += [item for key, value in sorted(identity.items()) for item in attribute(key, value)]
        return self._agent(agent, name, "Party", attributes)

    def words(self, name: Json, kind: str) -> QualifiedName | None:
        """Add somebody who is known by words only; None for nobody and for words that are sealed."""
        if not isinstance(name, str):
            return None
        return self._agent(WORDS[hashlib.sha256(name.encode()).hexdigest()], name, kind, [])

    def _agent(self, name: QualifiedName, label: str, kind: str, more: Attributes) -> QualifiedName:
        if name not in self._agents:
            self._agents.add(name)
            self.document.agent(name, [("prov:label", label), ("prov:type", VOCABULARY[kind]), *more])
        return name


def hexadecimal(statement_id: str) -> str:
    """Return the hex digits of a statement id."""
    return statement_id.removeprefix("sha256:")


def moment(told: Told) -> datetime | None:
    """Return an entry's time as PROV has it; None past the year 9999."""
    return _moment(told.time_ms)


def _moment(time_ms: Json) -> datetime | None:
    if not isinstance(time_ms, int) or time_ms > MAX_TIME_MS:
        return None
    return datetime.fromtimestamp(time_ms // 1000, UTC).replace(microsecond=time_ms % 1000 * 1000)


def place(told: Told) -> Attributes:
    """Return where on the chain a statement stands."""
    return [
        (VOCABULARY["index"], told.index),
        (VOCABULARY["statement"], told.id),
        (VOCABULARY["recorded"], format_ms(told.time_ms)),
    ]


def said(told: Told) -> Attributes:
    """Return the fields of a statement that are its own; a sealed value as its commitment, of the type pl:Sealed."""
    pairs = sorted((name, value) for name, value in told.fields.items() if name not in _PLAIN)
    return [item for name, value in pairs for item in attribute(name, value)]


def attribute(name: str, value: Json) -> Attributes:
    """Return a field as attributes: a list as several, an object as canonical JSON, the terms as their digest."""
    if isinstance(value, dict) and value.keys() == {"sealed"}:
        return [(VOCABULARY[name], Literal(value["sealed"], SEALED))]
    if name == "terms":
        return [(VOCABULARY["terms_sha256"], hashlib.sha256(canonical(value)).hexdigest())]
    if isinstance(value, list):
        return [item for member in value for item in attribute(name, member)]
    if isinstance(value, dict):
        return [(VOCABULARY[name], canonical(value).decode())]
    if name.endswith("_ms") and isinstance(value, int):
        return [(VOCABULARY[name.removesuffix("_ms")], format_ms(value))]
    return [(VOCABULARY[name], value)]


def _keyids(told: Told) -> list[str]:
    keys = [*told.fields.get("keys", ()), *told.fields.get("recovery_keys", ())]
    try:
        return [PublicKey.parse(key["alg"], key["public_key"]).keyid for key in keys]
    except (FormatError, KeyError, TypeError):
        return []
