"""What is planted is what `world.py` says, within what chance allows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from program import SimulatedWorld as World
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from ingestion.simulate import simulate, world


def table(planted: World, name: str) -> pd.DataFrame:
    return pq.read_table(planted.truth / f"{name}.parquet").to_pandas()


@pytest.fixture(scope="module")
def events(planted: World) -> pd.DataFrame:
    return table(planted, "events")


def test_every_persona_spans_three_categories_and_two_sources() -> None:
    for persona in world.PERSONAS:
        topics = {kind.topic for kind in persona.kinds} & set(world.CATEGORIES)
        shop = any(kind.verb == "buy" for kind in persona.kinds)
        places = {kind.channel for kind in persona.kinds} | ({"shop"} if shop else set())
        assert len(topics) >= 3, persona.name
        assert len(places) >= 2, persona.name
        assert sum(kind.weight for kind in persona.kinds) == pytest.approx(1)


def test_every_planted_category_belongs_to_several_personas() -> None:
    for category in world.CATEGORIES:
        holders = [p.name for p in world.PERSONAS if category in {k.topic for k in p.kinds}]
        assert len(holders) != 1, f"{category} gives {holders[0]} away"


def test_the_makers_differ_only_in_hour_and_order() -> None:
    morning, night = (world.PERSONAS[at] for at in world.PAIR)

    def kinds(persona: world.Persona) -> set[tuple[object, ...]]:
        return {(k.verb, k.topic, k.channel, k.tier, k.weight) for k in persona.kinds}

    assert kinds(morning) == kinds(night)
    assert morning.hour != night.hour
    assert [k.step for k in morning.kinds] != [k.step for k in night.kinds]


def test_people_hold_one_to_three_personas_in_the_planted_shares(planted: World) -> None:
    people = table(planted, "people")
    held = people.personas.map(len)
    for count, share in enumerate(world.HELD_COUNT_SHARES, 1):
        assert (held == count).mean() == pytest.approx(share, abs=0.05)
    assert np.allclose(people.weights.map(sum), 1)
    rare = people.personas.map(lambda names: world.PERSONA_NAMES[world.RARE] in names).mean()
    assert rare == pytest.approx(world.RARE_SHARE, abs=0.015)
    pair = {world.PERSONA_NAMES[at] for at in world.PAIR}
    assert not people.personas.map(lambda names: pair <= set(names)).any()


def test_noise_is_the_planted_share_of_intents(events: pd.DataFrame) -> None:
    intents = events.drop_duplicates("intent")
    own = intents[~intents.verb.isin(["respond", "wait"])]
    assert own.persona.isna().mean() == pytest.approx(world.NOISE_SHARE, abs=0.03)


def test_personas_keep_their_hours(events: pd.DataFrame) -> None:
    visits = events[(events.channel == "visit") & events.persona.notna()].drop_duplicates("intent")
    hours = visits.groupby("persona").occurred_at.apply(lambda at: at.dt.hour.median())
    for persona in world.PERSONAS:
        assert abs(hours[persona.name] - persona.hour) < 2, persona.name


def test_makers_keep_their_order(events: pd.DataFrame) -> None:
    first = events.sort_values("occurred_at").drop_duplicates("intent")
    for name, before in (("morning_maker", "read"), ("night_maker", "buy")):
        mine = first[(first.persona == name) & first.verb.isin(["read", "buy"])]
        day = mine.assign(day=(mine.occurred_at - pd.Timedelta(hours=4)).dt.date)
        leads = day.groupby(["person_id", "day"]).verb.agg(list)
        both = leads[leads.map(lambda verbs: {"read", "buy"} <= set(verbs))]
        assert (both.map(lambda verbs: verbs[0]) == before).mean() > 0.7, name


def test_activity_has_a_heavy_tail(events: pd.DataFrame) -> None:
    counts = events.groupby("person_id").size()
    assert counts.nlargest(len(counts) // 10).sum() > 0.25 * counts.sum()


def test_campaign_arms_are_random_and_one_effect_is_negative_and_one_none(planted: World) -> None:
    campaigns = table(planted, "campaigns")
    effects = campaigns.groupby("campaign_id").effect
    assert (effects.min() < 0).any()
    assert ((effects.min() == 0) & (effects.max() == 0)).any()
    members = pd.read_csv(planted.data / "crm" / "campaign_members.csv")
    for facts in world.CAMPAIGNS:
        arms = members[members.campaign_id == facts.id].arm
        four_errors = 4 * (facts.treated_share * (1 - facts.treated_share) / len(arms)) ** 0.5
        assert (arms == "treated").mean() == pytest.approx(facts.treated_share, abs=four_errors)


def test_responses_follow_the_planted_uplift(planted: World) -> None:
    campaigns = table(planted, "campaigns")
    strong = campaigns[campaigns.effect >= 0.2]
    uplift = (
        strong.responded_treated / strong.people_treated
        - strong.responded_control / strong.people_control
    )
    assert (uplift - strong.expected_effect).abs().mean() < 0.08
    assert (uplift > 0).all()


def test_people_leave_for_planted_causes_and_are_silent_afterwards(
    planted: World, events: pd.DataFrame
) -> None:
    people = table(planted, "people")
    causes = people.churn_cause.value_counts()
    assert {cause.name for cause in world.CHURN_CAUSES} <= set(causes.index)
    last = events.groupby("person_id").occurred_at.max()
    left = people.set_index("person_id").churned_at.dropna()
    after = (last.reindex(left.index).dropna() - left.reindex(last.index).dropna()).dropna()
    assert (after < pd.Timedelta(days=2)).mean() > 0.99


def test_plan_goes_with_one_persona_and_region_with_none(planted: World) -> None:
    people = table(planted, "people")
    bulk = people.personas.map(lambda names: "bulk_buyer" in names)
    assert (people[bulk].plan == "team").mean() > 3 * (people[~bulk].plan == "team").mean()
    shares = [
        people[flag].region.value_counts(normalize=True).sort_index() for flag in (bulk, ~bulk)
    ]
    assert (shares[0] - shares[1]).abs().max() < 0.12


def test_users_category_shares_do_not_give_the_personas_away(events: pd.DataFrame) -> None:
    """A property of the design: k-means on what users deal with stays poor, with the true count."""
    shares = pd.crosstab(events.person_id, events.topic, normalize="index")
    groups = KMeans(len(world.PERSONAS), n_init=3, random_state=0).fit_predict(shares)
    user = dict(zip(shares.index, groups, strict=True))
    planted_events = events[events.persona.notna()]
    ari = adjusted_rand_score(planted_events.persona, planted_events.person_id.map(user))
    assert ari < 0.45


def test_topics_alone_do_not_give_the_personas_away(events: pd.DataFrame) -> None:
    planted_events = events[events.persona.notna()]
    assert adjusted_rand_score(planted_events.persona, planted_events.topic) < 0.35


def test_the_control_world_is_as_busy_and_plants_nothing(
    report: dict[str, Any], tmp_path: Path
) -> None:
    control = simulate(1000, 7, tmp_path, planted=False)
    assert control.events == pytest.approx(report["events"], rel=0.1)
    events = pq.read_table(tmp_path / "truth" / "events.parquet")
    assert events["persona"].null_count == events.num_rows
