"""A circuit as its tables: a bundle's Parquet files, or a folder of CSV files for pandas and spreadsheets."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from ingest.formats.format import Format, Tables
from store.bundle import write_bundle


def write_parquet(tables: Tables, folder: Path) -> None:
    """A bundle: `circuitstore load` and `circuitstore import` take it."""
    write_bundle(folder, tables, {"command": "export"})


def write_csv(tables: Tables, folder: Path) -> None:
    """A file a table, with a header. A null is nothing, a list is JSON; texts are in quotes, an empty one as well."""
    for name, table in tables.items():
        for place, field in enumerate(table.schema):
            if pa.types.is_list(field.type):
                texts = [None if value is None else json.dumps(value) for value in table[field.name].to_pylist()]
                table = table.set_column(place, field.name, pa.array(texts, pa.string()))
        pyarrow.csv.write_csv(table, folder / f"{name}.csv")


PARQUET = Format("parquet", "", "A bundle: a folder of Parquet files.", write_folder=write_parquet)
CSV = Format("csv", "", "A folder of CSV files, one a table.", write_folder=write_csv)
