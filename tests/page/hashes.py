"""`python -m tests.page.hashes`: write the hashes of the page's script and style into its Content-Security-Policy."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

PAGE = Path(__file__).parents[2] / "verifier" / "page" / "verify.html"


def with_hashes(page: str) -> str:
    """Return the page with the policy that allows its own script and style, and nothing else."""
    for tag in ("script", "style"):
        [content] = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        page, count = re.subn(rf"({tag}-src 'sha256-)[^']*", rf"\g<1>{digest}", page)
        if count != 1:
            raise ValueError(f"the policy has {count} places for the hash of the {tag}")
    return page


if __name__ == "__main__":
    PAGE.write_text(with_hashes(PAGE.read_text()))
