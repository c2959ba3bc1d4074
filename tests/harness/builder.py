"""An honest ledger in memory: it records what acceptance lets through, signs checkpoints, writes C2SP directories."""

from __future__ import annotations

from pathlib import Path

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.dsse import Envelope, parse_envelope
from ledger.core.encoding import Json
from ledger.core.entry import ZERO_LINK, Entry
from ledger.core.errors import FormatError
from ledger.core.hashing import leaf_hash
from ledger.core.keys import PublicKey, Signer
from ledger.core.merkle import Node, grow, perfect_nodes, range_hash
from ledger.core.note import ED25519_TYPE, note_key_of, parse_vkey
from ledger.core.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, format_bundle, format_tile_path
from ledger.registry.acceptance import Candidate, accept
from ledger.registry.facts import KeyFact, View, key_key
from ledger.statements.common import Statement
from ledger.statements.parse import check_forms, parse_payload, read_statement
from tests.harness.people import Person, key, person
from tests.harness.speech import START_MS, Speech, created, signed

ORIGIN = "ledger.example/log"


class LedgerBuilder:
    """An honest ledger: `record` refuses what docs/format.md §9 refuses, with the ground floor's own errors."""

    def __init__(self, label: str = "first", origin: str = ORIGIN, **fields: Json) -> None:
        """Make entry 0; `label` tells apart two ledgers of one name, `fields` change `ledger.created`."""
        self.origin = origin
        self.operator = person("operator", f"{label} operator")
        self.log_key = key(f"{label} log")
        self.service_key: Signer = key(f"{label} service")
        self.log_signers: dict[str, Signer] = {note_key_of(origin, self.log_key.public).vkey(): self.log_key}
        """The log's keys, by vkey; whether they are in force, the entries say."""
        self.entries: list[bytes] = []
        self.times: list[int] = []
        self.signers: list[frozenset[str]] = []
        """The keyids that signed each entry."""
        self.view = View()
        self._hashes: dict[Node, bytes] = {}
        self.admission = fields.get("admission", "open")
        statement = created(self.operator, origin, self.log_key, self.service_key, **fields)
        envelope = signed(statement, *self.operator.all_keys)
        self.record(envelope, START_MS)
        self.id = envelope.id
        self.speech = Speech(self.id, START_MS, self.rules)

    @property
    def size(self) -> int:
        return len(self.entries)

    def record(self, posted: Envelope | bytes, time_ms: int | None = None) -> str:
        """Record a signed statement and return its id; raise FormatError, Duplicate or Refused, changing nothing."""
        now_ms = self.now_ms if time_ms is None else time_ms
        envelope = self.accept(posted, now_ms)
        previous = leaf_hash(self.entries[-1]).hex() if self.entries else ZERO_LINK
        self.signers.append(frozenset(keyid for keyid, _ in envelope.signatures))
        self.chain(Entry(self.size, previous, envelope, now_ms).raw, now_ms)
        return envelope.id

    def accept(self, posted: Envelope | bytes, time_ms: int) -> Envelope:
        """Judge a posted statement as the next entry, in the order of §9; where it is good, it takes effect."""
        raw = posted if isinstance(posted, bytes) else posted.recorded
        envelope = parse_envelope(raw)
        check_forms(envelope.signatures, self.rules)
        statement = self.read(envelope)
        publics = {keyid: public for keyid, (public, _) in statement.introduced.items()}
        for keyid, _ in envelope.signatures:
            fact = self.view.get(KeyFact, key_key(keyid))
            if fact is not None:
                publics[keyid] = PublicKey.parse(fact.alg, fact.public_key)
        invalid = [
            keyid
            for keyid, signature in envelope.signatures
            if keyid in publics and not publics[keyid].verify(envelope.signed_bytes, signature)
        ]
        accept(self.view, Candidate(statement, envelope, invalid), self.size, time_ms, self.root_at)
        return envelope

    @property
    def rules(self) -> int:
        """The version of the rules in force."""
        return self.view.in_force.version

    def read(self, envelope: Envelope) -> Statement:
        """Take steps 9.2 and 9.3 under the rules in force; raise FormatError."""
        version, types = self.view.in_force
        return read_statement(parse_payload(envelope.payload, types)["type"], envelope.payload, version)

    def reads(self, envelope: Envelope) -> bool:
        """Tell whether an envelope's payload and fields are in order."""
        try:
            self.read(envelope)
        except FormatError:
            return False
        return True

    def say(self, statement: Json, *keys: Signer) -> str:
        """Sign and record a statement, now, a second after the newest entry."""
        return self.record(signed(statement, *keys))

    def register(self, who: Person) -> Person:
        """Register a party and return it."""
        self.say(self.speech.party_registered(who), *who.all_keys)
        return who

    @property
    def now_ms(self) -> int:
        """A second after the newest entry."""
        return self.times[-1] + 1000 if self.times else START_MS

    def chain(self, raw: bytes, time_ms: int) -> None:
        """Append entry bytes to the tree."""
        grow(self._hashes, self.size, [leaf_hash(raw)])
        self.entries.append(raw)
        self.times.append(time_ms)

    def rehash(self) -> None:
        """Recompute the tree after `entries` were changed by hand."""
        self._hashes.clear()
        grow(self._hashes, 0, map(leaf_hash, self.entries))

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` entries."""
        return range_hash(0, size, {node: self._hashes[node] for node in perfect_nodes(0, size)})

    def head(self, size: int | None = None) -> TreeHead:
        """Return the tree head at `size`, or now."""
        size = self.size if size is None else size
        return TreeHead(size, self.root_at(size))

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return the checkpoint at `size`, or now, signed by every log key in force there."""
        head, ledger = self.head(size), self.view.ledger
        brought = ledger.log_keys.items() if ledger is not None else ()
        in_force = [vkey for vkey, indexes in brought if sum(index < head.size for index in indexes) == 1]
        signers = [self.log_signers[vkey] for vkey in in_force if vkey in self.log_signers] or [self.log_key]
        return sign_checkpoint(self.origin, head, *signers, time_s=self.times[-1] // 1000 if self.times else 0)

    def policy(self) -> str:
        """Return a policy that trusts this log alone, by every key that it ever had."""
        brought = self.view.ledger.log_keys if self.view.ledger is not None else {}
        own = note_key_of(self.origin, self.log_key.public).vkey()
        lines = [f"log {vkey}\n" for vkey in {own: [], **brought} if parse_vkey(vkey).type == ED25519_TYPE]
        return "".join(lines) + "quorum none\n"

    def files(self) -> dict[str, bytes]:
        """Return the C2SP directory: path to bytes."""
        files = {"checkpoint": self.checkpoint()}
        for start in range(0, self.size, TILE_WIDTH):
            bundle = self.entries[start : start + TILE_WIDTH]
            files["tile/" + format_tile_path(Tile(None, start // TILE_WIDTH, len(bundle)))] = format_bundle(bundle)
        level = 0
        while count := self.size >> (TILE_HEIGHT * level):
            for start in range(0, count, TILE_WIDTH):
                nodes = [Node(TILE_HEIGHT * level, at) for at in range(start, min(start + TILE_WIDTH, count))]
                path = format_tile_path(Tile(level, start // TILE_WIDTH, len(nodes)))
                files["tile/" + path] = b"".join(self._hashes[node] for node in nodes)
            level += 1
        return files

    def write(self, directory: Path) -> Path:
        """Write the directory and return it."""
        write_files(directory, self.files())
        return directory


def write_files(directory: Path, files: dict[str, bytes]) -> None:
    """Write files below a directory, replacing what is there."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
