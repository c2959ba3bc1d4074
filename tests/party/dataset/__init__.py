"""Tests of rows: read, committed to, kept, opened."""
