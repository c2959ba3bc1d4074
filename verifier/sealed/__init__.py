"""Values that were sealed and are shown: disclosures, records, rows (docs/format.md §8).

Imports schema, terms, core.
"""
