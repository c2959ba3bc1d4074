"""Following a log for months: every new entry verified, every view compared, what concerns me told (format.md §20.5).

A round looks at all sources, and replays what is new on top of what was verified. Only a round without failure or doubt
moves the monitor on; what any other round found is told, and the next begins from the last good position again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from verifier.core.checks import Check
from verifier.core.errors import SourceUnavailable
from verifier.core.ids import id_text
from verifier.core.notes import MAX_NOTE_BYTES
from verifier.core.verdict import format_doubt, format_failure
from verifier.core.words import format_time
from verifier.fraud.making import make_fork
from verifier.replay.convicting import fraud_of_promise, frauds_of_replay, keep_frauds
from verifier.replay.replay import replay
from verifier.sources.several import View, by_use, contradictions, look_at, view_of
from verifier.sources.source import DirectorySource
from verifier.watch.concerns import ALARM, BY_ME, NOTICE, Interests, concern, touched
from verifier.watch.promises import is_broken, read_promises
from verifier.watch.sinks import Alarm, write_metrics
from verifier.watch.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from verifier.core.checks import Failure, Finding
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy
    from verifier.judgement.pins import Pins
    from verifier.replay.result import Replay
    from verifier.rules.examine import Statement
    from verifier.sources.source import Location
    from verifier.watch.concerns import Concern
    from verifier.watch.state import Store

MAX_FAULTS = 20
"""Of one round, that are reported: a log with a thousand lies is convicted by the first."""
MAX_PEERS = 1_000
"""Files of the peers' folder that are looked at."""
_SAVE_EVERY_S = 60.0
_SAVE_EVERY_ENTRIES = 4_096
_SAVE_SHARE = 20
"""Saving takes a twentieth of the time at most: what it writes is as large as the log is long."""
_OWN_GRACE_S = 3.0
"""How long a vault may take to keep what the ledger has recorded already."""
_OWN_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """What to follow, for whom, and whom to tell."""

    sources: tuple[str, ...]
    policy: Policy
    log: VerifierKey
    interests: Interests
    tell: Mapping[str, Callable[[Alarm], str]]
    """Whom to tell, by name; each returns why it failed, or nothing."""
    stall_s: float
    """How long the log may show nothing new, and nothing that can be verified."""
    peers: Path | None = None
    promises: Path | None = None
    """A vault's folder of that name."""
    metrics: Path | None = None
    fraud_dir: str | None = None
    pins: Pins = ()
    processes: int = 1
    waits_for_own: bool = False


@dataclass(slots=True)
class _News:
    """What the entries of one round have to tell."""

    mine: set[int] = field(default_factory=set)
    concerns: list[tuple[int, str, Concern]] = field(default_factory=list)
    """Index, statement id, and what to say."""


class Watcher:
    """A monitor with its state; `round` is called again and again."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], float] = time.time) -> None:
        """Begin where the files of `store` say.

        Raises `UsageError` where they cannot be used. `clock` returns Unix seconds.
        """
        self.settings, self.store, self.clock = settings, store, clock
        self.position = store.load(settings.policy, settings.log)
        self.teller = Teller(settings.log.name, settings.tell, store, clock)
        self.given = self.teller.given
        self.given.grew_ms = self.given.grew_ms or self._now_ms()
        self.verified_s = clock()
        self.is_false = False
        """Something false was found in the last round: in the log, a source, or a peer's view."""
        self.behind_s: float | None = None
        """Since when somebody shows more entries than could be verified here."""
        self.last_doubt = "no source was asked yet"
        self.up = 0
        self._saved_size = self._size
        self._saved_s = clock()
        self._saving_s = 0.0

    @property
    def _size(self) -> int:
        return self.position.replay.size if self.position.replay else 0

    def _now_ms(self) -> int:
        return self.teller.now_ms()

    # One round

    def round(self, progress: Callable[[int, int], None] = lambda *_: None) -> Replay | None:
        """Look once; return what was replayed, None if no source showed a checkpoint that satisfies the policy."""
        settings = self.settings
        self.is_false = False
        self.teller.deliver()
        views = look_at(settings.sources, settings.policy, settings.log)
        self.up = sum(view.opened is not None for view in views)
        for view in views:
            if view.failure is not None:
                self.tell_failure(view.failure, [])
            self.last_doubt = f"{view.where}: {view.why}" if view.why else self.last_doubt
        if not any(view.opened and view.opened.is_quorate for view in views):
            self.tell_conditions()
            return None
        result = self.replay(by_use(views), progress)
        base = View(", ".join(settings.sources), result.opened)
        peers = self.look_at_peers()
        if forks := contradictions(peers, result.tree, base):
            self.tell_forks(forks, peers, result)
        if result.failures or result.doubts:
            self.go_back(result)
        else:
            self.verified_s = self.clock()
            self.look_at_promises(result)
        self.look_ahead([*views, *peers])
        self.tell_conditions()
        self.save(is_due=False)
        return result

    def replay(self, location: Location, progress: Callable[[int, int], None]) -> Replay:
        """Replay what is new, and take it over if all of it verifies."""
        settings, news = self.settings, _News()
        names = settings.interests.names
        held: list[Replay] = []
        is_first = self.position.replay is None

        def observe(index: int, _time_ms: int, statement: Statement) -> None:
            registry = held[0].registry
            if not names.isdisjoint(touched(statement, registry)):
                news.mine.add(index)
                if not is_first and (found := concern(statement, registry, settings.interests)) is not None:
                    news.concerns.append((index, id_text(statement.id), found))

        def note(done: int, total: int) -> None:
            self.tell_conditions("stale")  # a source that trickles cannot hold back the alarm that it does
            progress(done, total)

        result = replay(
            location,
            settings.policy,
            settings.log,
            pins=settings.pins,
            state=self.position.replay,
            observe=observe if names else None,
            begun=held.append,
            processes=settings.processes,
            progress=note,
        )
        if not result.failures and not result.doubts:
            self.go_on(result, news, is_first=is_first)
        return result

    def go_on(self, result: Replay, news: _News, *, is_first: bool) -> None:
        """Take over a round in which all was verified, and tell what concerns me."""
        size, grown = result.tree.size, result.tree.size - self.given.size
        self.position.replay = result.state()
        self.position.mine |= news.mine
        if grown > 0 or not self.given.grew_ms:
            self.given.grew_ms = self._now_ms()
        self.given.size = size
        findings = self.new_findings(result)
        self.position.findings |= findings.keys()
        if is_first:
            words = f"following from size {size} on; before it, {len(news.mine)} entries and {len(findings)} findings"
            alarm = self.teller.alarm("started", NOTICE, f"{words} concern me", f"started:{size}", size=size)
            self.teller.tell([alarm], is_lasting=True)
            self.save(is_due=True)
            return
        until = time.monotonic() + (_OWN_GRACE_S if self.settings.waits_for_own else 0)
        alarms = [
            self.teller.alarm(found.kind, found.severity, found.sentence, f"entry:{index}", index=index, statement=name)
            for index, name, found in news.concerns
            if found.kind not in BY_ME or not self.is_own_after_all(name, until)
        ]
        for name, item in findings.items():
            words = f"{item.slug} of {item.party}: {item.sentence}"
            alarms.append(
                self.teller.alarm("finding", ALARM, words, name, index=item.index, slug=item.slug, party=item.party)
            )
        self.teller.tell(alarms)

    def is_own_after_all(self, statement_id: str, until: float) -> bool:
        """Tell whether a statement is my own: the ledger may show it before my vault has kept its receipt."""
        while not self.settings.interests.is_own(statement_id):
            if time.monotonic() >= until:
                return False
            time.sleep(_OWN_POLL_S)
        return True

    def new_findings(self, result: Replay) -> dict[str, Finding]:
        """Return findings, as of now, that are about me or rest on what concerns me, and were not told."""
        parties, mine = self.settings.interests.parties, self.position.mine
        if not self.settings.interests.names:
            return {}
        found = {}
        for item in result.judge.close(max(self._now_ms(), result.registry.newest_time_ms)).findings:
            if item.party in parties or not mine.isdisjoint(item.entries):
                name = f"finding:{item.slug}:{item.index}:{item.party}:{item.since_ms}"
                if name not in self.position.findings:
                    found[name] = item
        return found

    def go_back(self, result: Replay) -> None:
        """Tell what is wrong, and begin anew from the last good position: what was read meanwhile is not kept."""
        proofs = keep_frauds(self.settings.fraud_dir, self.store.path, frauds_of_replay(result))
        remembered = [failure for failure in result.failures if failure.check is Check.REMEMBERED and not failure.index]
        for failure in (remembered or result.failures)[:MAX_FAULTS]:  # beside a fork, all else follows from it
            self.tell_failure(failure, proofs, result)
        for doubt in result.doubts:
            self.last_doubt = format_doubt(doubt)
        self.position = self.store.load(self.settings.policy, self.settings.log)

    # Other views

    def look_at_peers(self) -> list[View]:
        """Return the checkpoints that peers have left in the folder; what is none of this log's is passed over."""
        if self.settings.peers is None:
            return []
        views = []
        folder = DirectorySource(self.settings.peers)
        for path in sorted(self.settings.peers.glob("*"))[:MAX_PEERS]:
            try:
                raw = folder.read(path.name, MAX_NOTE_BYTES)
            except SourceUnavailable:
                continue
            view = view_of(str(path), raw, self.settings.policy, self.settings.log)
            if view.opened is not None:
                views.append(view)
        return views

    def look_at_promises(self, result: Replay) -> None:
        """Tell promises that the log shows to be broken, each with its proof."""
        for promised in read_promises(self.settings.promises) if self.settings.promises else ():
            if not is_broken(promised, result.registry):
                continue
            name, until = promised.statement_id, format_time(promised.deadline_ms)
            words = f"{name} was promised by {until}, and is not in the log, which goes on after that"
            alarm = self.teller.alarm("promise-broken", ALARM, words, f"promise:{name}", statement=name)
            if not self.teller.is_given(alarm):
                raw = fraud_of_promise(result, promised.envelope, promised.deadline_ms)
                proofs = keep_frauds(self.settings.fraud_dir, self.store.path, [raw] if raw else [])
                if not proofs:
                    alarm["sentence"] += f"; no proof could be made of {promised.where}: see what it holds"
                self.teller.tell([alarm | {"proofs": proofs}], is_lasting=True)

    def look_ahead(self, views: list[View]) -> None:
        """Note since when somebody shows a larger log than could be verified here: entries may be kept from us."""
        is_behind = any(view.opened and view.opened.checkpoint.size > self._size for view in views)
        self.behind_s = (self.behind_s or self.clock()) if is_behind else None

    # Telling

    def tell_failure(self, failure: Failure, proofs: list[str], result: Replay | None = None) -> None:
        """Tell something false about the log, or about a source; once, until the monitor has moved on."""
        self.is_false = True
        about = f"{failure.check.slug}:{failure.reason}:{failure.index}:{failure.where}"
        notes = [result.opened.raw.decode()] if result and result.opened else []
        notes += [result.remembered.decode()] if result and result.remembered else []
        more = {"check": failure.check.slug, "reason": failure.reason, "index": failure.index}
        words = format_failure(failure)
        self.teller.tell(
            [self.teller.alarm("false", ALARM, words, about, notes=notes, proofs=proofs, **more)], is_lasting=True
        )

    def tell_forks(self, forks: list[Failure], views: list[View], result: Replay) -> None:
        """Tell contradictions between views, with the notes of all, and keep the proofs."""
        self.is_false = True
        settings = self.settings
        proofs: list[bytes] = []
        for view in views:
            if view.opened is not None and result.opened is not None:
                raw = make_fork(view.opened, result.opened, result.tree, settings.policy, settings.log)
                proofs += [raw] if raw else []
        kept = keep_frauds(settings.fraud_dir, self.store.path, proofs)
        notes = {view.where: view.opened.raw.decode() for view in views if view.opened}
        for fork in forks:
            about = f"fork:{fork.expected}:{fork.actual}"
            self.teller.tell(
                [self.teller.alarm("fork", ALARM, format_failure(fork), about, notes=notes, proofs=kept)],
                is_lasting=True,
            )

    def tell_conditions(self, *names: str) -> None:
        """Tell that the log stalls, or that nothing new can be verified, when that begins and when it ends.

        `names` are those to look at, all if there are none.
        """
        now_ms = self._now_ms()
        since = {
            "stalled": (self.given.grew_ms, "the log has not grown"),
            "stale": (int(self.verified_s * 1000), f"nothing could be verified ({self.last_doubt})"),
            "behind": (int((self.behind_s or self.clock()) * 1000), "somebody is shown more entries than we are"),
        }
        for name, (since_ms, words) in since.items():
            late_ms = now_ms - since_ms
            if (names and name not in names) or (late_ms > self.settings.stall_s * 1000) == (name in self.given.active):
                continue
            if name not in self.given.active:
                self.given.active[name] = since_ms
                sentence = f"{words} for {late_ms // 1000} s"
                alarm = self.teller.alarm(name, ALARM, sentence, f"{name}:{since_ms}", since_ms=since_ms)
            else:
                begun_ms = self.given.active.pop(name)
                alarm = self.teller.alarm(
                    f"{name}-ended", NOTICE, f"no longer {name}", f"{name}:{begun_ms}", since_ms=begun_ms
                )
            self.teller.tell([alarm], is_lasting=True)

    # Remembering

    def close(self) -> None:
        """Save the position before the end."""
        self.save(is_due=self._size != self._saved_size)

    def save(self, *, is_due: bool) -> None:
        """Save the position now and then, or where it is due; then what was told before it need not be remembered."""
        grown = self._size - self._saved_size
        is_time = grown and self.clock() - self._saved_s >= max(_SAVE_EVERY_S, _SAVE_SHARE * self._saving_s)
        if not (is_due or is_time or grown >= max(_SAVE_EVERY_ENTRIES, self._saved_size // 8)):
            return
        if self.position.replay is not None:
            begun = time.monotonic()
            self.store.save(self.position)
            self._saving_s = time.monotonic() - begun
            self._saved_size, self._saved_s = self._size, self.clock()
            self.given.ids.clear()
        self.store.save_given(self.given)

    def write_metrics(self) -> str:
        """Write the metrics, if that was asked for; return why it failed, or nothing."""
        if self.settings.metrics is None:
            return ""
        values = {
            "size": self._size,
            "last_verified_seconds": self.verified_s,
            "last_growth_seconds": self.given.grew_ms / 1000,
            "sources": len(self.settings.sources),
            "sources_up": self.up,
            "outbox": len(self.given.outbox),
        }
        return write_metrics(self.settings.metrics, values, self.teller.counts, self.given.active)
