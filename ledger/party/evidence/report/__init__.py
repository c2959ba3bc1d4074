"""A bundle in words: the report as pages, pictures and PDF, made of nothing but the bundle.

`facts` is what the bundle comes to, `verdict` the one sentence of it; `story` is all that it says, by `events`,
`sentences`, `measured`, `numbers` and `limits` (what it does not show); `papers`, `rendering`, `pictures` and `pdf` set
it in `templates/`, with the `fonts` that there are.

Imports parts; reaches no network and no vault. `pdf` runs Typst, in a directory that it removes.
"""
