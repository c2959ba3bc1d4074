"""Optional libraries and programs that are not here: which, and how to install them."""

from __future__ import annotations

from ledger.party.errors import PartyError


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
