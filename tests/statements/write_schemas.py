"""Writes docs/schemas/, one file a type: `python -m tests.statements.write_schemas`."""

from __future__ import annotations

import json
from pathlib import Path

from ledger.statements.parse import NEWEST_RULES, STATEMENTS
from ledger.statements.schemas import schema_of

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def texts() -> dict[str, str]:
    """Return what each file holds."""
    return {
        f"{kind}.json": json.dumps(schema_of(kind), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        for kind in STATEMENTS[NEWEST_RULES]
    }


if __name__ == "__main__":
    SCHEMAS.mkdir(exist_ok=True)
    for name, text in texts().items():
        (SCHEMAS / name).write_text(text, encoding="utf-8")
