"""Benchmarks: each module prints a ratio to a named alternative, measured in the same run.

`make bench` runs them all; `python -m bench.NAME` runs one.
"""
