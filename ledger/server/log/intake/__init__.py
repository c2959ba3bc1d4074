"""What is posted: queued, parsed and checked on all cores (docs/format.md §9.1–§9.3, §9.8).

`intake` is stage one; `submission` what waits, and how it is answered; `checking` has a batch checked by the `workers`,
which are processes of the `pool`.

Imports state, store and the ground floor.
"""
