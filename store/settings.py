"""Which store, and who opens it: from the environment, so that no password stands in a command line or a log."""

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from store.errors import UsageError


class StoreSettings(BaseSettings):
    """Read from `CIRCUITSTORE_STORE`, `CIRCUITSTORE_NEO4J_USER` and so on."""

    model_config = SettingsConfigDict(env_prefix="CIRCUITSTORE_")

    store: str = "ladybug:circuits.lbug"
    """URL of the store: `ladybug:PATH`, `bolt://HOST:PORT`, `neo4j://…`, `neo4j+s://…`."""
    neo4j_user: str = "neo4j"
    neo4j_password: SecretStr = SecretStr("")
    neo4j_database: str = "neo4j"
    ladybug_memory: int = Field(1024, ge=64, le=2**23)
    """Largest size of LadybugDB's buffer pool, in MiB."""


def read_settings() -> StoreSettings:
    """The settings of the environment. Raises UsageError, naming the variable, for what can't be."""
    try:
        return StoreSettings()
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"CIRCUITSTORE_{str(first['loc'][0]).upper()}: {first['msg']}") from None
