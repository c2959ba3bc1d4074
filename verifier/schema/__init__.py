"""The fields of every statement by version of the rules, and entries read into them.

Source: docs/format.md §4–§7, docs/statements.md. `versions` is the table of versions, `v1` to `v5` the fields of each,
made of the `checks`. `entries` reads bundles, entries, envelopes and payloads; `templates` reads the commonest
statements faster, and to the same result.

Imports terms, core; reaches no network, process or database.
"""
