"""What can be listed: labels of the schema, the parameters that their lists take, and how they are related.

All of it is made from `store/schema.py`. Knows nothing of statements (`queries/pages.py`) or of HTTP.
"""

from dataclasses import dataclass, field

from queries.parameters import FirstRow, Parameter, ParameterType
from store.schema import (
    ABLATION,
    CIRCUIT,
    CLUSTER,
    CLUSTERING,
    DICTIONARY,
    FEATURE,
    MEMBER_OF,
    MODEL,
    OCCURS_IN,
    PROMPT,
    RELATIONSHIPS,
    RUN,
    TASK,
    USES,
    Column,
    Node,
    Relationship,
    Type,
)

DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000

_TYPES = {
    Type.STRING: ParameterType.STRING,
    Type.INT: ParameterType.INT,
    Type.FLOAT: ParameterType.FLOAT,
    Type.BOOL: ParameterType.BOOL,
    Type.STRINGS: ParameterType.STRING,
}

_WHERE = {
    "": "{column} = {value}",
    ".min": "{column} >= {value}",
    ".max": "{column} <= {value}",
    ".contains": "lower({column}) CONTAINS lower({value})",
    ".has": "{value} IN {column}",
    ".null": "({column} IS NULL) = {value}",
}
"""The conditions that a filter may set on a column, by what stands behind the column's name."""


@dataclass(frozen=True)
class Relation:
    """How the nodes of a resource (n) are related to those of another (r)."""

    name: str
    """Of the filter; and of the column, where there is one."""
    other: str
    """The other resource's name."""
    label: str
    pattern: str
    single: bool
    """Whether a node has at most one of them: then its uid is a column."""
    named: bool
    """Whether the others have names that people know them by."""

    @property
    def help(self) -> str:
        return f"Only those of this {self.name}, by uid{' or name' if self.named else ''}."


@dataclass(frozen=True)
class Filter:
    column: Column
    condition: str
    parameter: Parameter


@dataclass(frozen=True)
class Resource:
    """A label of the schema as a list. `name` is the list's, as in `/circuits`."""

    name: str
    node: Node
    relations: tuple[Relation, ...]
    filters: dict[str, Filter] = field(repr=False)
    params: dict[str, Parameter] = field(repr=False)

    @property
    def label(self) -> str:
        return self.node.label

    @property
    def summary(self) -> str:
        return f"The {self.name} that are stored: {self.node.meaning[0].lower()}{self.node.meaning[1:]}"

    @property
    def uid(self) -> Parameter:
        """The parameter that names one of its nodes."""
        return Parameter(
            name="uid",
            type=ParameterType.UID,
            help=f"The {self.label.lower()}.",
            label=self.label,
            example=FirstRow(query=self.name, column="uid"),
        )

    @property
    def singles(self) -> list[Relation]:
        return [relation for relation in self.relations if relation.single]

    @property
    def sortable(self) -> dict[str, Column]:
        return {c.name: c for c in self.node.columns if c.type is not Type.STRINGS}

    @property
    def returns(self) -> dict[str, str]:
        """The columns of its rows, with their meaning."""
        columns = {column.name: column.meaning for column in self.node.columns}
        return columns | {relation.name: f"Uid of its {relation.name}." for relation in self.singles}


def parameter_type(column: Column) -> ParameterType:
    return _TYPES[column.type]


def _conditions(column: Column) -> list[str]:
    match column.type:
        case Type.STRINGS:
            conditions = [".has"]
        case Type.STRING:
            conditions = ["", ".contains"]
        case Type.BOOL:
            conditions = [""]
        case _:
            conditions = ["", ".min", ".max"]
    return [*conditions, ".null"] if column.optional else conditions


_HELP = {
    "": "Only those where this is the value of",
    ".min": "Only those where this is the least value of",
    ".max": "Only those where this is the largest value of",
    ".contains": "Only those where this is contained, in any case, in",
    ".has": "Only those where this is an item of",
    ".null": "Only those without (true) or with (false) a value of",
}


def _filter(column: Column, condition: str) -> Filter:
    parameter = Parameter(
        name=column.name + condition,
        type=ParameterType.BOOL if condition == ".null" else parameter_type(column),
        help=f"{_HELP[condition]} `{column.name}`: {column.meaning}",
        default="",
    )
    return Filter(column, _WHERE[condition], parameter)


def _resource(name: str, node: Node) -> Resource:
    filters = {
        one.parameter.name: one
        for one in (_filter(column, condition) for column in node.columns for condition in _conditions(column))
    }
    relations = tuple(
        relation
        for relationship in RELATIONSHIPS
        for source, target in relationship.endpoints
        if source != target and {source, target} <= set(_LABELS)
        for relation in _relations(node, relationship, source, target)
    )
    paging = [
        Parameter(
            name="sort",
            type=ParameterType.STRING,
            default="uid",
            help="What to sort by: properties, the first counts most, with - in front largest first; nulls are last. "
            f"There are {', '.join(c.name for c in node.columns if c.type is not Type.STRINGS)}.",
        ),
        Parameter(
            name="limit",
            type=ParameterType.INT,
            default=DEFAULT_LIMIT,
            min=1,
            max=MAX_LIMIT,
            help="Largest number of rows of a page.",
        ),
        Parameter(
            name="cursor",
            type=ParameterType.STRING,
            default="",
            help="Where the page begins: from the link to it in the page before.",
        ),
    ]
    related = [
        Parameter(name=relation.name, type=ParameterType.STRING, default="", help=relation.help)
        for relation in relations
    ]
    every = [*paging, *related, *(one.parameter for one in filters.values())]
    params = {parameter.name: parameter for parameter in every}
    assert len(params) == len(every), f"two parameters of {name} have one name"
    return Resource(name, node, relations, filters, params)


def _relations(node: Node, relationship: Relationship, source: str, target: str) -> list[Relation]:
    if node.label not in (source, target):
        return []
    outgoing = node.label == source
    label = target if outgoing else source
    pattern = (
        f"(n)-[:{relationship.type}]->({{r}}:{label})" if outgoing else f"(n)<-[:{relationship.type}]-({{r}}:{label})"
    )
    single = outgoing and relationship not in (USES, OCCURS_IN, MEMBER_OF)
    named = any(column.name == "name" for column in _LABELS[label].columns)
    return [Relation(label.lower(), _NAMES[label], label, pattern, single, named)]


_NODES = {
    "models": MODEL,
    "dictionaries": DICTIONARY,
    "features": FEATURE,
    "circuits": CIRCUIT,
    "tasks": TASK,
    "prompts": PROMPT,
    "clusterings": CLUSTERING,
    "clusters": CLUSTER,
    "ablations": ABLATION,
    "runs": RUN,
}
_NAMES = {node.label: name for name, node in _NODES.items()}
_LABELS = {node.label: node for node in _NODES.values()}

RESOURCES: dict[str, Resource] = {name: _resource(name, node) for name, node in _NODES.items()}
"""By the name of the list."""
