"""Takes a picture of each of the explorer's views, in light and in dark, of what a store holds.

Views that it holds nothing for are shown with the small world of the tests.

python -m tests.explorer.screenshots                   # the demo's store, into docs/screenshots
python -m tests.explorer.screenshots FOLDER --only circuit paths --scale 2
"""

import argparse
import sys
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from store.database import Store, open_store
from store.settings import read_settings
from tests.browser import chromium, listening
from tests.explorer.addresses import VIEWS, addresses
from tests.explorer.conftest import stored
from tests.explorer.visiting import WIDE, readers
from tests.explorer.world import world

FOLDER = Path(__file__).parents[2] / "docs/screenshots"
THEMES = ("light", "dark")


def main(arguments: list[str]) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    options.add_argument("--store", default=read_settings().store, help="else CIRCUITSTORE_STORE, or the demo's")
    options.add_argument("--only", nargs="+", choices=VIEWS, default=VIEWS)
    options.add_argument("--scale", type=float, default=1, help="pixels of the picture for one of the page")
    options.add_argument("--width", type=int, default=WIDE["width"])
    given = options.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    size = {**WIDE, "width": given.width}
    with TemporaryDirectory() as folder, chromium() as browser, readers(browser) as reader_of, ExitStack() as open_:
        missing = list(given.only)
        for store in (partial(open_store, given.store, read_only=True), partial(_small_world, Path(folder))):
            if not missing:
                break
            site = open_.enter_context(listening(open_.enter_context(closing(store()))))
            for theme in THEMES:
                reader = reader_of(site, viewport=size, color_scheme=theme, device_scale_factor=given.scale)
                places = addresses(reader.json)
                for view in (view for view in missing if view in places):
                    path = given.folder / f"{view.replace(' ', '-')}-{theme}.png"
                    reader.open(places[view]).screenshot(path=path)
                    print(path)
            missing = [view for view in missing if view not in places]


def _small_world(folder: Path) -> Store:
    return stored(f"ladybug:{folder / 'store.lbug'}", folder, world())


if __name__ == "__main__":
    main(sys.argv[1:])
