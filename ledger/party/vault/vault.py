"""The vault: what must never leave a company's machine, and what it needs in a dispute.

Files, owner-only, durable:

config.json                  who this is, which ledger, which keys (never the keys themselves)
checkpoints/<log>.txt        the newest verified checkpoint of each log
ledgers/<log>.entry          entry 0 of each log, with its receipt in .tlog-proof
entries/<id>.entry           every entry that the ledger recorded for us, with its receipt in .tlog-proof
disclosures.db               what opens our commitments (docs/format.md §8.4), encrypted: see `locker`
manifests/<id>.json          what travels with the files of a hand-off (§8.3, §15.5)
copies/<id>/                 the records of a hand-off that we sent, to trace leaks by: see `dataset.copies`
histories/<name>.json        histories, signed by the service key (§12.2)
refusals/<id>.json           refusals, signed by the service key (§12.1)
promises/<id>.json           what the ledger has still to record, signed by its service key
evidence/<name>.json         fraud proofs (docs/format.md §19), and signed heads not shown to agree
traces/<SHA-256>/            what 'ledger trace' has found of a file: see `ledger.party.trace.work`
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from pydantic import Field

from ledger.core.encoding import Json, canonical, parse_json
from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey, Signer
from ledger.party.errors import KeyFileError, VaultDamaged, VaultError
from ledger.party.files import OWNER_ONLY_FILE, make_directory, put_file, replace_file, rewrite_file, sync_directory
from ledger.party.keys.signers import read_opener
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.locker import Locker
from ledger.statements.fields import Model, Name
from ledger.statements.reading import read_model

_LOG = logging.getLogger(__name__)
CONFIG_TYPE: Literal["provenance-ledger.config/v1"] = "provenance-ledger.config/v1"
_ID = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)
_MAX_PATH = 4096
_WRITERS = 16


class Config(Model):
    """Who this vault belongs to: paths are absolute, `policy` is the text of the policy file.

    The `lasting` keys are of ML-DSA-44, and sign beside the others.
    """

    key: Annotated[str, Field(max_length=_MAX_PATH)]
    lasting_key: Annotated[str, Field(max_length=_MAX_PATH)] | None = None
    lasting_recovery_key: Annotated[str, Field(max_length=_MAX_PATH)] | None = None
    ledger_url: Annotated[str, Field(max_length=2000)]
    party: Name
    policy: str
    recovery_key: Annotated[str, Field(max_length=_MAX_PATH)]
    type: Literal["provenance-ledger.config/v1"] = CONFIG_TYPE


class Vault:
    """A directory of evidence; every method that writes is durable when it returns."""

    def __init__(self, directory: Path) -> None:
        """Open `directory`, which the first write creates.

        Every write keeps others out of it, if it is ours; one that exists, is not, and is open to others, is refused.
        """
        self.directory = directory

    def config(self) -> Config:
        """Return who this vault belongs to; raise VaultError where nobody registered yet."""
        path = self.directory / "config.json"
        try:
            return read_model(Config, parse_json(path.read_bytes()))
        except FileNotFoundError as error:
            raise VaultError(f"{self.directory} belongs to no party yet") from error
        except FormatError as error:
            raise VaultError(f"{path}: {error}") from error

    def has_config(self) -> bool:
        """Tell whether the vault belongs to a party."""
        return (self.directory / "config.json").exists()

    def keep_config(self, config: Config) -> Path:
        """Write the config."""
        return self._write("config.json", canonical(config.model_dump(exclude_none=True)) + b"\n")

    def checkpoint(self, origin: str) -> bytes | None:
        """Return the newest verified checkpoint of this log, a signed note."""
        return self._read(f"checkpoints/{_log_name(origin)}.txt")

    def replace_checkpoint(self, origin: str, expected: bytes | None, raw: bytes) -> bool:
        """Replace the checkpoint if it still is the `expected` one; two processes cannot put an older one back."""
        with self._lock():
            if self.checkpoint(origin) != expected:
                return False
            self._write(f"checkpoints/{_log_name(origin)}.txt", raw)
            return True

    def created(self, origin: str) -> tuple[bytes, bytes] | None:
        """Return entry 0 of this log and its receipt, unverified."""
        return self._pair(f"ledgers/{_log_name(origin)}")

    def keep_created(self, origin: str, entry: bytes, receipt: bytes) -> None:
        """Keep entry 0 of a log."""
        self._write_pair(f"ledgers/{_log_name(origin)}", entry, receipt)

    def entry(self, statement_id: str) -> tuple[bytes, bytes] | None:
        """Return an entry and its receipt."""
        return self._pair(f"entries/{_file_name(statement_id)}")

    def keep_entries(self, items: Sequence[tuple[str, bytes, bytes]]) -> list[Path]:
        """Keep many entries (id, entry, receipt), waiting for the disk once for all; return the receipts' paths."""
        directory = self.directory / "entries"
        self._prepare(directory)
        stems = [_file_name(statement_id) for statement_id, _, _ in items]
        files = [(directory / f"{stem}.entry", entry) for stem, (_, entry, _) in zip(stems, items, strict=True)]
        receipts = [(directory / f"{stem}.tlog-proof", raw) for stem, (_, _, raw) in zip(stems, items, strict=True)]
        # A file system commits what waits together in one go: many writers finish sooner than one after the other.
        with ThreadPoolExecutor(min(_WRITERS, 2 * len(items))) as pool:
            list(pool.map(lambda item: put_file(*item), files + receipts))
        sync_directory(directory)
        return [path for path, _ in receipts]

    def locker(self, key: Signer, others: Sequence[PublicKey] = ()) -> Locker:
        """Open what opens our commitments with one of the party's keys; raise VaultSealed or VaultDamaged.

        `others` are further keys that shall be able to; the recovery key is one wherever its file is at hand.

        Disclosures that an older version kept as plain files are taken over once, and their files removed.
        """
        self._prepare(self.directory)
        locker = Locker(self.directory / "disclosures.db", key, [*others, *self._recovery_keys()])
        self._take_over(locker)
        return locker

    def _recovery_keys(self) -> list[PublicKey]:
        """Return the party's recovery key, where its file is at hand: the other one that shall open disclosures."""
        try:
            return [read_opener(Path(self.config().recovery_key))]
        except (VaultError, KeyFileError, OSError):
            return []

    def _take_over(self, locker: Locker) -> None:
        directory = self.directory / "disclosures"
        found: dict[Path, Disclosure] = {}
        for path in sorted(directory.glob("*.json")):
            try:
                found[path] = read_model(Disclosure, parse_json(path.read_bytes()))
            except FileNotFoundError:
                continue  # another process took it over
            except FormatError as error:
                _LOG.warning("%s is left where it is, it is not a disclosure: %s", path, error)
        if not found:
            return
        locker.keep(list(found.values()))
        for path in found:
            path.unlink(missing_ok=True)
        sync_directory(directory)

    def keep_manifest(self, transfer: str, write: Callable[[BinaryIO], object]) -> Path:
        """Keep the manifest of a hand-off that we send or answer, of any size, as `write` writes it."""
        path = self.manifest_path(transfer)
        self._prepare(path.parent)
        rewrite_file(path, write)
        return path

    def manifest_path(self, transfer: str) -> Path:
        """Return where the manifest of a hand-off is, if it is kept."""
        return self.directory / f"manifests/{_file_name(transfer)}.json"

    def drop_manifest(self, transfer: str) -> None:
        """Forget the manifest of a hand-off: it holds the salts of what its sender sealed."""
        self.manifest_path(transfer).unlink(missing_ok=True)

    def copies(self) -> Path:
        """Return the directory of the kept copies, made where it is missing: see `dataset.copies`."""
        path = self.directory / "copies"
        self._prepare(path)
        return path

    def keep_refusal(self, statement_id: str, envelope: Json) -> Path:
        """Keep the service key's signed refusal of a statement."""
        return self._write(f"refusals/{_file_name(statement_id)}.json", canonical(envelope) + b"\n")

    def keep_history(self, envelope: Json) -> Path:
        """Keep a signed history, named by its digest."""
        raw = canonical(envelope)
        return self._write(f"histories/{sha256(raw).hexdigest()}.json", raw + b"\n")

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every entry that is kept with its receipt, of whatever log, unverified."""
        for path in sorted((self.directory / "entries").glob("*.entry")):
            pair = self._pair(f"entries/{path.stem}")
            if pair is not None:
                yield pair

    def signed_words(self) -> Iterator[Json]:
        """Yield all that service keys signed: histories, promises and refusals, of whatever log, as it was kept."""
        for folder in ("histories", "promises", "refusals"):
            for path in sorted((self.directory / folder).glob("*.json")):
                try:
                    yield parse_json(path.read_bytes())
                except (FileNotFoundError, FormatError) as error:  # dropped meanwhile, or damaged: it proves nothing
                    _LOG.info("%s is of no use: %s", path, error)

    def keep_promise(self, statement_id: str, envelope: Json) -> Path:
        """Keep the service key's signed promise to record a statement, until it is known what became of it."""
        return self._write(f"promises/{_file_name(statement_id)}.json", canonical(envelope) + b"\n")

    def promises(self) -> list[tuple[str, Json]]:
        """Return the promises that are kept: id of the statement, and envelope; raise VaultDamaged."""
        found = []
        for path in sorted((self.directory / "promises").glob("*.json")):
            try:
                found.append((f"sha256:{path.stem}", parse_json(path.read_bytes())))
            except FormatError as error:
                raise VaultDamaged(path, str(error)) from error
        return found

    def drop_promise(self, statement_id: str) -> None:
        """Forget a promise: it was kept, or a fraud proof has taken it up."""
        (self.directory / f"promises/{_file_name(statement_id)}.json").unlink(missing_ok=True)

    def keep_evidence(self, document: Json) -> Path:
        """Keep evidence against a log, named by its digest, so that none replaces another."""
        raw = canonical(document)
        return self._write(f"evidence/{sha256(raw).hexdigest()}.json", raw + b"\n")

    def _prepare(self, directory: Path) -> None:
        """Make the vault's directory, and one below it."""
        make_directory(self.directory, self._is_ours)
        make_directory(directory, self._is_ours)

    def _is_ours(self) -> bool:
        try:
            return bool(self.config().party)
        except VaultError:
            return False

    def _write(self, name: str, data: bytes) -> Path:
        path = self.directory / name
        self._prepare(path.parent)
        replace_file(path, data)
        return path

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.directory / name).read_bytes()
        except FileNotFoundError:
            return None

    def _pair(self, name: str) -> tuple[bytes, bytes] | None:
        entry, receipt = self._read(f"{name}.entry"), self._read(f"{name}.tlog-proof")
        return (entry, receipt) if entry is not None and receipt is not None else None

    def _write_pair(self, name: str, entry: bytes, receipt: bytes) -> Path:
        self._write(f"{name}.entry", entry)
        return self._write(f"{name}.tlog-proof", receipt)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self._prepare(self.directory)
        descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _log_name(origin: str) -> str:
    """Return a file name for any origin, which may hold slashes and be longer than a file name may be."""
    return sha256(origin.encode()).hexdigest()


def _file_name(statement_id: str) -> str:
    match = _ID.fullmatch(statement_id)
    if match is None:
        # Ids come from the network, too: nothing but hex digits may become a path.
        raise VaultError(f"not a statement id: {statement_id[:80]!a}")
    return match[1]
