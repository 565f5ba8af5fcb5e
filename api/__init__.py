"""The HTTP service. Light: it starts without torch."""
