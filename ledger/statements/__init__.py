"""Ground floor: what parties can say, one file a subject (docs/format.md §5, §6). Pure."""
