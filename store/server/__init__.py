"""A real Neo4j without containers: the server's own jars, run with the Java that is here.

`python -m store.server` (or `make neo4j`) runs one in the foreground; the tests start one of their own.
Nothing else in the package needs this folder: a store only ever sees a URL.
"""
