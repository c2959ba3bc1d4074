"""What a monitor remembers: where it is (`provenance-ledger.watch-state/v1`), and which alarms it has given.

The first, FILE, grows with the log as a replay's state does, and is written now and then. The second, FILE.given, is
small and written before an alarm is delivered: after a crash, what follows FILE is replayed again, and what is in
FILE.given is not told again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verifier.core.errors import UsageError
from verifier.core.files import write_atomically
from verifier.replay.state import ReplayState, format_state, parse_state

if TYPE_CHECKING:
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy

TYPE = "provenance-ledger.watch-state/v1"
GIVEN_TYPE = "provenance-ledger.watch-given/v1"
MAX_OUTBOX = 10_000
"""Alarms that wait for a webhook or a command that fails; the oldest go first."""

MAX_LASTING = 1_000
"""Ids of alarms about faults that are remembered."""


@dataclass(slots=True)
class Position:
    """How far the monitor is."""

    replay: ReplayState | None = None
    mine: set[int] = field(default_factory=set)
    """Indexes of entries that concern me."""
    findings: set[str] = field(default_factory=set)
    """Ids of findings that were reported."""


@dataclass(slots=True)
class Given:
    """What was told since."""

    ids: list[str] = field(default_factory=list)
    """Alarms told of entries, findings and faults that FILE does not cover yet."""
    lasting: list[str] = field(default_factory=list)
    """The same of faults and conditions."""
    outbox: list[dict[str, Any]] = field(default_factory=list)
    """`{"alarm", "left"}`: alarms, and the names of those that have not got them."""
    active: dict[str, int] = field(default_factory=dict)
    """Conditions that hold, and since when (Unix milliseconds): told once, until they end."""
    size: int = 0
    grew_ms: int = 0
    """When the log was last seen to have grown."""


class Store:
    """The two files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.given_path = path.with_name(path.name + ".given")

    def load(self, policy: Policy, log: VerifierKey) -> Position:
        """Return the position that was saved; a new one if there is none.

        Raises `UsageError` for a file that is damaged or of another log.
        """
        body = self._read(self.path, TYPE)
        if body is None:
            return Position()
        try:
            replay = parse_state(body["replay"].encode(), policy, log)
            return Position(replay, set(map(int, body["mine"])), set(map(str, body["findings"])))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"the state file {self.path} is damaged: take it away to begin anew") from error

    def load_given(self) -> Given:
        """Return what was told; nothing if there is no file.

        Raises `UsageError`.
        """
        body = self._read(self.given_path, GIVEN_TYPE)
        try:
            return Given(**body) if body is not None else Given()
        except TypeError as error:
            raise UsageError(f"the state file {self.given_path} is damaged: take it away to begin anew") from error

    def save(self, position: Position) -> None:
        """Save the position; raises `UsageError` where that fails."""
        if position.replay is None:
            return
        replay = format_state(position.replay).decode()
        body = {"mine": sorted(position.mine), "findings": sorted(position.findings), "replay": replay}
        self._write(self.path, TYPE, body)

    def save_given(self, given: Given) -> None:
        """Save what was told; raises `UsageError` where that fails."""
        self._write(self.given_path, GIVEN_TYPE, asdict(given))

    def _read(self, path: Path, kind: str) -> dict[str, Any] | None:
        try:
            body = json.loads(path.read_bytes())
            if body.pop("type") != kind or body.pop("digest") != sha256(_format(body)).hexdigest():
                raise UsageError(f"the state file {path} is damaged or of another program: take it away to begin anew")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"cannot read the state file {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"the state file {path} is damaged: take it away to begin anew") from error
        return dict(body)

    def _write(self, path: Path, kind: str, body: dict[str, Any]) -> None:
        raw = _format(body)
        try:
            write_atomically(path, raw[:-1] + f',"digest":"{sha256(raw).hexdigest()}","type":"{kind}"}}'.encode())
        except OSError as error:
            raise UsageError(f"cannot write the state file {path}: {error.strerror}") from error


def _format(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
