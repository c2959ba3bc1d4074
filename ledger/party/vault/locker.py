"""The disclosures of a vault: one SQLite file, encrypted at rest.

A random key encrypts every value with its salt (XChaCha20-Poly1305); that key is sealed to the party's signing key and
to its recovery key, which are themselves sealed under passphrases (argon2id, see `keys.files`). So a lost signing key
loses no evidence, and a new key is added without the old one. In clear are only statement ids, pointers, kinds and
times. Every box is bound to its row: one that was changed, or put in another's place, does not open.

The journal is a rollback journal: SQLite before 3.51.3 can corrupt a WAL that two processes write at once. EXTRA also
waits for the directory, without which a power cut may bring back the journal of a commit that was reported.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import nacl.exceptions
import nacl.public
import nacl.secret
import nacl.signing
import nacl.utils

from ledger.core.encoding import Json, canonical, parse_json
from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey, Signer, SigningKey
from ledger.party.errors import VaultDamaged, VaultError, VaultSealed
from ledger.party.files import OWNER_ONLY_FILE, sync_directory
from ledger.party.keys.signers import opener_of
from ledger.party.vault.disclosures import Disclosure
from ledger.statements.reading import read_model

_APPLICATION_ID = 0x50_4C_44_56  # "PLDV"
_SCHEMA_VERSION = 2
_WAIT_S = 60.0
_PAD_BYTES = 256
_SCHEMA = """
CREATE TABLE keys (keyid TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE disclosures (
    statement_id TEXT NOT NULL, pointer TEXT NOT NULL, kind TEXT NOT NULL, box BLOB, erased_ms INTEGER,
    PRIMARY KEY (statement_id, pointer), CHECK ((box IS NULL) = (erased_ms IS NOT NULL))
);
CREATE TABLE handed (
    number INTEGER PRIMARY KEY, statement_id TEXT NOT NULL, pointer TEXT NOT NULL, time_ms INTEGER NOT NULL,
    box BLOB NOT NULL
);
CREATE INDEX handed_places ON handed (statement_id, pointer);
"""
_CODES = """
CREATE TABLE codes (listing TEXT, columns TEXT, box BLOB NOT NULL, PRIMARY KEY (listing, columns)) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Kept:
    """One place that we sealed; `erased_ms` is when its salt was destroyed, and None while it can be opened."""

    statement_id: str
    pointer: str
    kind: str
    erased_ms: int | None


@dataclass(frozen=True)
class Handed:
    """That one place was disclosed to `whom` (words) at `time_ms`."""

    statement_id: str
    pointer: str
    whom: str
    time_ms: int


class Locker:
    """The file `path`, opened with one of the party's keys; a call is one transaction, durable when it returns.

    Two processes may use one file. Raises VaultSealed where the key opens nothing in it, VaultDamaged where what it
    holds was changed, VaultError where it cannot be used.
    """

    def __init__(self, path: Path, key: Signer, others: Sequence[PublicKey] = ()) -> None:
        """Open the file with `key`, making it where it is missing; `others` shall be able to open it too.

        What opens for a key in a token is its opener (see `signers`), and `others` are openers' public halves.
        """
        self._path = path
        opener = opener_of(key)
        self._secret = self._open(opener, [opener.public, *others])

    def keep(self, disclosures: Sequence[Disclosure]) -> None:
        """Keep what opens our commitments; what is there already, stays."""
        rows = [(item.statement_id, item.pointer, item.kind, self._box(item)) for item in disclosures]
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO disclosures (statement_id, pointer, kind, box) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                rows,
            )

    def drop(self, statement_id: str) -> None:
        """Forget a statement that the ledger refused."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM disclosures WHERE statement_id = ?", (statement_id,))

    def places(self, statement_id: str | None = None) -> list[Kept]:
        """Return every place that we sealed, or those of one statement."""
        where = "" if statement_id is None else "WHERE statement_id = ?"
        query = f"SELECT statement_id, pointer, kind, erased_ms FROM disclosures {where} ORDER BY rowid"  # noqa: S608 - constants
        with self._transaction() as connection:
            return [Kept(*row) for row in connection.execute(query, () if statement_id is None else (statement_id,))]

    def disclosures(self, statement_id: str) -> list[Disclosure]:
        """Return what opens the places of one statement that were not erased."""
        query = "SELECT pointer, kind, box FROM disclosures WHERE statement_id = ? AND box IS NOT NULL ORDER BY rowid"
        with self._transaction() as connection:
            rows = connection.execute(query, (statement_id,)).fetchall()
        return [self._disclosure(statement_id, *row) for row in rows]

    def erase(self, statement_id: str, pointers: Sequence[str], now_ms: int) -> None:
        """Destroy salts and values of these places, for good; raise VaultError, destroying nothing, for unknown ones.

        The pages that held them are overwritten, and the file is rewritten. What a file system, a snapshot or a backup
        kept of it, and what was handed out, is beyond our reach.
        """
        with self._transaction() as connection:
            for pointer in pointers:
                row = (statement_id, pointer)
                query = "SELECT count(*) FROM disclosures WHERE statement_id = ? AND pointer = ?"
                ((count,),) = connection.execute(query, row).fetchall()
                if not count:
                    raise VaultError(f"the vault holds nothing that opens {pointer} of {statement_id}")
                connection.execute(
                    "UPDATE disclosures SET box = NULL, erased_ms = ?"
                    " WHERE statement_id = ? AND pointer = ? AND erased_ms IS NULL",
                    (now_ms, *row),
                )
        with self._connection() as connection:
            connection.execute("VACUUM")

    def remember_handed(self, disclosures: Sequence[Disclosure], whom: str, now_ms: int) -> None:
        """Remember that these were disclosed to somebody."""
        rows = [
            (item.statement_id, item.pointer, now_ms, self._seal(whom, "handed", item.statement_id, item.pointer))
            for item in disclosures
        ]
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO handed (statement_id, pointer, time_ms, box) VALUES (?, ?, ?, ?)",
                rows,
            )

    def handed(self, statement_id: str) -> list[Handed]:
        """Return what was disclosed of a statement, to whom and when, oldest first."""
        query = "SELECT pointer, time_ms, box FROM handed WHERE statement_id = ? ORDER BY number"
        with self._transaction() as connection:
            rows = connection.execute(query, (statement_id,)).fetchall()
        return [
            Handed(statement_id, pointer, str(self._unseal(box, "handed", statement_id, pointer)), time_ms)
            for pointer, time_ms, box in rows
        ]

    def keep_code(self, listing: str, columns: str, code: Json) -> Json:
        """Keep the code that marks copies of a listing's table, named by a digest of its columns; return what stands.

        The first one stays: with two codes, pooled copies would tell less of who pooled them.
        """
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO codes (listing, columns, box) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (listing, columns, self._seal(code, "codes", listing, columns)),
            )
        return self.code(listing, columns)

    def code(self, listing: str, columns: str) -> Json:
        """Return the code of a listing's table, or None."""
        query = "SELECT box FROM codes WHERE listing = ? AND columns = ?"
        with self._transaction() as connection:
            rows = connection.execute(query, (listing, columns)).fetchall()
        return self._unseal(rows[0][0], "codes", listing, columns) if rows else None

    def admit(self, public: PublicKey) -> None:
        """Let one more key of the party open the file."""
        with self._transaction() as connection:
            self._admit(connection, [public], self._secret)

    def _disclosure(self, statement_id: str, pointer: str, kind: str, box: bytes) -> Disclosure:
        document = self._unseal(box, "disclosures", statement_id, pointer, kind)
        try:
            return read_model(Disclosure, document)
        except FormatError as error:
            raise VaultDamaged(self._path, f"{pointer} of {statement_id}: {error}") from error

    def _box(self, item: Disclosure) -> bytes:
        return self._seal(item.model_dump(), "disclosures", item.statement_id, item.pointer, item.kind)

    def _seal(self, value: Json, *row: str) -> bytes:
        plain = canonical(value)
        # Lengths would tell values apart: a purpose is one of a few words.
        plain += b" " * (-len(plain) % _PAD_BYTES)
        return bytes(nacl.secret.Aead(self._secret).encrypt(plain, canonical(list(row))))

    def _unseal(self, box: bytes, *row: str) -> Json:
        try:
            return parse_json(nacl.secret.Aead(self._secret).decrypt(box, canonical(list(row))))
        except (nacl.exceptions.CryptoError, ValueError, TypeError, FormatError) as error:
            raise VaultDamaged(self._path, f"what it holds of {' '.join(row)} was changed") from error

    def _open(self, key: SigningKey, admitted: Sequence[PublicKey]) -> bytes:
        """Return the secret that encrypts the rows, making file and secret if there are none yet."""
        self._create()
        with self._transaction() as connection:
            rows = dict(connection.execute("SELECT keyid, sealed FROM keys").fetchall())
            if not rows:
                secret = nacl.utils.random(nacl.secret.Aead.KEY_SIZE)
            elif key.public.keyid not in rows:
                raise VaultSealed(self._path, key.public.keyid, sorted(rows))
            else:
                secret = self._unwrap(rows[key.public.keyid], key)
            self._admit(connection, [public for public in admitted if public.keyid not in rows], secret)
            return secret

    def _admit(self, connection: sqlite3.Connection, publics: Sequence[PublicKey], secret: bytes) -> None:
        for public in publics:
            box = nacl.public.SealedBox(nacl.signing.VerifyKey(public.raw).to_curve25519_public_key())
            connection.execute(
                "INSERT INTO keys (keyid, sealed) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (public.keyid, bytes(box.encrypt(secret))),
            )

    def _unwrap(self, sealed: bytes, key: SigningKey) -> bytes:
        private = nacl.signing.SigningKey(key.seed).to_curve25519_private_key()
        try:
            return nacl.public.SealedBox(private).decrypt(sealed)
        except (nacl.exceptions.CryptoError, ValueError, TypeError) as error:
            raise VaultDamaged(self._path, "the key that it is encrypted with was changed") from error

    def _create(self) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY_FILE)
        try:
            os.fchmod(descriptor, OWNER_ONLY_FILE)
        finally:
            os.close(descriptor)
        sync_directory(self._path.parent)
        with self._transaction() as connection:
            ((version,),) = connection.execute("PRAGMA user_version").fetchall()
            ((application,),) = connection.execute("PRAGMA application_id").fetchall()
            ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            if not tables:
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            elif application != _APPLICATION_ID:
                raise VaultDamaged(self._path, "it is not a file of ours")
            elif version not in {1, _SCHEMA_VERSION}:
                raise VaultError(f"{self._path} was made by another version of this software (schema {version})")
            if version != _SCHEMA_VERSION:
                connection.execute(_CODES)
                connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            found = [row for (row,) in connection.execute("PRAGMA quick_check").fetchall()]
            if found != ["ok"]:
                raise VaultDamaged(self._path, str(found[0]))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Give a connection of its own to each call: calls come from any thread, and from two processes."""
        try:
            with closing(sqlite3.connect(self._path, timeout=_WAIT_S, isolation_level=None)) as connection:
                for pragma, value in (("journal_mode", "delete"), ("synchronous", 3), ("secure_delete", 1)):
                    self._set(connection, pragma, value)
                yield connection
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise VaultError(f"{self._path} cannot be used: {error}") from error
            raise VaultDamaged(self._path, str(error)) from error

    def _set(self, connection: sqlite3.Connection, pragma: str, value: str | int) -> None:
        # The row is fetched, or an error is lost; and read back, because an unknown setting is no error.
        connection.execute(f"PRAGMA {pragma} = {value}").fetchall()
        ((found,),) = connection.execute(f"PRAGMA {pragma}").fetchall()
        if found != value:
            raise VaultError(f"{self._path}: {pragma} is {found}, not {value}")
