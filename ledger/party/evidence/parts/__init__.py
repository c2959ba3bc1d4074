"""What goes into a bundle (docs/bundle.md §1–§5).

`sources`, a `ledger_source` or a `mirror_source`, and `gathering` choose the entries; `tiles` and `stamps` prove and
date them; `traced` and `checking` take the trace, computed anew; `choices` and `matches` what is opened; `case` and
`judgement` what is alleged and what follows; `documents` is all of it, `archive` the ZIP.

Imports trace, chain, dataset, vault, the registry and below.
"""
