"""The log: `sequencer` is the only writer; `checking` and `workers` check for it, `recovery` starts it."""
