"""A bundle in words: the report as pages, pictures and PDF, made of nothing but the bundle.

`story` is what it says, by `events`, `sentences`, `measured`, `numbers` and `limits` (what it does not show); `papers`,
`rendering`, `pictures` and `pdf` set it in `templates/`.

Imports parts; reaches no network and no vault. `pdf` runs Typst, in a directory that it removes.
"""
