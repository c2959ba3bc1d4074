"""What the log knows of itself while it runs.

`standing` is what both stages have to know of it, `identity` its origin and keys, `frontier` the growing edge of the
tree; `loading` loads facts, `errors` says why it takes nothing now.

Imports store and the ground floor.
"""
