"""A sender's vault after some hand-offs, made without a network: real entries, receipts, kept copies and seals."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.cli.demo.story import EXAMPLES
from ledger.core.commitment import Place, commit
from ledger.core.encoding import Json, b64encode
from ledger.core.entry import parse_entry
from ledger.core.merkle import inclusion_ranges, nodes_of, prove
from ledger.core.receipt import format_receipt
from ledger.party.dataset.committing.chunks import chunks
from ledger.party.dataset.committing.copies import Copies, KeptFile
from ledger.party.dataset.committing.keeping import ChunkKeeper, CopyWriter, RowKeeper
from ledger.party.dataset.reading.cells import Cell, canonical_record
from ledger.party.dataset.reading.formats import detect, file_reading
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.dataset.reading.table import open_table
from ledger.party.trace.tracing import Examination, Traced, trace
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.vault import Config, Vault
from ledger.statements.content import ChunkRecords, Content, FileDigest, RowRecords
from tests.harness.builder import LedgerBuilder
from tests.harness.people import Person, person
from tests.harness.speech import signed

ROOT = Path(__file__).parents[3]
PLANES = EXAMPLES / "planes.csv"
AIRPORTS = EXAMPLES / "airports.csv"
NO_ROOT = "00" * 32
SALT = b64encode(bytes(16))
EXAMINATION = Examination("J. Doe", 1_800_000_000_000, "ledger trace found", "found on a forum")

Row = list[str]


def rows_of(path: Path) -> tuple[Row, list[Row]]:
    """Return the names and the rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    return names, rows


def write(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str = ",") -> Path:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    return path


class Silent:
    """Shows nothing, and calls `at` at every step."""

    def __init__(self, at: Callable[[str], None] = lambda _what: None) -> None:
        self._at = at

    def start(self, what: str, total: int) -> None:  # noqa: ARG002 - as Progress has it
        self._at(what)

    def advance(self, count: int) -> None:
        assert count >= 0


class Sender:
    """Alpha, who hands copies of a listing to others."""

    def __init__(self, directory: Path, *recipients: str) -> None:
        self.directory = directory
        self.builder = LedgerBuilder(rules=3)
        self.alpha = self.builder.register(person("alpha"))
        self.others: dict[str, Person] = {name: self.builder.register(person(name)) for name in recipients}
        self.listing = self.builder.say(self.builder.speech.listing_registered(self.alpha), self.alpha.key)
        self.vault = Vault(directory / "home")
        key = str(directory / "alpha.json")
        url, policy = "http://127.0.0.1:1", self.builder.policy()
        self.vault.keep_config(Config(key=key, recovery_key=key, ledger_url=url, party="alpha", policy=policy))
        self.locker = self.vault.locker(self.alpha.key)

    def offer(self, recipient: str, files: Sequence[Path], marks: Json = None) -> str:
        """Hand files over, marked if `marks` is a value of docs/marks.md §3; return the hand-off's id."""
        (self.vault.directory / "copies").mkdir(mode=0o700, exist_ok=True)
        with CopyWriter(self.vault.directory / "copies") as writer:
            kept = [_keep(writer.directory, position, file) for position, file in enumerate(files)]
            content = Content(files=[file.digest for file in kept]).value()
            transfer, openings = self._say(recipient, content, marks)
            writer.finish(transfer, kept)
        self.locker.keep([_disclosure(transfer, place, value) for place, value in openings])
        return transfer

    def offer_again(self, recipient: str, transfer: str) -> str:
        """Hand what was offered before to another recipient; what is kept of it is linked, which costs no time."""
        kept = Copies(self.vault.directory).open(transfer)
        assert kept is not None
        files = [KeptFile(digest=file.digest, name=file.name, reading=file_reading(file.how, file.digest.records))
                 for file in kept.files if file.digest.records is not None]  # fmt: skip
        with CopyWriter(self.vault.directory / "copies") as writer:
            for path in Copies(self.vault.directory).directory(transfer).glob("*.parquet"):
                (writer.directory / path.name).hardlink_to(path)
            again, openings = self._say(recipient, Content(files=[file.digest for file in files]).value(), None)
            writer.finish(again, files)
        self.locker.keep([_disclosure(again, place, value) for place, value in openings])
        return again

    def trace(self, found: Path, *, is_open: bool = True, at: Callable[[str], None] = lambda _what: None) -> Traced:
        """Trace a file, with the vault's key or without."""
        return trace(found, self.vault, self.locker if is_open else None, EXAMINATION, Silent(at))

    def _say(self, recipient: str, content: Json, marks: Json) -> tuple[str, list[tuple[Place, Json]]]:
        statement = self.builder.speech.transfer_offered(self.alpha, self.others[recipient], self.listing)

        def seal(kind: str, pointer: str, value: Json) -> Json:
            place = Place(kind, statement["ledger"], statement["issuer"], statement["nonce"], pointer)
            openings.append((place, value))
            return {"sealed": commit(place, SALT, value)}

        openings: list[tuple[Place, Json]] = []
        statement["content"] = seal("content", "/content", content)
        if marks is not None:
            told = {name: marks[name] for name in ("bound", "method", "threshold_millibits")}
            statement["marks"] = told | {"seal": seal("marks", "/marks/seal", marks)}
        transfer = self.builder.record(signed(statement, self.alpha.key))
        index = self.builder.size - 1
        ranges = inclusion_ranges(index, self.builder.size)
        path = prove(ranges, {node: self.builder._hashes[node] for node in nodes_of(ranges)})
        receipt = format_receipt(index, path, self.builder.checkpoint())
        assert parse_entry(self.builder.entries[index]).envelope.id == transfer
        self.vault.keep_entries([(transfer, self.builder.entries[index], receipt)])
        return transfer, openings


def canaries(
    names: Sequence[str], rows: Sequence[Sequence[Cell]], controls: Sequence[Sequence[Cell]], **more: Json
) -> Json:
    """Return a value of docs/marks.md §3 whose first column was drawn from 2^24 values, and the others not."""
    return {
        "bits": [24, *(0 for _ in names[1:])],
        "bound": "0.000001",
        "columns": list(names),
        "controls": [b64encode(canonical_record(row)) for row in controls],
        "file": 0,
        "key": b64encode(bytes(32)),
        "method": "canary",
        "origin": "drawn",
        "recipients": 3,
        "rows": [b64encode(canonical_record(row)) for row in rows],
        "threshold_millibits": 21_517,
        "type": "provenance-ledger.marks/v1",
        **more,
    }


def planted(rows: Sequence[Row], count: int, draw: random.Random) -> list[Row]:
    """Return rows that look like the others, each under a name of its own."""
    return [[f"N{draw.randrange(16**6):06X}W", *draw.choice(rows)[1:]] for _ in range(count)]


def marked_copies(sender: Sender, source: Path, count: int = 20) -> dict[str, tuple[str, list[Row]]]:
    """Hand a marked copy of `source` to every recipient; return each one's hand-off and the rows of its copy."""
    names, rows = rows_of(source)
    draw = random.Random(1)
    copies = {}
    for recipient in sender.others:
        marks, controls = planted(rows, count, draw), planted(rows, count, draw)
        copy = [*rows, *marks]
        draw.shuffle(copy)
        directory = sender.directory / recipient
        directory.mkdir()
        path = write(directory / source.name, names, copy)
        copies[recipient] = (sender.offer(recipient, [path], canaries(names, marks, controls)), copy)
    return copies


def _keep(directory: Path, position: int, path: Path) -> KeptFile:
    how = detect(path)
    if how is None:
        with HashedFile(path) as file, ChunkKeeper(directory, position) as keeper:
            count = 0
            for some in chunks(file):
                keeper.keep(some, [bytes(32)] * len(some))
                count += len(some)
        records: RowRecords | ChunkRecords = ChunkRecords(count=count, root=NO_ROOT)
        size, digest = file.count, file.sha256
    else:
        with open_table(path, how) as table, RowKeeper(directory, position, len(table.columns)) as keeper_of_rows:
            count = 0
            for rows in table.rows():
                keeper_of_rows.keep(rows, rows.records())
                count += rows.count
            size, digest = table.digest()
        records = RowRecords(columns=list(table.columns), count=count, redactable=False, root=NO_ROOT)
    told = FileDigest(bytes=size, media_type="text/csv", records=records, sha256=digest)
    return KeptFile(digest=told, name=path.name, reading=file_reading(how, records))


def _disclosure(transfer: str, place: Place, value: Json) -> Disclosure:
    return Disclosure(
        issuer=place.issuer,
        kind="marks" if place.kind == "marks" else "content",
        ledger=place.ledger,
        nonce=place.nonce,
        pointer=place.pointer,
        salt=SALT,
        statement_id=transfer,
        value=value,
    )
