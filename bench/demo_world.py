"""The demo's model, dictionaries and pairs, as benchmarks of attribution use them. Knows nothing of time."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ingest.dictionaries import Dictionary
from ingest.edges import Runs
from ingest.gradients import Metric, Values, along_hooks, gradients_at, hook_values
from ingest.hooks import EMBEDDING, Hook
from ingest.models import LanguageModel
from ingest.nodes import Directions, Slopes, directions, mean_effects, rank
from ingest.recipe import Recipe, read_recipe
from ingest.subject import Subject, open_subject
from ingest.tasks.alignment import Aligned

RECIPE = Path(__file__).parents[1] / "demo" / "agreement-across-pp.toml"


@dataclass(frozen=True)
class DemoWorld:
    recipe: Recipe
    subject: Subject
    metric: Metric
    clean: Values
    patch: Values
    metric_clean: Tensor
    metric_patch: Tensor

    @property
    def model(self) -> LanguageModel:
        return self.subject.model

    @property
    def dictionaries(self) -> dict[Hook, Dictionary]:
        return self.subject.dictionaries

    @property
    def hooks(self) -> list[Hook]:
        return [EMBEDDING, *self.dictionaries]

    def runs(self, steps: int = 4) -> Runs:
        at_clean, _ = gradients_at(self.model, 0, self.clean[EMBEDDING], self.hooks, self.metric)
        along = along_hooks(self.model, self.clean, self.patch, self.hooks, self.metric, steps)
        return Runs(self.clean, self.patch, at_clean, along, self.metric_clean, self.metric_patch)

    def strongest(self, hook: Hook, gradient: Tensor, n: int, n_errors: int = 0) -> Directions:
        """The features, and error terms, of largest effect at one hook."""
        features, errors, _ = mean_effects(self.dictionaries[hook], Slopes(gradient), self.clean, self.patch, 64)
        ranked = rank({hook: (features, errors)}, self.subject.first_position, n)
        nodes = [node for node in ranked.nodes if node.kind == "feature"][:n]
        nodes += [node for node in ranked.nodes if node.kind == "error"][:n_errors]
        return directions(self.dictionaries[hook], nodes, self.clean, self.patch)


def open_world(pairs: int, seed: int = 0, task_name: str = "agreement-across-pp") -> DemoWorld:
    """Opens the demo's subject with so many pairs of a task and runs the model on them."""
    torch.manual_seed(0)
    recipe = read_recipe(RECIPE)
    task = recipe.task.model_copy(update={"generator": task_name, "pairs": pairs, "held_out": pairs})
    recipe = recipe.model_copy(update={"task": task, "seed": seed})
    subject = open_subject(recipe, str(RECIPE), "cpu")
    train: Aligned = subject.train
    metric = Metric(train.clean_answers, train.patch_answers)
    hooks = [EMBEDDING, *subject.hooks]
    clean, m_clean = hook_values(subject.model, train.clean_tokens, hooks, metric)
    patch, m_patch = hook_values(subject.model, train.patch_tokens, hooks, metric)
    return DemoWorld(recipe, subject, metric, clean, patch, m_clean, m_patch)
