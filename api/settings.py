"""What the service may be told through the environment, and the limits it keeps."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from store.cypher.answer import Limits
from store.errors import UsageError
from store.settings import StoreSettings

_READ_ELSEWHERE = ("neo4j_home", "track", "test_neo4j_uri", "test_data")
"""Names of settings that are no field of a class."""


class Settings(BaseSettings):
    """`CIRCUITSTORE_HOST`, `CIRCUITSTORE_TIME_LIMIT` …: each field is an environment variable of that name."""

    model_config = SettingsConfigDict(env_prefix="CIRCUITSTORE_")

    host: str = Field("127.0.0.1", description="Address to listen at.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen at.")
    time_limit: float = Field(10.0, gt=0, description="Seconds that one request may keep the database.")
    row_limit: int = Field(10_000, ge=1, description="Rows of one answer; more are left off, and it says so.")
    neo4j_browser: str = Field("", description="Origins of Neo4j Browsers on other machines, with commas between.")
    hop_limit: int = Field(8, ge=1, description="Edges of a path that a request may ask for.")
    log_requests: bool = Field(True, description="Whether each request is a line of the log, on stderr.")
    cypher: bool = Field(False, description="Whether POST /cypher answers: free Cypher that only reads.")
    cypher_at_once: int = Field(2, ge=1, le=64, description="Statements of free Cypher at once; a process for each.")
    cypher_memory: int = Field(512, ge=128, description="Memory for one of those processes, in MiB.")
    cypher_bytes: int = Field(8, ge=1, le=1024, description="Size of an answer to free Cypher, in MiB.")
    keys: Path | None = Field(None, description="File of API keys; else keys.json in the user's configuration folder.")
    require_keys: bool | None = Field(None, description="Whether requests need a key where only this machine asks.")
    rate_limit: float | None = Field(None, ge=0, description="Requests a second for each key; 0 for no limit; else 100 "
                                                             "where keys are needed.")  # fmt: skip
    body_limit: int = Field(2**20, ge=0, description="Bytes of a request's body.")
    uploads: bool = Field(False, description="Whether POST /bundles and POST /imports take what is sent.")
    upload_limit: int = Field(2048, ge=1, description="Size of what is sent there, in MiB.")
    uploads_space: int = Field(8192, ge=1, description="Size of all that was sent and waits, in MiB.")
    import_memory: int = Field(4096, ge=512, description="Memory for reading what was sent, in MiB.")
    jobs: Path | None = Field(None, description="Folder for what was sent; else one in the user's folder for state.")
    hosts: str = Field("", description="Names the service is reached by, beside localhost, with commas between.")
    cors_origins: str = Field("", description="Origins whose pages may ask, such as https://a.org, commas between.")
    proxies: str = Field("", description="Addresses whose X-Forwarded-For is believed, commas between.")

    @property
    def cypher_limits(self) -> Limits:
        """Of one statement of free Cypher."""
        return Limits(self.time_limit, self.row_limit, self.cypher_bytes * 2**20)

    @property
    def named_hosts(self) -> list[str]:
        return _names(self.hosts)

    @property
    def named_origins(self) -> list[str]:
        return _names(self.cors_origins)

    @property
    def named_browsers(self) -> list[str]:
        return _names(self.neo4j_browser)

    @field_validator("cors_origins", "neo4j_browser")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        for origin in _names(text):
            if not re.fullmatch(r"https?://[^/*?#@\s]+", origin):
                raise ValueError(f"{origin!r} is no origin such as https://a.org (and * is refused: name them)")
        return text


def read_settings(host: str | None = None, port: int | None = None) -> Settings:
    """The settings of the environment, with what was given here instead. Raises UsageError for what can't be."""
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # two fields of two types; pydantic checks both
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        said = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{f'--{name}' if name in given else _variable(name)}: {said}") from None


def misspelt(given: Iterable[str]) -> Iterator[str]:
    """Of the names of environment variables, what to tell of each that looks like a setting and is none."""
    known = [*Settings.model_fields, *StoreSettings.model_fields, *_READ_ELSEWHERE]
    for variable in given:
        name = variable.lower().removeprefix("circuitstore_")
        if name != variable.lower() and name not in known:
            near = get_close_matches(name, known, 1)
            yield f"{variable} is no setting" + (f"; did you mean {_variable(near[0])}?" if near else "")


def _variable(name: str) -> str:
    return f"CIRCUITSTORE_{name.upper()}"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
