"""Computes circuits of language models, imports foreign formats, and writes bundles. Knows nothing of databases."""
