"""Circuits from and to other tools' files, one file or small folder a format. Light: no torch, no database.

`registry.py` lists the formats; a reader makes a `ForeignCircuit`, and `assembly.py` the schema's tables of it.
"""
