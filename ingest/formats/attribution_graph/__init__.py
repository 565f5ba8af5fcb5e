"""Attribution graphs as circuit-tracer writes and Neuronpedia serves them: JSON with metadata, nodes and links."""

from ingest.formats.attribution_graph.reading import read, sniff
from ingest.formats.attribution_graph.writing import write
from ingest.formats.format import Format

FORMAT = Format(
    "attribution-graph", ".json", "Attribution graphs of circuit-tracer and Neuronpedia, as JSON.", sniff, read, write
)
