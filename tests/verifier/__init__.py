"""Tests of the verifier alone."""
