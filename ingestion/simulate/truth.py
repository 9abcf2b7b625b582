"""The truth about a world, in a folder that no step reads.

people, records, events, dirt grow chunk by chunk; personas and campaigns are written at the end.
A `record_key` may appear once in records; dirt may say several things about one.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa

from ingestion.simulate import world
from ingestion.simulate.behaviour import Intents
from ingestion.simulate.people import Flags, Ints, People
from kg.lake.parquet import ParquetFile

_TEXT, _INT, _FLOAT = pa.string(), pa.int64(), pa.float64()
_AT = pa.timestamp("ms", tz="UTC")
SCHEMAS = {
    "people": pa.schema({
        "person_id": _INT, "personas": pa.list_(_TEXT), "weights": pa.list_(_FLOAT),
        "joined_at": _AT, "churned_at": _AT, "churn_cause": _TEXT, "known": pa.bool_(),
        "in_crm": pa.bool_(), "consent_denied": pa.bool_(), "plan": _TEXT, "region": _TEXT,
        "age_band": _TEXT, "mixed_up": pa.list_(_TEXT),
    }),
    "records": pa.schema({"record_key": _TEXT, "source": _TEXT, "kind": _TEXT, "person_id": _INT}),
    "events": pa.schema({
        "record_key": _TEXT, "person_id": _INT, "persona": _TEXT, "intent": _INT, "verb": _TEXT,
        "topic": _TEXT, "channel": _TEXT, "price_level": _TEXT, "occurred_at": _AT,
        "campaign_id": _TEXT,
    }),
    "dirt": pa.schema({"record_key": _TEXT, "dirt": _TEXT, "expected": _TEXT}),
    "personas": pa.schema({
        "persona": _TEXT, "story": _TEXT, "people": _INT, "people_share": _FLOAT, "hour": _FLOAT,
        "hour_spread": _FLOAT, "weekdays": pa.list_(_FLOAT), "months": pa.list_(_FLOAT),
        "app_share": _FLOAT, "in_order": pa.bool_(), "verb": _TEXT, "topic": _TEXT,
        "channel": _TEXT, "price_level": _TEXT, "step": _INT, "weight": _FLOAT,
    }),
    "campaigns": pa.schema({
        "campaign_id": _TEXT, "persona": _TEXT, "base_rate": _FLOAT, "effect": _FLOAT,
        "expected_effect": _FLOAT, "people_treated": _INT, "people_control": _INT,
        "responded_treated": _INT, "responded_control": _INT,
    }),
}  # fmt: skip


class Truth:
    """The truth files of one world, open for writing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._files = {
            name: self._stack.enter_context(ParquetFile(folder / f"{name}.parquet", SCHEMAS[name]))
            for name in ("people", "records", "events", "dirt")
        }
        self.record_count = self.event_count = self.people_count = self.line_count = 0
        self._holders = np.zeros(len(world.PERSONAS), np.int64)
        self._sent = np.zeros((len(world.CAMPAIGNS), len(world.PERSONAS), 5))

    def __enter__(self) -> "Truth":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    def records(
        self,
        source: str,
        kind: str,
        keys: Sequence[str],
        person: Ints | None,
        repeated: int = 0,
    ) -> None:
        """Rows of one source; `person` (world ids, -1: nobody) or None where rows name nobody.

        Args:
            repeated: how many of them are written once more.
        """
        owner = pa.nulls(len(keys), pa.int64()) if person is None else _or_null(person)
        count = len(keys)
        self._files["records"].write(
            {"record_key": keys, "source": [source] * count, "kind": [kind] * count,
             "person_id": owner}
        )  # fmt: skip
        self.record_count += count
        self.line_count += count + repeated

    def events(
        self, keys: Sequence[str], intents: Intents, of: Ints, ms: Ints, first: tuple[int, int]
    ) -> None:
        """Events of intents `of`; `first`: world ids of the chunk's first person and intent."""
        names = np.array([*world.PERSONA_NAMES, None], dtype=object)
        campaigns = np.array([*(campaign.id for campaign in world.CAMPAIGNS), None], dtype=object)
        coded = {
            "persona": names[intents.persona[of]],
            "verb": np.array(world.VERBS, dtype=object)[intents.verb[of]],
            "topic": np.array(world.TOPICS, dtype=object)[intents.topic[of]],
            "channel": np.array(world.CHANNELS, dtype=object)[intents.channel[of]],
            "price_level": np.array(world.TIERS, dtype=object)[intents.tier[of]],
            "campaign_id": campaigns[intents.campaign[of]],
        }
        self._files["events"].write(
            {"record_key": keys, "person_id": intents.person[of] + first[0], **coded,
             "intent": of + first[1], "occurred_at": ms}
        )  # fmt: skip
        self.event_count += len(keys)

    def dirt(self, keys: Sequence[str], what: Sequence[str], expected: str) -> None:
        """What is wrong with records, and which status they should get."""
        if keys:
            self._files["dirt"].write(
                {"record_key": keys, "dirt": what, "expected": [expected] * len(keys)}
            )

    def people(self, people: People) -> None:
        """One chunk of people."""
        held = [np.flatnonzero(row) for row in people.weights]
        self._files["people"].write({
            "person_id": people.id,
            "personas": [[world.PERSONA_NAMES[at] for at in row] for row in held],
            "weights": [people.weights[n, row].tolist() for n, row in enumerate(held)],
            "joined_at": people.joined_ms,
            "churned_at": [at if why else None for at, why in
                           zip(people.left_ms.tolist(), people.left_cause, strict=True)],
            "churn_cause": [why or None for why in people.left_cause],
            "known": people.known, "in_crm": people.in_crm, "consent_denied": people.denied,
            "plan": [world.PLANS[at] for at in people.plan],
            "region": [world.REGIONS[at] for at in people.region],
            "age_band": [world.AGE_BANDS[at] for at in people.age],
            "mixed_up": [people.dirt.get(n, []) for n in range(len(people))],
        })  # fmt: skip
        self.people_count += len(people)
        self._holders += (people.weights > 0).sum(axis=0)

    def campaign(
        self, number: int, people: People, sent: tuple[Ints, Flags], responds: Flags
    ) -> None:
        """Who was sent a campaign, in which arm, and who responded."""
        who, treated = sent
        holds = people.weights[who] > 0
        facts = world.CAMPAIGNS[number].effects
        effect = people.weights[who] @ np.array([facts.get(p, 0.0) for p in world.PERSONA_NAMES])
        columns = (treated, ~treated, treated & responds, ~treated & responds, effect)
        for at, column in enumerate(columns):
            self._sent[number, :, at] += (holds * column[:, None]).sum(axis=0)

    def finish(self) -> None:
        """Write what defines the personas and what the campaigns did."""
        with ParquetFile(self._folder / "personas.parquet", SCHEMAS["personas"]) as file:
            for at, persona in enumerate(world.PERSONAS):
                file.write(_persona(persona, int(self._holders[at]), self.people_count))
        with ParquetFile(self._folder / "campaigns.parquet", SCHEMAS["campaigns"]) as file:
            for number, campaign in enumerate(world.CAMPAIGNS):
                file.write(_campaign(campaign, self._sent[number]))


def _or_null(person: Ints) -> pa.Array:
    return pa.array(person, mask=person < 0)


def _persona(persona: world.Persona, holders: int, people: int) -> dict[str, object]:
    kinds, count = persona.kinds, len(persona.kinds)
    same = {
        "persona": persona.name, "story": persona.story, "people": holders,
        "people_share": holders / max(people, 1), "hour": persona.hour,
        "hour_spread": persona.hour_spread, "weekdays": list(persona.weekdays),
        "months": list(persona.months), "app_share": persona.app_share,
        "in_order": persona.in_order,
    }  # fmt: skip
    return {
        **{name: [value] * count for name, value in same.items()},
        "verb": [kind.verb for kind in kinds], "topic": [kind.topic for kind in kinds],
        "channel": [kind.channel for kind in kinds], "price_level": [kind.tier for kind in kinds],
        "step": [kind.step for kind in kinds], "weight": [kind.weight for kind in kinds],
    }  # fmt: skip


def _campaign(campaign: world.Campaign, sent: np.ndarray) -> dict[str, object]:
    total = np.maximum(sent[:, 0] + sent[:, 1], 1)
    count = len(world.PERSONAS)
    return {
        "campaign_id": [campaign.id] * count,
        "persona": list(world.PERSONA_NAMES),
        "base_rate": [campaign.base_rate] * count,
        "effect": [campaign.effects.get(name, 0.0) for name in world.PERSONA_NAMES],
        "expected_effect": sent[:, 4] / total,
        **{
            name: sent[:, at].astype(np.int64)
            for at, name in enumerate(
                ("people_treated", "people_control", "responded_treated", "responded_control")
            )
        },
    }
