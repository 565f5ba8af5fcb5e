"""What a recipe may say: one TOML file, checked before anything is computed. Needs no torch."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingest.mistakes import mistake
from store.errors import RecipeError

NodeMethod = Literal["share-weighted", "attribution-patching", "ig-inputs", "ig-dictionary"]
EdgeFormula = Literal["patched", "share-weighted", "path", "reference", "clean"]
ClusteringMethod = Literal["k-means", "spectral", "hdbscan", "leiden"]
Basis = Literal["decoder", "activations", "attributions", "attribution-graph", "coactivation-graph"]
CORPUS_BASES: tuple[Basis, ...] = ("activations", "coactivation-graph")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSection(_Section):
    source: str = Field(description="A hub's name, a folder, a .gguf file, or package:PACKAGE/FILE.gguf.")
    name: str | None = Field(None, description="What it is called in uids; made from the source if left out.")
    start_token: str | None = Field(None, description="Token put before every prompt and left out of every circuit.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="What the model computes in.")


class DictionariesSection(_Section):
    folder: Path | None = Field(None, description="A folder of SAELens folders.")
    release: str | None = Field(None, description="Or a SAELens release, by name …")
    ids: tuple[str, ...] = Field((), description="… and the ids to take from it.")
    hooks: tuple[str, ...] = Field((), description="Only the dictionaries of these hooks; all if left out.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.folder is None) == (self.release is None):
            raise ValueError("give either folder, or release and ids")
        if self.release is not None and not self.ids:
            raise ValueError("a release needs ids: the dictionaries to take from it")
        return self


class TaskSection(_Section):
    generator: str | None = Field(None, description="A task that Circuitstore makes pairs for.")
    file: Path | None = Field(None, description="Or a JSONL file of pairs.")
    name: str | None = Field(None, description="What the task is called; the generator's or file's name if left out.")
    pairs: Annotated[int, Field(ge=1)] = Field(64, description="Pairs that attribution uses, at most.")
    held_out: Annotated[int, Field(ge=1)] = Field(64, description="Other pairs, for faithfulness, at most.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.generator is None) == (self.file is None):
            raise ValueError("give either generator or file")
        return self


class NodesSection(_Section):
    method: NodeMethod = Field(
        "share-weighted",
        description="Gradients at the clean run; averaged while the inputs move, or while each hook's value does; "
        "or between the first and the last, by the share of the change that the node brings.",
    )
    steps: Annotated[int, Field(ge=1, le=256)] = Field(4, description="Points of the path.")


class EdgesSection(_Section):
    formula: EdgeFormula = Field("patched", description="How an edge's effect is predicted.")
    steps: Annotated[int, Field(ge=1, le=256)] = Field(4, description="Points of the path.")


class PruningSection(_Section):
    top_nodes: Annotated[int, Field(ge=1)] = Field(60, description="Features of largest effect that are kept.")
    node_threshold: Annotated[float, Field(ge=0)] = Field(
        0.0005, description="Least effect of a node, as a share of the metric's whole change from clean to patch."
    )
    edge_threshold: Annotated[float, Field(ge=0)] = Field(
        0.0005, description="Least weight of an edge, as a share of the metric's whole change from clean to patch."
    )
    node_influence: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Keep the fewest features and error terms that hold this share of the influence; such as 0.8."
    )
    edge_influence: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="The same for edges; such as 0.98."
    )
    errors: Literal["kept", "dropped", "merged"] = Field(
        "kept", description="Error terms as nodes: one a position, none, or one a dictionary."
    )
    max_density: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Leave out features that are active on a larger share of the [corpus]."
    )


class FaithfulnessSection(_Section):
    sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 3, 6, 7, 8, 9, 10, 20, 60), description="Numbers of features to keep, strongest first."
    )
    random_circuits: Annotated[int, Field(ge=0)] = Field(2, description="Random circuits beside each size.")
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (),
        description="Shares of all features with an effect to keep as well, for the areas under the curve (CPR and CMD "
        "of the MIB benchmark); such as 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.",
    )


class EvidenceSection(_Section):
    nodes: Annotated[int, Field(ge=0)] = Field(20, description="Nodes of largest effect that are observed, too.")
    edges: Annotated[int, Field(ge=0)] = Field(40, description="Edges of largest weight that are observed, too.")
    sample: Annotated[int, Field(ge=0)] = Field(40, description="And so many other nodes and edges, drawn at random.")
    pairs: Annotated[int, Field(ge=1)] = Field(
        64,
        description="Pairs that they are observed on, at most: with fewer than [task] has, other means are compared.",
    )


class CorpusSection(_Section):
    file: Path = Field(description="A NumPy file of token ids, [contexts, positions].")
    contexts: Annotated[int, Field(ge=1)] = Field(200, description="How many of its contexts are read, at most.")
    max_norm: Annotated[float, Field(gt=0)] = Field(
        10.0,
        description="Attention sinks, tokens where a hook's value is so many times as long as its context's median, "
        "count for nothing in matches and densities.",
    )


class MatchingSection(_Section):
    methods: tuple[Literal["sae_match", "feature_flow", "correlation"], ...] = Field(
        ("sae_match", "feature_flow", "correlation"), min_length=1, description="How features are matched."
    )
    pairs: tuple[tuple[str, str], ...] = Field(
        (), description="Hooks of the dictionaries to match, the earlier first; all neighbours if left out."
    )
    contexts: Annotated[int, Field(ge=1)] = Field(48, description="Contexts of the corpus that are read, at most.")
    least_active: Annotated[int, Field(ge=1)] = Field(
        10, description="Features that are active on fewer tokens are not correlated."
    )
    similar: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="Cosine from which a feature counts as the continuation of another."
    )
    tokens: Annotated[int, Field(ge=0)] = Field(4, description="Tokens on which a feature is switched off; 0 for none.")
    confirmed: Annotated[float, Field(gt=0, le=1)] = Field(
        0.2,
        description="Share of its activation that a confirmed match's successor loses; more than a control, too.",
    )


class FeaturesSection(_Section):
    examples: Annotated[int, Field(ge=1, le=100)] = Field(5, description="Contexts that are shown of each feature.")
    before: Annotated[int, Field(ge=0)] = Field(10, description="Tokens shown before the one it is active on …")
    after: Annotated[int, Field(ge=0)] = Field(5, description="… and behind it.")


_PRUNINGS = (
    PruningSection(top_nodes=10),
    PruningSection(top_nodes=30),
    PruningSection(node_threshold=0.05, edge_threshold=0.01),
    PruningSection(node_influence=0.8, edge_influence=0.98),
    PruningSection(node_influence=0.8, edge_influence=0.98, errors="dropped"),
    PruningSection(node_influence=0.8, edge_influence=0.98, errors="merged"),
)


class AblationsSection(_Section):
    pairs: Annotated[int, Field(ge=2)] = Field(32, description="Held-out pairs that it is measured on, at most.")
    sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (3, 7, 10, 20, 30, 60, 100), description="Numbers of features to keep, strongest first."
    )
    baselines: tuple[Literal["mean", "zero", "resample"], ...] = Field(
        ("mean", "zero", "resample"),
        description="What takes the place of what is ablated; random circuits by the first.",
    )
    random_circuits: Annotated[int, Field(ge=0)] = Field(10, description="Random circuits beside each size.")
    edges: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (25, 50, 100, 200), description="Numbers of edges to keep, strongest first."
    )
    minimality: Annotated[int, Field(ge=0)] = Field(10, description="Features of the circuit left out one by one.")
    prunings: tuple[PruningSection, ...] = Field(
        _PRUNINGS, description="Ways to prune the circuit, each with what it costs."
    )
    features: Annotated[int, Field(ge=0)] = Field(
        5, description="Each circuit's strongest features, ablated in all tasks."
    )
    clusters: Annotated[int, Field(ge=0)] = Field(40, description="Largest stored clusters, ablated in all tasks.")
    factors: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0.0, 2.0), description="And all of these set to so many times their value."
    )


class PromptsSection(_Section):
    circuits: bool = Field(True, description="Whether each pair gives a circuit of its own, too.")


class ClusteringSection(_Section):
    methods: tuple[ClusteringMethod, ...] = Field(
        get_args(ClusteringMethod), min_length=1, description="How features are clustered."
    )
    bases: tuple[Basis, ...] | None = Field(
        None,
        min_length=1,
        description="What of them is clustered; all there is if left out: activations need a corpus.",
    )
    clusters: Annotated[int, Field(ge=2)] | None = Field(
        None, description="How many clusters are made; as many as Leiden finds in the attribution graph if left out."
    )
    resamplings: Annotated[int, Field(ge=1)] = Field(10, description="Resamplings that stability is a mean over.")
    components: Annotated[int, Field(ge=1)] = Field(16, description="Principal components that k-means sees.")
    neighbours: Annotated[int, Field(ge=1)] = Field(
        10, description="Neighbours of a feature in the graph that is made of directions or profiles."
    )


def _ascending(range_: tuple[float, float]) -> tuple[float, float]:
    if range_[0] > range_[1]:
        raise ValueError("give the lower end first")
    return range_


_Steps = tuple[Annotated[int, Field(ge=1, le=256)], ...]
_Share = Annotated[float, Field(gt=0, le=1)]
_Counts = Annotated[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]], AfterValidator(_ascending)]
_Shares = Annotated[tuple[_Share, _Share], AfterValidator(_ascending)]


class TuningSection(_Section):
    trials: Annotated[int, Field(ge=1)] = Field(30, description="Configurations that are tried.")
    methods: tuple[NodeMethod, ...] = Field(
        get_args(NodeMethod), min_length=1, description="Of nodes, to choose from; and so below."
    )
    formulas: tuple[EdgeFormula, ...] = Field(get_args(EdgeFormula), min_length=1, description="Of edges.")
    node_steps: _Steps = Field((1, 2, 4, 8), min_length=1, description="Points of the nodes' path.")
    edge_steps: _Steps = Field((1, 2, 4), min_length=1, description="Points of the edges' path.")
    prunings: tuple[Literal["strongest", "influence"], ...] = Field(
        ("strongest", "influence"),
        min_length=1,
        description="Keep the strongest nodes and edges, or of those the ones that hold a share of the influence.",
    )
    top_nodes: _Counts = Field((5, 100), description="Ranges, both ends included, of what [pruning] says.")
    node_threshold: _Shares = (0.0001, 0.01)
    edge_threshold: _Shares = (0.0001, 0.02)
    node_influence: _Shares = (0.7, 0.99)
    edge_influence: _Shares = (0.9, 0.999)
    clusters: _Counts = Field(
        (2, 30),
        description="Numbers of clusters, where there is a [clustering]; its methods and bases compete.",
    )

    @model_validator(mode="after")
    def _at_least_two(self) -> Self:
        if self.clusters[0] < 2:
            raise ValueError("tuning.clusters: at least two clusters can be made")
        return self


class Recipe(_Section):
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="Seed of everything random.")
    model: ModelSection
    dictionaries: DictionariesSection
    task: TaskSection
    nodes: NodesSection = NodesSection()
    edges: EdgesSection = EdgesSection()
    pruning: PruningSection = PruningSection()
    faithfulness: FaithfulnessSection = FaithfulnessSection()
    evidence: EvidenceSection = EvidenceSection()
    prompts: PromptsSection = PromptsSection()
    corpus: CorpusSection | None = None
    features: FeaturesSection | None = None
    matching: MatchingSection | None = None
    clustering: ClusteringSection | None = None
    ablations: AblationsSection | None = None
    tuning: TuningSection | None = None

    @model_validator(mode="after")
    def _with_a_corpus(self) -> Self:
        bases = self.clustering.bases or () if self.clustering else ()
        asked = {
            "pruning.max_density: features": self.pruning.max_density is not None,
            "features: they": self.features is not None,
        } | {f"clustering.bases: {basis}": True for basis in bases if basis in CORPUS_BASES}
        if self.corpus is None and (seen := [what for what, wanted in asked.items() if wanted]):
            raise ValueError(f"{seen[0]} are seen in a corpus: add a section [corpus] with its file")
        return self

    def clustering_bases(self) -> tuple[Basis, ...]:
        """The bases that are clustered: those that are said, or all that there are."""
        said = self.clustering.bases if self.clustering else ()
        return said or tuple(b for b in get_args(Basis) if self.corpus is not None or b not in CORPUS_BASES)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file; relative paths in it are taken from its folder. Raises RecipeError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such recipe") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: can't be read: {error}") from error
    return parse_recipe(text, path)


def parse_recipe(text: str, path: Path) -> Recipe:
    """The same of a recipe's text. path: where it lies, or is to lie."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: is not TOML: {error}") from error
    try:
        recipe = Recipe.model_validate(said)
    except ValidationError as error:
        raise RecipeError(f"{path}: {mistake(error, Recipe)}") from None
    return _resolved(recipe, path.parent)


def _resolved(recipe: Recipe, folder: Path) -> Recipe:
    def at(path: Path | None) -> Path | None:
        return None if path is None else folder / path.expanduser()

    source = recipe.model.source
    if source.startswith(("./", "../", "~")) or (source.endswith(".gguf") and not source.startswith("package:")):
        source = str(at(Path(source)))
    return recipe.model_copy(
        update={
            "model": recipe.model.model_copy(update={"source": source}),
            "dictionaries": recipe.dictionaries.model_copy(update={"folder": at(recipe.dictionaries.folder)}),
            "task": recipe.task.model_copy(update={"file": at(recipe.task.file)}),
            "corpus": recipe.corpus and recipe.corpus.model_copy(update={"file": at(recipe.corpus.file)}),
        }
    )
