"""What the REST door answers; the committed `openapi.json` is generated from these."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from kg.personas.statistics import MIN_PEOPLE


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
    first_seen_at: datetime | None = Field(
        description="The first of all events of the person, mailings that were only sent among "
        "them; without any, of all records."
    )
    last_seen_at: datetime | None = Field(description="The last of the same.")
    last_sessions: list[SessionSummary] = Field(description="The latest five, newest first.")


class PersonPersonas(_Answer):
    """The personas a person holds, heaviest first; several is normal, none is legal."""

    user_id: str
    personas: list[HeldPersona]


class Reason(_Answer):
    """A thing that somebody was after on one occasion, and that counts towards a persona."""

    intent_id: str = Field(description="The intent that speaks for it.")
    about: str = Field(description="What was done with what, and when.")
    at: datetime
    occasion: int = Field(description="Which of the person's occasions, from 1.")
    intents: int = Field(description="How many it took.")
    probability: float = Field(description="That it is of this persona, given all they did.")
    times: float = Field(description="How many times as common in the persona as in all.")


class WhyHeld(_Answer):
    """Why a person holds a persona, and the smallest change that would end it."""

    user_id: str
    persona_id: str
    weight: float = Field(description="`intents` over `all_intents`.")
    low: float = Field(description="Lower end of the 95 % interval of the weight.")
    high: float = Field(description="Upper end of the 95 % interval of the weight.")
    valid_from: datetime
    occasions: int = Field(description="With a thing that counts; a pause of 12 hours ends one.")
    all_occasions: int
    episodes: int = Field(description="Things they were after on an occasion that count.")
    all_episodes: int
    intents: int
    all_intents: int
    least_occasions: int = Field(description="To hold it takes so many occasions,")
    least_share: float = Field(description="and such a share of all episodes.")
    reasons: list[Reason] = Field(description="What counts, the earliest first.")
    change: list[int] = Field(
        description="The fewest occasions found without which they would not hold it."
    )
    is_smallest: bool = Field(description="All smaller changes were tried.")


class OtherValue(_Answer):
    """A value that does not hold, and the last record that said it."""

    value: str
    record_key: str
    source: str = Field(description="The table of the mapping that the record is of.")
    said_at: datetime


class GoldenTrait(_Answer):
    """What holds of a person where records differ, and why."""

    name: str
    value: str | None = Field(description="Null where it is personal.")
    personal: bool = Field(description="Whatever the mapping does not `describe` is.")
    rule: str = Field(description="The rule that chose it, such as `most_recent`.")
    because: str = Field(description="The rule in words.")
    record_key: str = Field(description="The record that said it.")
    source: str = Field(description="The table of the mapping that the record is of.")
    said_at: datetime = Field(description="When it was said.")
    values: int = Field(description="How many different values were said.")
    others: list[OtherValue] = Field(
        description="The values that do not hold, last said first; none of what is personal."
    )


class PersonTraits(_Answer):
    """What holds of a person, by the name of the trait; no personal value is repeated."""

    user_id: str
    traits: list[GoldenTrait]


class Step(_Answer):
    """One node of an evidence path."""

    label: str
    node_id: str
    about: str = Field(
        description="What was done with what, where and when; of a person nothing but the id."
    )


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


class Family(_Answer):
    """Personas that are about the same topics."""

    family_id: str
    name: str
    people: int | None = Field(
        description="Who holds one of its personas at least, each once. Null, as `share`: fewer "
        f"than {MIN_PEOPLE} people hold one of these."
    )
    share: float | None
    intents: int
    stability: float = Field(description="Likeness of the two of its personas least alike.")
    persona_ids: list[str]


class MicroPersona(_Answer):
    """A part of a persona that comes back within it."""

    micro_persona_id: str
    name: str
    people: int
    share: float = Field(description="Of all people.")
    intents: int
    stability: float


class PersonaSummary(_Answer):
    """A persona in a few figures."""

    persona_id: str
    parent_id: str | None = Field(description="Its family; null: it stands alone.")
    version: int
    name: str
    summary: str
    people: int | None = Field(
        description=f"Null, as its shares: kept by the business, of fewer than {MIN_PEOPLE} people."
    )
    share: float | None
    share_low: float | None
    share_high: float | None
    stability: float
    kept_by: str | None = Field(description="`business`: kept, though not found. Null: found.")
    kept_because: str | None = Field(description="What speaks against it.")


class PersonaDetail(PersonaSummary):
    """A persona with everything it states."""

    author: str | None = Field(description="Who worded it: `template`, or the model's name.")
    coverage: float | None = Field(description="Share of the written sentences that stood.")
    sentences: list[Sentence]
    claims: list[Claim]
    run_id: str
    family: Family | None
    micro_personas: list[MicroPersona] = Field(description="Its parts; none is common.")


class EdgeCount(_Answer):
    """Edges of one kind in a persona's subgraph."""

    start: str
    type: str
    end: str
    edges: int


class Hub(_Answer):
    """A topic or an item that at least 20 of a persona's people meet in."""

    subject: str = Field(description="The topic, or the item's id.")
    label: str
    people: int = Field(description="Holders with an intent on it that supports the persona.")
    share: float = Field(description="Those, of all holders.")
    everybody: int = Field(description="People with any intent on it.")
    everybody_share: float = Field(description="Those, of all people with an intent.")
    lift: float = Field(description="`share` over `everybody_share`.")


class Joining(_Answer):
    """A topic on which at least 20 people have intents for both of two personas."""

    topic: str
    label: str
    people: int
    expected: float = Field(description="As many by chance.")
    lift: float


class Bridge(_Answer):
    """How many people two personas have in common."""

    persona_id: str
    version: int
    name: str
    people: int | None = Field(
        description=f"Null, as `share` and `q`: somebody, and fewer than {MIN_PEOPLE}."
    )
    share: float | None = Field(description="Of the holders of the persona asked about.")
    expected: float = Field(description="As many by chance among equally active people.")
    lift: float | None = Field(
        description="`people` over `expected`; null where either is null or none."
    )
    q: float | None = Field(description="False-discovery rate over all other personas.")
    joining: list[Joining]


class PersonaSubgraph(_Answer):
    """The subgraph of a persona in figures."""

    version_id: str
    nodes: dict[str, int] = Field(description="By label.")
    edges: list[EdgeCount]
    density: float = Field(description="Edges over ordered pairs of different nodes.")
    people: int
    population: int = Field(description="People with an intent.")
    topics: int
    topic_density: float = Field(
        description="Pairs of a holder and a topic with an intent that supports it, over all."
    )
    topic_hubs: list[Hub]
    item_hubs: list[Hub]
    bridges: list[Bridge]
    queries: dict[str, str] = Field(description="The Cypher file that recomputes each.")


class IntentType(_Answer):
    """A type of intent, a verb and a topic, as the holders of a persona have it."""

    verb: str
    topic: str
    people: int = Field(description="Holders with such an intent that supports the persona.")
    intents: int
    events: int
    line: str = Field(description="On everybody's intents of this type.")
    author: str = Field(description="`template`, or the model that wrote the line.")


class PersonaIntents(_Answer):
    """What the intents of a persona's holders that support it come to."""

    version_id: str
    name: str
    people: int
    intents: int
    events: int
    types: int
    events_per_intent: float
    intents_per_person: float
    types_told: list[IntentType] = Field(description="Those that most holders have.")
    queries: dict[str, str] = Field(description="The Cypher file that recomputes each.")


class Problem(_Answer):
    """An error, as RFC 9457 `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    hint: str | None = None
