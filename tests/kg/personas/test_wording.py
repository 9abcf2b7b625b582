"""Words by the template, and by a model whose answers are replayed by a real HTTP server."""

from dataclasses import replace
from typing import Any

import pytest

from kg.personas import wording
from kg.personas.claims import Claim
from kg.personas.llm import LlmServer
from kg.personas.template import name_problem
from kg.personas.wording import TEMPLATE, Wording, from_template, word
from tests.kg.personas.recorded_server import recorded_server
from tests.kg.personas.test_sentences import EVERY, flat

SHARE, TINS, LAMPS, MAIL, YOUNG = EVERY
RIGHT = {
    "text": "62 % of them bought cake tins, against 21 % of equally active others.",
    "claims": [2],
}
ALSO_RIGHT = {
    "text": "They responded to Spring Mail more than equally active others.",
    "claims": [4],
}
GOOD = {
    "name": "Cake Tins Buyers",
    "summary": "They bought cake tins and responded to Spring Mail, more than equally active "
    "others.",
    "sentences": [RIGHT, ALSO_RIGHT],
}


def asked(answers: list[dict[str, Any]], **options: Any) -> tuple[Wording, list[dict[str, Any]]]:
    """What comes of these answers for the one persona, and what the server was asked."""
    with recorded_server(answers) as tape:
        (found,), _ = word(EVERY, LlmServer(tape.url, **options))
        return found, tape.asked


def with_sentences(*sentences: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"content": GOOD | {"sentences": list(sentences)}}]


def test_a_right_answer_is_taken_as_it_is() -> None:
    found, _ = asked([{"content": GOOD}])
    assert (found.name, found.author, found.coverage) == ("Cake Tins Buyers", "tiny", 1.0)
    assert found.summary == GOOD["summary"]
    assert [s.text for s in found.sentences] == [RIGHT["text"], ALSO_RIGHT["text"]]
    assert found.sentences[0].claims == (TINS.claim_id,)
    assert (found.cut, found.instead) == ((), "")


def test_the_model_is_asked_for_bounded_json_at_temperature_zero_with_a_seed() -> None:
    _, (request,) = asked([{"content": GOOD}], model="named", seed=7)
    assert (request["model"], request["temperature"], request["seed"]) == ("named", 0, 7)
    schema = request["response_format"]["json_schema"]
    assert request["response_format"]["type"] == "json_schema"
    assert schema["strict"] is True
    assert schema["schema"]["properties"]["name"]["maxLength"] == 60
    assert "guided_json" not in request


def test_the_model_is_told_phrases_and_numbers_and_no_id() -> None:
    _, (request,) = asked([{"content": GOOD}])
    told = request["messages"][1]["content"]
    assert "bought cake tins" in told
    assert "62 %" in told
    for claim in EVERY:
        assert claim.claim_id not in told
        assert claim.persona_id not in told


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"text": "They bought cake tins more.", "claims": []}, "cites nothing"),
        ({"text": "They bought cake tins more.", "claims": [9]}, "cites a claim that is not there"),
        ({"text": "They bought cake tins more.", "claims": [0]}, "cites a claim that is not there"),
        ({"text": "They bought cake tins more.", "claims": [3]}, "does not state"),
        ({"text": "66 % of them bought cake tins.", "claims": [2]}, "value 66 is not"),
        ({"text": "They bought cake tins less.", "claims": [2]}, "says less"),
        ({"text": "Rich people bought cake tins more.", "claims": [2]}, "do not say “rich”"),
    ],
)
def test_a_sentence_that_cites_wrongly_is_cut_with_its_reason(
    wrong: dict[str, Any], why: str
) -> None:
    found, _ = asked(with_sentences(RIGHT, wrong, ALSO_RIGHT))
    assert found.author == "tiny"
    assert [s.text for s in found.sentences] == [RIGHT["text"], ALSO_RIGHT["text"]]
    assert found.coverage == pytest.approx(2 / 3)
    (cut,) = found.cut
    assert why in cut


def test_where_too_little_is_left_the_template_writes_and_says_so() -> None:
    wrong = {"text": "66 % of them bought cake tins.", "claims": [2]}
    found, _ = asked(with_sentences(RIGHT, wrong, wrong))
    assert found == replace(
        from_template(EVERY),
        cut=found.cut,
        instead="Of 3 sentences of the model 1 were right.",
    )
    assert len(found.cut) == 2


def test_a_model_that_writes_no_sentence_is_said_to() -> None:
    found, _ = asked(with_sentences())
    assert found == replace(from_template(EVERY), instead="The model wrote no sentence.")


@pytest.mark.parametrize("name", ["Wealthy Bakers", "Cake", "Young Cake Buyers", "cake buyers"])
def test_a_name_that_the_claims_do_not_say_is_refused(name: str) -> None:
    found, _ = asked([{"content": GOOD | {"name": name}}])
    assert found.author == TEMPLATE
    assert name in found.instead


def test_a_wrong_summary_is_replaced_by_the_templates() -> None:
    found, _ = asked([{"content": GOOD | {"summary": "They bake at night, more than others."}}])
    assert found.author == "tiny"
    assert found.summary == from_template(EVERY).summary
    assert len(found.cut) == 1


def test_an_answer_cut_off_is_asked_for_again_with_more_room() -> None:
    half = '{"name": "Cake Tins Buyers", "summ'
    found, requests = asked([{"content": half, "finish_reason": "length"}, {"content": GOOD}])
    assert found.author == "tiny"
    assert [r["max_tokens"] for r in requests] == [1500, 3000]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"content": '{"name": "Cake', "finish_reason": "length"}, "cut off"),
        ({"content": '{"name": "Cake'}, "not of the schema"),
        ({"content": {"name": "Cake Tins Buyers"}}, "not of the schema"),
        ({"content": GOOD | {"more": 1}}, "not of the schema"),
        ({"content": GOOD | {"summary": "x" * 400}}, "not of the schema"),
        ({"content": None}, "empty"),
    ],
)
def test_an_answer_that_cannot_be_used_leaves_the_template_and_the_reason(
    answer: dict[str, Any], why: str
) -> None:
    found, requests = asked([answer])
    assert found.author == TEMPLATE
    assert why in found.instead
    assert len(requests) == 2


def test_raw_line_breaks_inside_strings_are_read() -> None:
    text = '{"name": "Cake Tins Buyers", "summary": "They bought cake tins\n more.",'
    text += '"sentences": [{"text": "They bought cake tins\tmore.", "claims": [2]},'
    text += '{"text": "They responded to Spring Mail more.", "claims": [4]}]}'
    found, _ = asked([{"content": text}])
    assert found.author == "tiny"


def test_a_server_that_fails_once_is_asked_again() -> None:
    found, requests = asked([{"status": 500}, {"content": GOOD}])
    assert found.author == "tiny"
    assert len(requests) == 2


def test_a_server_that_only_fails_is_not_asked_for_the_other_personas() -> None:
    other = [replace(claim, persona_id="p_2") for claim in EVERY]
    with recorded_server([{"status": 500}]) as tape:
        found, _ = word([*EVERY, *other], LlmServer(tape.url, model="tiny"))
        assert len(tape.asked) == 3
    assert {w.author for w in found} == {TEMPLATE}
    assert all("InternalServerError 500" in w.instead for w in found)


def test_a_server_that_is_not_there_leaves_the_template_and_the_reason() -> None:
    with recorded_server([]) as tape:
        url = tape.url
    (found,), _ = word(EVERY, LlmServer(url, timeout_s=2))
    assert found.author == TEMPLATE
    assert "did not answer" in found.instead


@pytest.mark.parametrize("model", ["", "tiny"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", "<html>Welcome</html>"),
        ("application/json", "<html>Welcome</html>"),
        ("application/json", "[]"),
        ("application/json", '{"data": null, "choices": 1}'),
    ],
)
def test_a_server_that_speaks_something_else_leaves_the_template_and_the_reason(
    model: str, kind: str, body: str
) -> None:
    with recorded_server([{"type": kind, "body": body}]) as tape:
        (found,), _ = word(EVERY, LlmServer(tape.url, model=model))
    assert found.author == TEMPLATE
    assert "does not speak the OpenAI-compatible protocol" in found.instead


def test_two_personas_never_get_one_name() -> None:
    other = [replace(claim, persona_id="p_2") for claim in EVERY]
    with recorded_server([{"content": GOOD}]) as tape:
        found, _ = word([*EVERY, *other], LlmServer(tape.url))
    assert len({w.name for w in found}) == 2
    assert [w.author for w in found] == ["tiny", TEMPLATE]
    assert "another persona has it" in found[1].instead


def test_the_template_states_every_claim_once() -> None:
    found = from_template(EVERY)
    assert sorted(s.claims for s in found.sentences) == sorted((c.claim_id,) for c in EVERY)
    assert found.sentences[1].text == (
        "62 % of them bought cake tins, against 21 % of equally active others "
        "(95 % interval 57-66 %, 431 people)."
    )
    assert wording.summary_problem(found.summary, EVERY) is None


def test_an_overlap_calls_the_other_persona_by_its_name() -> None:
    other = replace(SHARE, persona_id="p_2")
    overlap = Claim("p_1", 1, "overlap", "p_2@1", flat(100, 60, 200, 40), None, 0, {})
    (first, second), named = word([*EVERY, overlap, other], None)
    assert second.name == "Unnamed Group"
    assert first.sentences[-1].text.startswith("60 % of them hold “Unnamed Group” as well")
    assert [c.subject_label for c in named if c.kind == "overlap"] == ["“Unnamed Group”"]


def test_a_version_keeps_its_name_when_other_claims_have_become_the_strongest() -> None:
    (plain,), _ = word(EVERY, None)
    (found,), _ = word(EVERY, None, before={"p_1": "Spring Mail Responders"})
    assert plain.name != "Spring Mail Responders"
    assert found.name == "Spring Mail Responders"
    assert set(found.sentences) == set(plain.sentences)


def test_what_a_persona_is_named_after_is_said_first() -> None:
    weaker = [c for c in EVERY if c is not TINS]
    (found,), _ = word([*weaker, TINS], None, before={"p_1": "Cake Tins Buyers"})
    assert found.sentences[0].claims == (SHARE.claim_id,)
    assert found.sentences[1].claims == (TINS.claim_id,)
    assert found.summary.startswith("More of them than of equally active others bought cake tins")
    (other,), _ = word(EVERY, None, before={"p_1": "Spring Mail Responders"})
    assert "Spring Mail" in other.sentences[1].text


def test_a_name_that_is_no_longer_true_of_two_fifths_of_the_holders_is_given_anew() -> None:
    rarer = replace(TINS, counts=flat(600, 230, 5000, 1000))
    claims = [rarer if claim is TINS else claim for claim in EVERY]
    (found,), _ = word(claims, None, before={"p_1": "Cake Tins Buyers"})
    assert found.name == word(claims, None)[0][0].name
    assert found.name != "Cake Tins Buyers"


def test_a_name_stays_on_the_fence_where_it_would_not_be_given_and_in_the_next_version() -> None:
    rarer = replace(TINS, counts=flat(600, 270, 5000, 1000))
    claims = [replace(rarer if claim is TINS else claim, version=2) for claim in EVERY]
    (found,), _ = word(claims, None, before={"p_1": "Cake Tins Buyers"})
    assert (found.version_id, found.name) == ("p_1@2", "Cake Tins Buyers")
    assert found.sentences[1].text.startswith("45 % of them bought cake tins")
    assert word(claims, None)[0][0].name != "Cake Tins Buyers"


def test_who_had_no_name_has_one_as_soon_as_there_is_something_to_say() -> None:
    (found,), _ = word(EVERY, None, before={"p_1": "Unnamed Group"})
    assert found.name == word(EVERY, None)[0][0].name
    (still,), _ = word([SHARE], None, before={"p_1": "Unnamed Group II"})
    assert still.name == "Unnamed Group II"


def test_a_name_that_stays_is_given_to_nobody_else_and_the_model_writes_the_rest() -> None:
    other = [replace(claim, persona_id="p_2") for claim in EVERY]
    with recorded_server([{"content": GOOD}]) as tape:
        found, _ = word([*EVERY, *other], LlmServer(tape.url), before={"p_2": "Cake Tins Buyers"})
    assert [w.author for w in found] == [TEMPLATE, "tiny"]
    assert [w.name == "Cake Tins Buyers" for w in found] == [False, True]
    with recorded_server([{"content": GOOD}]) as tape:
        named = {"p_1": "Spring Mail Responders"}
        (found_one,), _ = word(EVERY, LlmServer(tape.url), before=named)
    assert (found_one.name, found_one.author) == ("Spring Mail Responders", "tiny")


def test_a_persona_of_what_is_called_by_a_number_is_named_after_the_number() -> None:
    numbered = replace(TINS, kind="topic", subject="bought 4", subject_label="no. 4")
    (found,), _ = word([SHARE, numbered], None)
    assert found.name == "No. 4 Buyers"
    assert name_problem(found.name, [numbered], ()) is None
    assert found.sentences[1].text.startswith("62 % of them bought no. 4, against 21 % of")
    assert name_problem("No. 1 Buyers", [numbered], ()) == "the claims do not say “1”"
