"""Marks: records of one recipient's copy that exist nowhere else, sealed before anything leaks (docs/marks.md)."""
