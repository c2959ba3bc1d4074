"""Tests of what parties can say."""
