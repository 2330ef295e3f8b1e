"""Texts: where they come from (corpora), and what they look like to an agent (encoders, prefixes)."""
