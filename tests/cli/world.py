"""A served ledger and the homes of some companies, made with the real commands."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import good

KEY_USES = ("signing", "recovery")


class World:
    """A served ledger and the homes of some companies."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        self.url = url
        self.policy = directory / "operator" / "policy.txt"

    def home(self, name: str) -> Path:
        return self.directory / name / "home"

    def key(self, name: str, use: str = "signing") -> Path:
        return self.directory / name / f"{use}.json"

    def new_keys(self, name: str) -> None:
        (self.directory / name).mkdir()
        for use in KEY_USES:
            good("key", "new", self.key(name, use))

    def registration(self, name: str) -> list[object]:
        keys = ["--key", self.key(name), "--recovery-key", self.key(name, "recovery")]
        return [
            "party",
            "register",
            name,
            "--ledger",
            self.url,
            "--policy",
            self.policy,
            *keys,
            "--home",
            self.home(name),
        ]

    def register(self, name: str) -> None:
        self.new_keys(name)
        good(*self.registration(name))

    def agree(self, listing: str, licensor: str, licensee: str, *terms: str) -> str:
        """Draft a license with these options, have both sign, and submit it; return its id."""
        draft = self.directory / f"{licensor} {licensee} {len(list(self.directory.iterdir()))}.json"
        ours = ["--home", self.home(licensor)]
        sides = ["--listing", listing, "--licensee", licensee]
        good("license", "draft", *sides, *terms, "--out", draft, *ours)
        for name in (licensor, licensee):
            good("license", "sign", draft, "--yes", "--home", self.home(name))
        return str(good("license", "submit", draft, *ours, "--json").document()["statement_id"])

    def hand_over(self, listing: str, license_id: str, sender: str, recipient: str, file: Path) -> str:
        """Offer a file and acknowledge it; return the hand-off's id."""
        manifest = file.parent / f"manifest {len(list(file.parent.iterdir()))}.json"
        options = ["--listing", listing, "--license", license_id, "--to", recipient, "--manifest", manifest]
        offered = good("transfer", "offer", file, *options, "--home", self.home(sender), "--json").document()
        good("transfer", "acknowledge", file, "--manifest", manifest, "--home", self.home(recipient))
        return str(offered["statement_id"])
