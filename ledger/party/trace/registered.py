"""What was found, as it was registered: the first link of its custody, and the steps that hang on it (bundle.md §4.1).

registrations/<SHA-256 of the file>/registration.json   the link, and the statement that committed to it
registrations/<SHA-256 of the file>/records/            copies of what was kept beside it: headers, captures, archives
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ledger.core.encoding import Json, canonical, parse_canonical
from ledger.core.errors import FormatError
from ledger.party.errors import VaultDamaged
from ledger.party.files import make_directory, replace_file
from ledger.statements.fields import FileName, Hex32, Id, Line300, Maybe, Model, Quantity, Time
from ledger.statements.reading import read_model

Text2000 = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
MAX_RECORDS = 20
HASHES = frozenset({"after", "before", "previous"})
"""By which a step hangs on the one before."""
KINDS = ("archive", "capture", "headers", "other")


class KeptRecord(Model):
    """A file that tells how another one was obtained."""

    bytes: Quantity
    kind: Literal["archive", "capture", "headers", "other"]
    name: FileName
    sha256: Hex32


class Acquisition(Model):
    """Where and how a file was obtained, and who else was there."""

    address: Text2000
    how: Text2000
    records: Annotated[list[KeptRecord], Field(max_length=MAX_RECORDS)]
    second: Maybe[Line300] = None


class RegisteredFile(Model):
    """The file itself: its size, its name, its SHA-256."""

    bytes: Quantity
    name: FileName
    sha256: Hex32


class Link(Model):
    """The first link of a chain of custody."""

    acquisition: Acquisition
    at_ms: Time
    file: RegisteredFile
    type: Literal["provenance-ledger.custody/v1"] = "provenance-ledger.custody/v1"
    who: Line300

    def document(self) -> dict[str, Json]:
        """Return its JSON form."""
        return self.model_dump(exclude_none=True)


class _Kept(Model):
    link: Link
    statement: Id


@dataclass(frozen=True)
class Registered:
    """A link, and the id of the statement whose sealed content commits to it."""

    link: Link
    statement: str

    def document(self) -> dict[str, Json]:
        """Return its JSON form."""
        return {"link": self.link.document(), "statement": self.statement}


def link_bytes(step: Mapping[str, Json]) -> bytes:
    """Return what is hashed of a link or of a step: its canonical JSON and LF."""
    return canonical(dict(step)) + b"\n"


def directory_of(vault: Path, digest: str) -> Path:
    """Return where the registration of a file with this SHA-256 is kept."""
    return vault / "registrations" / digest


def keep(vault: Path, registered: Registered, records: Sequence[bytes]) -> Path:
    """Keep a registration and the files beside it; an earlier one stays under its own digest."""
    directory = directory_of(vault, registered.link.file.sha256)
    for path in (vault / "registrations", directory, directory / "records"):
        make_directory(path, lambda: True)
    for record, raw in zip(registered.link.acquisition.records, records, strict=True):
        replace_file(directory / "records" / f"{record.sha256[:16]}-{record.name}", raw)
    path = directory / "registration.json"
    if path.exists():
        older = path.read_bytes()
        replace_file(directory / f"registration-{sha256(older).hexdigest()}.json", older)
    replace_file(path, link_bytes(registered.document()))
    return directory


def find(vault: Path, *digests: str) -> Registered | None:
    """Return the registration of a file with one of these SHA-256 digests; raise VaultDamaged for what is none."""
    for digest in digests:
        path = directory_of(vault, digest) / "registration.json"
        try:
            kept = read_model(_Kept, parse_canonical(path.read_bytes().removesuffix(b"\n")))
        except FileNotFoundError:
            continue
        except FormatError as error:
            raise VaultDamaged(path, str(error)) from error
        return Registered(kept.link, kept.statement)
    return None


def hang(lines: Sequence[Mapping[str, Json]], link: Link, found_sha256: str) -> list[Json]:
    """Return lines of custody, each hung on the one before, the first on the link; those before it hang on nothing.

    The first step leads from the registered file to the one that is compared, which a packed file holds.
    """
    previous, digest, steps = link.document(), link.file.sha256, list[Json]()
    for line in lines:
        if line["at_ms"] < link.at_ms:
            steps.append(dict(line))
            continue
        hashes = {"after": found_sha256, "before": digest, "previous": sha256(link_bytes(previous)).hexdigest()}
        previous = {**line, **hashes}
        digest = found_sha256
        steps.append(previous)
    return steps


def first_handled_ms(custody: Sequence[Mapping[str, Json]], link: Mapping[str, Json] | None) -> int | None:
    """Return when a found file was in hand first, as its custody and its registration say; None if neither does."""
    moments = [*(line["at_ms"] for line in custody[:1]), *([] if link is None else [link["at_ms"]])]
    return min(moments, default=None)
