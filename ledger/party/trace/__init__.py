"""From a found file to the hand-off it came from, offline, from the vault (docs/trace.md)."""
