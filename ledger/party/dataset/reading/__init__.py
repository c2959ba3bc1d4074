"""Tables read into canonical records, whatever they came in (docs/format.md §15.3).

`formats` finds out what a file is; `delimited`, `jsonlines` and `columnar` read it, `table` all of them alike; `cells`,
`values` and `decimals` are its canonical cells, `normal` the form in which values match across formats (§15.7).

Imports the ground.
"""
