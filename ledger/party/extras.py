"""Libraries and programs that are not here: which, and how to install them."""

from __future__ import annotations

from ledger.party.errors import PartyError


class MissingExtra(PartyError):
    """A library is not installed."""

    def __init__(self, library: str, extra: str = "") -> None:
        """Keep the library's name; `extra` is the one of ours that brings it, if not every installation has it."""
        self.library = library
        how = (
            f"pip install 'provenance-ledger[{extra}]'" if extra else "pip install --force-reinstall provenance-ledger"
        )
        super().__init__(f"this needs the library {library}: {how}")


class MissingTool(PartyError):
    """A program of the operating system is not installed."""

    def __init__(self, program: str, package: str) -> None:
        """Keep the program's name and the package that has it."""
        self.program = program
        super().__init__(f"this needs the program {program}: install it, on Debian with apt-get install {package}")


class ToolFailed(PartyError):
    """A program of the operating system was there, and did not do it."""
