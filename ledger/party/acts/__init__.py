"""What a company does, one file an act (docs/statements.md §2–§9).

`enrolment` (parties and keys), `listings`, `licensing` (with `terms` and `terms_in_words`), `handoff` (with `marking`),
`onward`, `reporting`, `claims`, `erasure`, `disclosing`, `venues`.

Imports speaking, client, marks, dataset, vault, keys, answers and the ground; not interop.
"""
