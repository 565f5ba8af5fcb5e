"""The recipes beside the demo's: those for its model, and what can be known without a hub of those for a hub's."""

from pathlib import Path

import pytest
from sae_lens.loading.pretrained_saes_directory import get_pretrained_saes_directory

from ingest.recipe import read_recipe
from ingest.tasks.registry import TASKS
from ingest.weights import locate

RECIPES = sorted((Path(__file__).parents[2] / "demo" / "recipes").glob("*.toml"))
OF_A_HUB = [path for path in RECIPES if read_recipe(path).dictionaries.release]


def test_there_is_a_recipe_for_each_task() -> None:
    ours = {recipe.task.generator for recipe in map(read_recipe, set(RECIPES) - set(OF_A_HUB))}
    assert ours == set(TASKS)


def test_there_is_a_recipe_for_each_of_the_usual_models() -> None:
    assert {"gpt2", "pythia-70m", "gemma-2-2b"} <= {recipe.stem for recipe in OF_A_HUB}


@pytest.mark.parametrize("path", OF_A_HUB, ids=lambda path: path.stem)
def test_a_recipe_for_a_hub_is_valid_and_its_ids_are_of_its_release(path: Path) -> None:
    recipe = read_recipe(path)
    assert locate(recipe.model.source) is None  # a hub's name
    assert recipe.task.generator in TASKS
    release = get_pretrained_saes_directory()[recipe.dictionaries.release or ""]
    assert set(recipe.dictionaries.ids) <= set(release.saes_map)
    name = recipe.model.name or recipe.model.source.rpartition("/")[2]
    assert name == release.model  # else each dictionary says that it was trained on another one


def test_a_recipe_says_that_it_has_not_been_run() -> None:
    for path in OF_A_HUB:
        assert "it has not been run" in " ".join(path.read_text().replace("#", "").split())
