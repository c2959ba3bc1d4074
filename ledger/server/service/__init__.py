"""HTTP: one thin handler a call, one table from errors to answers.

`routes` lists every call; `submission` takes statements, `reading` and `stated` give entries and what the chain says
now, `tiles` and `stamps` the files of a mirror, `findings` what parties did wrong, `operations` health and metrics.
`listener` has the limits on strangers, `problems` the table from errors (some in `errors`) to RFC 9457,
`description` /openapi.json.

Imports log, store and the ground floor.
"""
