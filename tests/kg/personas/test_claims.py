"""Claims: the same counts in lake and graph, honest choice, everything in the row."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from kg import graph
from kg.lake import Lake
from kg.lake.tables import TABLES
from kg.personas import claims, proof, wording
from kg.personas.claims import BOXES, Claim, by_pair
from kg.personas.counts import COLUMNS, HALF, Scan, before_ms, counts, sequence_topics
from kg.personas.explain import explain
from kg.personas.kinds import KINDS, MAX_CLAIMS, TOPICS_FIRST, disabled
from kg.personas.proof import Disagreement
from kg.personas.state import state
from kg.personas.verify import verify
from kg.queries import DIALECTS, load
from kg.settings import Settings
from kg.store import open_store
from tests.kg.personas.conftest import Stated
from tests.kg.personas.planted import AUTUMN, BAKE, SPRING, TINK, TOPICS
from tests.rows import table


def every_pair(lake: Lake, kind: str) -> list[Claim]:
    """A claim on each pair of persona and subject of a kind, at whatever strength."""
    scan = Scan(lake, half=None if KINDS[kind].of_all else HALF)
    found = []
    for (version, subject), boxes in by_pair(lake.run(counts(scan, kind)).to_pylist()).items():
        persona_id, _, number = version.rpartition("@")
        claim = Claim(persona_id, int(number), kind, subject, boxes, None, 0, {})
        params = claims.params_of(KINDS[kind], [claim], before_ms(scan))
        found.append(replace(claim, params=params))
    return found


def one(chosen: claims.Chosen, persona: str, kind: str) -> Claim:
    return next(c for c in chosen.claims if c.persona_id == persona and c.kind == kind)


def test_every_kind_has_its_two_queries_on_both_stores() -> None:
    for dialect in DIALECTS:
        queries = load(dialect)
        for kind in KINDS.values():
            assert list(queries[kind.query].returns) == COLUMNS
            assert list(queries[kind.paths].returns) == ["claim_id", "user_id", "labels", "nodes"]


def test_lake_and_graph_count_every_persona_and_subject_of_every_kind_alike(
    projected: Stated,
) -> None:
    kinds = [kind for kind in KINDS if kind != "share"]
    pairs = {kind: every_pair(projected.lake, kind) for kind in kinds}
    assert all(pairs.values()), "a kind without a pair is not tested"
    proof.prove(projected.store, [claim for found in pairs.values() for claim in found])


def test_one_claim_is_its_own_query_narrowed_to_one_row(stated: Stated) -> None:
    for claim in claims.read(stated.lake):
        rows = stated.store.run(KINDS[claim.kind].query, claim.params)
        assert by_pair(rows) == {(claim.version_id, claim.subject): claim.counts}


def test_what_lake_and_graph_count_differently_is_an_error_that_names_both(
    projected: Stated,
) -> None:
    chosen = claims.choose(projected.lake, sampled=False)
    claim = chosen.claims[0]
    first, *others = claim.counts.n1
    wrong = replace(claim, counts=replace(claim.counts, n1=(first + 1, *others)))
    with pytest.raises(Disagreement, match="differently") as raised:
        proof.prove(projected.store, [*chosen.claims[1:], wrong])
    assert raised.value.facts["graph"] != raised.value.facts["lake"]
    assert "made anew from the lake" in (
        raised.value.hint or ""
    )  # to run again alone changes nothing


def test_what_was_planted_is_claimed(lake: Lake) -> None:
    chosen = claims.choose(lake, sampled=False)
    evening = one(chosen, BAKE, "daypart")
    assert (evening.subject, evening.measured.direction, evening.q) == ("evening", "more", None)
    answered = one(chosen, BAKE, "response")
    assert answered.subject == SPRING
    young = one(chosen, BAKE, "trait")
    assert young.subject == "age=18-34"
    assert young.q is not None
    assert young.q < 0.001
    assert sum(one(chosen, TINK, "support").counts.k0) == 0
    assert one(chosen, TINK, "weekday").subject == "weekend"


def test_a_persona_has_its_share_first_and_at_most_twelve_claims(lake: Lake) -> None:
    chosen = claims.choose(lake, sampled=False)
    for persona in (BAKE, TINK):
        mine = [c for c in chosen.claims if c.persona_id == persona]
        assert mine[0].kind == "share"
        assert len(mine) <= MAX_CLAIMS


def test_two_things_that_a_persona_is_about_come_first_and_no_kind_too_often(lake: Lake) -> None:
    chosen = claims.choose(lake, sampled=False)
    for persona in (BAKE, TINK):
        kinds = [claim.kind for claim in chosen.claims if claim.persona_id == persona]
        assert all(count <= KINDS[kind].most for kind, count in Counter(kinds).items())
        assert kinds[1] == "topic"
        topics = [place for place, kind in enumerate(kinds) if kind == "topic"]
        assert all(place > TOPICS_FIRST + 1 for place in topics[TOPICS_FIRST:])


def test_claims_are_counted_on_the_test_half_and_the_share_on_everybody(lake: Lake) -> None:
    users = lake.arrow("users").to_pylist()
    seen = [u for u in users if not u["consent_denied"]]
    chosen = claims.choose(lake, sampled=False)
    test = sum(u["half"] == "test" for u in seen)
    evening, share = one(chosen, BAKE, "daypart"), one(chosen, BAKE, "share")
    assert sum(evening.counts.n1 + evening.counts.n0) == test
    assert sum(share.counts.n1) == len(seen)


def test_nothing_is_said_of_fewer_than_twenty_people(lake: Lake) -> None:
    for claim in claims.choose(lake, sampled=False).claims:
        assert claim.measured.people >= 20
        if claim.kind != "share":
            assert claim.measured.others >= 20
        if claim.measured.direction == "more":
            assert claim.measured.doing >= 20


def test_of_whom_too_few_test_claims_what_most_of_all_have_in_common_is_said(
    planted_lake: Path, workspace: Path, store_settings: Settings
) -> None:
    """28 bakers: 12 in the half that tests, of whom nothing may be compared."""
    shutil.copytree(planted_lake, workspace)
    with (
        Lake.writer(workspace) as lake,
        open_store(store_settings, workspace, write=True) as store,
    ):
        half = {row["user_id"]: row["half"] for row in lake.arrow("users").to_pylist()}
        room = {"test": 12, "fit": 16}
        with lake.step("fewer") as step:
            rows = lake.arrow("holdings").drop(["run_id"]).to_pylist()
            for row in (row for row in rows if row["persona_id"] == BAKE):
                room[half[row["user_id"]]] -= 1
                if room[half[row["user_id"]]] < 0:
                    row["valid_to_ms"] = row["valid_from_ms"] + 1
            step.overwrite("holdings", table("holdings", rows))
        graph.project(lake, store)
        with lake.step("claims") as step:
            state(step, lake, store)
        graph.write_claims(lake, store)
        mine = [claim for claim in claims.read(lake) if claim.persona_id == BAKE]
        assert [claim.kind for claim in mine] == ["share", "common"]
        common = mine[1]
        assert (common.people, common.measured.reference_value, common.q) == (28, None, None)
        assert common.measured.doing >= 20
        assert common.phrase == "of all who hold it bought cake tins"
        words = next(w for w in wording.read(lake) if w.persona_id == BAKE)
        assert words.name == "Cake Tins Buyers"
        found = verify(lake, store).problems
    assert {problem.what for problem in found} <= {"persona"}  # its figures are as they were


def test_what_the_persona_was_found_by_is_descriptive_and_has_no_q(lake: Lake) -> None:
    for claim in claims.choose(lake, sampled=False).claims:
        assert (claim.q is None) == KINDS[claim.kind].is_descriptive
    assert [k for k in KINDS if not KINDS[k].is_descriptive] == ["trait", "received", "goal"]


def test_that_a_campaign_was_sent_is_tested_only_where_no_answer_to_it_shapes_personas(
    planted_lake: Path, tmp_path: Path
) -> None:
    """Who answered a campaign had been sent it, so a persona of those who answer was, too."""
    shutil.copytree(planted_lake, tmp_path / "workspace")
    with Lake.writer(tmp_path / "workspace") as lake:
        assert sent(lake) == {"received": {AUTUMN}, "received_inside": {SPRING}}
        intents = lake.table("intents")
        answers = intents.filter(intents.campaign_id.notnull())
        with lake.step("shaped", config={}) as step:
            step.overwrite("kept_out", lake.run(answers.select("intent_id", why="campaign_id")))
        assert sent(lake) == {"received": {AUTUMN, SPRING}, "received_inside": set()}


def sent(lake: Lake) -> dict[str, set[str]]:
    """Kind -> the campaigns that it speaks of."""
    kinds = ("received", "received_inside")
    return {kind: {claim.subject for claim in every_pair(lake, kind)} for kind in kinds}


@pytest.mark.parametrize(("verbs", "is_told"), [(["bought"], False), (["bought", "viewed"], True)])
def test_what_answering_a_campaign_consists_of_is_not_said_twice(
    planted_lake: Path, tmp_path: Path, verbs: list[str], is_told: bool
) -> None:
    shutil.copytree(planted_lake, tmp_path / "workspace")
    with Lake.writer(tmp_path / "workspace") as lake:
        intents = lake.table("intents").drop("run_id")
        answers = (intents.topic == "cake-tins") & intents.verb.isin(verbs)
        with lake.step("answered", config={}) as step:
            rows = intents.mutate(campaign_id=answers.ifelse(SPRING, None))
            step.overwrite("intents", lake.run(rows))
        mine = [c for c in claims.choose(lake, sampled=False).claims if c.persona_id == BAKE]
        assert "bought cake-tins" in {c.subject for c in mine if c.kind == "topic"}
        assert ("response" in {c.kind for c in mine}) == is_told


@pytest.mark.parametrize(("topics", "is_told"), [(4, False), (2, True)])
def test_a_verb_that_is_only_done_with_no_known_kind_is_not_said_twice(
    planted_lake: Path, tmp_path: Path, topics: int, is_told: bool
) -> None:
    shutil.copytree(planted_lake, tmp_path / "workspace")
    with Lake.writer(tmp_path / "workspace") as lake:
        intents = lake.table("intents").drop("run_id")
        unknown = (intents.verb == "asked") & intents.topic.isin(list(TOPICS)[:topics])
        with lake.step("unknown", config={}) as step:
            rows = intents.mutate(topic=unknown.ifelse("other", intents.topic))
            step.overwrite("intents", lake.run(rows))
        mine = [c for c in claims.choose(lake, sampled=False).claims if c.persona_id == TINK]
        assert "asked" in {c.subject for c in mine if c.kind == "verb"}
        assert ("asked other" in {c.subject for c in mine}) == is_told


def test_a_sample_of_lines_disables_what_it_cannot_support_and_says_why(lake: Lake) -> None:
    chosen = claims.choose(lake, sampled=True)
    assert set(chosen.disabled) == {"repeat", "sequence", "goal_return"}
    assert all("sample" in why for why in chosen.disabled.values())
    assert not {c.kind for c in chosen.claims} & set(chosen.disabled)
    assert disabled(sampled=False) == {}


def test_a_claims_row_fits_the_table_and_is_read_back_as_the_same_claim(lake: Lake) -> None:
    for claim in claims.choose(lake, sampled=False).claims:
        row = claim.row
        assert [*row, "run_id"] == TABLES["claims"].names
        assert claims.of_row(row) == claim
        assert claims.of_row(row).phrase == claim.phrase
        assert json.loads(row["counts"]).keys() == set(BOXES)


def test_the_same_lake_gives_the_same_claims_in_the_same_order(lake: Lake) -> None:
    assert claims.choose(lake, sampled=False) == claims.choose(lake, sampled=False)


def test_a_claim_is_explained_by_text_that_runs_as_it_stands(stated: Stated) -> None:
    claim = next(c for c in claims.read(stated.lake) if c.kind == "trait")
    text = explain(claim.row)
    assert ':param half => "test";' in text
    assert f"// activity 2: n1 {claim.counts.n1[2]}, k1 {claim.counts.k1[2]}" in text
    assert f"/ {claim.people} = {claim.measured.reference_value:.4f}, so more" in text
    query = "\n".join(line for line in text.splitlines() if not line.startswith(":param"))
    for name, value in claim.params.items():
        from kg.personas.explain import literal

        query = query.replace(f"${name}", literal(value))
    (counted,) = by_pair(stated.store.run(query)).values()
    assert counted == claim.counts


def test_what_came_after_things_of_no_known_kind_is_not_asked(lake: Lake) -> None:
    scan = Scan(lake)
    topic = scan.intents.topic
    scan.intents = scan.intents.mutate(topic=(topic == "candles").ifelse("other", topic))
    assert sequence_topics(scan) == ["cake-tins", "home/garden", "screws"]
