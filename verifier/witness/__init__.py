"""A witness: cosigns what it has seen grow, and only grow (C2SP tlog-witness; docs/format.md §17).

`witness` decides, `store` remembers, `keys` sign. `verifier.service.witness` is its HTTP.

Imports replay and below.
"""
