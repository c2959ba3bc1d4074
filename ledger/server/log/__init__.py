"""The log: `sequencer` is the only writer, `recovery` starts it, `tail` is its growing edge, `workers` check."""
