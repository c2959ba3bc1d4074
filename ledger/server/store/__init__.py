"""Where entries, tiles, facts and checkpoints are kept: `contract` says what a store promises; the rest keep it."""
