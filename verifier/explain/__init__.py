"""One license, hand-off, claim or party, in sentences. Nothing is decided here.

`story` gathers what belongs together; `sentences` has one sentence a statement type, `rules` and `terms` the clauses of
a license, `values` names, seals and quotes.

Imports replay and below.
"""
