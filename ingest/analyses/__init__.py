"""What is found out about features and circuits that are stored: one analysis a module, each with one function
`analyse`, which asks the store and gives rows.

To add one: a section in recipe.py, a module here, a line in `registry.py`, a command in circuitstore.py.
"""
