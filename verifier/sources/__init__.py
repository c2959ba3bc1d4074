"""Where public bytes come from, all of it bounded.

`source` is a URL or a directory, `several` compares several, `stamps` reads time-stamps. `remembered` decides whether a
newly signed root still holds what was verified before: that is where a fork shows.

Imports times, schema, core.
"""
