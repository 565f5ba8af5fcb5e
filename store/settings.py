"""Which store, and who opens it: from the environment, so that no password stands in a command line or a log."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class StoreSettings(BaseSettings):
    """Read from `CIRCUITSTORE_STORE`, `CIRCUITSTORE_NEO4J_USER` and so on."""

    model_config = SettingsConfigDict(env_prefix="CIRCUITSTORE_")

    store: str = "ladybug:circuits.lbug"
    """URL of the store: `ladybug:PATH`, `bolt://HOST:PORT`, `neo4j://…`, `neo4j+s://…`."""
    neo4j_user: str = "neo4j"
    neo4j_password: SecretStr = SecretStr("")
    neo4j_database: str = "neo4j"
    ladybug_memory: int = 1024
    """Largest size of LadybugDB's buffer pool, in MiB."""
