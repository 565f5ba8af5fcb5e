"""The graph schema, declared once.

The Arrow schemas of a bundle, LadybugDB's tables, Neo4j's constraints and the reference page of the
documentation are all made from `NODES` and `RELATIONSHIPS` below. Adding a property is one line here.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

SCHEMA_VERSION = 3
"""Of a bundle: what its files hold."""

STORE_VERSION = 6
"""Of a database: raised too where only what the store makes by itself changes (derived relationships, indexes)."""

UID = re.compile(r"[A-Za-z0-9._:-]+")
"""Uids stand in a URL path as they are."""


class Type(StrEnum):
    """What a property may hold; the value is LadybugDB's name of the type."""

    STRING = "STRING"
    STRINGS = "STRING[]"
    INT = "INT64"
    FLOAT = "DOUBLE"
    BOOL = "BOOLEAN"

    @property
    def arrow(self) -> pa.DataType:
        return _ARROW[self]


_ARROW: dict[Type, pa.DataType] = {
    Type.STRING: pa.string(),
    Type.STRINGS: pa.list_(pa.string()),
    Type.INT: pa.int64(),
    Type.FLOAT: pa.float64(),
    Type.BOOL: pa.bool_(),
}


@dataclass(frozen=True)
class Column:
    """One property.

    `optional` may be null. `volatile` differs between two runs of the same computation (times, machine):
    it is stored and shown, but is no part of a content hash or of a digest. `evidence` was measured on what it
    belongs to, and may come later: null until then. `is_late` came into the schema when there were bundles: it is null
    where they lack it, and hashes as if it were not there.
    """

    name: str
    type: Type
    meaning: str
    unit: str = ""
    optional: bool = False
    volatile: bool = False
    evidence: bool = False
    is_late: bool = False

    @property
    def may_lack(self) -> bool:
        """Whether two accounts of one thing agree though one of them does not have it."""
        return self.evidence or self.is_late


@dataclass(frozen=True)
class Node:
    """A node label. `shared` nodes belong to many bundles and are merged; others belong to one circuit.

    `evidence` nodes belong to a circuit too, but more of them may come later.
    """

    label: str
    meaning: str
    columns: tuple[Column, ...]
    shared: bool = True
    evidence: bool = False


@dataclass(frozen=True)
class Relationship:
    """A relationship type between one or more pairs of labels.

    `derived` ones are made by the store. `keys` are the columns that, with source and target, tell two
    relationships of the type apart; a null is as good as any other value.
    """

    type: str
    meaning: str
    endpoints: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...] = ()
    derived: bool = False
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One Parquet file of a bundle: a node label, or a relationship type between one pair of labels."""

    name: str
    of: Node | Relationship
    columns: tuple[Column, ...]
    source: str = ""
    target: str = ""

    @property
    def is_node(self) -> bool:
        return isinstance(self.of, Node)

    @property
    def type(self) -> str:
        """The label or relationship type."""
        return self.of.label if isinstance(self.of, Node) else self.of.type

    @property
    def properties(self) -> tuple[Column, ...]:
        """The columns without the uids of a relationship's ends."""
        return self.of.columns

    @property
    def keys(self) -> tuple[str, ...]:
        return ("uid",) if isinstance(self.of, Node) else ("source", "target", *self.of.keys)

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.type.arrow, nullable=c.optional) for c in self.columns])


_UID = Column("uid", Type.STRING, "Stable, readable, unique in the whole graph.")
_SOURCE = Column("source", Type.STRING, "Uid of the node that the relationship leaves.")
_TARGET = Column("target", Type.STRING, "Uid of the node that the relationship enters.")


def _node(label: str, meaning: str, *columns: Column, shared: bool = True, evidence: bool = False) -> Node:
    return Node(label, meaning, (_UID, *columns), shared, evidence)


MODEL = _node(
    "Model",
    "A language model.",
    Column("name", Type.STRING, "The name it was opened by."),
    Column("revision", Type.STRING, "Hash of its weights, or the hub's revision.", optional=True),
    Column("n_layers", Type.INT, "Number of blocks.", optional=True),
    Column("d_model", Type.INT, "Width of the residual stream.", optional=True),
    Column("vocab_size", Type.INT, "Number of tokens it knows.", optional=True),
)

DICTIONARY = _node(
    "Dictionary",
    "A sparse autoencoder, transcoder or cross-layer transcoder.",
    Column("hook", Type.STRING, "The hook whose activations it decomposes."),
    Column("reads", Type.STRING, "The hook that a transcoder's encoder reads.", optional=True),
    Column("layer", Type.INT, "The block that the hook stands in."),
    Column("site", Type.STRING, "resid, mlp or attn."),
    Column(
        "architecture",
        Type.STRING,
        "SAELens's name: jumprelu, standard, topk, gated, transcoder …; an imported one's in its file.",
        optional=True,
    ),
    Column("d_in", Type.INT, "Width of what it decomposes.", optional=True),
    Column("n_features", Type.INT, "Number of latents.", optional=True),
    Column("source", Type.STRING, "The release and id it came from.", optional=True),
    Column("sha256", Type.STRING, "Hash of its weights.", optional=True),
)

FEATURE = _node(
    "Feature",
    "One latent of a dictionary.",
    Column("layer", Type.INT, "The dictionary's layer."),
    Column("index", Type.INT, "Its row in the decoder."),
    Column("label", Type.STRING, "A short description.", optional=True),
    Column("top_tokens", Type.STRINGS, "Tokens that its decoder row promotes most.", optional=True),
    Column("bottom_tokens", Type.STRINGS, "Tokens that its decoder row suppresses most.", optional=True),
    Column("density", Type.FLOAT, "Share of a corpus's tokens on which it is active.", optional=True),
    Column("max_activation", Type.FLOAT, "Largest activation seen in a corpus.", optional=True),
    Column(
        "examples",
        Type.STRINGS,
        "Contexts of the largest activations, each with its activation in front and the token marked.",
        optional=True,
    ),
)

TASK = _node(
    "Task",
    "A set of prompt pairs with a metric.",
    Column("name", Type.STRING, "Its name in recipes."),
    Column("metric", Type.STRING, "What is measured, in words."),
    Column("n_pairs", Type.INT, "Pairs that attribution used."),
    Column("sha256", Type.STRING, "Hash of the pairs."),
)

PROMPT = _node(
    "Prompt",
    "One prompt.",
    Column("text", Type.STRING, "The prompt as text."),
    Column("tokens", Type.STRINGS, "The prompt as the model's tokens."),
)

CIRCUIT = _node(
    "Circuit",
    "One found circuit, of a task or of a prompt.",
    Column("name", Type.STRING, "Its task's or prompt's name."),
    Column("method", Type.STRING, "How nodes and edges were attributed."),
    Column("thresholds", Type.STRING, "How it was pruned, as JSON.", optional=True),
    Column("aggregation", Type.STRING, "task: mean over its pairs; prompt: one pair."),
    Column("n_nodes", Type.INT, "Number of circuit nodes."),
    Column("n_edges", Type.INT, "Number of ATTRIBUTES_TO relationships."),
    Column(
        "clean_prompt", Type.STRING, "The clean prompt; of a task that of its first pair.", optional=True, is_late=True
    ),
    Column("patch_prompt", Type.STRING, "The patch prompt of the same pair.", optional=True, is_late=True),
    Column("clean_answer", Type.STRING, "What the clean prompt is to be continued with.", optional=True, is_late=True),
    Column("patch_answer", Type.STRING, "What the patch prompt is to be continued with.", optional=True, is_late=True),
    Column("clean_metric", Type.FLOAT, "Metric on the clean prompts.", "metric", optional=True),
    Column("patch_metric", Type.FLOAT, "Metric on the patch prompts.", "metric", optional=True),
    Column(
        "faithfulness",
        Type.FLOAT,
        "Of the whole circuit, on held-out pairs, errors ablated.",
        optional=True,
        evidence=True,
    ),
    Column(
        "cpr",
        Type.FLOAT,
        "Area under faithfulness over the share kept of all features with an effect, errors kept (CPR of the MIB "
        "benchmark); 1 is ideal.",
        optional=True,
        evidence=True,
    ),
    Column(
        "cmd",
        Type.FLOAT,
        "Area between that curve and 1; 0 is ideal (CMD of the MIB benchmark).",
        optional=True,
        evidence=True,
    ),
    Column(
        "observed_pairs",
        Type.INT,
        "Pairs that all its observed effects are means over.",
        optional=True,
        evidence=True,
    ),
    Column("created_at", Type.STRING, "When, ISO 8601, UTC.", optional=True, volatile=True),
    shared=False,
)

CIRCUIT_NODE = _node(
    "CircuitNode",
    "A feature, error term, token, logit, head, MLP or the metric itself, in one circuit.",
    Column("kind", Type.STRING, "feature, error, token, logit, metric, head or mlp."),
    Column("layer", Type.INT, "Its block; -1 for tokens, the number of blocks for logits and the metric."),
    Column("index", Type.INT, "Feature index, head index or token id.", optional=True),
    Column("position", Type.INT, "Position in the prompt.", optional=True),
    Column("token", Type.STRING, "The token there, or the position's name in a task.", optional=True),
    Column("effect", Type.FLOAT, "Predicted change of the metric when it is patched.", "metric", optional=True),
    Column("observed_effect", Type.FLOAT, "The same, measured by ablation.", "metric", optional=True, evidence=True),
    Column("activation", Type.FLOAT, "Activation on the clean prompt, or its mean over pairs.", optional=True),
    Column("influence", Type.FLOAT, "Share of the output's total incoming weight.", optional=True),
    Column("probability", Type.FLOAT, "Of a logit: its token's probability on the clean prompt.", optional=True),
    Column("is_target", Type.BOOL, "Of a logit: whether it is the one that was asked about.", optional=True),
    Column("label", Type.STRING, "What the file that it was imported from calls it.", optional=True),
    Column("dominates", Type.BOOL, "Whether every path from a token to the metric runs through it.", optional=True),
    Column(
        "in_circuit",
        Type.BOOL,
        "Whether the circuit has it, where its source also lists what it leaves out.",
        optional=True,
    ),
    shared=False,
)

CLUSTERING = _node(
    "Clustering",
    "One run of a clustering.",
    Column("method", Type.STRING, "Its algorithm."),
    Column("params", Type.STRING, "Its parameters, as JSON.", optional=True),
    Column("silhouette", Type.FLOAT, "Mean silhouette of its members on its basis, -1 to 1.", optional=True),
    Column("modularity", Type.FLOAT, "Modularity on the attribution graph.", optional=True),
    Column("stability", Type.FLOAT, "Mean adjusted Rand index under resampling.", optional=True),
    Column("basis", Type.STRING, "What of the features was clustered.", optional=True),
    Column("n_clusters", Type.INT, "Number of clusters.", optional=True),
    Column("n_features", Type.INT, "Number of features in its clusters.", optional=True),
    Column("left_out", Type.INT, "Number of features in none: noise, or nothing to cluster them by.", optional=True),
    Column("sizes", Type.STRING, "Sizes of its clusters, largest first.", optional=True),
)

CLUSTER = _node(
    "Cluster",
    "One group of a clustering.",
    Column("name", Type.STRING, "A label made from its members."),
    Column("size", Type.INT, "Number of members."),
)

ABLATION = _node(
    "Ablation",
    "One measured intervention on one circuit.",
    Column(
        "kind",
        Type.STRING,
        "Of a circuit: faithfulness, completeness, random, minimality, edges or pruning; of the whole model without "
        "it: feature, circuit or cluster; or steering.",
    ),
    Column("baseline", Type.STRING, "What ablated values are set to: mean, zero or resample."),
    Column("errors", Type.STRING, "kept or ablated."),
    Column(
        "n_nodes",
        Type.INT,
        "Number of nodes kept (faithfulness, random, edges), of the circuit (minimality) or ablated.",
    ),
    Column("metric", Type.FLOAT, "The metric under the intervention, mean over pairs.", "metric"),
    Column("n_edges", Type.INT, "Number of edges kept, where a circuit is cut to edges.", optional=True),
    Column("faithfulness", Type.FLOAT, "(m(C) − m(∅)) / (m(M) − m(∅)).", optional=True),
    Column("low", Type.FLOAT, "Lower end of its 95 % confidence interval, by bootstrap over pairs.", optional=True),
    Column("high", Type.FLOAT, "Upper end of it.", optional=True),
    Column("sign_agreement", Type.FLOAT, "Share of pairs whose metric has the full model's sign.", optional=True),
    Column("accuracy", Type.FLOAT, "Share of pairs whose metric is above zero: the right answer wins.", optional=True),
    Column("correlation", Type.FLOAT, "Pearson r of the metric with the full model's, over pairs.", optional=True),
    Column("ablated", Type.STRING, "Uid of the feature, circuit or cluster ablated or steered.", optional=True),
    Column("choice", Type.STRING, "How the circuit was pruned for it, as JSON.", optional=True),
    Column("factor", Type.FLOAT, "What steered values are multiplied by.", optional=True),
    Column("split", Type.STRING, "train or held-out."),
    Column("n_pairs", Type.INT, "Number of pairs measured on."),
    Column("seed", Type.INT, "Seed of a random circuit.", optional=True),
    shared=False,
    evidence=True,
)

RUN = _node(
    "Run",
    "Where results came from.",
    Column("command", Type.STRING, "The command."),
    Column("params", Type.STRING, "Its parameters, as JSON."),
    Column("seed", Type.INT, "The random seed.", optional=True),
    Column("versions", Type.STRING, "Versions of what it ran on, as JSON.", optional=True),
    Column("git_revision", Type.STRING, "Revision of this program.", optional=True, volatile=True),
    Column("device", Type.STRING, "cpu, or the accelerator's name.", optional=True),
    Column("started_at", Type.STRING, "When, ISO 8601, UTC.", optional=True, volatile=True),
    Column("seconds", Type.FLOAT, "How long.", "s", optional=True, volatile=True),
    Column("memory", Type.INT, "Peak resident memory.", "byte", optional=True, volatile=True),
    Column("tracking_id", Type.STRING, "The tracker's id of it.", optional=True, volatile=True),
)

NODES = (
    MODEL, DICTIONARY, FEATURE, TASK, PROMPT, CIRCUIT, CIRCUIT_NODE, CLUSTERING, CLUSTER, ABLATION, RUN,
)  # fmt: skip

ATTRIBUTES_TO = Relationship(
    "ATTRIBUTES_TO",
    "One circuit node acts on another.",
    (("CircuitNode", "CircuitNode"),),
    (
        Column("weight", Type.FLOAT, "Predicted effect on the metric through the target.", "metric"),
        Column(
            "observed",
            Type.FLOAT,
            "The same, measured by cutting this edge alone.",
            "metric",
            optional=True,
            evidence=True,
        ),
        Column("ambiguous", Type.BOOL, "Whether the source file left its endpoints open.", optional=True),
        Column("input", Type.STRING, "Which input of an attention head it enters: q, k or v.", optional=True),
        Column(
            "in_circuit",
            Type.BOOL,
            "Whether the circuit has it, where its source also lists what it leaves out.",
            optional=True,
        ),
    ),
    keys=("input",),
)

INSTANCE_OF = Relationship("INSTANCE_OF", "The feature that a circuit node is.", (("CircuitNode", "Feature"),))
IN_CIRCUIT = Relationship("IN_CIRCUIT", "The circuit that a node belongs to.", (("CircuitNode", "Circuit"),))
IN_DICTIONARY = Relationship("IN_DICTIONARY", "The dictionary of a feature.", (("Feature", "Dictionary"),))

FEEDS = Relationship(
    "FEEDS",
    "One feature acts on another: the roll-up of ATTRIBUTES_TO over circuits. "
    "In each circuit, the weights between two features are summed over positions first.",
    (("Feature", "Feature"),),
    (
        Column("n_circuits", Type.INT, "Circuits in which the edge occurs."),
        Column("mean_weight", Type.FLOAT, "Mean weight over these circuits.", "metric"),
        Column("mean_abs_weight", Type.FLOAT, "Mean absolute weight over these circuits.", "metric"),
        Column("sign_agreement", Type.FLOAT, "Share of these circuits whose weight has the commoner sign."),
        Column("n_positive", Type.INT, "Circuits in which the weight is above zero."),
        Column("weight_sum", Type.INT, "Sum of the weights, exact in fixed point.", "2^-32 metric"),
        Column("abs_weight_sum", Type.INT, "Sum of the absolute weights, exact in fixed point.", "2^-32 metric"),
        Column("n_prompts", Type.INT, "Circuits of single prompts in which the edge occurs."),
        Column("n_positive_prompts", Type.INT, "Those of them in which the weight is above zero."),
        Column("prompt_weight_sum", Type.INT, "Sum of the weights in these.", "2^-32 metric"),
        Column("prompt_abs_weight_sum", Type.INT, "Sum of the absolute weights in these.", "2^-32 metric"),
    ),
    derived=True,
)

OCCURS_IN = Relationship(
    "OCCURS_IN",
    "The feature stands in the circuit: the roll-up of INSTANCE_OF and IN_CIRCUIT over positions.",
    (("Feature", "Circuit"),),
    (
        Column("n_nodes", Type.INT, "Nodes of the circuit that are the feature."),
        Column("effect", Type.FLOAT, "Sum of their predicted effects, where any is known.", "metric", optional=True),
    ),
    derived=True,
)

MATCHES = Relationship(
    "MATCHES",
    "A feature continues as a feature of a later layer.",
    (("Feature", "Feature"),),
    (
        Column("method", Type.STRING, "How they were matched."),
        Column("score", Type.FLOAT, "How well they match."),
        Column("rank", Type.INT, "1 for the best match of the source."),
        Column("reverse_rank", Type.INT, "1 for the best match of the target.", optional=True),
        Column(
            "kind",
            Type.STRING,
            "How the target came about, at its best match: translated, processed, newborn or unexplained.",
            optional=True,
        ),
        Column(
            "deactivation",
            Type.FLOAT,
            "Share of its activation that the target loses where the source alone is switched off.",
            optional=True,
        ),
        Column("control", Type.FLOAT, "The same of another feature that is active there.", optional=True),
        Column("n_active", Type.INT, "Tokens on which that was measured: both ends are active there.", optional=True),
        Column(
            "confirmed",
            Type.BOOL,
            "Whether the target loses as much as the recipe asks for, and more than the control.",
            optional=True,
        ),
    ),
    keys=("method",),
)

MATCHED = Relationship(
    "MATCHED",
    "How well the features of two dictionaries were matched. Shares and means are over the best match of each source.",
    (("Dictionary", "Dictionary"),),
    (
        Column("method", Type.STRING, "How they were matched."),
        Column("n_matches", Type.INT, "Features of the source that have a match."),
        Column("mean_score", Type.FLOAT, "Mean score of these matches.", optional=True),
        Column(
            "explained_variance",
            Type.FLOAT,
            "Share of the variance at the target's hook that is explained where each target feature is read off the "
            "source that matches it best, by least squares (s f + c) on every other context of the corpus, and "
            "measured on the rest; a target without a match stands at its mean. Correlation chose its matches on all "
            "of them.",
            optional=True,
        ),
        Column("own_explained_variance", Type.FLOAT, "The same by the target's own features.", optional=True),
        Column("random_explained_variance", Type.FLOAT, "The same by sources drawn at random.", optional=True),
        Column("n_active", Type.INT, "Matches whose ends were active together, and which were tested.", optional=True),
        Column("mean_deactivation", Type.FLOAT, "Mean deactivation of these.", optional=True),
        Column("confirmed", Type.FLOAT, "Share of these that are confirmed.", optional=True),
        Column(
            "control_confirmed",
            Type.FLOAT,
            "The same with a match and its control exchanged: what chance gives.",
            optional=True,
        ),
        Column("same_as_sae_match", Type.FLOAT, "Share of the matches that SAE Match gives, too.", optional=True),
        Column("same_as_feature_flow", Type.FLOAT, "Share that feature flow gives, too.", optional=True),
        Column("same_as_correlation", Type.FLOAT, "Share that correlation gives, too.", optional=True),
        Column("params", Type.STRING, "What this depends on, as JSON.", optional=True),
    ),
    keys=("method",),
)

MEMBER_OF = Relationship(
    "MEMBER_OF",
    "The feature is in the cluster; or of a circuit's own clusters, the node.",
    (("Feature", "Cluster"), ("CircuitNode", "Cluster")),
    (
        Column("silhouette", Type.FLOAT, "How well it fits there and nowhere else, -1 to 1.", optional=True),
        Column("ambiguous", Type.BOOL, "Whether the source file left open which node is meant.", optional=True),
    ),
)
PART_OF = Relationship("PART_OF", "The clustering of a cluster.", (("Cluster", "Clustering"),))
TESTS = Relationship("TESTS", "The circuit that an ablation measured.", (("Ablation", "Circuit"),))
ABLATES = Relationship(
    "ABLATES",
    "What was ablated, or steered.",
    (("Ablation", "CircuitNode"), ("Ablation", "Feature"), ("Ablation", "Cluster")),
)
FOR_TASK = Relationship(
    "FOR_TASK",
    "The task that a circuit serves, or on whose pairs was measured.",
    (("Circuit", "Task"), ("Ablation", "Task")),
)
FOR_PROMPT = Relationship("FOR_PROMPT", "The clean prompt of a circuit.", (("Circuit", "Prompt"),))
USES = Relationship(
    "USES",
    "A dictionary that a circuit is made of.",
    (("Circuit", "Dictionary"),),
    (
        Column(
            "cuts_edges",
            Type.BOOL,
            "Whether edges begin and end there: past a dictionary none of whose nodes was a candidate, they go on.",
            optional=True,
        ),
    ),
)
OF_MODEL = Relationship("OF_MODEL", "The model it belongs to.", (("Circuit", "Model"), ("Dictionary", "Model")))
PRODUCED_BY = Relationship(
    "PRODUCED_BY", "The run that made it.", (("Circuit", "Run"), ("Clustering", "Run"), ("Ablation", "Run"))
)

RELATIONSHIPS = (
    ATTRIBUTES_TO, INSTANCE_OF, IN_CIRCUIT, IN_DICTIONARY, FEEDS, OCCURS_IN, MATCHES, MATCHED, MEMBER_OF, PART_OF,
    TESTS, ABLATES, FOR_TASK, FOR_PROMPT, USES, OF_MODEL, PRODUCED_BY,
)  # fmt: skip

ANALYSES = (MATCHES, MATCHED, MEMBER_OF)
"""What was found out about features and dictionaries, as against what a circuit is made of: no circuit's deletion
removes it."""


def _tables() -> dict[str, Table]:
    tables = [Table(node.label, node, node.columns) for node in NODES]
    for relationship in RELATIONSHIPS:
        for source, target in relationship.endpoints:
            many = len(relationship.endpoints) > 1
            name = f"{relationship.type}.{source}-{target}" if many else relationship.type
            columns = (_SOURCE, _TARGET, *relationship.columns)
            tables.append(Table(name, relationship, columns, source, target))
    return {table.name: table for table in tables}


TABLES: dict[str, Table] = _tables()
"""Every table by name, nodes first, in the order in which they are loaded."""

KEPT = Column("kept", Type.BOOL, "A bundle holds it for its own sake: it outlives every circuit.", optional=True)
"""Bookkeeping: a column that each shared node has in a database; no part of bundles, rows or digests."""

STORE = _node(
    "Store",
    "Bookkeeping: the store itself.",
    Column("schema_version", Type.INT, "Of what the store keeps."),
    Column("writes", Type.INT, "Write transactions so far.", optional=True),
)

BUNDLE = _node(
    "Bundle",
    "Bookkeeping: a bundle whose content is stored.",
    Column("circuits", Type.STRINGS, "Uids of its circuits."),
    Column("step", Type.INT, "Rows of its load that are done; -1 if given up; null when all are.", optional=True),
    Column("added", Type.INT, "Rows of its load that were added to FEEDS.", optional=True),
    Column("inserting", Type.STRINGS, "Circuits that the load began to insert.", optional=True),
)

BOOKKEEPING = (STORE, BUNDLE)
"""Labels that a database has beside `NODES`: no part of bundles or digests."""


def stored_columns(node: Node) -> tuple[Column, ...]:
    """The columns that a node has in a database."""
    return (*node.columns, KEPT) if node.shared and node not in BOOKKEEPING else node.columns


def _vocabulary() -> dict[str, Type]:
    types: dict[str, set[Type]] = {}
    for table in TABLES.values():
        for column in table.columns:
            types.setdefault(column.name, set()).add(column.type)
    return {name: found.pop() for name, found in types.items() if len(found) == 1}


VOCABULARY: dict[str, Type] = _vocabulary()
"""The type of each property name that means one wherever it stands. Columns of queries carry these names, too."""
