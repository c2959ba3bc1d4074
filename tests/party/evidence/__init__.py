"""Tests of the evidence wing."""
