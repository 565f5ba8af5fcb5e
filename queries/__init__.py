"""The catalogue: one named, parametrised `.cypher` file a query, and what loads, checks and runs them."""
