"""Computes circuits with torch and writes them as bundles. Knows nothing of databases."""
