"""Tests of what may enter, and what the chain then says."""
