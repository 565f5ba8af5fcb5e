"""A service in a process of its own, for benchmarks to ask."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_START_S = 60


@dataclass(frozen=True)
class Served:
    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def memory(self) -> int:
        """Its resident memory, in bytes."""
        line = next(x for x in Path(f"/proc/{self.pid}/status").read_text().splitlines() if x.startswith("VmRSS"))
        return int(line.split()[1]) * 1024


@contextmanager
def service(store: str) -> Iterator[Served]:
    """`circuitstore serve` on a store, at a free port; its log goes to a file, which never blocks it."""
    command = [sys.executable, "-m", "circuitstore", "--store", store, "serve", "--port", "0"]
    with tempfile.NamedTemporaryFile("w+") as log, subprocess.Popen(command, stderr=log, text=True) as process:
        try:
            address = urlsplit(_address(Path(log.name), process))
            yield Served(str(address.hostname), int(address.port or 0), process.pid)
        finally:
            process.terminate()


def _address(log: Path, process: "subprocess.Popen[str]") -> str:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if " at http" in line:
                return line.split(" at ")[1].split()[0]
        time.sleep(0.01)
    sys.exit(f"the service did not start: {log.read_text()}")
