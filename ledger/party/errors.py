"""What can go wrong on a company's machine, as types with fields.

Words and exit codes are `ledger.cli.kit.error_words`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.core.encoding import Json
from ledger.core.errors import LedgerError, QuorumError
from ledger.statements.content import Content


class PartyError(LedgerError):
    """Everything that the companies' wing raises on purpose."""


class AlreadyThere(PartyError):
    """A file that is never overwritten exists."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self.path = path
        super().__init__(f"{path} exists, and is never overwritten")


class OpenToOthers(PartyError):
    """A directory in which others may write is not a place for what only we should read."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self.path = path
        super().__init__(f"others may write in {path}, and it holds no vault of ours")


class KeyFileError(PartyError):
    """A key file cannot be used."""

    def __init__(self, path: Path, detail: str) -> None:
        """Keep the path and words for people; never anything secret."""
        self.path = path
        self.detail = detail
        super().__init__(f"{path}: {detail}")


class NotAKeyFile(KeyFileError):
    """The file is not a key file of ours, or was changed."""


class WrongPassphrase(KeyFileError):
    """The passphrase does not open the key file."""


class VaultError(PartyError):
    """The vault is missing something, or holds something other than asked for."""


class VaultSealed(VaultError):
    """The vault's disclosures are encrypted, and the key in use does not open them. `keyids` are those that do."""

    def __init__(self, path: Path, keyid: str, keyids: list[str]) -> None:
        """Keep which key was tried and which would do."""
        self.path = path
        self.keyid = keyid
        self.keyids = keyids
        super().__init__(f"{path} does not open with the key {keyid}; it does with {' or '.join(keyids)}")


class VaultDamaged(VaultError):
    """A file of the vault holds something other than was written to it."""

    def __init__(self, path: Path, detail: str) -> None:
        """Keep the path and words for people; never anything secret."""
        self.path = path
        self.detail = detail
        super().__init__(f"{path} is damaged: {detail}")


class Unreachable(PartyError):
    """No complete answer came: the network, a time-out, or a stream cut short. Asking again is safe."""

    def __init__(self, url: str, detail: str) -> None:
        """Keep the address without its query, and words for people."""
        self.url = url
        self.detail = detail
        super().__init__(f"{url}: {detail}")


class ReplyInvalid(PartyError):
    """The ledger answered with something that is not what docs/format.md or docs/http.md says."""


class ReceiptInvalid(ReplyInvalid):
    """A receipt or a service signature does not prove what it was given for."""


class NotWitnessed(PartyError, QuorumError):
    """The ledger says that it recorded a statement, under a checkpoint that too few witnesses cosigned so far.

    It is in the log, by the log's signature; what our policy asks for, it has not got.
    """

    def __init__(self, statement_id: str, index: int, detail: str) -> None:
        """Keep the statement, its index by the ledger's word, and which witnesses are missing, in words."""
        self.statement_id = statement_id
        self.index = index
        self.detail = detail
        super().__init__(f"{statement_id}, entry {index}: {detail}")


@dataclass(frozen=True)
class Refusal:
    """A refusal signed by the service key and verified (docs/format.md §12.1)."""

    document: dict[str, Json]
    kept: Path | None


class Problem(PartyError):
    """The ledger said no: an RFC 9457 problem document."""

    def __init__(self, status: int, slug: str, detail: str = "", field: str = "", served: Json = None) -> None:
        """Keep the HTTP status, the stable `type` (docs/format.md §14), the field at fault, and the refusal as served.

        `refusal` is set by the client once it has verified the service key's signature on what was `served`.
        """
        self.status = status
        self.type = slug
        self.detail = detail
        self.field = field
        self.served = served
        self.refusal: Refusal | None = None
        super().__init__(": ".join(part for part in (slug, field, detail) if part))


class ForkDetected(PartyError):
    """The log's key signed two tree heads of which neither was shown to extend the other.

    `known` and `other` are the signed bytes (checkpoints, or a history or refusal). `certain` says that they contradict
    each other by themselves; otherwise the proof that the ledger gave is false. `kept` is the vault's file of evidence.
    """

    def __init__(self, origin: str, known: bytes, other: bytes, detail: str, *, certain: bool) -> None:
        """Keep both signed heads."""
        self.origin = origin
        self.known = known
        self.other = other
        self.detail = detail
        self.certain = certain
        self.kept: Path | None = None
        super().__init__(f"{origin}: {detail}")


class Unproven(PartyError):
    """The log's key signed two tree heads, and the ledger was not willing to prove that they agree. No more is known.

    A ledger that was rolled back, that hides a second history, or a proxy in between that says no: all look like this.
    `kept` is the file with both signed heads in the vault.
    """

    def __init__(self, origin: str, detail: str) -> None:
        """Keep the log's origin and words for people."""
        self.origin = origin
        self.detail = detail
        self.kept: Path | None = None
        super().__init__(f"{origin}: {detail}")


class FraudProven(PartyError):
    """What the operator signed is given the lie by what we hold: `kept` is the fraud proof (docs/format.md §19)."""

    def __init__(self, origin: str, kind: str, detail: str, kept: Path | None) -> None:
        """Keep the log's origin, the kind of the fraud, and words for people."""
        self.origin = origin
        self.kind = kind
        self.detail = detail
        self.kept = kept
        super().__init__(f"{origin}: {detail}")


class Promised(Problem):
    """Not recorded yet: the ledger has it on its disk, and signed by when it will be (docs/format.md §18)."""

    def __init__(self, statement_id: str, deadline_ms: int, promise: dict[str, Json], kept: Path | None) -> None:
        """Keep the verified promise and its file in the vault; `deadline_ms` is in Unix milliseconds."""
        self.statement_id = statement_id
        self.deadline_ms = deadline_ms
        self.promise = promise
        self.kept = kept
        super().__init__(202, "promised", f"{statement_id} will be recorded")


class ContentMismatch(PartyError):
    """What was received is not what the sender sealed. `missing` and `surplus` are file names against the manifest.

    `differences` say, a line a file, what differs, where that can be told: other counts of records, lines that are not
    rows. Without any of these, some content differs: one value is sealed for all files, so which one cannot be told.
    """

    def __init__(
        self,
        missing: list[str],
        surplus: list[str],
        file_count: int,
        content: Content | None = None,
        differences: Sequence[str] = (),
    ) -> None:
        """Keep the names, the number of files in the manifest, and what was computed, if all files were there."""
        self.content = content
        self.missing = missing
        self.surplus = surplus
        self.file_count = file_count
        self.differences = differences
        parts = [f"missing: {', '.join(missing)}"] if missing else []
        parts += [f"not in the manifest: {', '.join(surplus)}"] if surplus else []
        parts += differences
        super().__init__("; ".join(parts) or f"the content of the {file_count} files is not what the sender sealed")


class NeedsRules(PartyError):
    """What was to be said is not allowed by the version of the rules that this ledger is under."""

    def __init__(self, kind: str, field: str, rules: int, needed: int) -> None:
        """Keep the statement's type, the RFC 6901 pointer of what is too new, and both versions."""
        self.kind = kind
        self.field = field
        self.rules = rules
        self.needed = needed
        what = f"{kind} with {field}" if field and field != "/type" else kind
        super().__init__(f"{what} needs version {needed} of the rules; this ledger is under version {rules}")


class UnderHold(PartyError):
    """A claim orders that nothing of it be erased; `claims` are those that do."""

    def __init__(self, statement_id: str, claims: list[str]) -> None:
        """Keep what is held, and by which claims."""
        self.statement_id = statement_id
        self.claims = claims
        super().__init__(f"a legal hold is on what {statement_id} is about, by {', '.join(claims)}")


class Unfit(PartyError):
    """A draft, manifest or request does not fit this party, this ledger or the other side's statement."""


class SourceInvalid(PartyError):
    """A mirror directory does not hold what its checkpoint signs; `path` is the directory."""

    def __init__(self, path: Path, detail: str) -> None:
        """Keep the directory and the words."""
        self.path = path
        super().__init__(f"{path}: {detail}; replay it with the verifier, which says what is wrong")
