"""The attributes that a circuit's GraphML has, by name and type. Made from the schema."""

from ingest.formats.foreign import ForeignDictionary
from store.schema import TABLES, Type

JSON = "json:"
"""In front of a text attribute's name: its values are JSON strings, since one of them has characters that XML lacks."""

TEXTS = ("name", "method")
"""Attributes of the graph that are texts."""
OBJECTS = ("model", "prompt", "task", "circuit", "run")
LISTS = ("dictionaries", "groupings")
"""Those that are JSON."""

KINDS = ("feature", "error", "token", "logit", "metric", "head", "mlp")

NODE: dict[str, Type] = {
    **{column.name: column.type for column in TABLES["CircuitNode"].columns if column.name != "uid"},
    "part": Type.STRING,
    "dictionary": Type.STRING,
}
EDGE: dict[str, Type] = {column.name: column.type for column in TABLES["ATTRIBUTES_TO"].properties}
GRAPH: dict[str, Type] = dict.fromkeys((*TEXTS, *OBJECTS, *LISTS), Type.STRING)

OF: dict[str, dict[str, Type]] = {"graph": GRAPH, "node": NODE, "edge": EDGE}

XML_TYPES = {Type.STRING: "string", Type.INT: "long", Type.FLOAT: "double", Type.BOOL: "boolean"}


def name_of(dictionary: ForeignDictionary) -> str:
    """What a node's `dictionary` says."""
    hook = str(dictionary.properties["hook"])
    return f"{dictionary.family}:{hook}" if dictionary.family else hook
