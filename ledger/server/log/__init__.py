"""The log: the only writer, from posted bytes to a durable entry under a signed checkpoint.

`sequencer` is the heart of it: `drafting` judges a batch, `refusing` and `promising` sign what is not recorded,
`showing` says what readers may see, `handed` takes time-stamps from commands beside it. Rooms: `intake` (parsed and
checked on all cores), `recovery` (how it starts), `witnesses` (cosignatures), `state` (what it knows of itself).

Imports store and the ground floor; HTTP is in service.
"""
