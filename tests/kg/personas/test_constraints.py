"""`personas.yaml`: what it may say, and what its errors say."""

from pathlib import Path

import pytest

from kg.errors import Conflict, InputError
from kg.lake import Lake
from kg.personas.constraints import DEFAULT, FILE, Constraints, parse, read, write_default
from kg.personas.named import Named


@pytest.mark.parametrize("text", ["", "# nothing\n", DEFAULT], ids=["empty", "comment", "default"])
def test_a_file_that_asks_nothing_is_no_file(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert read(tmp_path) == Constraints() == read(tmp_path / "nowhere")
    assert read(tmp_path).shaping == read(tmp_path).aims == read(tmp_path).own_rules == {}


def test_what_stands_in_the_default_after_the_number_signs_is_right() -> None:
    lines = [line.removeprefix("# ") for line in DEFAULT.splitlines() if line.startswith("# ")]
    start = [n for n, line in enumerate(lines) if line.startswith(("minimum", "keep", "must"))]
    start += [n for n, line in enumerate(lines) if line.startswith(("goals:", "rules:"))]
    text = []
    for place in sorted(start):
        text.append(lines[place])
        for line in lines[place + 1 :]:
            if not line.startswith("  "):
                break
            text.append(line)
    found = parse("\n".join(text))
    assert set(found.goals) == {"activation", "conversion", "retention", "spring mail"}
    assert found.rules["Regular crafters"][0].occasions == 2
    assert found.keep_out.manners == ["hour"]


def test_a_file_is_not_written_over(tmp_path: Path) -> None:
    assert write_default(tmp_path).read_text() == DEFAULT
    with pytest.raises(Conflict, match="is there already"):
        write_default(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "says", "hint"),
    [
        ("minimum_people: 5\n", 1, "below the floor: nothing is said of fewer than 20", ""),
        ("\nminimum_share: 2\n", 2, "less than 1", ""),
        ("keep_out:\n  topcs: [a]\n", 2, "'topcs' is not a key", "'topics'"),
        ("keep_out:\n  manners: [hours]\n", 2, "'hours' is no manner", "'hour'"),
        ("keep_out: {manners: [hour]}\nkeep_in: {manners: [hour]}\n", 1, "both name hour", ""),
        ("goals:\n  buy: {}\n", 2, "a goal is a verb, a topic", ""),
        ("goals:\n  a: {verb: x, returns_within_days: 3}\n", 2, "a goal is a verb", ""),
        ("goals:\n  a: {vreb: x}\n", 2, "'vreb' is not a key", "'verb'"),
        ("rules:\n  a: []\n", 1, "has no condition", ""),
        ("minimum_people: 50\nrules:\n  '': [{verb: x}]\n", 2, "rules has one without a name", ""),
        ("goals: {' ': {verb: x}}\n", 1, "goals has one without a name", ""),
        ("minimum_share: 200%\n", 1, r"expected a number .0.05 for 5 %., received '200%'", ""),
        ("rules:\n  a:\n    - {occasions: 2}\n", 3, "names a verb, topic", ""),
        ("rules:\n  a:\n    - {verb: x, occasions: 0}\n", 3, "greater than or equal to 1", ""),
        (
            "must_keep: [1]\n",
            1,
            "a name .in quotation marks, where it is a number., received 1",
            "",
        ),
        ("minimum_people: '50'\n", 1, "expected a whole number, received '50'", ""),
        ("minimum_share: 2\n", 1, "it should be less than 1", ""),
        ("keep_out:\n  channels: app\n", 2, "expected a list, .a, b., received 'app'", ""),
        ("keep_out: app\n", 1, "expected keys with values", ""),
        ("goals: [\n", 2, "not YAML", ""),
        ("- a\n", 1, "expected keys", ""),
    ],
)
def test_a_mistake_is_named_with_its_line_and_likely_fix(
    text: str, line: int, says: str, hint: str
) -> None:
    with pytest.raises(InputError, match=says) as raised:
        parse(text)
    assert f"line {line}" in raised.value.message
    assert hint in (raised.value.hint or "")


def test_names_are_ids_labels_or_categories_with_all_below(lake: Lake) -> None:
    named = Named(lake, Constraints())
    assert named.topics("Garden") == named.topics("home/garden") == ["home/garden"]
    assert named.topics("screws") == ["screws"]
    assert named.campaign("Spring Mail") == named.campaign("spring mail") == "spring mail"


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("goals:\n  a: {topic: candle}\n", "line 2: there is no topic 'candle'", "'candles'"),
        ("goals:\n  a: {verb: bougt}\n", "line 2: there is no verb 'bougt'", "'bought'"),
        ("goals:\n  a: {campaign: zzz}\n", "line 2: there is no campaign", "There are: "),
    ],
)
def test_a_name_nobody_knows_is_refused_with_the_nearest(
    lake: Lake, text: str, says: str, hint: str
) -> None:
    asked = parse(text)
    named, goal = Named(lake, asked), asked.goals["a"]
    with pytest.raises(InputError, match=says) as raised:
        named.intents(lake.table("intents"), goal, "goals", "a")
    assert hint in (raised.value.hint or "")


def test_more_names_than_are_listed_are_counted(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.personas.named.MOST_LISTED", 1)
    asked = parse("goals:\n  a: {verb: qqqqqqqq}\n")
    with pytest.raises(InputError) as raised:
        Named(lake, asked).intents(lake.table("intents"), asked.goals["a"], "goals", "a")
    verbs = lake.arrow("intents", ["verb"])["verb"].unique()
    assert f" and {len(verbs) - 1} more." in (raised.value.hint or "")
