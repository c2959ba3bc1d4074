"""Datasets: rows read, committed to, kept, and opened one by one (docs/format.md §15).

`reading` makes canonical records of tables, `committing` seals and opens them. Reads tables with pyarrow.

Imports vault, and the ground; reaches no network.
"""
