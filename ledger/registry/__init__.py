"""Ground floor: what the chain says now, and what may enter it.

`acceptance` has the steps in their order (docs/format.md §9): `signing` (who has to sign), `references` (what a
statement may name, and who may say it). `subjects` says what an entry concerns; `effects` what it changes, in `facts`
and `things`; `findings` what it shows of parties at once, `overdue` what it does once a moment has passed; `loading`
which facts that needs.

Imports statements, core; no file, network or clock.
"""
