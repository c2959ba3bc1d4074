"""The log: the only writer, from posted bytes to a durable entry under a signed checkpoint.

`log` puts it together. `sequencer` is the heart of it: `drafting` judges a batch, `refusing` and `promising` sign what
is not recorded, `publisher` says what readers may see, `proofs` reads paths, `stamp_inbox` takes time-stamps from
commands beside it. Rooms: `intake` (queued, parsed and checked on all cores), `recovery` (how it starts), `witnesses`
(cosignatures), `state` (what it knows of itself).

Imports store and the ground floor; HTTP is in service.
"""
