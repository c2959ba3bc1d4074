"""A verified copy of a log, and the proofs that its files can give (docs/format.md §20.3).

`mirror` copies, the checkpoint last; `proving` proves entries from what is on disk; `ids` finds an entry by its
statement. `verifier.service.mirror` answers with them.

Imports rules, sources, schema, core.
"""
