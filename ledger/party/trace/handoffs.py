"""What the vault knows of everything that was handed off: entries, kept copies, sealed content, marks. All offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.core.encoding import parse_json
from ledger.core.errors import FormatError, LedgerError
from ledger.core.policy import Policy, parse_policy
from ledger.party.answers.recorded import AnyOffer, Recorded, open_recorded
from ledger.party.dataset.committing.copies import Copies, Copy, CopyFile
from ledger.party.errors import ReceiptInvalid
from ledger.party.marks.pool import draw_seed, parse_pool
from ledger.party.marks.value import MarksValue, parse_marks
from ledger.party.trace.drawn import DrawnPool
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.locker import Locker
from ledger.party.vault.sealing import check_opens
from ledger.party.vault.vault import Vault
from ledger.statements import version_5
from ledger.statements.content import POINTER, Content
from ledger.statements.reading import read_model
from ledger.statements.transfer import Marks, TransferOffered, TransferPrepared, TransferRequested

MARKS_POINTER = "/marks/seal"
POOL_POINTER = "/seal"


@dataclass
class HandOff:
    """One hand-off of ours. `marks` are as they stand in the open; `opened`, what their seal hides or what was drawn.

    `problems` say, in words, what of it cannot be used; `is_sealed_content` that the content's seal was opened, and
    that the kept copy is what it says; `damaged` are positions of files that cannot be read.
    """

    recorded: Recorded
    offer: AnyOffer
    copy: Copy | None = None
    opened: MarksValue | DrawnPool | None = None
    unused: int = 0
    """How many preparations for the same listing and recipient no hand-off names."""
    prepared_for: frozenset[str] = frozenset()
    """The recipients of all preparations for the same listing."""
    is_sealed_content: bool = False
    problems: list[str] = field(default_factory=list)
    damaged: set[int] = field(default_factory=set)

    @property
    def transfer(self) -> str:
        """The statement's id."""
        return self.recorded.statement_id

    @property
    def marks(self) -> version_5.Marks | Marks | None:
        """How the copy is marked, in the open."""
        return self.offer.marks if isinstance(self.offer, version_5.TransferOffered | TransferOffered) else None

    @property
    def files(self) -> list[CopyFile]:
        """The files of the kept copy that can be read; none if there is no copy."""
        return [] if self.copy is None else [file for file in self.copy.files if file.position not in self.damaged]


def hand_offs(vault: Vault, locker: Locker | None) -> tuple[list[HandOff], list[str]]:
    """Return our hand-offs in the order of the log, and words on what had to be left out.

    An entry is used only with a receipt that holds under the vault's own policy: a file put into the vault by somebody
    else names nobody. Without a `locker` neither content nor marks are opened.
    """
    config, copies = vault.config(), Copies(vault.directory)
    party, policy = config.party, parse_policy(config.policy)
    kept = set(copies.transfers())
    found, notes, pools = [], [], _Pools()
    for path in sorted((vault.directory / "entries").glob("*.entry")):
        try:
            recorded = _recorded(vault, policy, f"sha256:{path.stem}")
        except LedgerError as error:
            notes.append(f"the entry {path.name} is left out: {error}")
            continue
        if recorded is None:
            continue
        pools.take(recorded, party)
        if not isinstance(recorded.statement, AnyOffer) or recorded.statement.issuer != party:
            continue
        item = HandOff(recorded, recorded.statement)
        _open_copy(item, copies, is_kept=item.transfer in kept)
        found.append(item)
    for item in found:
        if locker is not None:
            _open_seals(item, locker)
            pools.open(item, locker)
        item.unused = pools.unused(item, found)
        item.prepared_for = pools.recipients(item.offer.listing)
    without = sorted(kept - {item.transfer for item in found})
    notes += [
        f"the copy kept of {transfer} is left out: no entry of the vault says that we offered it"
        for transfer in without
    ]
    return sorted(found, key=lambda item: item.recorded.index), notes


def _recorded(vault: Vault, policy: Policy, statement_id: str) -> Recorded | None:
    pair = vault.entry(statement_id)
    if pair is None:
        return None
    recorded = open_recorded(*pair, policy, policy.logs[0].name)
    if recorded.statement_id != statement_id:
        raise ReceiptInvalid("it holds another statement than its name says")
    _ = recorded.statement
    return recorded


def _open_copy(item: HandOff, copies: Copies, *, is_kept: bool) -> None:
    if not is_kept:
        item.problems.append("no copy of what was handed over was kept")
        return
    try:
        item.copy = copies.open(item.transfer)
    except (LedgerError, OSError) as error:
        item.problems.append(f"the kept copy cannot be read: {error}")
        return
    if item.copy is None:
        item.problems.append("the kept copy is not complete")


def _open_seals(item: HandOff, locker: Locker) -> None:
    try:
        disclosures = {entry.pointer: entry for entry in locker.disclosures(item.transfer)}
    except LedgerError as error:
        item.problems.append(f"its seals cannot be opened: {error}")
        return
    content, marks = disclosures.get(POINTER), disclosures.get(MARKS_POINTER)
    if content is not None and item.copy is not None:
        _compare_content(item, content)
    if isinstance(item.marks, version_5.Marks) and marks is not None:
        try:
            _check(item, marks)
            opened, said = parse_marks(marks.value), item.marks
            inside = (opened.method, opened.bound, opened.threshold_millibits)
            if inside != (said.method, said.bound, said.threshold_millibits):
                raise FormatError("wrong-value", MARKS_POINTER, "the seal says other things than what is in the open")
            item.opened = opened
        except LedgerError as error:
            item.problems.append(f"its marks do not open: {error}")


class _Pools:
    """The preparations of a vault and their requests."""

    def __init__(self) -> None:
        self._prepared: dict[str, Recorded] = {}
        self._requested: dict[str, str] = {}

    def take(self, recorded: Recorded, party: str) -> None:
        """Note an entry of the vault, if it is one of these."""
        said = recorded.statement
        if isinstance(said, TransferPrepared) and said.issuer == party:
            self._prepared[recorded.statement_id] = recorded
        elif isinstance(said, TransferRequested):
            self._requested[said.prepared] = recorded.statement_id

    def unused(self, item: HandOff, found: Sequence[HandOff]) -> int:
        """Return how many preparations for the listing and recipient of a hand-off none of `found` names."""
        named = {other.marks.prepared for other in found if isinstance(other.marks, Marks)}
        return sum(
            (said.listing, said.recipient) == (item.offer.listing, item.offer.recipient) and name not in named
            for name, recorded in self._prepared.items()
            if isinstance(said := recorded.statement, TransferPrepared)
        )

    def recipients(self, listing: str) -> frozenset[str]:
        """Return for whom copies of a listing were prepared."""
        said = (recorded.statement for recorded in self._prepared.values())
        return frozenset(
            each.recipient for each in said if isinstance(each, TransferPrepared) and each.listing == listing
        )

    def open(self, item: HandOff, locker: Locker) -> None:
        """Open the pool of a hand-off and draw from it, or note why that cannot be."""
        marks = item.marks
        if not isinstance(marks, Marks):
            return
        recorded, requested = self._prepared.get(marks.prepared), self._requested.get(marks.prepared)
        said = None if recorded is None else recorded.statement
        if recorded is None or requested is None or not isinstance(said, TransferPrepared):
            item.problems.append("the preparation of its marks, or its request, is not in the vault")
            return
        try:
            disclosures = [each for each in locker.disclosures(marks.prepared) if each.pointer == POOL_POINTER]
            if not disclosures:
                item.problems.append("the vault does not hold what opens the pool of its marks")
                return
            check_opens(parse_json(recorded.entry.envelope.payload), recorded.statement_id, disclosures)
            pool = parse_pool(disclosures[0].value)
        except LedgerError as error:
            item.problems.append(f"the pool of its marks does not open: {error}")
            return
        item.opened = DrawnPool(
            prepared=marks.prepared,
            pool=pool,
            seed=draw_seed(marks.prepared, requested, marks.coin.value),
            file=marks.file,
            retired=tuple(marks.retired or ()),
            bound=said.bound,
            recipients=said.recipients,
        )


def _compare_content(item: HandOff, disclosure: Disclosure) -> None:
    """Drop a kept copy that is not what was sealed: nothing that it holds could be shown to have been handed over."""
    try:
        _check(item, disclosure)
        sealed = read_model(Content, disclosure.value).files
    except LedgerError as error:
        item.problems.append(f"its content does not open: {error}")
        return
    if item.copy is None or [file.digest for file in item.copy.files] != sealed:
        item.problems.append("the kept copy is not what was sealed")
        item.copy = None
        return
    item.is_sealed_content = True


def _check(item: HandOff, disclosure: Disclosure) -> None:
    check_opens(parse_json(item.recorded.entry.envelope.payload), item.transfer, [disclosure])
