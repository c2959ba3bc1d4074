"""What can go wrong between a foreign document and a statement, as types with fields."""

from __future__ import annotations

from pathlib import Path

from ledger.party.errors import PartyError


class NotUnderstood(PartyError):
    """A foreign document cannot be read as what it should be; `pointer` (RFC 6901) is where, `detail` says why."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        """Keep the place and the words."""
        self.detail = detail
        self.pointer = pointer
        super().__init__(f"{pointer}: {detail}" if pointer else detail)


class Unjudgeable(NotUnderstood):
    """Terms that have no meaning in docs/terms.md: the clause at `pointer` of the document as it was given."""


class MissingExtra(PartyError):
    """An optional library is not installed."""

    def __init__(self, library: str, extra: str = "formats") -> None:
        """Keep the library's name; `extra` is the one of ours that brings it."""
        self.library = library
        super().__init__(f"this needs the library {library}: pip install 'provenance-ledger[{extra}]'")


class MissingTool(PartyError):
    """A program of the operating system is not installed."""

    def __init__(self, program: str, package: str) -> None:
        """Keep the program's name and the package that has it."""
        self.program = program
        super().__init__(f"this needs the program {program}: install it, on Debian with apt-get install {package}")


class ToolFailed(PartyError):
    """A program of the operating system was there, and did not do it."""


class SourceInvalid(PartyError):
    """A mirror directory does not hold what its checkpoint signs; `path` is the directory."""

    def __init__(self, path: Path, detail: str) -> None:
        """Keep the directory and the words."""
        self.path = path
        super().__init__(f"{path}: {detail}; replay it with the verifier, which says what is wrong")
