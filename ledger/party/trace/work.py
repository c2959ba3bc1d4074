"""What a trace has done so far, kept in the vault so that nothing is done twice: `traces/<SHA-256 of the found file>/`.

work/seed               what this trace draws its random numbers from
work/table/             the found file as columns of numbers (`found`)
work/<family>/          the rows' index under the mapping of one family of tables (`joining`)
work/mapping-….json     the mapping that was found for it
work/hits-….npz         what one file of one hand-off has in common with the found file
listings.json           against which listings it was examined (`tally`)
custody.json            who ran what on it, and when: every run adds a line
trace.json              the outcome of the last run that came to its end; older ones are kept under their digest
"""

from __future__ import annotations

import fcntl
import json
import secrets
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self

from ledger.core.encoding import Json
from ledger.party.dataset.reading.normal import MappedColumn
from ledger.party.files import make_directory, replace_file
from ledger.party.trace.errors import TraceRunning

_SEED_BYTES = 32
MAX_CUSTODY = 100


class Work:
    """The directory of one found file in a vault; a context, in which no other process works on the same file."""

    def __init__(self, vault: Path, found_sha256: str) -> None:
        """Open it, and make it where it is missing; raise TraceRunning where another process works in it."""
        self.vault = vault
        self.directory = vault / "traces" / found_sha256
        self._work = self.directory / "work"
        for path in (vault / "traces", self.directory, self._work):
            make_directory(path, lambda: True)
        self._lock = (self._work / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise TraceRunning(self.directory) from error
        if not (self._work / "seed").exists():
            replace_file(self._work / "seed", secrets.token_bytes(_SEED_BYTES))
        self.seed = (self._work / "seed").read_bytes()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let others work in it; what was done, stays."""
        self._lock.close()

    @property
    def table(self) -> Path:
        """Where the found file's columns go."""
        return self._work / "table"

    def unpacked(self, name: str) -> Path:
        """Return where the inside of a compressed found file goes, under its name: that tells what it is."""
        make_directory(self._work / "unpacked", lambda: True)
        return self._work / "unpacked" / name

    def family(self, name: str) -> Path:
        """Return where the index of one family of tables goes."""
        return self._work / name

    def mapping(self, name: str) -> list[MappedColumn] | None:
        """Return the mapping that an earlier run found for a family, if one did."""
        try:
            kept = json.loads((self._work / f"mapping-{name}.json").read_bytes())
        except FileNotFoundError:
            return None
        return [MappedColumn(**item) for item in kept]

    def keep_mapping(self, name: str, mapping: Sequence[MappedColumn]) -> None:
        """Keep a mapping."""
        document = [item.model_dump() for item in mapping]
        replace_file(self._work / f"mapping-{name}.json", json.dumps(document).encode())

    def hits(self, name: str) -> Path:
        """Return where the hits of one file of one hand-off go: `Hits.load` and `Hits.save`."""
        return self._work / f"hits-{name}.npz"

    def add_custody(self, line: Json) -> list[Json]:
        """Add one line to the record of who did what with the found file; return all of them, oldest first."""
        path = self.directory / "custody.json"
        lines = [*json.loads(path.read_bytes()), line] if path.exists() else [line]
        lines = lines[:1] + lines[1:][-(MAX_CUSTODY - 1) :]
        replace_file(path, json.dumps(lines).encode())
        return lines

    def keep_trace(self, raw: bytes) -> Path:
        """Keep the outcome; an older one, to which a claim may be bound by its digest, is never lost."""
        path = self.directory / "trace.json"
        if path.exists():
            older = path.read_bytes()
            replace_file(self.directory / f"trace-{sha256(older).hexdigest()}.json", older)
        replace_file(path, raw)
        return path

    def finish(self) -> None:
        """Remove what only an unfinished trace needs."""
        shutil.rmtree(self._work, ignore_errors=True)


def family_name(columns: Sequence[str]) -> str:
    """Return a name for all tables with these columns."""
    return sha256(json.dumps(list(columns)).encode()).hexdigest()[:32]
