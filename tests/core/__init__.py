"""Tests of the ground floor: bytes in, bytes out."""
