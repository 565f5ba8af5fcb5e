"""Runs every benchmark, each in a process of its own, so that none warms or burdens another."""

import pkgutil
import subprocess
import sys

import bench

NOT_BENCHMARKS = {"__main__", "demo_world", "kill_ingest", "kill_load", "report", "service"}


def main() -> int:
    names = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if module.name not in NOT_BENCHMARKS)
    failed = [name for name in names if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
