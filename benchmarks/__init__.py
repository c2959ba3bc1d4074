"""Benchmarks: `python -m benchmarks`. Every figure is a ratio to a limit measured in the same run; nothing is asserted."""
