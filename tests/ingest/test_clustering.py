"""Clusterings against clusters that were planted, and their figures against other accounts of them."""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import combinations
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.metrics import silhouette_score

from ingest.analyses.clustering.activity import Activity, activity
from ingest.analyses.clustering.methods import cluster, communities
from ingest.analyses.clustering.names import names
from ingest.analyses.clustering.quality import agreement, modularity, silhouettes
from ingest.analyses.clustering.stored import Stored, ask
from ingest.analyses.clustering.views import Material, of_directions, of_graph, resampled, whole
from ingest.corpus import Corpus, hook_values
from ingest.job import run_analysis, run_recipe
from ingest.progress import step
from ingest.recipe import Basis, ClusteringMethod, read_recipe
from ingest.subject import open_model_and_dictionaries
from ingest.work import Work
from store.bundle import Bundle, open_bundle
from store.database import Store, open_store
from store.errors import CircuitstoreError, ModelError, RecipeError
from tests.ingest.tiny import save_recipe

METHODS: tuple[ClusteringMethod, ...] = ("k-means", "spectral", "hdbscan", "leiden")
BASES: tuple[Basis, ...] = ("decoder", "activations", "attributions", "attribution-graph", "coactivation-graph")
SIZES = (12, 9, 7, 5)
PLANTED = np.repeat(np.arange(len(SIZES)), SIZES)
CLUSTERING = "clusters = 3\nresamplings = 2\ncomponents = 4\nneighbours = 3"
CORPUS = 'file = "corpus.npy"\ncontexts = 6'


def planted_directions(noise: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = np.linalg.qr(rng.normal(size=(20, 20)))[0][: len(SIZES)]
    return np.asarray(centres[PLANTED] + noise / np.sqrt(20) * rng.normal(size=(len(PLANTED), 20)))


def planted_graph() -> np.ndarray:
    rng = np.random.default_rng(0)
    same = PLANTED[:, None] == PLANTED[None, :]
    graph = np.triu(rng.random(same.shape) * np.where(same, 1.0, 0.05), 1)
    return np.asarray(graph + graph.T)


@pytest.mark.parametrize("method", METHODS)
def test_planted_clusters_are_recovered_from_directions_and_from_a_graph(method: ClusteringMethod) -> None:
    for view in (of_directions(planted_directions(), 6), of_graph(planted_graph())):
        found = cluster(method, view, len(SIZES), 0, 8)
        assert agreement(PLANTED, found.labels) == pytest.approx(1.0)
        assert [int((found.labels == n).sum()) for n in range(len(SIZES))] == list(SIZES)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_noise_is_not_stable_and_what_is_planted_is(method: ClusteringMethod) -> None:
    rng = np.random.default_rng(1)
    for rows, least, most in (
        (planted_directions(), 0.95, 1.0),
        (rng.normal(size=(len(PLANTED), 20)), -0.5, 0.75),
    ):
        full = whole(len(rows), 1, 0)
        mine = cluster(method, of_directions(rows, 6), len(SIZES), 0, 8).labels
        found = []
        for n in range(5):
            sample = resampled(full, 0.8, np.random.default_rng(n))
            again = cluster(method, of_directions(rows[sample.features], 6), len(SIZES), n + 1, 8).labels
            found.append(agreement(mine[sample.features], again))
        assert least <= np.mean(found) <= most + 1e-9


def test_leiden_gives_as_many_clusters_as_are_asked_for() -> None:
    view = of_directions(planted_directions(1.0), 8)
    for k in (2, 3, 5, 8):
        assert int(cluster("leiden", view, k, 0, 8).labels.max()) + 1 == k


def test_leiden_depends_on_its_seed_and_on_nothing_that_ran_before() -> None:
    rng = np.random.default_rng(0)
    graph = np.triu(rng.random((80, 80)) * (rng.random((80, 80)) < 0.15), 1)
    rows = sparse.csr_matrix(graph + graph.T)
    assert len({tuple(communities(rows, 1.3, 3, 1).tolist()) for _ in range(20)}) == 1
    assert len({tuple(communities(rows, 1.3, seed, 1).tolist()) for seed in range(20)}) > 1


def test_as_many_clusters_as_features_are_all_of_one() -> None:
    view = of_directions(planted_directions()[:5], 3)
    for method in METHODS:
        assert cluster(method, view, 5, 0, 3).labels.tolist() == [0, 1, 2, 3, 4]


def test_silhouettes_are_those_of_their_definition_and_their_mean_is_scikit_learns() -> None:
    rows, labels = planted_directions(1.5), np.where(PLANTED == 3, -1, PLANTED)
    found = silhouettes(rows, labels)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    distance = 1 - unit @ unit.T
    for i in range(len(rows)):
        if labels[i] < 0:
            assert np.isnan(found[i])
            continue
        to = {c: [distance[i, j] for j in range(len(rows)) if labels[j] == c and j != i] for c in range(3)}
        a = np.mean(to.pop(labels[i]))
        b = min(np.mean(values) for values in to.values())
        assert found[i] == pytest.approx((b - a) / max(a, b))
    inside = labels >= 0
    assert np.nanmean(found) == pytest.approx(silhouette_score(rows[inside], labels[inside], metric="cosine"))
    assert np.isnan(silhouettes(rows, np.zeros(len(rows), int))).all()


def test_modularity_is_that_of_networkx_with_what_is_left_out_in_clusters_of_one() -> None:
    graph = planted_graph()
    labels = np.where(np.arange(len(PLANTED)) % 5 == 0, -1, PLANTED)
    groups = [set(np.flatnonzero(labels == c).tolist()) for c in range(4)]
    groups += [{n} for n in np.flatnonzero(labels < 0).tolist()]
    expected = nx.community.modularity(nx.from_numpy_array(graph), groups)
    assert modularity(graph, labels) == pytest.approx(expected)
    assert modularity(graph, PLANTED) > expected
    assert np.isnan(modularity(np.zeros((3, 3)), np.zeros(3, int)))


def test_agreement_is_that_of_pairs_counted_one_by_one() -> None:
    one, other = np.array([0, 0, 0, 1, 1, 2, 2, -1]), np.array([1, 1, 0, 0, 0, 2, -1, -1])
    pairs = [(one[i] == one[j] >= 0, other[i] == other[j] >= 0) for i, j in combinations(range(8), 2)]
    both, mine, theirs = (sum(map(f, pairs)) for f in (all, lambda p: p[0], lambda p: p[1]))
    chance = mine * theirs / len(pairs)
    assert agreement(one, other) == pytest.approx((both - chance) / ((mine + theirs) / 2 - chance))
    assert agreement(one, one) == 1.0
    assert agreement(PLANTED, 3 - PLANTED) == 1.0


def test_correlation_and_coactivation_are_those_of_the_tokens_written_out() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((5, 24)) * (rng.random((5, 24)) < 0.4)
    values[4] = 0
    contexts, times, chosen = np.repeat(np.arange(4), 6), np.array([1, 0, 3, 2]), np.array([0, 2, 3, 4])
    seen = Activity(sparse.csr_array(values), contexts)
    tokens = np.concatenate([np.tile(values[:, contexts == c], times[c]) for c in range(4)], axis=1)[chosen]
    r = seen.correlation(chosen, times)
    assert r[:3, :3] == pytest.approx(np.corrcoef(tokens[:3]))
    assert not r[3].any()
    on = tokens > 0
    shares = seen.coactivation(chosen, times)
    for i, j in combinations(range(4), 2):
        either = (on[i] | on[j]).sum()
        assert shares[i, j] == shares[j, i] == pytest.approx((on[i] & on[j]).sum() / either if either else 0)
    assert not shares.diagonal().any()


def test_a_cluster_is_called_after_tokens_that_the_others_do_not_promote() -> None:
    tokens = [[" are", "creen"], [" Are", "creen"], [" dog", "creen", "\ufffd"], [" cat", "creen", " "], ["\n"]]
    found = names([[0, 1], [2, 3], [4]], tokens)
    assert [name.split()[0] for name in found] == ["are", "cat", "no"]
    assert found[0] == "are creen"
    assert found[1] == "cat dog creen"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clustering")
    tokens = np.random.default_rng(0).integers(2, 20, (8, 12)).astype(np.uint16)
    tokens[:, 0] = 0
    np.save(folder / "corpus.npy", tokens)
    return save_recipe(folder, corpus=CORPUS, clustering=CLUSTERING)


@pytest.fixture(scope="module")
def store(recipe: Path) -> Iterator[Store]:
    """The tiny recipe's circuits."""
    (bundle,) = run_recipe(recipe, recipe.parent / "out")
    with closing(open_store(f"ladybug:{recipe.parent / 'store.lbug'}")) as filled:
        filled.load(open_bundle(bundle))
        yield filled


@pytest.fixture(scope="module")
def made(recipe: Path, store: Store) -> Bundle:
    return open_bundle(run_analysis("clustering", recipe, store, recipe.parent / "clusterings"))


def test_every_method_is_had_on_every_basis_and_its_rows_add_up(made: Bundle) -> None:
    clusterings = made.table("Clustering").to_pylist()
    assert {(c["method"], c["basis"]) for c in clusterings} == {(m, b) for m in METHODS for b in BASES}
    clusters = {c["uid"]: c for c in made.table("Cluster").to_pylist()}
    members: dict[str, list[str]] = {}
    for row in made.table("MEMBER_OF.Feature-Cluster").to_pylist():
        members.setdefault(row["target"], []).append(row["source"])
    of = {row["source"]: row["target"] for row in made.table("PART_OF").to_pylist()}
    assert set(clusters) == set(members) == set(of)
    n_features = made.table("Feature").num_rows
    for clustering in clusterings:
        mine = [uid for uid, whose in of.items() if whose == clustering["uid"]]
        every = [feature for uid in mine for feature in members[uid]]
        assert len(every) == len(set(every)) == clustering["n_features"] == n_features - clustering["left_out"]
        sizes = [clusters[uid]["size"] for uid in sorted(mine)]
        assert sizes == [len(members[uid]) for uid in sorted(mine)] == sorted(sizes, reverse=True)
        assert clustering["sizes"] == " ".join(map(str, sizes))
        assert clustering["n_clusters"] == len(mine)
        if clustering["method"] in ("k-means", "spectral"):
            assert clustering["n_clusters"] <= 3
    made.validate()


def test_figures_in_the_bundle_are_those_of_its_members(made: Bundle, recipe: Path, store: Store) -> None:
    model, dictionaries = open_model_and_dictionaries(read_recipe(recipe), "tiny.toml", "cpu")
    stored = ask(store, model.name, dictionaries)
    graph = stored.attribution_graph(np.ones(len(stored.circuits)))
    decoder = np.stack([dictionaries[hook].W_dec[index].numpy() for hook, index in stored.features])
    members = made.table("MEMBER_OF.Feature-Cluster").to_pylist()
    for clustering in made.table("Clustering").to_pylist():
        labels = np.full(len(stored.uids), -1)
        for row in members:
            if row["target"].startswith(f"{clustering['uid']}:"):
                labels[stored.uids.index(row["source"])] = int(row["target"].rpartition(":")[2])
        assert clustering["modularity"] == pytest.approx(modularity(graph, labels), abs=1e-6)
        if clustering["basis"] == "decoder" and clustering["silhouette"] is not None:
            inside = labels >= 0
            expected = silhouette_score(decoder[inside], labels[inside], metric="cosine")
            assert clustering["silhouette"] == pytest.approx(expected, abs=1e-5)
            mine = [r["silhouette"] for r in members if r["target"].startswith(f"{clustering['uid']}:")]
            assert clustering["silhouette"] == pytest.approx(np.mean(mine), abs=1e-5)


def test_the_attribution_graph_is_feeds_in_both_directions(recipe: Path, store: Store) -> None:
    model, dictionaries = open_model_and_dictionaries(read_recipe(recipe), "tiny.toml", "cpu")
    stored = ask(store, model.name, dictionaries)
    assert len(stored.uids) == len(store.run("MATCH (f:Feature) RETURN f.uid AS uid").rows)
    expected = np.zeros((len(stored.uids), len(stored.uids)))
    text = (
        "MATCH (s:Feature)-[r:FEEDS]->(t:Feature) RETURN s.uid AS s, t.uid AS t, r.n_circuits * r.mean_abs_weight AS w"
    )
    for source, target, weight in store.run(text).rows:
        expected[stored.uids.index(source), stored.uids.index(target)] = weight
    assert expected.any()
    found = stored.attribution_graph(np.ones(len(stored.circuits)))
    assert found == pytest.approx(expected + expected.T, abs=1e-6)
    assert stored.attribution_graph(np.full(len(stored.circuits), 2)) == pytest.approx(2 * found)


def test_effects_are_those_of_the_circuits_nodes_summed_over_positions(recipe: Path, store: Store) -> None:
    model, dictionaries = open_model_and_dictionaries(read_recipe(recipe), "tiny.toml", "cpu")
    stored = ask(store, model.name, dictionaries)
    text = ("MATCH (c:Circuit)<-[:IN_CIRCUIT]-(n:CircuitNode)-[:INSTANCE_OF]->(f:Feature) "
            "RETURN c.uid AS c, f.uid AS f, sum(n.effect) AS effect")  # fmt: skip
    for circuit, feature, effect in store.run(text).rows:
        at = stored.uids.index(feature), stored.circuits.index(circuit)
        assert stored.effects[at] == pytest.approx(effect, abs=1e-9)


def test_activity_on_a_corpus_is_what_the_dictionaries_encode(recipe: Path, tmp_path: Path) -> None:
    model, dictionaries = open_model_and_dictionaries(read_recipe(recipe), "tiny.toml", "cpu")
    tokens = torch.from_numpy(np.load(recipe.parent / "corpus.npy").astype(np.int64))
    features = [(hook, index) for hook in dictionaries for index in (3, 0)]
    with step("activity") as bar:
        seen = activity(model, dictionaries, features, Corpus(tokens), 3, Work(tmp_path, "a", "a"), bar)
    ((_, values),) = hook_values(model, tokens, list(dictionaries), 8)
    for row, (hook, index) in zip(seen.values.toarray(), features, strict=True):
        f = dictionaries[hook].encode(values[hook])[..., index]
        assert row == pytest.approx(np.log1p(f.flatten().numpy()), abs=1e-5)
    assert seen.values.nnz
    assert seen.contexts.tolist() == np.repeat(np.arange(8), 11).tolist()


def test_the_same_seed_gives_the_same_bundle_and_another_one_a_clustering_beside_it(
    made: Bundle, recipe: Path, store: Store, tmp_path: Path
) -> None:
    again = open_bundle(run_analysis("clustering", recipe, store, tmp_path / "again"))
    for name in ("Clustering", "Cluster", "MEMBER_OF.Feature-Cluster", "PART_OF"):
        assert again.table(name).equals(made.table(name)), name
    assert again.uid == made.uid
    store.load(made)
    other = save_recipe(
        recipe.parent, corpus=CORPUS, clustering='methods = ["k-means"]\nbases = ["decoder"]\nclusters = 2'
    )
    try:
        store.load(open_bundle(run_analysis("clustering", other, store, tmp_path / "other")))
    finally:
        save_recipe(recipe.parent, corpus=CORPUS, clustering=CLUSTERING)
    counts = store.run("MATCH (c:Clustering) RETURN c.n_clusters AS n, count(c) AS clusterings").rows
    assert sum(count for _, count in counts) == len(METHODS) * len(BASES) + 1


def test_without_a_number_there_are_as_many_clusters_as_leiden_finds_by_itself(
    recipe: Path, store: Store, tmp_path: Path
) -> None:
    said = 'methods = ["leiden", "k-means"]\nbases = ["attribution-graph", "decoder"]\nresamplings = 1'
    try:
        path = run_analysis("clustering", save_recipe(recipe.parent, clustering=said), store, tmp_path)
    finally:
        save_recipe(recipe.parent, corpus=CORPUS, clustering=CLUSTERING)
    asked = {json.loads(c["params"])["clusters"] for c in open_bundle(path).table("Clustering").to_pylist()}
    assert len(asked) == 1
    found = {c["n_clusters"] for c in open_bundle(path).table("Clustering").to_pylist() if c["method"] == "k-means"}
    assert found == asked


@pytest.mark.parametrize(
    ("clustering", "corpus", "kind", "message"),
    [
        ("clusters = 5000", CORPUS, RecipeError, "clustering.clusters: 5000 clusters of .* features can't be made"),
        ("clusters = 1", CORPUS, RecipeError, r"clustering.clusters: must be at least 2 \(it is 1\)"),
        ('methods = ["ward"]', CORPUS, RecipeError, "clustering.methods.0: .*'ward'"),
        ("cluster = 3", CORPUS, RecipeError, "clustering.cluster: unknown key; did you mean 'clusters'"),
        ('bases = ["coactivation-graph"]', None, RecipeError, r"coactivation-graph .* add a section \[corpus\]"),
        ("clusters = 3", 'file = "nowhere.npy"', ModelError, "nowhere.npy"),
        (None, None, RecipeError, r"has no section \[clustering\]"),
    ],
)
def test_what_can_not_be_clustered_is_told_in_one_message_and_nothing_is_written(
    clustering: str | None,
    corpus: str | None,
    kind: type[CircuitstoreError],
    message: str,
    recipe: Path,
    store: Store,
    tmp_path: Path,
) -> None:
    sections = {"clustering": clustering, "corpus": corpus}
    try:
        said = save_recipe(recipe.parent, **{name: body for name, body in sections.items() if body is not None})
        with pytest.raises(kind, match=message):
            run_analysis("clustering", said, store, tmp_path / "out")
    finally:
        save_recipe(recipe.parent, corpus=CORPUS, clustering=CLUSTERING)
    assert not list(tmp_path.glob("out/*/manifest.json"))


def test_a_store_without_circuits_of_the_model_is_told(recipe: Path, tmp_path: Path) -> None:
    with (
        closing(open_store(f"ladybug:{tmp_path / 'empty.lbug'}")) as empty,
        pytest.raises(ModelError, match=r"no circuit of tiny .* is stored: .* `circuitstore ingest .*tiny.toml`"),
    ):
        run_analysis("clustering", recipe, empty, tmp_path / "out")


def test_too_few_features_to_cluster_are_told(tmp_path: Path) -> None:
    recipe = save_recipe(tmp_path, pruning="top_nodes = 1", clustering="")
    (bundle,) = run_recipe(recipe, tmp_path / "circuits")
    with closing(open_store(f"ladybug:{tmp_path / 'store.lbug'}")) as store:
        store.load(open_bundle(bundle))
        with pytest.raises(ModelError, match=r"have 1 features, too few to cluster: .* \(pruning.top_nodes\)"):
            run_analysis("clustering", recipe, store, tmp_path / "out")


def test_a_feature_with_nothing_to_cluster_it_by_is_left_out() -> None:
    edges = np.array([[0, 0, 1], [0, 1, 2]])
    stored = Stored([], list("abcd"), ["c"], np.array([[1.0], [2.0], [0.0], [1.0]]), edges, np.array([1.0, 2.0]))
    material = Material(stored, np.eye(4), None, 2)
    assert material.view("attribution-graph", whole(4, 1, 0)).features.tolist() == [0, 1, 2]
    assert material.view("attributions", whole(4, 1, 0)).features.tolist() == [0, 1, 3]
    assert material.view("decoder", whole(4, 1, 0)).features.tolist() == [0, 1, 2, 3]
