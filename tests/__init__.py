"""Tests mirror the packages; `harness` is what they share."""
