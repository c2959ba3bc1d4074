"""What the ledger answers over HTTP, as typed values.

Read models are the operator's word: what matters is taken from entries with verified receipts. Fields that a newer
server adds are ignored.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field

from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey
from ledger.party.errors import ReplyInvalid
from ledger.statements.fields import Hex32, Id, Model, Name, Time
from ledger.statements.reading import read_model

_MAX_PATH = 64
_ReplyT = TypeVar("_ReplyT", bound="Reply")
_ItemT = TypeVar("_ItemT", bound="Reply")
State = Literal["recorded", "witnessed"]
"""How far the ledger says that a statement got (docs/format.md §17.4)."""


class Reply(Model):
    """The base of every answer: strict types, unknown fields ignored."""

    model_config = ConfigDict(extra="ignore")


class KeyState(Reply):
    """A party's key; `index` is that of the entry that registered it, `revoked_index` of the one that ended it."""

    keyid: Hex32
    alg: str
    public_key: str
    use: str
    index: Time
    revoked_index: Time | None = None
    compromised_since_ms: Time | None = None

    @property
    def key(self) -> PublicKey:
        """The key; raise FormatError if it is not the one that the keyid names. The keyid certifies its key."""
        key = PublicKey.parse(self.alg, self.public_key)
        if key.keyid != self.keyid:
            raise FormatError("wrong-value", "/public_key", "another key than the keyid names")
        return key


class PartyState(Reply):
    """A party and all the keys that it ever had."""

    name: Name
    index: Time
    keys: list[KeyState]
    size: Time

    def active(self, use: str) -> list[KeyState]:
        """Return the keys of this use that speak now, newest first."""
        keys = [key for key in self.keys if key.use == use and key.revoked_index is None]
        return sorted(keys, key=lambda key: key.index, reverse=True)


class ListingState(Reply):
    """A listing; withdrawn once `withdrawn_index` is set. `title` may be a commitment.

    `changed_index` is the newest entry that said something else of it.
    """

    id: Id
    issuer: Name
    title: Json = None
    index: Time
    changed_index: Time | None = None
    withdrawn_index: Time | None = None


class LicenseState(Reply):
    """A license; ended once `ended_index` is set, at `ended_ms`; `holds`: claims that hold it, or a hand-off under it.

    `terms_index` and `bound_index` are the entries that set its terms, and a bound of its term, last; `consent_index`
    is the amendment that said `marking_consent` last.
    """

    id: Id
    listing: Id
    licensor: Name
    licensee: Name
    terms: Json = None
    index: Time
    ended_index: Time | None = None
    ended_ms: Time | None = None
    terms_index: Time | None = None
    bound_index: Time | None = None
    consent_index: Time | None = None
    holds: list[Id] = Field(default_factory=list)


class TransferState(Reply):
    """A hand-off; `state` is offered, acknowledged or refused; `holds` are claims that hold it."""

    id: Id
    listing: Id
    license: Id | None = None
    sender: Name
    recipient: Name
    state: str
    index: Time
    decided_index: Time | None = None
    holds: list[Id] = Field(default_factory=list)


class ClaimState(Reply):
    """A claim on a license or a transfer; `answered_index` and `determined_index` are set once it was."""

    id: Id
    license: Id | None = None
    transfer: Id | None = None
    claimant: Name
    respondent: Name
    tribunal: Name | None = None
    index: Time
    answered_index: Time | None = None
    determined_index: Time | None = None


class FindingState(Reply):
    """One thing that a party did wrong (docs/statements.md §10); `entries` are those that it follows from."""

    slug: str
    index: Time
    party: Name
    entries: list[Time]
    since_ms: Time


class SealedPlace(Reply):
    """A sealed place that a judgement would need."""

    index: Time
    pointer: str


class UndeterminedState(FindingState):
    """What may be a finding: `places` are sealed, and their disclosures would tell."""

    places: list[SealedPlace]


class Page(Reply, Generic[_ItemT]):
    """One page of a list; `next` is the cursor of the next one."""

    items: list[_ItemT]
    next: str | None = None
    size: Time


class FindingsPage(Page[FindingState]):
    """A page of findings as of `as_of_ms`, the newest entry's time, and what could not be determined."""

    undetermined: list[UndeterminedState] = Field(default_factory=list)
    as_of_ms: Time


class RulesReply(Reply):
    """The version of the rules in force, from 1."""

    rules: Annotated[int, Field(ge=1)]


class ConsistencyReply(Reply):
    """A consistency path, base64."""

    path: Annotated[list[str], Field(max_length=_MAX_PATH)]


class RecordedReply(Reply):
    """An entry with its receipt, as submission and both single reads answer it: `entry` is base64.

    Only a submission's answer has a `state`.
    """

    statement_id: Id
    index: Time
    entry: str
    receipt: str
    state: State | None = None


class CheckpointReply(Reply):
    """The checkpoint of the results that follow it in a stream; `state` as in a single answer."""

    checkpoint: str
    state: State | None = None


class LineReply(Reply):
    """A result of bulk submission, of which the client rebuilds entry and receipt.

    `line` counts from 1; only a duplicate has `entry`, base64.
    """

    line: Annotated[int, Field(ge=1)]
    statement_id: Id
    index: Time
    previous: Hex32
    time: Time
    path: Annotated[list[str], Field(max_length=_MAX_PATH)]
    entry: str | None = None


def read_reply(model: type[_ReplyT], document: Json) -> _ReplyT:
    """Read a JSON value as `model`; raise ReplyInvalid."""
    try:
        return read_model(model, document)
    except FormatError as error:
        raise ReplyInvalid(f"the ledger's answer cannot be understood: {error}") from error
