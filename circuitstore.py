"""The program: one command a function. Data goes to stdout, all else to stderr.

Imports what a command needs only when that command runs, so that `--help` and errors come at once.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NoReturn

import typer

from queries import terminal
from store.errors import CircuitstoreError, UsageError

if TYPE_CHECKING:
    from api.keys import Keys
    from ingest.formats.format import Format
    from ingest.tracking import Tracker
    from store.database import Store

app = typer.Typer(
    name="circuitstore",
    help="Circuits of language models in a graph database: compute them, load them, ask them.",
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Scope(StrEnum):
    """What an API key is for; the same names as in `api.keys`."""

    read = "read"
    write = "write"
    cypher = "cypher"


class ExportFormat(StrEnum):
    """What `export` writes: the formats of `ingest.formats.registry`, and a page."""

    attribution_graph = "attribution-graph"
    mib = "mib"
    graphml = "graphml"
    parquet = "parquet"
    csv = "csv"
    cypher = "cypher"
    html = "html"


Memory = Annotated[
    str | None, typer.Option(help="Memory to stay within, such as 4GiB; half of what is free if left out.")
]
RecipeFile = Annotated[Path, typer.Argument(help="What to compute, as a TOML file.")]
Out = Annotated[Path | None, typer.Option(help="Folder for the bundles.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, or cuda:N.")]
Track = Annotated[
    bool,
    typer.Option("--track", envvar="CIRCUITSTORE_TRACK", help="Make it an MLflow run, too, in a file by the bundles."),
]


def _version(asked: bool) -> None:
    if asked:
        from store.bundle import program_version

        print(f"circuitstore {program_version()}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _global(
    ctx: typer.Context,
    store: Annotated[
        str | None,
        typer.Option(help="The store: ladybug:PATH, bolt://…, neo4j://…; else CIRCUITSTORE_STORE.", metavar="URL"),
    ] = None,
    format: Annotated[terminal.Format, typer.Option(help="How data is written.")] = terminal.Format.table,
    columns: Annotated[str | None, typer.Option(help="Only these columns, in this order.", metavar="A,B,…")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(2)
    terminal.options.store, terminal.options.format, terminal.options.columns = store, format, columns


@app.command()
def demo(memory: Memory = None) -> None:
    """Compute a real model's circuit, load it, and ask about it."""
    from queries.tour import tell

    recipe, size = Path(__file__).parent / "demo" / "agreement-across-pp.toml", _bytes(memory)
    with _heavy():
        from ingest.job import run_recipe

        bundles = run_recipe(recipe, memory=size)
    beside = terminal.bundles_in(recipe.parent)  # what the features are
    task, *_ = terminal.load([*bundles, *beside])
    with terminal.opened(read_only=True) as store:
        tell(store, task, sys.stdout)


@app.command()
def ingest(
    recipe: RecipeFile,
    out: Out = None,
    memory: Memory = None,
    device: Device = None,
    load: Annotated[bool, typer.Option(help="Load the bundles into the store as well.")] = True,
    track: Track = False,
) -> None:
    """Compute circuits as a recipe says, and load them."""
    size = _bytes(memory)
    with _heavy():
        from ingest.job import analyses_of, run_recipe

        analyses = analyses_of(recipe)
        tracker = _tracker(track, out)
        bundles = run_recipe(recipe, out, size, device, tracker)
    with _store_to_fill(load):
        if load or analyses:
            terminal.load(bundles, tell=load)
        for name in analyses:
            bundles.append(_analyse(name, recipe, out, size, device, tell=load, tracker=tracker))
    terminal.show(["bundle"], [[str(bundle)] for bundle in bundles])
    _plots_of(bundles)
    _track(bundles, tracker)


@app.command()
def features(
    recipe: RecipeFile, out: Out = None, memory: Memory = None, device: Device = None, track: Track = False
) -> None:
    """Find out what the features of a recipe's dictionaries are, and load it."""
    _analysis("features", recipe, out, memory, device, track)


@app.command()
def observe(
    recipe: RecipeFile, out: Out = None, memory: Memory = None, device: Device = None, track: Track = False
) -> None:
    """Observe more nodes and edges of the stored circuits, as a recipe's [evidence] says."""
    _analysis("evidence", recipe, out, memory, device, track)


@app.command()
def match(
    recipe: RecipeFile, out: Out = None, memory: Memory = None, device: Device = None, track: Track = False
) -> None:
    """Match features of one dictionary with those of a later one, and measure how well."""
    _analysis("matching", recipe, out, memory, device, track)


@app.command()
def cluster(
    recipe: RecipeFile, out: Out = None, memory: Memory = None, device: Device = None, track: Track = False
) -> None:
    """Cluster the features of the circuits that are stored, as a recipe says, and load it."""
    _analysis("clustering", recipe, out, memory, device, track)


@app.command()
def ablate(
    recipe: RecipeFile, out: Out = None, memory: Memory = None, device: Device = None, track: Track = False
) -> None:
    """Ablation studies of the stored circuits, as a recipe's [ablations] says."""
    _analysis("ablations", recipe, out, memory, device, track)


@app.command()
def tune(
    recipe: RecipeFile,
    trials: Annotated[
        int | None, typer.Option(help="Trials in all, earlier ones among them; else as [tuning] says, 30.", min=1)
    ] = None,
    study: Annotated[Path | None, typer.Option(help="File of the trials; else bundles/tuning/RECIPE.db.")] = None,
    out: Annotated[Path | None, typer.Option(help="The chosen recipe's .toml file, or a folder for it.")] = None,
    memory: Memory = None,
    device: Device = None,
    track: Track = False,
) -> None:
    """Search a recipe's methods, steps and thresholds for faithful, small and fast circuits."""
    size = _bytes(memory)
    with _heavy():
        from ingest.tuning import tune as search

        tracker = _tracker(track, None)
        tuned = search(recipe, trials, study, out, size, device)
    terminal.show(tuned.columns, tuned.rows)
    terminal.note(f"wrote the chosen recipe, {tuned.recipe}")
    if tracker is not None:
        _tracked(tuned.study, lambda: tuned.track(tracker))


@app.command()
def plot(bundles: Annotated[list[Path], typer.Argument(help="Bundles, or folders that hold some.")]) -> None:
    """Make the plots of bundles, as PNG and SVG, in a folder beside each."""
    from store.bundle import open_bundle

    found = list(dict.fromkeys(bundle for folder in bundles for bundle in terminal.bundles_in(folder)))
    for bundle in found:
        open_bundle(bundle)  # a mistake is told before anything is written
    files = _plot(found)
    terminal.show(["plot"], [[str(file)] for file in files])
    if not files:
        terminal.note("nothing to plot: these bundles hold no circuits, ablations, matches or clusterings")


@app.command()
def load(bundles: Annotated[list[Path], typer.Argument(help="Bundles, or folders that hold some.")]) -> None:
    """Load bundles into the store."""
    terminal.load([bundle for folder in bundles for bundle in terminal.bundles_in(folder)])


@app.command("import")
def import_(
    files: Annotated[list[str], typer.Argument(help="Files, folders of files, or - for standard input.")],
    format: Annotated[str, typer.Option(help="Format of the files; auto looks at each.")] = "auto",
    model: Annotated[str, typer.Option(help="Name of the model, for files that don't say it.")] = "",
    out: Out = None,
    load: Annotated[bool, typer.Option(help="Load the bundles into the store as well.")] = True,
) -> None:
    """Import circuits from other tools' files, as bundles, and load them."""
    from ingest.formats.importing import import_all

    columns = ["bundle", "circuit", "circuits", "rows"]
    terminal.check_columns(columns)
    refused: list[CircuitstoreError] = []
    chosen = out or Path("bundles")
    bundles = list(import_all(files, format, chosen, model, note=terminal.note, refused=refused.append))
    if len(refused) == 1 and not bundles:
        raise refused[0]
    for error in refused:
        terminal.note(str(error))
    if bundles:
        if load:
            terminal.load([bundle.path for bundle in bundles])
        uids = [bundle.table("Circuit")["uid"].to_pylist() for bundle in bundles]
        terminal.show(columns, [[str(b.path), u, len(u), b.rows] for b, u in zip(bundles, uids, strict=True)])
    if refused:
        done = "all else" if bundles else "nothing"
        raise CircuitstoreError(f"{done} is imported: {len(refused)} could not be, as said above")


@app.command()
def export(
    circuit: Annotated[str, typer.Argument(help="The circuit's uid.")],
    format: Annotated[ExportFormat, typer.Option(help="Format to write.")],
    out: Annotated[Path | None, typer.Option(help="File or folder to write; else standard output.")] = None,
) -> None:
    """Write a stored circuit in another tool's format, or as a page to look at: html."""
    from ingest.formats import importing
    from ingest.formats.registry import writable
    from store.export import circuit_tables, completed

    with terminal.opened(read_only=True) as store:
        if format is ExportFormat.html:
            tables, chosen = {}, _as_page(store, circuit)
        else:
            chosen = writable(format.value)
            tables = completed(store, circuit_tables(store, [circuit]))
    importing.export(tables, chosen, out, sys.stdout.buffer)


def _as_page(store: "Store", circuit: str) -> "Format":
    """A format that writes this circuit's page."""
    from api.exported import page
    from ingest.formats.format import Format
    from queries.catalogue import catalogue

    text = page(store, catalogue(), circuit)

    def write(_: object, out: BinaryIO) -> None:
        out.write(text.encode())

    return Format("html", ".html", "The circuit as a page.", write=write)


@app.command()
def circuits() -> None:
    """List the circuits that are stored."""
    _query("circuits", {})


@app.command()
def tasks(
    model: Annotated[
        Path | None, typer.Option(help="Measure the model of this recipe on each of them.", metavar="RECIPE")
    ] = None,
    pairs: Annotated[int, typer.Option(help="Held-out pairs to measure on.", min=1, max=256)] = 64,
    device: Device = None,
) -> None:
    """List the tasks that pairs are made for, and how well a model does them."""
    from ingest.tasks.listing import COLUMNS, listed

    columns, rows = list(COLUMNS), listed()
    if model is not None:
        with _heavy():
            from ingest.job import task_accuracies

            found = task_accuracies(model, pairs, device)
        columns[1:1] = ["accuracy", "logit_difference", "n_pairs"]
        for row in rows:
            of = found[str(row[0])]
            row[1:1] = [None, None, 0] if of is None else [of.accuracy, of.logit_difference, of.n_pairs]
    terminal.show(columns, rows)


@app.command()
def queries(name: Annotated[str | None, typer.Argument(help="Explain only this one.")] = None) -> None:
    """List the catalogue of queries, or explain one."""
    from queries.catalogue import catalogue

    if name is None:
        terminal.show(
            ["name", "folder", "summary", "runs", "params"],
            [[q.name, q.folder, q.summary, q.runs, list(q.params)] for q in catalogue()],
        )
    else:
        terminal.explain(catalogue()[name], sys.stdout)


@app.command(add_help_option=False)
def query(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A query of the catalogue.")] = None,
    arguments: Annotated[list[str] | None, typer.Argument(help="Its parameters.", metavar="KEY=VALUE")] = None,
    help: Annotated[bool, typer.Option("--help", "-h", help="Explain the query and its parameters.")] = False,
) -> None:
    """Ask a query of the catalogue; `circuitstore queries` lists them."""
    from queries.catalogue import catalogue

    if name is None:
        typer.echo(ctx.get_help(), err=not help)
        raise typer.Exit(0 if help else 2)
    chosen = catalogue()[name]
    given = _pairs(arguments or [], next(iter(chosen.params), "key"))
    if help:
        terminal.explain(chosen, sys.stdout)
        return
    if not given and any(p.required for p in chosen.params.values()):
        terminal.explain(chosen, sys.stderr)  # and then the error says what is missing
    _query(name, given)


@app.command()
def docs(folder: Annotated[Path, typer.Argument(help="Where the pages go.")] = Path("docs")) -> None:
    """Write the reference pages, of the graph's schema and of the catalogue of queries."""
    from queries import reference
    from queries.catalogue import catalogue
    from store import reference as schema

    folder.mkdir(parents=True, exist_ok=True)
    pages = {"schema.md": schema.page(), "queries.md": reference.page(catalogue())}
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    terminal.show(["page"], [[str(folder / name)] for name in pages])


@app.command()
def cypher(
    text: Annotated[str, typer.Argument(help="A statement that only reads; - for standard input.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="What its $KEYs stand for; JSON where that can be.", metavar="KEY=VALUE")
    ] = None,
) -> None:
    """Ask in the database's own Cypher. Whatever it is, it can only read."""
    from api.settings import read_settings
    from store.cypher.asking import FreeCypher

    settings = read_settings()
    given = {name: _json(value) for name, value in _pairs(arguments or [], "key").items()}
    with FreeCypher(terminal.store_url(), at_once=1, memory=settings.cypher_memory * 2**20) as free:
        rows = free.ask(sys.stdin.read() if text == "-" else text, given, settings.cypher_limits)
    limit = "ROW_LIMIT" if len(rows.rows) == settings.row_limit else "CYPHER_BYTES"
    terminal.show(rows.columns, rows.rows, rows.truncated, f"CIRCUITSTORE_{limit}, which may be raised,")


@app.command()
def delete(
    circuit: Annotated[str | None, typer.Argument(help="The circuit's uid.")] = None,
    matches: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Instead, all matches between two dictionaries, by uid.", metavar="SOURCE TARGET"),
    ] = None,
) -> None:
    """Delete a circuit with all that belongs to it alone, or matches."""
    if (circuit is None) == (matches is None):
        raise UsageError("delete takes a circuit's uid, or --matches and the uids of two dictionaries")
    with terminal.opened() as store:
        if matches is not None:
            store.delete_matches(*matches)
        elif circuit is not None:
            store.delete(circuit)
    terminal.note(f"deleted {circuit or 'the matches of ' + ' with '.join(matches or ())}")


@app.command()
def digest() -> None:
    """One hash of all that is stored, equal in any database."""
    with terminal.opened(read_only=True) as store:
        terminal.show(["digest"], [[store.digest()]])


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen at; else CIRCUITSTORE_HOST, 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at; else CIRCUITSTORE_PORT, 8000.")] = None,
) -> None:
    """Serve the store over HTTP."""
    from api.server import serve as run
    from api.settings import misspelt, read_settings

    settings = read_settings(host=host, port=port)
    for mistake in misspelt(os.environ):
        terminal.note(mistake)
    with terminal.opened(read_only=not settings.uploads) as store:
        run(store, settings, terminal.note)


@app.command()
def mcp() -> None:
    """Answer an agent over standard input and output: queries as tools, circuits as resources."""
    from api.settings import read_settings

    try:
        from api.agents import serve as answer
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise CircuitstoreError("this needs mcp, which pip install -e '.[mcp]' installs") from None

    with terminal.opened(read_only=True) as store:
        answer(store, read_settings())


keys = typer.Typer(help="API keys, without which the service lets in nobody from elsewhere.")
app.add_typer(keys, name="keys")


@keys.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Whose it is, or what it is for.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option(
            help="What it is for: read (whatever GET asks; the default), write (POST /bundles and /imports, DELETE of "
            "their jobs), cypher (POST /cypher). May be given several times; only what is given counts."
        ),
    ] = None,
) -> None:
    """Make a key. It is shown once, and kept nowhere."""
    columns = ["id", "name", "scopes", "key"]
    terminal.check_columns(columns)
    keys = _keys()
    key, secret = keys.add(name, [one.value for one in scope or [Scope.read]])
    terminal.show(columns, [[key.id, key.name, sorted(key.scopes), secret]])
    terminal.note(f"added to {keys.path}; the key itself is not in there: keep it now")


@keys.command("list")
def list_keys() -> None:
    """List the keys: what each is for, never the keys themselves."""
    rows = [[key.id, key.name, sorted(key.scopes), key.created_at.isoformat()] for key in _keys().all()]
    terminal.show(["id", "name", "scopes", "created_at"], rows)


@keys.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(help="Its id or name.")]) -> None:
    """Revoke a key; a service that runs lets it in no more."""
    revoked = _keys().revoke(key)
    terminal.note(f"revoked {revoked.id} ({revoked.name})")


def _keys() -> "Keys":
    from api.keys import Keys
    from api.settings import read_settings

    return Keys(read_settings().keys)


def _json(value: object) -> object:
    import json

    try:
        return json.loads(str(value))
    except ValueError:
        return value


@contextmanager
def _store_to_fill(load: bool) -> Iterator[None]:
    """The store, or where nothing is to be loaded, one for the time being: analyses ask what was computed before."""
    if load:
        yield
        return
    from tempfile import TemporaryDirectory

    chosen = terminal.options.store
    with TemporaryDirectory() as folder:
        terminal.options.store = f"ladybug:{folder}/store.lbug"
        try:
            yield
        finally:
            terminal.options.store = chosen


def _analyse(
    name: str,
    recipe: Path,
    out: Path | None,
    memory: int | None,
    device: str | None,
    tell: bool = True,
    tracker: "Tracker | None" = None,
) -> Path:
    """Makes one analysis of what is stored, and loads it. Returns its bundle."""
    with _heavy():
        from ingest.analyses.registry import ANALYSES
        from ingest.job import run_analysis

        asks = bool(ANALYSES[name])  # one that asks nothing needs no store to be there
        with _store_to_fill(asks), terminal.opened(read_only=asks) as store:
            bundle = run_analysis(name, recipe, store, out, memory, device, tracker)
    terminal.load([bundle], tell)
    return bundle


def _analysis(name: str, recipe: Path, out: Path | None, memory: str | None, device: str | None, track: bool) -> None:
    """The command of one analysis."""
    with _heavy():
        tracker = _tracker(track, out)
    bundle = _analyse(name, recipe, out, _bytes(memory), device, tracker=tracker)
    terminal.show(["bundle"], [[str(bundle)]])
    _plots_of([bundle])
    _track([bundle], tracker)


def _tracker(wanted: bool, out: Path | None) -> "Tracker | None":
    """Where runs are tracked; None if they are not to be. What it lacks is told before anything slow begins."""
    if not wanted:
        return None
    from ingest.job import DEFAULT_OUT
    from ingest.tracking import Tracker

    return Tracker((out or DEFAULT_OUT) / "tracking")


def _track(bundles: list[Path], tracker: "Tracker | None") -> None:
    if tracker is None:
        return
    for bundle in bundles:
        _tracked(bundle, partial(tracker.track_bundle, bundle))


def _tracked(made: Path, track: Callable[[], str]) -> None:
    """The very last step, when all is made and told: where it fails, nothing else has."""
    try:
        terminal.note(f"{made}: tracked as {track()}")
    except CircuitstoreError as error:
        raise CircuitstoreError(
            f"{made} is made, but not tracked: {error}; once that is put right, the same command tracks it and makes "
            "nothing anew"
        ) from error


def _plot(bundles: list[Path]) -> list[Path]:
    with _heavy():
        from ingest.plots import plot
        from ingest.progress import step

        with step("plots") as bar:
            bar.of(len(bundles))
            files = []
            for bundle in bundles:
                files += plot(bundle)
                bar.advance()
    return files


def _plots_of(bundles: list[Path]) -> None:
    """The last step of what makes bundles. They are whole without: a plot that can't be made is only told of."""
    try:
        _plot(bundles)
    except (CircuitstoreError, OSError) as error:
        terminal.note(f"no plots: {error}; circuitstore plot BUNDLE makes them")


def _query(name: str, given: dict[str, object]) -> None:
    from queries.catalogue import catalogue

    asked = catalogue()[name]
    asked.arguments(given)  # a mistake is told before a database is opened
    with terminal.opened(read_only=True) as store:
        rows = terminal.interruptible(lambda: catalogue().run(store, name, given))
    terminal.show(rows.columns, rows.rows, rows.truncated)
    if not rows.rows and asked.filled_by:
        terminal.note(f"{asked.filled_by} stores what {name} shows")
    if not rows.rows and asked.empty:
        terminal.note(f"{name} looked at {asked.empty}")


def _pairs(arguments: list[str], example: str) -> dict[str, object]:
    given: dict[str, object] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise UsageError(f"{argument!r}: parameters are given as key=value, such as {example}=…")
        if key in given:
            raise UsageError(f"{key} is given twice")
        given[key] = value
    return given


@contextmanager
def _heavy() -> Iterator[None]:
    """Computing needs more than the light half has; says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("ingest", "store", "queries", "api"):
            raise
        raise CircuitstoreError(f"this needs {error.name}, which pip install -e '.[ingest]' installs") from None


def _bytes(size: str | None) -> int | None:
    """4GiB, 4G, 512MiB, 1.5e9 … as a number of bytes."""
    if size is None:
        return None
    text = size.strip().lower().removesuffix("ib").removesuffix("b")
    factor = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}.get(text[-1:], 1)
    try:
        number = int(float(text.rstrip("kmgt")) * factor)
    except (ValueError, OverflowError):
        number = 0
    if number <= 0:
        raise UsageError(f"--memory: {size!r} is no size such as 4GiB or 512MiB")
    return number


def _hoisted(arguments: list[str]) -> list[str]:
    """Global options may stand after the command as well: moves them to the front."""
    front: list[str] = []
    rest = list(arguments)
    i = 0
    while i < len(rest) and rest[i] != "--":
        # import and export have a --format of their own
        movable = ("--store", "--columns") if rest[0] in ("import", "export") else ("--store", "--columns", "--format")
        if rest[i] in movable:
            if i + 1 == len(rest):
                raise UsageError(f"{rest[i]}: its value is missing")
            front += rest[i : i + 2]
            del rest[i : i + 2]
        elif rest[i].startswith(tuple(f"{option}=" for option in movable)):
            front.append(rest.pop(i))
        else:
            i += 1
    return front + rest


def main() -> NoReturn:
    """Runs a command; an error is one line on stderr and an exit code, never a traceback."""
    try:
        code = app(_hoisted(sys.argv[1:]), prog_name="circuitstore", standalone_mode=False)
        sys.stdout.flush()
    except CircuitstoreError as error:
        terminal.note(str(error))
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        terminal.note(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        code = 1
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer raises for a command line it can't read
            raise
        said, context = " ".join(error.format_message().split()), getattr(error, "ctx", None)
        said = said.replace("Value error, ", "")  # in pydantic's words
        path = context.command_path if context else "circuitstore"
        terminal.note(f"{said} ({path} --help shows what there is)")
        code = 2
    if code == 130:  # from typer as well, which says nothing
        terminal.note("interrupted")
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
