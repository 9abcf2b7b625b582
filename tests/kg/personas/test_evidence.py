"""Evidence paths: found, drawn, and found wrong when anything on them is not as it was."""

from dataclasses import replace

import pytest

from kg.personas import claims, evidence
from kg.personas.claims import Claim
from kg.personas.evidence import Path
from kg.personas.kinds import KINDS
from tests.kg.personas.conftest import Stated
from tests.kg.personas.planted import BAKE
from tests.kg.personas.test_claims import every_pair


def test_every_claim_has_one_to_three_paths_from_its_version_through_a_holder(
    stated: Stated,
) -> None:
    paths = evidence.read(stated.lake)
    by_id = {claim.claim_id: claim for claim in claims.read(stated.lake)}
    assert {path.claim_id for path in paths} == set(by_id)
    for path in paths:
        assert path.number in {1, 2, 3}
        assert path.labels[:2] == ("PersonaVersion", "User")
        assert path.nodes[0] == by_id[path.claim_id].version_id
    assert evidence.check(stated.store, by_id.values(), paths) == {}


def shown_best(claim: Claim) -> tuple[bool, bool]:
    """Claims of more come first, then bakers: some planted tinkerers have no intent of theirs."""
    return claim.measured.direction == "more", claim.persona_id == BAKE


def test_every_kind_finds_paths_and_they_check(projected: Stated) -> None:
    every = [
        max((c for c in every_pair(projected.lake, kind) if sum(c.counts.k1)), key=shown_best)
        for kind in KINDS
        if kind != "share"
    ]
    paths = evidence.paths(projected.lake, projected.store, every)
    assert {path.claim_id for path in paths} == {claim.claim_id for claim in every}
    assert evidence.check(projected.store, every, paths) == {}
    assert all("--" not in evidence.relations(path.labels) for path in paths)


def test_paths_are_the_same_each_time(stated: Stated) -> None:
    every = claims.read(stated.lake)
    again = evidence.paths(stated.lake, stated.store, every)
    assert sorted(again, key=lambda p: (p.claim_id, p.number)) == evidence.read(stated.lake)


def test_a_path_is_drawn_node_by_node() -> None:
    path = Path("c_1", 1, ("PersonaVersion", "User", "Session", "Intent"), ("p@1", "u", "s", "i"))
    drawn = [(step.label, step.node_id, step.relation) for step in evidence.draw(path)]
    assert drawn == [
        ("PersonaVersion", "p@1", "<-[:HOLDS]-"),
        ("User", "u", "-[:HAD]->"),
        ("Session", "s", "-[:EXPRESSED]->"),
        ("Intent", "i", ""),
    ]


@pytest.mark.parametrize(
    "edge",
    [
        "MATCH (:User {id: $user})-[e:HOLDS]->(:PersonaVersion {id: $version}) DELETE e",
        "MATCH (:User {id: $user})-[e:HAD]->(:Session) DELETE e",
        "MATCH (:Session)-[e:EXPRESSED]->(:Intent {id: $last}) DELETE e",
        "MATCH (i:Intent {id: $last}) DETACH DELETE i",
        "MATCH (i:Intent {id: $last}) SET i.topic = 'other', i.verb = 'other'",
    ],
)
def test_a_path_whose_edge_or_node_is_gone_is_found_wrong(stated: Stated, edge: str) -> None:
    every = claims.read(stated.lake)
    claim = next(c for c in every if c.kind == "topic" and c.measured.direction == "more")
    path = next(p for p in evidence.read(stated.lake) if p.claim_id == claim.claim_id)
    assert evidence.check(stated.store, [claim], [path]) == {}
    ids = {"user": path.user_id, "version": path.nodes[0], "last": path.nodes[-1]}
    stated.store.write(edge, {name: ids[name] for name in ids if f"${name}" in edge})
    assert set(evidence.check(stated.store, [claim], [path])) == {claim.claim_id}


def test_a_forged_node_on_a_path_is_found_wrong(stated: Stated) -> None:
    every, paths = claims.read(stated.lake), evidence.read(stated.lake)
    for place in range(4):
        path = next(p for p in paths if len(p.nodes) == 4)
        other = next(p for p in paths if p.nodes[place] != path.nodes[place])
        nodes = (*path.nodes[:place], other.nodes[place], *path.nodes[place + 1 :])
        claim = next(c for c in every if c.claim_id == path.claim_id)
        assert evidence.check(stated.store, [claim], [replace(path, nodes=nodes)])


def test_a_holder_shown_for_less_must_not_do_it_after_all(stated: Stated) -> None:
    every, paths = claims.read(stated.lake), evidence.read(stated.lake)
    claim = next(c for c in every if c.kind == "topic" and c.measured.direction == "less")
    path = next(p for p in paths if p.claim_id == claim.claim_id)
    verb, _, topic = claim.subject.partition(" ")
    stated.store.write(
        "MATCH (i:Intent {id: $id}) SET i.verb = $verb, i.topic = $topic",
        {"id": path.nodes[-1], "verb": verb, "topic": topic},
    )
    assert set(evidence.check(stated.store, [claim], [path])) == {claim.claim_id}
