"""Where entries, tiles, facts and checkpoints are kept.

`contract` says what a store promises; the `sqlite` files keep that. `retention` says which checkpoints stay.

Imports the ground floor.
"""
