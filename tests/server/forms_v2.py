"""The tables of docs/statements.md §3–§9 as data: what may stand at each place, and what may not.

A third reading of that page, beside the ledger's models and the verifier's checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from ledger.core.encoding import MAX_INTEGER, Json

SEAL = {"sealed": "ef" * 32}


@dataclass(frozen=True)
class Kind:
    """What stands at a place: `wrong_type` and `wrong_values` may not, `edges` may."""

    wrong_type: Json
    wrong_values: tuple[Json, ...] = ()
    edges: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Place:
    """One place of a type, by its pointer. `required` is None for an item of a list, which has to have one."""

    pointer: str
    kind: Kind
    required: bool | None = True
    sealable: bool = False


def line(most: int) -> Kind:
    return Kind(5, ("", "数" * (most + 1), "a\nb"), ("x", "数" * most, "بيانات"))


def text(most: int) -> Kind:
    return Kind(["a"], ("", "数" * (most + 1)), ("a\nb", "𝟙" * most))


def codes(*words: str) -> Kind:
    return Kind(5, ("", "nonsense", words[0].upper()), words)


ID = Kind(5, ("", "sha256:" + "0" * 63, "sha256:" + "A" * 64, "0" * 64))
NAME = Kind(5, ("", "Alpha", "a..b", "-a", "a" * 129, "á"))
TIME = Kind("0", (-1,), (0, MAX_INTEGER))
COUNT = Kind("1", (0, -1), (1, MAX_INTEGER))
BOUND = Kind(
    5,
    ("", "0.0", "0." + "0" * 30, "0.", "1.0", ".5", "0.5\n", "0.٥", "0." + "1" * 31),
    ("0.5", "0.50", "0." + "0" * 29 + "1", "0." + "9" * 30),
)
SIZE = Kind("1", (-1,), (0, MAX_INTEGER))
BOOL = Kind(1, (), (True, False))
HEX = Kind(5, ("", "ab", "AB" * 32), ("00" * 32,))
MEDIA = Kind(5, ("", "text", "Text/CSV", "a/" + "b" * 126), ("a/b",))
SEALED = Kind("ab" * 32, ({"sealed": "ab"},))
OBJECT = Kind("x")
LIST = Kind("x", ([],))


def document(at: str) -> list[Place]:
    """*document*, sealable whole and by member."""
    return [
        Place(at, OBJECT, required=False, sealable=True),
        Place(f"{at}/bytes", COUNT, sealable=True),
        Place(f"{at}/media_type", MEDIA, sealable=True),
        Place(f"{at}/sha256", HEX, sealable=True),
    ]


def optional(kind: Kind, *pointers: str) -> list[Place]:
    """Places that may be left out, and sealed."""
    return [Place(pointer, kind, required=False, sealable=True) for pointer in pointers]


def lines(most: int, at: str) -> list[Place]:
    """Places of a list of lines, sealable whole and by item."""
    item = Place(f"{at}/0", line(most), required=None, sealable=True)
    return [*optional(Kind("x", ([], ["x"] * 21), (["x"] * 20,)), at), item]


CLASSIFICATION = [
    Place("/classification/level", line(100), sealable=True),
    Place("/classification/authority", line(200), sealable=True),
    Place("/classification/as_of_ms", TIME, sealable=True),
]
USE_LINES = ["classification", "consents", "copyright", "license", "patent", "privacy_enhancing", "trademark"]
USE_LISTS = ["intended_purpose", "processing_excluded", "processing_included", "storage_allowed", "storage_forbidden"]
DESCRIPTION = [
    *optional(text(4000), "/description"),
    *optional(line(300), "/publisher", "/rights_holder"),
    *optional(line(50), "/version"),
    *lines(100, "/keywords"),
    *lines(200, "/spatial"),
    *optional(OBJECT, "/temporal"),
    Place("/temporal/from_ms", TIME),
    Place("/temporal/until_ms", TIME),
    *lines(500, "/conforms_to"),
    *optional(Kind("x", ([], [{"media_type": "a/b"}] * 101)), "/distributions"),
    Place("/distributions/0", OBJECT, required=None, sealable=True),
    Place("/distributions/0/media_type", MEDIA, sealable=True),
    *optional(SIZE, "/distributions/0/bytes"),
    *optional(line(300), "/distributions/0/title"),
    *optional(HEX, "/distributions/0/sha256"),
    *optional(line(2000), "/distributions/0/access_url"),
    *optional(Kind("x", ([], [{"title": "t"}] * 51)), "/sources"),
    Place("/sources/0", OBJECT, required=None, sealable=True),
    Place("/sources/0/title", line(300), sealable=True),
    *optional(line(300), "/sources/0/publisher"),
    *optional(line(2000), "/sources/0/uri"),
    *optional(TIME, "/sources/0/retrieved_ms"),
    Place("/derived_from", Kind("x", ([], ["sha256:" + "f" * 64, "sha256:" + "0" * 64])), required=False),
    Place("/derived_from/0", ID, required=None),
    *optional(OBJECT, "/classification"),
    *CLASSIFICATION,
    *optional(OBJECT, "/use"),
    *optional(line(500), *(f"/use/{name}" for name in USE_LINES)),
    *(place for name in USE_LISTS for place in lines(300, f"/use/{name}")),
    Place("/venue", OBJECT, required=False),
    Place("/venue/party", NAME, required=False),
    *optional(line(300), "/venue/name"),
    *optional(line(200), "/venue/registration"),
]
DSP = [*optional(OBJECT, "/dsp"), *optional(line(500), "/dsp/agreement", "/dsp/provider_pid", "/dsp/consumer_pid")]
LAW = [
    *document("/text"),
    *optional(line(300), "/governing_law", "/forum"),
    Place("/marking_consent", BOOL, required=False),
]
FORMS: dict[str, list[Place]] = {
    "listing.registered": [Place("/title", line(300), sealable=True), Place("/content", SEALED), *DESCRIPTION],
    "listing.amended": [
        Place("/listing", ID),
        *optional(line(300), "/title"),
        Place("/content", SEALED, required=False),
        *DESCRIPTION,
    ],
    "listing.withdrawn": [Place("/listing", ID), *optional(text(1000), "/reason")],
    "classification.changed": [
        Place("/listing", ID),
        Place("/classification", OBJECT, sealable=True),
        *CLASSIFICATION,
        *optional(text(1000), "/reason"),
    ],
    "license.agreed": [
        Place("/listing", ID),
        Place("/licensee", NAME),
        Place("/valid_from_ms", Kind("0", (-1,), (0,))),
        Place("/valid_until_ms", Kind("0", (-1, 0), (MAX_INTEGER,))),
        Place("/terms", OBJECT),
        *LAW,
        *DSP,
    ],
    "license.amended": [
        Place("/license", ID),
        Place("/valid_from_ms", Kind("0", (-1,), (0,)), required=False),
        Place("/valid_until_ms", Kind("0", (-1,), (MAX_INTEGER,)), required=False),
        Place("/terms", OBJECT, required=False),
        *LAW,
    ],
    "license.ended": [
        Place("/license", ID),
        Place("/code", codes("breach", "convenience", "expired", "insolvency", "other", "regulatory")),
        Place("/effective_ms", TIME, required=False),
        *optional(OBJECT, "/notice"),
        Place("/notice/channel", line(200), sealable=True),
        Place("/notice/sent_ms", TIME, sealable=True),
        *optional(text(1000), "/reason"),
    ],
    "transfer.offered": [
        Place("/listing", ID),
        Place("/license", ID, required=False),
        Place("/recipient", NAME),
        Place("/content", SEALED),
        Place("/acknowledge_by_ms", TIME, required=False),
        *DSP,
    ],
    "transfer.prepared": [
        Place("/listing", ID),
        Place("/recipient", NAME),
        Place("/bound", BOUND),
        Place("/recipients", COUNT),
        Place("/method", codes("canary", "omission", "tardos")),
        Place("/coin", SEALED),
        Place("/seal", SEALED),
    ],
    "transfer.acknowledged": [
        Place("/transfer", ID),
        Place("/content", SEALED),
        Place("/opens", Kind(1, ("", "ab", "A" * 64), ())),
    ],
    "transfer.refused": [
        Place("/transfer", ID),
        Place("/code", codes("digest-mismatch", "not-received", "not-wanted", "other")),
        *optional(text(1000), "/reason"),
        Place("/content", SEALED, required=False),
    ],
    "transfer.forwarded": [
        Place("/transfer", ID),
        Place("/recipient", NAME),
        Place("/license", ID, required=False),
        Place("/disclosure", ID, required=False),
        *optional(line(200), "/purpose", "/spatial"),
    ],
    "disclosure.compelled": [
        Place("/transfer", ID),
        Place("/authority", line(300), sealable=True),
        Place("/instrument", line(500), sealable=True),
        *optional(text(4000), "/scope"),
        *optional(TIME, "/demanded_ms"),
    ],
    "usage.reported": [
        Place("/license", ID),
        Place("/transfer", ID, required=False),
        Place(
            "/action",
            codes("use", "read", "reproduce", "derive", "aggregate", "anonymize", "distribute", "grantUse", "sell"),
        ),
        *optional(line(200), "/purpose", "/spatial", "/industry", "/product", "/recipient"),
        *optional(COUNT, "/count"),
        *optional(TIME, "/from_ms", "/until_ms"),
        Place("/fulfils", Kind("x", ([], ["inform", "attribute"], ["inform", "inform"], ["nonsense"])), required=False),
        *optional(Kind("x", ([], [{"title": "t"}] * 51)), "/derivatives"),
        Place("/derivatives/0", OBJECT, required=None, sealable=True),
        Place("/derivatives/0/title", line(300), sealable=True),
        Place("/derivatives/0/listing", ID, required=False),
        *optional(HEX, "/derivatives/0/sha256"),
    ],
    "venue.status": [
        Place("/venue", NAME),
        Place("/status", codes("closed", "operating", "suspended")),
        *optional(text(1000), "/note"),
    ],
    "claim.opened": [
        Place("/license", ID),
        Place("/respondent", NAME),
        Place("/clause", line(500), sealable=True),
        *optional(text(4000), "/demand"),
        *document("/evidence"),
        Place("/answer_by_ms", TIME, required=False),
        Place("/legal_hold", Kind(1, (), (False,)), required=False),
        Place("/tribunal", NAME, required=False),
    ],
    "claim.answered": [
        Place("/claim", ID),
        Place("/position", codes("admitted", "denied", "partly-admitted")),
        *optional(text(4000), "/answer"),
    ],
    "claim.determined": [
        Place("/claim", ID),
        Place("/outcome", codes("dismissed", "partly-upheld", "upheld")),
        *optional(text(4000), "/decision"),
        *document("/document"),
    ],
    "erasure.requested": [
        Place("/transfer", ID),
        Place("/basis", codes("contract", "court-order", "gdpr-17", "other", "pipl-47")),
        Place("/erase_by_ms", TIME),
        *optional(line(300), "/authority"),
        *optional(text(4000), "/scope"),
    ],
    "erasure.attested": [
        Place("/transfer", ID),
        Place("/request", ID, required=False),
        Place("/basis", codes("contract", "court-order", "gdpr-17", "other", "pipl-47")),
        Place("/destroyed", Kind("x", ([], ["keys", "data"], ["data", "data"], ["nonsense"]), (["salts"],))),
        *optional(line(300), "/method"),
    ],
}


@dataclass(frozen=True)
class Change:
    """A good statement of `kind` with another value at one place."""

    kind: str
    pointer: str
    value: Json

    def apply(self, statement: dict[str, Json]) -> dict[str, Json]:
        """Return the statement changed; `LEFT_OUT` takes the member out."""
        changed: dict[str, Json] = deepcopy(statement)
        *path, last = self.pointer.split("/")[1:]
        holder: Json = changed
        for step in path:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        if self.value is LEFT_OUT:
            del holder[last]
        else:
            holder[int(last) if isinstance(holder, list) else last] = self.value
        return changed


LEFT_OUT = object()
"""In the place of a value: the member is taken out."""

ONE_OF = {("erasure.requested", "/transfer"): "/license", ("erasure.attested", "/transfer"): "/license"}
"""Where one of several fields must be there: of which one it is told that it is missing."""


def refused() -> Iterator[tuple[Change, frozenset[str], str]]:
    """Yield every malformed statement that the tables give, the reasons that fit, and where it is told to be wrong."""
    for kind, places in FORMS.items():
        yield Change(kind, "/colour", "red"), frozenset({"unknown-field"}), "/colour"
        for place in places:
            at = place.pointer
            yield Change(kind, at, place.kind.wrong_type), frozenset({"wrong-type"}), at
            yield Change(kind, at, None), frozenset({"wrong-type"}), at
            for value in place.kind.wrong_values:
                yield Change(kind, at, value), frozenset({"wrong-value"}), at
            if place.required:
                yield Change(kind, at, LEFT_OUT), frozenset({"missing-field"}), ONE_OF.get((kind, at), at)
            if place.sealable:
                yield Change(kind, at, {"sealed": "xy"}), frozenset({"wrong-value"}), f"{at}/sealed"
                yield Change(kind, at, {"sealed": 5}), frozenset({"wrong-type"}), f"{at}/sealed"
                yield Change(kind, at, SEAL | {"salt": "x"}), frozenset({"unknown-field"}), f"{at}/salt"
            elif place.kind is not SEALED:
                yield Change(kind, at, SEAL), frozenset({"wrong-type", "missing-field", "unknown-field"}), at


def allowed() -> Iterator[Change]:
    """Yield every change that leaves a statement well formed: edges, seals, and what may be left out."""
    for kind, places in FORMS.items():
        for place in places:
            yield from (Change(kind, place.pointer, value) for value in place.kind.edges)
            if place.sealable:
                yield Change(kind, place.pointer, SEAL)
            if place.required is False:
                yield Change(kind, place.pointer, LEFT_OUT)
