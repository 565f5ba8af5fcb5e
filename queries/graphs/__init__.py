"""What Cypher can't say well, or not on both databases: a function a query, from rows that it fetched to its answer.

Knows nothing of databases or parameters' checks.
"""
