"""The map of personas: the same each time, complete, readable without colour, without a network."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from api.picture.draw import (
    COLOURS,
    EDGES,
    LEAST_LETTERS_PT,
    _colours,
    _marks,
    _reach,
    draw,
    room_of,
)
from api.picture.layout import layout, tree
from api.picture.page import picture
from kg.personas.atlas import Atlas, IntentType, Persona
from kg.words import some

SVG = "{http://www.w3.org/2000/svg}"
NO_SIGNS = np.zeros((100, 2))
HOSTILE = 'Tea & <script>alert("$x$")</script>\x07 茶'


def made_up(count: int, of_each: int = 5) -> Atlas:
    """Some personas, of which neighbours are about the same and are held by the same people."""
    chance = np.random.default_rng(count)
    vectors = (
        chance.normal(size=(count, 6)) + np.repeat(chance.normal(size=(count, 6)), 2, 0)[:count]
    )
    vectors /= np.sqrt((vectors**2).sum(1, keepdims=True))
    alike = vectors @ vectors.T
    personas = tuple(
        Persona(f"p_{n:08x}@1", f"Morning Tea Buyers {n}", 900 - n) for n in range(count)
    )
    types = tuple(
        IntentType(n, "bought", f"thing {k}", 500 - 9 * k - n,
                   tuple(int(500 * (other in {n, (n + 1) % count})) for other in range(count)))
        for n in range(count) for k in range(of_each)
    )  # fmt: skip
    return Atlas(personas, types, np.clip(alike, 0, 1), alike, 5000, 100_000, 25_000)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own document


def texts(svg: str) -> str:
    return " ".join("".join(text.itertext()) for text in parsed(svg).iter(f"{SVG}text"))


def test_the_list_names_family_and_parts_of_a_persona_that_has_them() -> None:
    atlas = made_up(2)
    first = replace(atlas.personas[0], family="Tea and Mugs", parts=("Green", "Black"))
    drawing = draw(replace(atlas, personas=(first, atlas.personas[1])), "shop")
    assert texts(drawing.svg).count("of Tea and Mugs · parts: Green; Black") == 1


@pytest.mark.parametrize("count", [1, 2, 3, 9, 40])
def test_every_persona_is_on_the_map_and_in_the_list(count: int) -> None:
    atlas = made_up(count)
    drawing = draw(atlas, "shop")
    assert sorted(drawing.numbers) == list(range(1, count + 1))
    written = texts(drawing.svg)
    for number, persona in zip(drawing.numbers, atlas.personas, strict=True):
        assert persona.name in written
        assert f"{number} Morning Tea" in " ".join(written.split())
        assert f"{persona.people:,} ·" in written
    root = parsed(drawing.svg)
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title") is not None
    assert some(count, "persona") in (root.findtext(f"{SVG}desc") or "")
    said = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert sum(": " in title and " people of " in title for title in said) == len(atlas.types)


@pytest.mark.parametrize("count", [1, 2, 3, 9, 40])
def test_neither_islands_nor_bubbles_overlap(count: int) -> None:
    atlas = made_up(count)
    places = layout(atlas, NO_SIGNS[:count])
    for centres, radii in (
        (places.islands, places.island_radii),
        (places.bubbles, places.radii),
    ):
        apart = np.sqrt(((centres[:, None] - centres) ** 2).sum(2))
        room = apart - radii[:, None] - radii
        np.fill_diagonal(room, 0)
        assert room.min() > -1e-3
    owner = np.array([kind.persona for kind in atlas.types])
    inside = np.sqrt(((places.bubbles - places.islands[owner]) ** 2).sum(1)) + places.radii
    assert (inside <= places.island_radii[owner] + 1e-9).all()


@pytest.mark.parametrize("count", [1, 2, 9, 60])
def test_a_name_hides_no_island_and_no_other_name(count: int) -> None:
    atlas = made_up(count)
    signs = [one.name.replace(" Tea", "\nTea") for one in atlas.personas]
    room = room_of(signs)
    places = layout(atlas, room)
    foot = places.islands + np.stack([np.zeros(count), places.island_radii], 1)
    low, high = foot - room * [0.5, 0], foot + room * [0.5, 1]
    nearest = np.clip(places.islands[None], low[:, None], high[:, None])
    away = np.sqrt(((nearest - places.islands) ** 2).sum(2)) - places.island_radii
    over = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    other = ~np.eye(count, dtype=bool)
    assert (away[other] > 0).all()
    assert (over.min(2)[other] < 0).all()
    lowest, highest = _reach(places, signs)
    assert (low >= lowest - 1e-9).all()
    assert (high <= highest + 1e-9).all()


def test_a_bubble_of_most_people_says_what_it_is_and_letters_can_be_read() -> None:
    atlas = made_up(2)
    long = replace(atlas.types[0], label="Small Appliances (home/small-appliances)")
    svg = draw(replace(atlas, types=(long, *atlas.types[1:])), "shop").svg
    assert "appliances" in texts(svg).lower()
    assert texts(svg).count("bought") >= len(atlas.types) - 1
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
    assert min(sizes) >= LEAST_LETTERS_PT


def test_the_picture_is_measured_in_pixels() -> None:
    root = parsed(draw(made_up(3), "shop").svg)
    box = [float(side) for side in root.get("viewBox", "").split()[2:]]
    sides = [int(root.get(side, "")) for side in ("width", "height")]
    assert sides == [round(side * 4 / 3) for side in box]


def test_what_is_about_the_same_lies_nearer() -> None:
    alike = np.eye(4)
    alike[0, 1] = alike[1, 0] = alike[2, 3] = alike[3, 2] = 0.95
    atlas = made_up(4)
    flat = Atlas(atlas.personas, atlas.types, alike, alike, 5000, 10, 1)
    places = layout(flat, NO_SIGNS[:4])
    apart = np.sqrt(((places.islands[:, None] - places.islands) ** 2).sum(2))
    across = apart[:2, 2:].mean()
    assert (apart[0, 1] + apart[2, 3]) / 2 < across


def test_the_tree_joins_those_whom_the_same_people_hold_first() -> None:
    held = np.eye(3)
    held[0, 2] = held[2, 0] = 0.5
    found = tree(held)
    assert sorted(found.order) == [0, 1, 2]
    assert abs(found.order.index(0) - found.order.index(2)) == 1
    (first, last) = found.joins
    assert first[4] == pytest.approx(0.5)
    assert last[4] == pytest.approx(0.0)
    assert tree(np.eye(1)) == tree(np.ones((1, 1)))


def test_the_same_atlas_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    once = picture(made_up(9), "shop", ".html")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert picture(made_up(9), "shop", ".html") == once
    assert not re.search(r"\d{4}-\d\d-\d\d", once), "no date is in it"


def test_a_page_asks_the_network_for_nothing_and_runs_nothing() -> None:
    atlas = made_up(3)
    personas = (Persona("p_00000000@1", HOSTILE, 50, HOSTILE, (HOSTILE,)), *atlas.personas[1:])
    types = (IntentType(0, "asked", HOSTILE, 40, (40, 0, 0)), *atlas.types[1:])
    hostile = Atlas(personas, types, atlas.likeness, atlas.correlation, 5000, 9, 1)
    page = picture(hostile, HOSTILE, ".html")
    assert "<script" not in page
    assert "\x07" not in page
    assert "default-src 'none'" in page
    svg = picture(hostile, "shop", ".svg")
    parsed(svg)
    for text in (page, svg):
        outside = text.replace("http://www.w3.org/2000/svg", "").replace(
            "http://www.w3.org/1999/xlink", ""
        )
        assert "://" not in outside
        assert 'src="' not in outside
        assert "url(" not in outside.replace("url(#", "")


def test_islands_of_one_colour_do_not_touch_where_colours_suffice() -> None:
    page = picture(made_up(len(COLOURS)), "shop", ".svg").upper()
    assert all(colour.upper() in page for colour in COLOURS)


@pytest.mark.parametrize("count", [len(COLOURS) + 3, len(COLOURS) * len(EDGES)])
def test_islands_of_one_colour_have_another_edge(count: int) -> None:
    atlas = made_up(count)
    joined = tree(atlas.correlation)
    marks = _marks(_colours(layout(atlas, NO_SIGNS[:count]), joined), joined)
    assert len(set(marks)) == count


def test_the_words_say_of_how_many_something_is_true() -> None:
    page = picture(made_up(2), "shop", ".html")
    assert "bought thing 0 (500 of 900)" in page
    assert "most of them" not in page


@pytest.mark.parametrize(("correlation", "words"), [
    (0.3, "Morning Tea Buyers 1 (383 people; by chance 162)"), (0.02, ""), (-0.03, ""),
    (-0.2, "")])  # fmt: skip
def test_who_shares_no_more_holders_than_chance_is_said_to_share_none(
    correlation: float, words: str
) -> None:
    atlas = made_up(2)
    held = np.array([[1, correlation], [correlation, 1]])
    page = picture(replace(atlas, correlation=held), "shop", ".html")
    assert words in page
    assert page.count("<td>none</td>") == (0 if words else 2)
    few = tuple(replace(one, people=40) for one in atlas.personas)
    page = picture(replace(atlas, correlation=held, personas=few), "shop", ".html")
    assert page.count("<td>none</td>") == 2, "of 40 and 40 people fewer than 20 are the same"


def test_one_persona_is_joined_with_no_other_and_a_share_of_few_is_not_nothing() -> None:
    one = made_up(1)
    few = replace(one, personas=(replace(one.personas[0], people=21),))
    page = picture(few, "shop", ".html")
    for words in ("joined by who", "a tree joins", "lie near each other"):
        assert words not in page
        assert words in picture(made_up(2), "shop", ".html")
    assert "21 · 0.4%" in texts(draw(few, "shop").svg)
    assert '<td class="number">0.4%</td>' in page


def test_a_persona_without_a_type_of_twenty_people_is_drawn_all_the_same() -> None:
    atlas = made_up(3)
    bare = Atlas(atlas.personas, (), atlas.likeness, atlas.correlation, 5000, 9, 1)
    assert "Morning Tea Buyers 2" in texts(draw(bare, "shop").svg)
