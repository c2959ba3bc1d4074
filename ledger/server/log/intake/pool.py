"""Worker processes, each at the end of a pipe, with a thread that waits for its answer.

`ProcessPoolExecutor` of Python 3.11 races with itself where a worker dies while work is submitted: an answer may never
come, or the pool's own thread may never end, and the interpreter waits for that thread at its end. Here a worker that
died is the end of its pipe: one answer is lost, and the next has a new worker.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from ledger.server.log.state.errors import UnavailableError

_END_S = 5.0
_ItemT = TypeVar("_ItemT")
_ResultT = TypeVar("_ResultT")


class Pool:
    """`count` processes at most, started when they are needed."""

    def __init__(self, count: int) -> None:
        # A terminal sends SIGINT to the workers as well. They leave it to the server, which finishes what waits first:
        # they inherit that it is blocked from the thread that starts them. The tracker would unblock it at its start.
        resource_tracker.ensure_running()
        self._threads = ThreadPoolExecutor(count, "worker", _block_sigint)
        self._idle: deque[_Worker | None] = deque([None] * count)

    async def run(self, work: Callable[[Sequence[_ItemT]], list[_ResultT]], items: Sequence[_ItemT]) -> list[_ResultT]:
        """Have one process do `work`, a function of a module; UnavailableError if it died of it, or before."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, work, items)

    def close(self) -> None:
        """Finish what runs, and end all processes."""
        self._threads.shutdown()
        for worker in self._idle:
            if worker is not None:
                worker.end()

    def _ask(self, work: Callable[[Sequence[_ItemT]], list[_ResultT]], items: Sequence[_ItemT]) -> list[_ResultT]:
        worker = self._idle.pop()  # there are as many as threads
        try:
            worker = worker or _Worker()
            results, error = worker.ask(work, items)
        except (EOFError, OSError) as death:
            if worker is not None:
                worker.end()
            worker = None
            raise UnavailableError("a worker process died; resubmit") from death
        finally:
            self._idle.append(worker)
        if error is not None:
            raise error
        return results


class _Worker:
    """A process and our end of its pipe; for one thread at a time."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # so that the process's end is the pipe's end

    def ask(
        self, work: Callable[[Sequence[_ItemT]], list[_ResultT]], items: Sequence[_ItemT]
    ) -> tuple[list[_ResultT], Exception | None]:
        self._connection.send((work, items))
        results, error = self._connection.recv()
        return results, error

    def end(self) -> None:
        """End the process: it reads the end of its pipe, or is killed."""
        self._connection.close()
        self.process.join(_END_S)
        self.process.kill()
        self.process.join()


def _work(connection: Connection) -> None:
    """Answer until the pipe ends: the server closed it, or was killed."""
    gc.set_threshold(50_000, 20, 100)  # parsing makes many objects and no cycles
    while True:
        try:
            work, items = connection.recv()
            connection.send(_answer(work, items))
        except (EOFError, OSError):
            return


def _answer(work: Callable[[Any], Any], items: Any) -> tuple[Any, Exception | None]:  # noqa: ANN401 - of any work
    try:
        return work(items), None
    except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
        return None, RuntimeError(repr(error))


def _block_sigint() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
