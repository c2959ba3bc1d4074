"""Benchmarks: `python -m benchmarks`. Figures are ratios to limits measured in the same run."""
