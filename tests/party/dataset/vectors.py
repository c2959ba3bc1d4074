"""The known answers of tests/vectors/records."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parents[2] / "vectors" / "records"


def load(name: str) -> Any:
    return json.loads((DIRECTORY / f"{name}.json").read_text())


def made_of(parts: list[dict[str, Any]]) -> bytes:
    """Return the bytes of a file of chunks.json."""
    return b"".join(_part(part) for part in parts)


def _part(part: dict[str, Any]) -> bytes:
    if "bytes" in part:
        return bytes.fromhex(part["bytes"]) * int(part["times"])
    count = -(-part["size"] // 32)
    return b"".join(sha256(f"{part['seed']} {number}".encode()).digest() for number in range(count))[: part["size"]]
