"""Following a log for months: replays on top of replays, alarms, and where they go (docs/format.md §20.5).

`watch` is the rounds; `concerns` says what an entry has to do with me; `promises` where a broken promise becomes an
alarm; `telling` gives each alarm once, through `sinks` (JSON lines, webhook, command, Prometheus); `state` is what is
remembered.

Imports replay and below.
"""
