"""The catalogue: one named, parametrised .cypher a file. Knows nothing of HTTP or of how circuits are made."""
