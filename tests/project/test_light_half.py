"""Store, queries and service install and start without what computes circuits."""

import subprocess
import sys

from tests.project.repository import ROOT

HEAVY = [
    "torch",
    "transformers",
    "transformer_lens",
    "sae_lens",
    "safetensors",
    "gguf",
    "psutil",
    "sklearn",
    "sknetwork",
    "matplotlib",
    "optuna",
    "tomlkit",
    "mlflow",
]

IMPORT_ALL = f"""
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys({HEAVY}, None))
import api, circuitstore, ingest.formats, queries, store
for package in (api, ingest.formats, queries, store):
    for module in pkgutil.walk_packages(package.__path__, f"{{package.__name__}}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            print(module.name)
"""


def test_every_module_of_the_light_half_imports_where_nothing_heavy_is_installed() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "api.app" in done.stdout.splitlines()


def test_the_program_imports_no_library_that_a_command_may_not_need() -> None:
    late = {*HEAVY, "fastapi", "pyarrow", "ladybug", "neo4j"}
    script = f"import circuitstore, sys; print(*{late} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []
