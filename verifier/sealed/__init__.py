"""Values that were sealed and are shown: disclosures, records, rows (docs/format.md §8, §15).

`disclosures` opens places; `values` knows the form of contents and marks; `rows` and `normal` are the canonical and the
normal form of records.

Imports schema, core; reaches no network, process or database.
"""
