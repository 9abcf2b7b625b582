"""The map as a file: the drawing alone, or a page around it that says the same in tables.

Invariant: neither asks the network for anything, nor runs a script.
"""

from dataclasses import replace
from html import escape
from math import sqrt
from pathlib import Path
from string import Template

from api.picture.draw import Drawing, draw, levels_of, summary
from kg.errors import InputError
from kg.exports import check_file
from kg.personas.atlas import Atlas, Persona
from kg.personas.sentences import percent
from kg.personas.statistics import MIN_PEOPLE

SUFFIXES = (".svg", ".html")
LEAST_Z = 1.96
"""More than by chance: phi times the root of the people is a standard normal figure (95 %)."""

_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 1.5rem auto; padding: 0 1rem; }
figure { margin: 0; overflow-x: auto; }
figure svg { max-width: 100%; min-width: 75rem; height: auto; }
p, table { max-width: 90rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd;
  vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<main>
<figure tabindex="0" aria-label="The map; it scrolls">
$svg
</figure>
<h2>The same in words</h2>
<p>$summary</p>
<table>
<thead><tr><th>no.</th><th>persona</th><th>people</th><th>share</th>
<th>what it is made of, the commonest first (of its people)</th>
<th>shares holders most with (at least $least, and more than by chance)</th></tr></thead>
<tbody>
$rows
</tbody>
</table>
</main>
</body>
</html>
""")


def check_picture(out: Path) -> None:
    """Refuse, before any work, what a picture cannot be written to.

    Raises:
        InputError: another suffix, or not a place for a file.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"Cannot tell the format of {out.name!r} by its suffix.",
            hint=f"One of: {', '.join(SUFFIXES)}.",
            suffix=out.suffix,
        )
    check_file(out)


def picture(atlas: Atlas, workspace: str, suffix: str) -> str:
    """The map as SVG, or as a page with the map and its tables."""
    atlas, workspace = _plain(atlas), workspace.translate(_NO_XML)
    drawing = draw(atlas, workspace)
    if suffix.lower() == ".svg":
        return drawing.svg
    order = sorted(range(len(atlas.personas)), key=lambda place: drawing.numbers[place])
    return _PAGE.substitute(
        title=escape(f"Personas of {workspace}"),
        svg=drawing.svg,
        least=MIN_PEOPLE,
        summary=escape(summary(atlas)),
        rows="\n".join(_row(atlas, drawing, place) for place in order),
    )


_NO_XML = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF], "\ufffd")


def _plain(atlas: Atlas) -> Atlas:
    """The atlas with names and labels that may stand in XML."""
    return replace(
        atlas,
        personas=tuple(_plain_persona(one) for one in atlas.personas),
        types=tuple(
            replace(one, verb=one.verb.translate(_NO_XML), label=one.label.translate(_NO_XML))
            for one in atlas.types
        ),
    )


def _plain_persona(one: Persona) -> Persona:
    return replace(
        one,
        name=one.name.translate(_NO_XML),
        family=one.family.translate(_NO_XML),
        parts=tuple(part.translate(_NO_XML) for part in one.parts),
    )


def _row(atlas: Atlas, drawing: Drawing, place: int) -> str:
    one = atlas.personas[place]
    types = [
        f"{kind.verb} {kind.label} ({kind.people:,} of {one.people:,})"
        for kind in atlas.types
        if kind.persona == place
    ]
    return (
        f'<tr><td class="number">{drawing.numbers[place]}</td><td>{escape(one.name)}<br>'
        f"<small>{escape(one.version_id)} {escape(levels_of(one))}</small></td>"
        f'<td class="number">{one.people:,}</td>'
        f'<td class="number">{percent(one.people / max(atlas.population, 1))}%</td>'
        f"<td>{escape(', '.join(types))}</td><td>{escape(_closest(atlas, place))}</td></tr>"
    )


def _closest(atlas: Atlas, place: int) -> str:
    """The persona whose holders go most with those of this one, if any do more than by chance."""
    found: list[tuple[float, int, str]] = []
    for other, persona in enumerate(atlas.personas):
        value = float(atlas.correlation[place, other])
        in_common, by_chance = _in_common(atlas, place, other)
        if other == place or in_common < MIN_PEOPLE or value * sqrt(atlas.population) < LEAST_Z:
            continue
        words = f"{persona.name} ({in_common:,} people; by chance {by_chance:,.0f})"
        found.append((value, -other, words))
    return max(found)[2] if found else "none"


def _in_common(atlas: Atlas, one: int, other: int) -> tuple[int, float]:
    """How many hold both of two personas, and how many would by chance.

    The correlation is the phi coefficient of the two, of which the counts follow exactly.
    """
    n, m, every = atlas.personas[one].people, atlas.personas[other].people, atlas.population
    by_chance = n * m / every
    spread = sqrt(n * m * (every - n) * (every - m)) / every
    return round(by_chance + float(atlas.correlation[one, other]) * spread), by_chance
