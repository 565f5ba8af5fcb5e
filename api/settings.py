"""What the service may be told through the environment, and the limits it keeps."""

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from store.errors import UsageError


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


def read_settings(host: str | None = None, port: int | None = None) -> Settings:
    """The settings of the environment, with what was given here instead. Raises UsageError for what can't be."""
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"CIRCUITSTORE_{str(first['loc'][0]).upper()}: {first['msg']}") from None
