"""Records committed to, kept, and opened one by one (docs/format.md §15)."""
