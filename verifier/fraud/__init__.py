"""Proofs that convict an operator, offline (docs/format.md §19).

`fraud` checks a file; `form` reads it, `parts` opens everything in it, `kinds` says what each kind has to show, `rules`
and `refusals` judge an entry or a refusal. `making` makes such files; what reads the evidence for it is
`verifier.replay.convicting`.

Imports rules, schema, core; reaches no network, process or database.
"""
