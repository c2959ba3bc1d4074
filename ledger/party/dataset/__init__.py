"""Datasets: rows read, committed to, kept, and opened one by one (docs/format.md §15).

Pure: cells, decimals, values, normal, leaves, roots, opened. The rest reads files, and needs the extra `data`.
"""
