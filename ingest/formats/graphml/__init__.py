"""GraphML, as NetworkX, Gephi, igraph and yEd read it: a circuit's properties as attributes of nodes and edges.

What belongs to neither (the model, dictionaries, the prompt, groups of nodes …) stands as JSON in attributes of the
graph. A file that another tool wrote needs no more than each node's `kind` and `layer`, and each edge's `weight`.
"""

from ingest.formats.format import Format
from ingest.formats.graphml.reading import read, sniff
from ingest.formats.graphml.writing import write

FORMAT = Format("graphml", ".graphml", "GraphML, as NetworkX, Gephi and yEd read and write it.", sniff, read, write)
