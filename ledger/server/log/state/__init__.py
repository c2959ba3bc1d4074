"""What the log knows of itself while it runs.

`identity` is its origin and keys, `tail` the growing edge of the tree, `views` loads facts, `errors` says why it takes
nothing now.

Imports store and the ground floor.
"""
