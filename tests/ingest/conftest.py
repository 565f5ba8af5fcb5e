"""Worlds that several tests of attribution share.

Tiny models are computed fastest on one core: threads wait for each other longer than they work.
"""

from collections.abc import Iterator

import pytest
import torch

from ingest.models import LanguageModel, open_model
from tests.ingest.tiny import save_model
from tests.ingest.worlds import World, linear_world


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="package")
def linear() -> World:
    return linear_world()


@pytest.fixture(scope="package")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return open_model(str(save_model(tmp_path_factory.mktemp("tiny") / "llama")))
