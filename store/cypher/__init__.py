"""Free Cypher that can do no harm: what anyone may write, asked in a process of its own, within limits."""
