"""Predicted effects of edges: of upstream u on the metric through downstream d.

The effect is (∂m/∂f_d) · Δf_d, where Δf_d is what d changes by when u alone takes its value of the patch run. Only
the stretch of the model between the two hooks is run.

    patched         g_s · Δf_d              Δf_d by running the stretch with u patched: one run a source serves all
                                            targets. g_s is between g_c and g_p, see below. Exact into the metric.

The others take Δf_d from derivatives: one vector-Jacobian product a target serves all sources.

(J is the Jacobian of d's pre-activation, g the metric's gradient along d's decoder row; c at the clean run,
p averaged over points of the path on which only the value at the stretch's start, or for g at d's hook, moves from
clean to patch; a transcoder's J is taken where it reads, its g where it writes):

    clean           g_c · φ'(clean) · J_c Δu                plain attribution patching
    reference       g_p · φ'(clean) · J_c Δu                Marks et al. 2024, Sparse Feature Circuits
                    (into the metric: J_p Δu)
    path            g_p · (φ(π + J_p Δu) − φ(π))            both along the path; φ's exact response
    share-weighted  as path, but each of g and J Δu is taken between its clean and its path value, by the share of
                    the whole change that this edge alone brings

A path average answers "what if everything moves", the clean gradient "what if almost nothing does". JumpReLU's φ' is
zero where d is silent on the clean run, so that the first two lose every edge into such a feature. And an error term
is what a dictionary does not explain: features that come on explain what a derivative still counts as error. So edges
into error terms are right only where the stretch is run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary, places
from ingest.gradients import Metric, Values, midpoints
from ingest.hooks import Hook
from ingest.models import LanguageModel
from ingest.nodes import METRIC, Directions, Node, between
from ingest.recipe import EdgeFormula
from ingest.stretches import Stretch, patched_metric, patched_targets, value_at_end, values_at


@dataclass(frozen=True)
class Runs:
    """What edges are computed from, of the same pairs: all hooks' values on the clean and the patch run,
    ∂m/∂x there at the clean run and along the path, the metric on both runs, [pairs]."""

    clean: Values
    patch: Values
    gradient_clean: Values
    gradient_path: Values
    metric_clean: Tensor
    metric_patch: Tensor

    def __getitem__(self, rows: slice) -> "Runs":
        def of(values: Values) -> Values:
            return {hook: value[rows] for hook, value in values.items()}

        return Runs(
            of(self.clean),
            of(self.patch),
            of(self.gradient_clean),
            of(self.gradient_path),
            self.metric_clean[rows],
            self.metric_patch[rows],
        )


def edge_weights(
    model: LanguageModel,
    stretch: Stretch,
    targets: Sequence[Node],
    sources: dict[Hook, Directions],
    dictionary: Dictionary | None,
    runs: Runs,
    metric: Metric,
    formula: EdgeFormula = "patched",
    steps: int = 4,
    rows: int = 1024,
) -> Tensor:
    """Weights of all edges from the sources into the targets, [targets, pairs, sources], in units of the metric.

    targets: nodes at the stretch's target hook, with its dictionary, or the metric. Sources are in the order of
    stretch.sources and of the nodes of each. rows: at once; of gradients, one a target and pair; of runs, one a
    source and pair.
    """
    if formula == "patched":
        return _patched_weights(model, stretch, targets, sources, dictionary, runs, metric, rows)
    n_sources = sum(len(sources[hook].nodes) for hook in stretch.sources if hook in sources)
    weights = torch.zeros(len(targets), len(runs.metric_clean), n_sources, device=model.device)
    # The reference's edges into the metric are its node effects: along the path, too.
    along_path = formula in ("share-weighted", "path") or (formula == "reference" and stretch.target is None)
    points = [0.0, *midpoints(steps)] if along_path else [0.0]
    for position in sorted({-1 if t.position is None else t.position for t in targets}):
        here = [n for n, t in enumerate(targets) if (-1 if t.position is None else t.position) == position]
        ends = [_End(targets[n], dictionary, runs, formula) for n in here]
        clean = torch.zeros(len(here), *weights.shape[1:], device=model.device)
        path = torch.zeros_like(clean)
        for alpha in points:
            changes = _changes(model, stretch, ends, sources, dictionary, runs, metric, alpha, position, rows)
            if alpha == 0.0:
                clean += changes
            else:
                path += changes / steps
        for n, end, by_clean, by_path in zip(here, ends, clean, path, strict=True):
            weights[n] = end.weight(by_clean, by_path)
    return weights


def _patched_weights(
    model: LanguageModel,
    stretch: Stretch,
    targets: Sequence[Node],
    sources: dict[Hook, Directions],
    dictionary: Dictionary | None,
    runs: Runs,
    metric: Metric,
    rows: int,
) -> Tensor:
    starts = [node for hook in stretch.sources if hook in sources for node in sources[hook].nodes]
    weights = torch.zeros(len(targets), len(runs.metric_clean), len(starts), device=model.device)
    number = {node: n for n, node in enumerate(starts)}
    if dictionary is None:
        for some, metrics in patched_metric(model, stretch, starts, sources, metric, runs.clean, rows):
            weights[0][:, [number[node] for node in some]] = (metrics - runs.metric_clean).T
        return weights
    row = {target: n for n, target in enumerate(targets)}
    whole = runs.metric_patch - runs.metric_clean
    moved = patched_targets(model, stretch, starts, sources, dictionary, targets, runs.clean, rows)
    for some, target, change in moved:
        by_clean, by_path = (
            (g[dictionary.hook][:, target.position].float() * change).sum(-1)
            for g in (runs.gradient_clean, runs.gradient_path)
        )
        weights[row[target]][:, [number[node] for node in some]] = between(by_clean, by_path, 2 * by_path, whole).T
    return weights


class _End:
    """One target: what to differentiate, and the weight that follows from the derivatives."""

    def __init__(self, node: Node, dictionary: Dictionary | None, runs: Runs, formula: EdgeFormula):
        self.node, self.dictionary, self.runs, self.formula = node, dictionary, runs, formula
        if node is METRIC or dictionary is None or node.hook is None:
            return
        at = (slice(None), node.position)
        self.gradient_clean = runs.gradient_clean[node.hook][at].float()
        self.gradient_path = runs.gradient_path[node.hook][at].float() if formula != "clean" else self.gradient_clean
        self.clean, self.patch = (
            [value[at].float() for value in dictionary.read(values)] for values in (runs.clean, runs.patch)
        )

    def cotangents(self, values: Values, alpha: float) -> Values:
        """The vectors whose products with what the dictionary reads and writes are differentiated, [pairs, d] each.

        values: what stands there, [pairs, d].
        """
        dictionary = self.dictionary
        assert dictionary is not None
        x, y = dictionary.read(values)
        if self.node.index is not None:
            at_read, at_hook = dictionary.W_enc[:, self.node.index].expand_as(x), torch.zeros_like(y)
        else:
            # An error term's change is a vector: its effect through ε = y − φ(π(x)) W_dec − b_dec is differentiated.
            at_hook = self.gradient_clean if alpha == 0.0 and self.formula != "reference" else self.gradient_path
            slope = dictionary.activation.slope(dictionary.linear(x))
            at_read = -((at_hook @ dictionary.W_dec.T) * slope) @ dictionary.W_enc.T
        if dictionary.reads == dictionary.hook:
            return {dictionary.hook: at_hook + at_read}
        return {dictionary.reads: at_read, dictionary.hook: at_hook}

    def weight(self, by_clean: Tensor, by_path: Tensor) -> Tensor:
        """The edges' weights from the first-order changes that their sources bring, [pairs, sources] both."""
        if self.node.index is None:
            if self.formula == "clean" or (self.formula == "reference" and self.node is not METRIC):
                return by_clean
            if self.formula in ("path", "reference"):
                return by_path
            if self.node is METRIC:
                whole, factor = self.runs.metric_patch - self.runs.metric_clean, 2.0
            else:
                assert self.dictionary is not None
                change = self.dictionary.error(*self.patch) - self.dictionary.error(*self.clean)
                whole, factor = (self.gradient_path * change).sum(-1), 1.0
            return between(by_clean, by_path, factor * by_path, whole[:, None])
        assert self.dictionary is not None
        row = self.dictionary.W_dec[self.node.index]
        g_c, g_p = (self.gradient_clean @ row)[:, None], (self.gradient_path @ row)[:, None]
        pi_all = self.dictionary.linear(self.clean[0])
        pi = pi_all[:, self.node.index, None]
        if self.formula in ("clean", "reference"):
            slope = self.dictionary.activation.slope(pi_all)[:, self.node.index, None]
            return (g_c if self.formula == "clean" else g_p) * slope * by_clean
        if self.formula == "share-weighted":
            whole = self.dictionary.linear(self.patch[0])[:, self.node.index, None] - pi
            moved = between(by_clean, by_path, by_path, whole)
        else:
            moved = by_path
        activation = self.dictionary.activation.of(self.node.index, pi_all)
        change = (activation((pi + moved).T) - activation(pi.T)).T
        if self.formula == "path":
            return g_p * change
        total = (self.runs.metric_patch - self.runs.metric_clean)[:, None]
        return between(g_c, g_p, 2 * g_p * change, total) * change


def _changes(
    model: LanguageModel,
    stretch: Stretch,
    ends: Sequence[_End],
    sources: dict[Hook, Directions],
    dictionary: Dictionary | None,
    runs: Runs,
    metric: Metric,
    alpha: float,
    position: int,
    rows: int,
) -> Tensor:
    """First-order change of each end when a source is patched, at one point of the path. [ends, pairs, sources].

    Positions behind the target's can't act on it and are left out of the pass.
    """
    length = None if stretch.target is None else position + 1
    with torch.enable_grad():
        leaves = {
            hook: torch.lerp(runs.clean[hook][:, :length], runs.patch[hook][:, :length], alpha).requires_grad_()
            for hook in stretch.sources
        }
        if dictionary is None:
            outputs = [metric(model.logits(value_at_end(model, stretch, leaves)[:, -1]))]
            cotangents = [torch.ones(1, len(outputs[0]), device=outputs[0].device)]
        else:
            values = {hook: x[:, -1] for hook, x in values_at(model, stretch, leaves, places([dictionary])).items()}
            at = {hook: x.detach().float() for hook, x in values.items()}
            by_end = [end.cotangents(at, alpha) for end in ends]
            outputs = list(values.values())
            cotangents = [torch.stack([by[hook] for by in by_end]).to(x.dtype) for hook, x in values.items()]
        at_once = max(1, rows // len(outputs[0]))
        found: list[Tensor] = []
        for some in zip(*(torch.split(one, at_once) for one in cotangents), strict=True):
            gradients = torch.autograd.grad(
                outputs, list(leaves.values()), some, is_grads_batched=True, retain_graph=True, allow_unused=True
            )
            found.append(_along(dict(zip(leaves, gradients, strict=True)), sources))
    return torch.cat(found)


def _along(gradients: dict[Hook, Tensor | None], sources: dict[Hook, Directions]) -> Tensor:
    """gradients: [ends, pairs, pos, d] at each source's hook, None where it has no part. [ends, pairs, sources]."""
    n_ends = next(len(gradient) for gradient in gradients.values() if gradient is not None)
    parts: list[Tensor] = []
    for hook, gradient in gradients.items():
        if hook not in sources:
            continue
        at_hook = sources[hook]
        part = at_hook.change.new_zeros(n_ends, *at_hook.change.shape[:2])
        if gradient is not None:
            reachable = at_hook.positions < gradient.shape[2]
            chosen = gradient[:, :, at_hook.positions[reachable]].float()
            part[:, :, reachable] = torch.einsum("ebnd,bnd->ebn", chosen, at_hook.change[:, reachable])
        parts.append(part)
    return torch.cat(parts, dim=2)
