"""Judging terms (docs/terms.md §5–§7)."""
