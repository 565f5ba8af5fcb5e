"""What is measured of a circuit once it is found, one file a step: each runs in parts that are kept as they are done.

The arithmetic stands in `ingest/ablation.py` and `ingest/evidence.py`; here is what is measured, on what, in which
batches.
"""
