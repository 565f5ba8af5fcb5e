"""Pictures of what one bundle holds, as PNG and SVG beside it. No database is asked, and no torch is needed."""

import logging
import os
import shutil
from pathlib import Path

from store.aside import aside, put_in_place
from store.bundle import open_bundle
from store.disk import sync
from store.errors import BundleError, CircuitstoreError

FORMATS = ("png", "svg")


def plot(bundle: str | Path) -> list[Path]:
    """Makes the plots of a bundle anew, in the folder BUNDLE-plots beside it. Returns their files.

    The folder is replaced whole, and there is none where the bundle gives no plot. Raises BundleError where the
    bundle can't be read, or drawn, or the folder can't be written or holds other files.
    """
    opened = open_bundle(bundle)
    opened.validate()
    target = folder_of(Path(bundle))
    strangers = sorted(path.name for path in target.glob("*") if path.suffix[1:] not in FORMATS)
    if strangers or (target.exists() and not target.is_dir()):
        what = f"holds {strangers[0]!r}" if strangers else "is no folder"
        raise BundleError(f"{target} {what}, and would be replaced by plots: move it away")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of homes that it can't write to, and does well
    from ingest.plots.registry import figures
    from ingest.plots.style import laid_out, styled

    try:
        with aside(target) as folder, styled():
            for name, figure in figures(opened):
                laid_out(figure)
                for ending in FORMATS:
                    file = folder / f"{name}.{ending}"
                    figure.savefig(file, metadata={"Date": None} if ending == "svg" else None)
                    sync(file)
            if any(folder.iterdir()):
                put_in_place(folder, target)
            elif target.exists():
                shutil.rmtree(target)
    except OSError as error:
        raise BundleError(f"{target} can't be written: {error.strerror or error}") from error
    except (ImportError, CircuitstoreError):
        raise
    except Exception as error:  # matplotlib has no exceptions of its own: it raises whatever Python has
        raise BundleError(f"{bundle}: its plots can't be drawn: {type(error).__name__}: {_line(error)}") from error
    return sorted(target.glob("*"))


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def folder_of(bundle: Path) -> Path:
    """Of a bundle's plots: beside it, however it was named: as . or by a path that ends in .."""
    whole = Path(os.path.abspath(bundle))
    folder = whole.with_name(f"{whole.name}-plots")
    return folder if bundle.is_absolute() else Path(os.path.relpath(folder))
