"""transformers models: loading them, and decoding with them in batches over a kept cache."""
