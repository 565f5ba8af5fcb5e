"""MLflow's and Optuna's pages side by side, on this machine only, until Ctrl-C.

python -m ingest.dashboard [FOLDER] [--study FILE]
"""

import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from ingest.sqlite import url_of
from ingest.tracking import silenced
from store.errors import CircuitstoreError

HOST = "127.0.0.1"
_SECONDS = 120
"""That a page may take to come up: MLflow's reads much at first."""


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="python -m ingest.dashboard", description=__doc__.splitlines()[0])
    options.add_argument("folder", nargs="?", type=Path, default=Path("bundles"), help="where the bundles are")
    options.add_argument("--study", type=Path, help="a study's file; else the latest in FOLDER/tuning")
    given = options.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way both pages go
    try:
        with pages(given.folder, given.study) as shown:
            for name, url in shown.items():
                print(f"{name:<8}{url}", flush=True)
            print("Ctrl-C stops them.", flush=True)
            signal.pause()
    except CircuitstoreError as error:
        print(f"circuitstore: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


@contextmanager
def pages(folder: Path, study: Path | None = None) -> Iterator[dict[str, str]]:
    """The pages' addresses by name, while they are served: of what there is, a tracking store, a study, or both.

    Raises CircuitstoreError where there is neither, where what serves them is not installed, or does not come up.
    """
    commands = _commands(folder, study)
    running: list[subprocess.Popen[bytes]] = []
    try:
        urls: dict[str, str] = {}
        started: dict[str, str] = {}
        for name, command in commands.items():
            port = _free_port()
            full = [*command, "--host", HOST, "--port", str(port)]
            # A session of its own: Ctrl-C comes to us alone, and ending the group ends the page's helpers, too.
            running.append(
                subprocess.Popen(
                    full,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=silenced(),
                    start_new_session=True,
                )
            )
            urls[name] = f"http://{HOST}:{port}"
            started[name] = shlex.join(full)
        for (name, url), process in zip(urls.items(), running, strict=True):
            _wait(name, url, process, started[name])
        yield urls
    finally:
        for process in running:
            _stop(process)


def _commands(folder: Path, study: Path | None) -> dict[str, list[str]]:
    runs, found = folder / "tracking" / "mlflow.db", study or _latest(folder / "tuning")
    if study is not None and not study.is_file():
        raise CircuitstoreError(f"{study}: no such study; circuitstore tune makes one")
    commands: dict[str, list[str]] = {}
    if runs.is_file():
        mlflow = ["mlflow", "server", "--backend-store-uri", url_of(runs), "--workers", "1"]
        commands["MLflow"] = [sys.executable, "-m", *mlflow]
    if found is not None:
        serve = Path(sys.executable).with_name("optuna-dashboard")
        commands["Optuna"] = [str(serve), url_of(found)]
    if not commands:
        raise CircuitstoreError(f"{folder}: nothing was tracked and nothing tuned there: circuitstore ingest RECIPE "
                                "--track makes runs, circuitstore tune RECIPE a study")  # fmt: skip
    for name, needed in (("MLflow", ("mlflow.server", "flask", "aiohttp")), ("Optuna", ("optuna_dashboard",))):
        for module in needed if name in commands else ():
            if find_spec(module.partition(".")[0]) is None or find_spec(module) is None:
                raise CircuitstoreError(f"{name}'s page needs {module}: make dashboard installs it")
    return commands


def _latest(folder: Path) -> Path | None:
    return max(folder.glob("*.db"), key=lambda file: file.stat().st_mtime, default=None)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def _wait(name: str, url: str, process: subprocess.Popen[bytes], command: str) -> None:
    opener = build_opener(ProxyHandler({}))  # this machine is never behind a proxy
    began = time.monotonic()
    while time.monotonic() - began < _SECONDS:
        if process.poll() is not None:
            raise CircuitstoreError(f"{name}'s page ended with {process.returncode}: {command} says why")
        try:
            with opener.open(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise CircuitstoreError(f"{name}'s page did not come up within {_SECONDS} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            continue
        break
    process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
