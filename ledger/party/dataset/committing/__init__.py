"""Records committed to, kept, and opened one by one (docs/format.md §15).

`committing` makes the tree of a file in one pass (`leaves`, `roots`, `chunks`), `parcels` all files of a hand-off,
`manifests` what travels with them; `copies` and `keeping` are what the sender keeps; `opener` and `opened` show one
row with its path.

Imports reading, vault and the ground.
"""
