"""A bundle in words: the report as pages, pictures and PDF, made of nothing but the bundle.

`story` is what it says, by `events`, `sentences`, `measured`, `numbers` and `limits` (what it does not show); `papers`,
`rendering`, `pictures` and `pdf` set it in `templates/`.

Imports parts; pure, but for the typesetter's files.
"""
