"""Marks: records of one recipient's copy that exist nowhere else, sealed before anything leaks (docs/marks.md).

`parameters` says how many marks it takes; `recipe`, `redraws` and `drawing` draw rows that could be real, `words` says
who gets which, `lines` and `planting` put them into a copy; `making` is all of it in order. `value` is what is sealed;
`score` and `bits` are the mathematics of what is found.

Imports dataset and the ground; reaches no network.
"""
