"""Asking the operator's witnesses for their cosignatures (docs/format.md §17.3).

`policy` says whom to ask and how many must answer, `asking` asks one, `witnessing` all, beside appending.

Imports the ground floor and the store.
"""
