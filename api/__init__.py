"""The HTTP service. Knows no Cypher and no model."""
