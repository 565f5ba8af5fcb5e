"""What Cypher can't say well: graph algorithms over the edges that a query fetched, one function a query.

Knows nothing of databases or parameters' checks: rows come in, rows go out.
"""
