"""Following a log for months: replays on top of replays, alarms, and where they go.

Imports replay and below.
"""
