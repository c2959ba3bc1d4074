"""The log: the only writer, from posted bytes to a durable entry under a signed checkpoint.

`log` puts it together. `sequencer` is the heart of it: `drafting` judges a batch, `refusing` and `promising` decide
what is answered to what is not recorded, `publisher` says what readers may see, `proofs` reads paths, `stamp_inbox`
takes time-stamps from commands beside it. Whatever is signed is signed by the identity in `state`. Rooms: `intake`
(queued, parsed and checked on all cores), `recovery` (how it starts), `witnesses` (cosignatures), `state` (what it
knows of itself).

Imports store and the ground floor; HTTP is in service.
"""
