"""What the REST door answers; the committed `openapi.json` is generated from these."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeldPersona(_Answer):
    """A persona that one person holds."""

    persona_id: str
    version: int
    name: str
    weight: float = Field(description="Share of the person's intents that are in the persona.")
    low: float = Field(description="Lower end of the 95 % interval of the weight.")
    high: float = Field(description="Upper end of the 95 % interval of the weight.")


class SessionSummary(_Answer):
    """One session of a person."""

    session_id: str
    channel: str
    started_at: datetime
    ended_at: datetime
    event_count: int


class Person(_Answer):
    """A resolved person; no identifier and no personal trait is repeated here."""

    user_id: str
    identifier_count: int
    session_count: int
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    last_sessions: list[SessionSummary] = Field(description="The latest five, newest first.")


class PersonPersonas(_Answer):
    """The personas a person holds, heaviest first; several is normal, none is legal."""

    user_id: str
    personas: list[HeldPersona]


class Step(_Answer):
    """One node of an evidence path."""

    label: str
    node_id: str


class Claim(_Answer):
    """One checkable statement."""

    claim_id: str
    kind: str
    subject: str
    subject_label: str
    direction: str
    measure: str
    unit: str
    value: float
    reference_value: float | None
    low: float
    high: float
    q: float | None = Field(description="False-discovery rate; null for descriptive claims.")
    descriptive: bool = Field(description="True: about what the persona was found by.")
    people: int
    as_of: datetime
    query: str = Field(description="Name of the Cypher file that recomputes it.")
    params: dict[str, Any]
    counts: dict[str, Any]
    evidence: list[list[Step]]


class Sentence(_Answer):
    """One sentence of the wording and the claims it stands on."""

    text: str
    claims: list[str]


class PersonaSummary(_Answer):
    """A persona in a few figures."""

    persona_id: str
    version: int
    name: str
    summary: str
    people: int
    share: float
    share_low: float
    share_high: float
    stability: float


class PersonaDetail(PersonaSummary):
    """A persona with everything it states."""

    author: str | None = Field(description="Who worded it: `template`, or the model's name.")
    coverage: float | None = Field(description="Share of the written sentences that stood.")
    sentences: list[Sentence]
    claims: list[Claim]
    run_id: str


class Problem(_Answer):
    """An error, as RFC 9457 `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    hint: str | None = None
