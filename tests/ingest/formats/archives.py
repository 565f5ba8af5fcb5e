"""Tar archives for tests."""

import io
import tarfile
from pathlib import Path


def archive(folder: Path, mode: str = "w", **more: bytes) -> bytes:
    """A folder as a tar archive. more: other files in it."""
    files = {str(path.relative_to(folder.parent)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return archive_of({**files, **more}, mode)


def archive_of(files: dict[str, bytes], mode: str = "w") -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode=mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return into.getvalue()
