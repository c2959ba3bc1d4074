"""A progress bar while files are hashed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from ledger.cli.kit.words import console
from ledger.party import digests


@contextmanager
def hashing(paths: Sequence[Path]) -> Iterator[digests.Progress]:
    """Show the bytes hashed of `paths` on standard error, where that is a terminal; raise Unfit or OSError early."""
    total = digests.total_bytes([path for path in paths if path.exists()])
    out = console(err=True)
    columns = (
        TextColumn("Hashing {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        files = "1 file" if len(paths) == 1 else f"{len(paths)} files"
        task = bar.add_task(files, total=total)
        yield lambda byte_count: bar.advance(task, byte_count)
