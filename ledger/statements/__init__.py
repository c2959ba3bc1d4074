"""Ground floor: what parties can say, one file a subject (docs/format.md §5, §6; docs/statements.md).

`parse` has the table of types by version of the rules, and reads a payload; `reading` reads any one model; `common` and
`fields` are what the models are made of; `version_1`, `version_2` and `version_4` keep forms that a later version
changed; `schemas` makes docs/schemas/.

Imports core; no file, network or clock.
"""
