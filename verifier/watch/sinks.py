"""Whom a monitor tells: JSON lines, a webhook, a command, a Prometheus text file. Each is bounded, none is trusted."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from verifier.core.errors import UsageError
from verifier.core.files import write_atomically
from verifier.sources.source import TimedResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Alarm = dict[str, Any]
WEBHOOK_S = 10.0
"""Longest silence of a webhook."""
COMMAND_S = 30.0
_TAIL_BYTES = 1 << 20
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One address, which alone is spoken with: no redirect is followed, no proxy asked."""

    is_https: bool
    host: str
    port: int | None
    target: str

    def send(self, alarm: Alarm) -> str:
        """Post an alarm; return why it failed, or nothing."""
        connection = (
            http.client.HTTPSConnection(self.host, self.port, timeout=WEBHOOK_S, context=ssl.create_default_context())
            if self.is_https
            else http.client.HTTPConnection(self.host, self.port, timeout=WEBHOOK_S)
        )
        connection.response_class = TimedResponse
        headers = {"Content-Type": "application/json", "User-Agent": "provenance-ledger-verifier"}
        try:
            connection.request("POST", self.target, body=json.dumps(alarm).encode(), headers=headers)
            status = connection.getresponse().status  # its body is of no interest, and not read
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return "" if status in _SUCCESS else f"status {status}"


def parse_webhook(url: str) -> Webhook:
    """Return the address that a URL names.

    Raises `UsageError` for anything but http(s) with a host and no credentials.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"not the URL of a webhook: {url}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
        raise UsageError(f"not the URL of a webhook (http or https, without credentials): {url}")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"not the URL of a webhook: {url}")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Webhook(parts.scheme == "https", parts.hostname, port, target)


def run_command(command: Sequence[str], alarm: Alarm) -> str:
    """Run a command with an alarm as JSON on its standard input; return why it failed, or nothing."""
    try:
        done = subprocess.run(
            list(command),
            input=json.dumps(alarm).encode() + b"\n",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}: {error}"
    return "" if done.returncode == 0 else f"exit code {done.returncode}"


def print_line(alarm: Alarm) -> str:
    """Write an alarm as a line to standard output; return why it failed, or nothing."""
    try:
        sys.stdout.write(json.dumps(alarm) + "\n")
        sys.stdout.flush()
    except OSError as error:
        return str(error.strerror)
    return ""


def append_line(path: Path, alarm: Alarm) -> str:
    """Append an alarm to a file of JSON lines, durably and once; return why it failed, or nothing.

    A crash after the line was written and before that was remembered must not write it twice.
    """
    line = json.dumps(alarm).encode() + b"\n"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
            if f'"id": "{alarm["id"]}"'.encode() in tail:
                return ""
            if tail and not tail.endswith(b"\n"):  # the last line was cut by a crash
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"{path}: {error.strerror}"
    return ""


def sinks(alarms: str | None, webhook: str | None, command: Sequence[str] | None) -> dict[str, Callable[[Alarm], str]]:
    """Return whom to tell, by name: a file of lines or else standard output, and what else was asked for.

    Raises `UsageError`.
    """
    told: dict[str, Callable[[Alarm], str]] = {}
    told["lines"] = (lambda alarm: append_line(Path(alarms), alarm)) if alarms else print_line
    if webhook:
        told["webhook"] = parse_webhook(webhook).send
    if command:
        told["command"] = lambda alarm: run_command(command, alarm)
    return told


def write_metrics(path: Path, values: Mapping[str, float], alarms: Mapping[str, int], active: Mapping[str, int]) -> str:
    """Write a Prometheus text file, atomically; return why it failed, or nothing."""
    lines = [
        f"# TYPE provenance_watch_{name} gauge\nprovenance_watch_{name} {value:g}" for name, value in values.items()
    ]
    lines.append("# TYPE provenance_watch_alarms_total counter")
    lines += [f'provenance_watch_alarms_total{{kind="{kind}"}} {count}' for kind, count in sorted(alarms.items())]
    lines.append("# TYPE provenance_watch_condition gauge")
    lines += [f'provenance_watch_condition{{condition="{name}"}} 1' for name in sorted(active)]
    try:
        write_atomically(path, "\n".join([*lines, ""]).encode())
        path.chmod(0o644)  # the collector is another user
    except OSError as error:
        return f"{path}: {error.strerror}"
    return ""
