"""A map of personas as SVG: islands of intents on the left, who shares holders on the right.

Invariant: the same atlas gives the same bytes. Nothing is told by colour alone: every persona has a
number on its island and in the list, and every bubble says in its title what it is.

Source of the colours: Okabe and Ito 2008, "Color Universal Design", https://jfly.uni-koeln.de/color/.
"""

import io
import textwrap
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from api.picture.layout import Layout, Tree, layout, tree
from kg.personas.atlas import Atlas, IntentType, Persona
from kg.personas.sentences import percent
from kg.personas.statistics import MIN_PEOPLE
from kg.words import some

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
EDGES = ("solid", "dashed", "dotted", "dashdot")
"""How islands of one colour are edged, so that colour and edge together tell 28 personas apart."""

INK, PALE = "#222222", "#767676"
SVG = "http://www.w3.org/2000/svg"
LIST_INCHES = 7.0
LEAST_MAP_INCHES = 9.5
"""How wide the words below the map are."""

BELOW_INCHES, ABOVE_INCHES = 0.65, 0.6
UNIT_INCHES = 0.4
"""The radius of the largest bubble, so that most bubbles can hold what they are."""

ROW_INCHES = 0.36
NAME_LETTERS = 38
LEAST_LETTERS_PT, MOST_LETTERS_PT = 4.5, 10.0
SIGN_PT = 9.5
LETTER = 0.57
"""How wide a letter is, of its height."""

BOLD_LETTER = 0.68
"""The same of the names of islands, with some room."""

LEAST_LETTERS = 4
"""What is cut off to fewer says nothing, and is not written."""

WIDTHS = (6, 8, 10, 12, 16)
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "personagraph",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,
}


class Mark(NamedTuple):
    """What tells a persona's island from others, beside its number: its colour and its edge."""

    colour: str
    edge: str


@dataclass(frozen=True)
class Drawing:
    """A picture and what it says.

    Attributes:
        svg: a document of its own, with title and description.
        numbers: the number of each persona on it, from 1, from the top of the list.
    """

    svg: str
    numbers: tuple[int, ...]


def draw(atlas: Atlas, workspace: str) -> Drawing:
    """The map of an atlas with at least one persona; its texts may stand in XML."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    joined = tree(atlas.correlation)
    numbers = {persona: row + 1 for row, persona in enumerate(joined.order)}
    signs = [_sign(numbers[place], one.name) for place, one in enumerate(atlas.personas)]
    places = layout(atlas, room_of(signs))
    marks = _marks(_colours(places, joined), joined)
    titles: dict[str, str] = {}
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # A letter that the measuring font lacks is found by whoever shows the text.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        low, top = _reach(places, signs)
        needs = (top - low + 0.6) * UNIT_INCHES
        around = BELOW_INCHES + ABOVE_INCHES
        high = max(float(needs[1]) + around, ROW_INCHES * (len(atlas.personas) + 6))
        wide = max(LEAST_MAP_INCHES, float(needs[0]))
        figure = Figure(figsize=(wide + LIST_INCHES, high))
        FigureCanvasSVG(figure)
        part = wide / (wide + LIST_INCHES)
        sea = figure.add_axes((0.0, BELOW_INCHES / high, part, 1 - around / high))
        half = np.array([wide, high - around]) / UNIT_INCHES / 2
        for side, middle, away in zip("xy", (low + top) / 2, half, strict=True):
            sea.set(**{f"{side}lim": (middle - away, middle + away)})
        _map(_Map(sea, atlas, places, marks), signs, titles)
        _list(figure, part, high, atlas, joined, marks)
        _words(figure, atlas, workspace)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata=dict.fromkeys(
            ("Date", "Creator", "Format", "Type")))  # fmt: skip
    svg = _told(out.getvalue(), atlas, workspace, titles)
    return Drawing(svg, tuple(numbers[place] for place in range(len(numbers))))


def _colours(places: Layout, joined: Tree) -> list[str]:
    """Of islands of one colour the nearest are as far apart as can be, one by one; no colour has
    more islands than it must."""
    chosen: dict[int, int] = {}
    most = ceil(len(joined.order) / len(COLOURS))
    for persona in joined.order:

        def room(colour: int, persona: int = persona) -> tuple[float, int]:
            same = [other for other, taken in chosen.items() if taken == colour]
            apart = [float(np.hypot(*(places.islands[persona] - places.islands[o]))) for o in same]
            return min(apart, default=np.inf), -colour

        used = Counter(chosen.values())
        free = [colour for colour in range(len(COLOURS)) if used[colour] < most]
        chosen[persona] = max(free, key=room)
    return [COLOURS[chosen[persona]] for persona in range(len(chosen))]


def _marks(colours: list[str], joined: Tree) -> list[Mark]:
    """By persona; of one colour the first in the list has a solid edge, the next a dashed one."""
    before: Counter[str] = Counter()
    found = {}
    for persona in joined.order:
        colour = colours[persona]
        found[persona] = Mark(colour, EDGES[before[colour] % len(EDGES)])
        before[colour] += 1
    return [found[persona] for persona in range(len(colours))]


@dataclass(frozen=True)
class _Map:
    """The left side: its axes, a unit of which is `UNIT_INCHES`, and what lies there."""

    axes: Any
    atlas: Atlas
    places: Layout
    marks: list[Mark]


def _sign(number: int, name: str) -> str:
    """Number and name of an island, in lines."""
    words = f"{number} {name}"
    lines = textwrap.wrap(words, max(14, len(words) // 2 + 4), max_lines=3, placeholder="…")
    return "\n".join(lines)


def room_of(signs: Sequence[str]) -> NDArray[np.float64]:
    """(k, 2): how wide and high signs are, in units of the map."""
    lines = [sign.split("\n") for sign in signs]
    letters = [(BOLD_LETTER * max(map(len, each)), 1.25 * len(each)) for each in lines]
    return np.array(letters).reshape(-1, 2) * SIGN_PT / 72 / UNIT_INCHES


def _reach(places: Layout, signs: Sequence[str]) -> tuple[Any, Any]:
    """The lower left and the upper right corner of all islands with their signs."""
    edge, room = places.island_radii[:, None], room_of(signs)
    aside = np.maximum(edge, room[:, :1] / 2) * [1, 0]
    below, above = edge * [0, 1], (edge + room[:, 1:]) * [0, 1]
    return (places.islands - aside - below).min(0), (places.islands + aside + above).max(0)


def _map(drawn: _Map, signs: Sequence[str], titles: dict[str, str]) -> None:
    from matplotlib.patches import Circle

    axes, places = drawn.axes, drawn.places
    axes.set_axis_off()
    islands = list(zip(places.islands, places.island_radii, strict=True))
    for (centre, radius), (colour, line) in zip(islands, drawn.marks, strict=True):
        axes.add_patch(Circle(centre, radius, facecolor=colour, alpha=0.13, edgecolor="none"))
        axes.add_patch(
            Circle(centre, radius, fill=False, edgecolor=colour, linestyle=line, linewidth=1.6)
        )
    for place, kind in enumerate(drawn.atlas.types):
        name, centre, radius = f"type{place}", places.bubbles[place], places.radii[place]
        colour = drawn.marks[kind.persona].colour
        titles[name] = _said(drawn.atlas, kind)
        axes.add_patch(
            Circle(centre, radius, facecolor=colour, edgecolor="white", linewidth=0.6, gid=name)
        )
        _written(axes, kind, centre, radius * UNIT_INCHES, colour)
    for sign, (centre, radius) in zip(signs, islands, strict=True):
        axes.text(centre[0], centre[1] + radius + 0.1, sign, ha="center", va="bottom",
                  fontsize=SIGN_PT, fontweight="bold", color=INK, linespacing=1.0)  # fmt: skip


def _said(atlas: Atlas, kind: IntentType) -> str:
    persona = atlas.personas[kind.persona]
    return (
        f"{kind.verb} {kind.label}: {kind.people:,} of the {persona.people:,} people "
        f"of {persona.name}"
    )


def _written(axes: Any, kind: IntentType, centre: Any, inches: float, colour: str) -> None:
    """What a bubble is, in it: topic and verb, or else the topic, or else as much of it as can be
    read."""
    letters = int(2 * 72 * inches * 0.94 / (LETTER * LEAST_LETTERS_PT))
    cut = [(f"{kind.label[: letters - 1].rstrip()}…",)] if letters >= LEAST_LETTERS else []
    for parts in ((kind.label, kind.verb), (kind.label,), *cut):
        points, words = max(_fitted(parts, width, inches) for width in WIDTHS)
        if points >= LEAST_LETTERS_PT:
            size = round(min(points, MOST_LETTERS_PT), 1)
            axes.text(*centre, words, ha="center", va="center", linespacing=1.05, fontsize=size,
                      color=_ink_on(colour))  # fmt: skip
            return


def _fitted(parts: tuple[str, ...], width: int, inches: float) -> tuple[float, str]:
    """How large texts can be in a circle of that radius, in lines of so many letters."""
    lines = [
        line
        for part in parts
        for line in textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False)
    ]
    longest = max((len(line) for line in lines), default=1)
    points = 2 * 72 * inches * 0.94 / float(np.hypot(LETTER * longest, 1.2 * len(lines)))
    return points, "\n".join(lines)


def _ink_on(colour: str) -> str:
    """White or dark, whichever can be read: WCAG 2.1, relative luminance."""
    parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.066 else INK


def _list(
    figure: Any, part: float, high: float, atlas: Atlas, joined: Tree, marks: list[Mark]
) -> None:
    """The list of personas by number, and the tree of who shares holders."""
    rows = len(joined.order)
    top, row = 1 - 1.25 / high, ROW_INCHES / high
    heads = [(0.02, "personas, and how many people hold each")]
    if joined.joins:
        heads.append((0.68, "joined by who holds them"))
    for place, words in heads:
        figure.text(part + place * (1 - part), 1 - 0.45 / high, words, fontsize=9, color=PALE)
    table = figure.add_axes((part, top - row * rows, 0.66 * (1 - part), row * rows))
    table.set_xlim(0, 10)
    table.set_ylim(rows - 0.5, -0.5)
    table.set_axis_off()
    most = max(persona.people for persona in atlas.personas)
    for place, persona in enumerate(joined.order):
        one, (colour, line) = atlas.personas[persona], marks[persona]
        table.scatter([0.35], [place], s=190, color=colour, clip_on=False)
        table.scatter([0.35], [place], s=330, facecolors="none", edgecolors=colour, linestyle=line,
                      clip_on=False)  # fmt: skip
        table.text(0.35, place, str(place + 1), ha="center", va="center", fontsize=8,
                   fontweight="bold", color=_ink_on(colour))  # fmt: skip
        table.text(0.9, place, textwrap.shorten(one.name, NAME_LETTERS, placeholder="…"),
                   va="center", fontsize=9, color=INK)  # fmt: skip
        table.text(0.9, place + 0.37, textwrap.shorten(levels_of(one), 60, placeholder="…"),
                   va="center", fontsize=6, color=PALE)  # fmt: skip
        table.barh(place, 1.3 * one.people / most, left=6.9, height=0.5, color=colour,
                   edgecolor=PALE, linewidth=0.4)  # fmt: skip
        share = percent(one.people / max(atlas.population, 1))
        table.text(10.0, place, f"{one.people:,} · {share}%",
                   ha="right", va="center", fontsize=8, color=INK)  # fmt: skip
    if joined.joins:
        _tree(figure.add_axes((part + 0.68 * (1 - part), top - row * rows,
                               0.28 * (1 - part), row * rows)), joined, rows)  # fmt: skip


def levels_of(persona: Persona) -> str:
    """Which family a persona is of, and what its parts are; empty: it stands alone and whole."""
    family = [f"of {persona.family}"] if persona.family else []
    parts = [f"parts: {'; '.join(persona.parts)}"] if persona.parts else []
    return " · ".join(family + parts)


def _tree(axes: Any, joined: Tree, rows: int) -> None:
    for above, below, left, right, here in joined.joins:
        axes.plot([left, here, here, right], [above, above, below, below], color=INK, linewidth=1)
    least = min(0.0, *(join[4] for join in joined.joins))
    axes.set_xlim(1.0, least - 0.05)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.axvline(0, color=PALE, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_yticks([])
    axes.set_xticks([1, 0.5, 0], ["same\npeople", "", "chance"], fontsize=8, color=INK)
    for name in ("left", "right", "top"):
        axes.spines[name].set_visible(False)
    axes.xaxis.set_ticks_position("top")
    axes.spines["bottom"].set_visible(False)


def _words(figure: Any, atlas: Atlas, workspace: str) -> None:
    share = percent(atlas.in_none / max(atlas.intents, 1))
    without = f" {left_out(atlas)}" if atlas.left_out else ""
    figure.text(0.012, 0.985, f"Personas of {workspace}", fontsize=16, fontweight="bold",
                va="top", color=INK)  # fmt: skip
    near = " Islands lie near each other when they are about the same."
    figure.text(
        0.012, 0.012,
        f"A bubble is a type of intent; its area is how many of the persona's people have it."
        f"{near if len(atlas.personas) > 1 else ''}\nWhat is too small for words "
        f"says what it is when the pointer rests on it.\n"
        f"{atlas.population:,} people, {atlas.intents:,} intents; {share}% of the intents are "
        f"in no persona and not drawn. Types of fewer than {MIN_PEOPLE} people are left out."
        f"{without}",
        fontsize=8, color=PALE, va="bottom",
    )  # fmt: skip


def left_out(atlas: Atlas) -> str:
    """That personas of too few people are not on the map, as a sentence."""
    left = some(atlas.left_out, "persona")
    return f"Not drawn: {left} that fewer than {MIN_PEOPLE} people hold."


def summary(atlas: Atlas) -> str:
    """The picture in words, for who cannot see it."""
    without = f" {left_out(atlas)}" if atlas.left_out else ""
    listed = "; ".join(f"{one.name}, {one.people:,} people" for one in atlas.personas)
    joined = "; a tree joins personas by who holds them" if len(atlas.personas) > 1 else ""
    return (
        f"A map of {some(len(atlas.personas), 'persona')} held by people among "
        f"{atlas.population:,}: {listed}. Each is an island of bubbles, one for each type of "
        f"intent that at least {MIN_PEOPLE} of its people have{joined}.{without}"
    )


def _told(svg: str, atlas: Atlas, workspace: str, titles: dict[str, str]) -> str:
    """The drawing with a title for itself and for every bubble, and a size in pixels (some programs
    refuse points)."""
    for prefix, name in (("", SVG), ("xlink", "http://www.w3.org/1999/xlink")):
        ElementTree.register_namespace(prefix, name)
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own document
    for group in root.iter(f"{{{SVG}}}g"):
        if group.get("id") in titles:
            ElementTree.SubElement(group, f"{{{SVG}}}title").text = titles[group.get("id", "")]
    for place, (tag, words) in enumerate(
        (("title", f"Personas of {workspace}"), ("desc", summary(atlas)))
    ):
        element = ElementTree.Element(f"{{{SVG}}}{tag}", {"id": f"map-{tag}"})
        element.text = words
        root.insert(place, element)
    wide, high = (f"{float(side) * 96 / 72:.0f}" for side in root.get("viewBox", "").split()[2:])
    root.attrib |= {"width": wide, "height": high}
    root.attrib |= {"role": "img", "aria-labelledby": "map-title map-desc"}
    return ElementTree.tostring(root, encoding="unicode") + "\n"
