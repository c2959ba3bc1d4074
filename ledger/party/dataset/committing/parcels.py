"""All files of a hand-off: committed to by who sends them, and computed again by who received them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ledger.party.dataset.committing.committing import FreshSalts, GivenSalts, commit_chunks, commit_rows
from ledger.party.dataset.committing.copies import Copies, KeptFile
from ledger.party.dataset.committing.errors import CountDiffers
from ledger.party.dataset.committing.keeping import CopyWriter
from ledger.party.dataset.committing.manifests import SaltReader, write_manifest
from ledger.party.dataset.reading.errors import TableUnreadable
from ledger.party.dataset.reading.formats import TableFormat, detect, file_reading
from ledger.party.digests import Progress, digest_file
from ledger.party.errors import ContentMismatch, Unfit
from ledger.party.files import create_new
from ledger.party.vault.vault import Vault
from ledger.statements.content import Content, FileDigest, Manifest, ManifestFile


@dataclass(frozen=True)
class Parcel:
    """Files that were committed to; their salts and their copy wait in `copy` for the hand-off's id."""

    content: Content
    described: list[ManifestFile]
    copy: CopyWriter

    def write_manifest(self, file: BinaryIO, head: Manifest) -> None:
        """Write the manifest, whose head has these files, with all salts."""
        with ExitStack() as stack:
            salts = [stack.enter_context(self._salts(number).open("rb")) for number in range(len(self.described))]
            write_manifest(file, head, salts)

    def keep(self, transfer: str) -> None:
        """Keep the copy; the salts are in the manifest now."""
        for number in range(len(self.described)):
            self._salts(number).unlink()
        files = zip(self.described, self.content.files, strict=True)
        kept = [
            KeptFile(digest=digest, name=file.name, reading=file.records)
            for file, digest in files
            if file.records is not None
        ]
        self.copy.finish(transfer, kept)

    def _salts(self, position: int) -> Path:
        return salts_path(self.copy, position)


def forget(vault: Vault, transfer: str) -> None:
    """Forget a hand-off that the ledger refused: there is nothing to trace, and nothing to open."""
    vault.drop_manifest(transfer)
    Copies(vault.directory).drop(transfer)


def salts_path(copy: CopyWriter, position: int) -> Path:
    """Return where the salts of the file at a position wait until the manifest is written."""
    return copy.directory / f"{position}.salts"


def plan(paths: Sequence[Path], encoding: str | None, *, redactable: bool) -> list[TableFormat | None]:
    """Return how each file is read, None for chunks; raise Unfit where what was asked for fits none of them."""
    found = [detect(path, encoding) for path in paths]
    if redactable and all(how is None for how in found):
        raise Unfit("none of the files is a table, and only the cells of tables can be opened one by one")
    if encoding is not None and all(how is None or how.encoding is None for how in found):
        raise Unfit("none of the files is CSV or TSV, and only these can have another encoding than UTF-8 or UTF-16")
    return found


def pack(
    paths: Sequence[Path],
    described: Sequence[ManifestFile],
    ways: Sequence[TableFormat | None],
    copy: CopyWriter,
    progress: Progress,
    *,
    redactable: bool,
) -> Parcel:
    """Commit to every record of the files, read in these `ways`; raise TableUnreadable or OSError."""
    digests, files = [], []
    for position, (path, file, how) in enumerate(zip(paths, described, ways, strict=True)):
        keep = copy.directory, position
        with create_new(salts_path(copy, position)) as waiting:
            salts = FreshSalts(waiting)
            if how is None:
                digest = commit_chunks(path, file.media_type, salts, keep=keep, progress=progress)
            else:
                digest = commit_rows(
                    path, file.media_type, how, salts, redactable=redactable, keep=keep, progress=progress
                )
        reading = file_reading(how, digest.records) if digest.records is not None else None
        digests.append(digest)
        files.append(file.model_copy(update={"records": reading}))
    return Parcel(Content(files=digests), files, copy)


def unpack(path: Path, head: Manifest, files: Sequence[Path], progress: Progress) -> Content:
    """Compute from the files that were received what their sender sealed, as the manifest at `path` says to read them.

    Raises ContentMismatch where a file has other records than it should, or none that can be read; Unfit where the
    manifest is damaged; OSError.
    """
    digests, differences = [], []
    with SaltReader(path, head) as reader:
        for position, (file, source) in enumerate(zip(head.files, files, strict=True)):
            parts = reader.salts(position)
            try:
                digests.append(_compute(source, file, GivenSalts(parts, _count(file)), progress))
            except CountDiffers as error:
                differences.append(f"{file.name}: {error}")
            except TableUnreadable as error:
                place = f"{error.place}: " if error.place else ""
                differences.append(f"{file.name} cannot be read as its sender read it: {place}{error.detail}")
            for _ in parts:
                pass
        reader.end()
    if differences:
        raise ContentMismatch([], [], len(head.files), differences=differences)
    return Content(files=digests)


def _compute(source: Path, file: ManifestFile, salts: GivenSalts, progress: Progress) -> FileDigest:
    if file.records is None:
        return digest_file(source, file.media_type, progress)
    how = TableFormat.of(file.records)
    if how is None:
        return commit_chunks(source, file.media_type, salts, progress=progress)
    redactable = bool(file.records.redactable)
    return commit_rows(source, file.media_type, how, salts, redactable=redactable, progress=progress)


def _count(file: ManifestFile) -> int:
    return file.records.count if file.records is not None else 0
