"""From a found file to the hand-off it came from, offline, from the vault (docs/trace.md).

`tracing` is the order: `wrapping` and `found` read the file, `handoffs` what there is to compare with; `overlap` and
`mapping` say which column is which, `comparing` and `joining` (by `cells` and `index`) which records are in it, `near`
what is only alike; `scoring` and `listing` what that comes to. `report` is trace.json, `form` what a reader of one may
rely on, `words` the same for people, `evidence` what of it goes into a bundle; `work` is kept, so that nothing is done
twice.

Imports marks, dataset, vault and the ground; reaches no network.
"""
