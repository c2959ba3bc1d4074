"""Run all benchmarks and print a table of ratios. `--quick` takes a tenth of the work."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import bundles, limits, marks, one_rule, records, tables, trace, witnessed
from benchmarks.logs import fill_database, write_mirror
from benchmarks.workload import make_scene, offers, serving
from ledger.core.merkle import Node, grow
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.proofs import inclusion_path
from ledger.server.store.sqlite import SQLiteStore


def main() -> None:
    """Run, and print as each figure comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, and rougher figures")
    scale = 10 if parser.parse_args().quick else 1
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
    print("L: Ed25519 verifications per second of one core through PyNaCl; taken again before each ratio\n")
    print(f"{'figure':<44} {'rate':>12} {'limit':>12} {'ratio':>8}   aim")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home = Path(directory)
        submission(home, scale)
        witnessed.measure(home, scale)
        replay(home, scale)
        tree(scale)
        asyncio.run(receipts(home, scale))
        bundles.measure(home, scale)
        table = records.make_table(home / "table.csv", records.ROWS // scale)
        records.measure(home, table)
        trace.measure(home, table)
        trace.measure_code(home)
        one_rule.run(tables.made(home))
    marks.run(marks.TABLES, 5 * scale)


def show(figure: str, rate: float, limit: float, aim: str = "") -> None:
    """Print one line."""
    print(f"{figure:<44} {rate:>12,.0f} {limit:>12,.0f} {rate / limit:>8.2f}   {aim}", flush=True)


def submission(home: Path, scale: int) -> None:
    """Submit durably over HTTP; the load generator shares the machine."""
    with serving(home / "ledger") as url:
        scene = make_scene(url)
        for kind, count, aim in (("stream", 60_000 // scale, "≥ 0.40"), ("single", 10_000 // scale, "≥ 0.10")):
            lines = home / kind
            lines.write_bytes(b"\n".join(offers(scene, count)))
            limit = limits.verifications_per_second()
            command = [sys.executable, "-m", "benchmarks.submission", kind, url, str(lines)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            words = {"stream": "statements/s, JSON lines", "single": "statements/s, one a request, 32 connections"}
            show(words[kind], float(done.stdout), limit, aim)
    show("commits of 4 KiB with fsync/s", limits.syncs_per_second(home), limits.verifications_per_second())


def replay(home: Path, scale: int) -> None:
    """Replay a log with every check, by the verifier's own command on two processes."""
    size = 100_000 // scale
    mirror = home / "mirror"
    policy = write_mirror(mirror, size)
    limit = limits.verifications_per_second()
    command = [
        sys.executable,
        "-m",
        "verifier",
        "replay",
        str(mirror),
        "--policy",
        str(policy),
        "--processes",
        "2",
        "--quiet",
    ]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        peak = 0
        while running.poll() is None:
            peak = max(peak, resident_bytes(running.pid))
            time.sleep(0.1)
    elapsed = time.perf_counter() - start
    if running.returncode:
        raise RuntimeError(f"the replay ended with {running.returncode}")
    show(f"entries/s, replay of {size:,} on two processes", size / elapsed, limit, "≥ 1.20")
    print(f"{'MB, both processes of it at their peak':<44} {peak / 1e6:>12,.0f} {300:>12} {peak / 3e8:>8.2f}   ≤ 1")
    watch = [*command[:3], "watch", *command[4:], "--state", str(home / "seen"), "--party", "acme", "--once"]
    limit = limits.verifications_per_second()
    start = time.perf_counter()
    subprocess.run(watch, stdout=subprocess.DEVNULL, check=True)
    show("  the same by a monitor, with its state saved", size / (time.perf_counter() - start), limit, "≥ 1.00")


def resident_bytes(parent: int) -> int:
    """Return the proportional set size of a process and its children: a page that both share is counted once."""
    kibibytes = 0
    for pid in [parent, *map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:  # it has just ended
            continue
        kibibytes += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kibibytes * 1024


def tree(scale: int) -> None:
    """Grow the tree, against two hashes a leaf; and against pymerkle, where it is installed."""
    leaves = [os.urandom(32) for _ in range(200_000 // scale)]
    start = time.perf_counter()
    nodes: dict[Node, bytes] = {}
    grow(nodes, 0, leaves)
    rate = len(leaves) / (time.perf_counter() - start)
    show("leaves/s into the tree (limit: SHA-256/s)", rate, limits.hashes_per_second())
    try:
        from pymerkle import InmemoryTree  # noqa: PLC0415 - an optional peer
    except ImportError:
        print("pymerkle is not installed: no peer to compare with")
        return
    peer = InmemoryTree(algorithm="sha256")
    start = time.perf_counter()
    for leaf in leaves[:20_000]:
        peer.append_entry(leaf)
    show("  the same by pymerkle, in memory", 20_000 / (time.perf_counter() - start), limits.hashes_per_second())


async def receipts(home: Path, scale: int) -> None:
    """Make receipts of any entry of a large log: server time without HTTP."""
    size = 1_000_000 // scale
    path = home / "large.db"
    identity = await fill_database(path, size)
    store = await SQLiteStore.open(path)
    workers = Workers()
    log = Log(store, identity, workers, lambda: time.time_ns() // 1_000_000)
    start = time.perf_counter()
    await log.start()
    started = time.perf_counter() - start
    try:
        count = 500
        start = time.perf_counter()
        for at in range(count):
            await inclusion_path(log.store, at * 7919 % size, size)
            await store.entries(at * 7919 % size, at * 7919 % size + 1)
        elapsed = (time.perf_counter() - start) / count
    finally:
        await log.stop()
        await store.close()
        workers.close()
    print(
        f"{f'ms a receipt, log of {size:,} entries':<44} "
        f"{elapsed * 1000:>12.2f} {2.0:>12.2f} {elapsed * 500:>8.2f}   < 1"
    )
    print(f"{f's to start on {size:,} entries':<44} {started:>12.2f}")


if __name__ == "__main__":
    main()
