"""Telling each alarm once: remembered before it goes out, kept until everybody has it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from verifier.watch.state import MAX_LASTING, MAX_OUTBOX, Given, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from verifier.watch.sinks import Alarm

TYPE = "provenance-ledger.alarm/v1"


class Teller:
    """What was told about the log `origin`, and whom to tell: each of `sinks` returns why it failed, or nothing."""

    def __init__(
        self, origin: str, sinks: Mapping[str, Callable[[Alarm], str]], store: Store, clock: Callable[[], float]
    ) -> None:
        """Go on from what `store` remembers; raises `UsageError`. `clock` returns Unix seconds."""
        self.origin, self.sinks, self.store, self.clock = origin, sinks, store, clock
        self.given: Given = store.load_given()
        self.counts: dict[str, int] = {}
        """Alarms of this run by kind."""

    def now_ms(self) -> int:
        """Return Unix milliseconds."""
        return int(self.clock() * 1000)

    def alarm(self, kind: str, severity: str, sentence: str, about: str, **more: Any) -> Alarm:  # noqa: ANN401 (JSON)
        """Return an alarm; two about the same have the same id."""
        own = {"kind": kind, "origin": self.origin, "sentence": sentence, "severity": severity}
        name = hashlib.sha256(f"{self.origin} {kind} {about}".encode()).hexdigest()[:32]
        return own | more | {"id": name, "time_ms": self.now_ms(), "type": TYPE}

    def is_given(self, alarm: Alarm) -> bool:
        """Tell whether an alarm about the same was given."""
        return alarm["id"] in self.given.ids or alarm["id"] in self.given.lasting

    def tell(self, alarms: list[Alarm], *, is_lasting: bool = False) -> None:
        """Give alarms that were not given, each of them remembered before it goes out.

        Those that are lasting are not about an entry or a finding that the monitor leaves behind.
        """
        given = {*self.given.ids, *self.given.lasting}
        new = [alarm for alarm in alarms if alarm["id"] not in given]
        if not new:
            return
        for alarm in new:
            self.counts[alarm["kind"]] = self.counts.get(alarm["kind"], 0) + 1
            (self.given.lasting if is_lasting else self.given.ids).append(alarm["id"])
            self.given.outbox.append({"alarm": alarm, "left": list(self.sinks)})
        del self.given.outbox[:-MAX_OUTBOX]
        del self.given.lasting[:-MAX_LASTING]
        self.store.save_given(self.given)
        self.deliver()

    def deliver(self) -> None:
        """Hand out what waits; what fails stays, and is tried again in the next round."""
        if not self.given.outbox:
            return
        is_down: set[str] = set()
        for item in self.given.outbox:
            for name in [name for name in item["left"] if name not in is_down]:
                tell = self.sinks.get(name)
                if tell is None or not tell(item["alarm"]):
                    item["left"].remove(name)
                else:
                    is_down.add(name)  # it is not asked again in this round: others wait behind it
        self.given.outbox = [item for item in self.given.outbox if item["left"]]
        self.store.save_given(self.given)
