"""The graph schema, the bundle format, and the databases behind one protocol. Knows nothing of models or of HTTP."""
