"""Procedural corpora that ship with the package."""
