"""Tables read into canonical records, whatever they came in (docs/format.md §15)."""
