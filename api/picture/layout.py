"""Where things lie on a map of personas: islands of bubbles, and the tree of who is held together.

Invariant: places follow from the counts alone, so the same atlas gives the same map. Personas lie
near each other when they are about the same; within an island a bubble leans towards the personas
that have its type as well. Bubbles, islands and the signs above islands never overlap.

Source: Borg and Groenen 2005, doi:10.1007/0-387-28981-X (multidimensional scaling); Bar-Joseph et
al. 2001, doi:10.1093/bioinformatics/17.suppl_1.S22 (order of the leaves).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.personas.atlas import Atlas

Floats = NDArray[np.float64]
GAP = 0.06
"""Between bubbles, in radii of the largest one."""

SHORE = 0.3
"""Between the outermost bubble and the edge of its island, in the same."""

LEAST_ISLAND = 0.6
STRAIT = 0.2
ROUNDS = 400


@dataclass(frozen=True)
class Layout:
    """Places on the map; the largest bubble has radius 1.

    Shapes: k personas, t types: islands (k, 2), island_radii (k,), bubbles (t, 2), radii (t,).
    """

    islands: Floats
    island_radii: Floats
    bubbles: Floats
    radii: Floats


def layout(atlas: Atlas, signs: Floats) -> Layout:
    """Place every persona and type of an atlas that has a persona at least.

    Shapes: signs (k, 2), how wide and high what stands on top of each island is; the largest
        bubble has radius 1.
    """
    people = np.array([kind.people for kind in atlas.types], float)
    radii = np.sqrt(people / people.max()) if len(people) else people
    owner = np.array([kind.persona for kind in atlas.types], np.int64)
    wanted = _scaled(atlas.likeness)
    bubbles = np.zeros((len(radii), 2))
    sizes = np.full(len(atlas.personas), LEAST_ISLAND)
    lean = _leaning(atlas, wanted)
    for persona in range(len(atlas.personas)):
        mine = np.flatnonzero(owner == persona)
        if len(mine):
            bubbles[mine], sizes[persona] = _packed(radii[mine], lean[mine])
    reach = _around(sizes, signs)
    islands = _apart(wanted * sizes.mean() * 3, reach + STRAIT) - np.stack(
        [0 * reach, reach - sizes], 1
    )
    return Layout(islands, sizes, bubbles + islands[owner] if len(owner) else bubbles, radii)


def _scaled(likeness: Floats) -> Floats:
    """(k, k) -> (k, 2) about the middle, the farthest at 1."""
    count = len(likeness)
    if count < 3:
        return np.array([[-0.5, 0.0], [0.5, 0.0]])[:count] if count == 2 else np.zeros((count, 2))
    from sklearn.manifold import MDS

    distance = np.clip(1 - likeness, 0, None)
    distance = (distance + distance.T) / 2
    np.fill_diagonal(distance, 0)
    scaling = MDS(metric="precomputed", init="classical_mds", n_init=1, normalized_stress=False)
    found = scaling.fit_transform(distance)
    found = found - found.mean(0)
    found = found * np.where(found[np.abs(found).argmax(0), [0, 1]] < 0, -1, 1)
    return np.asarray(found / max(float(np.sqrt((found**2).sum(1)).max()), 1e-9))


def _leaning(atlas: Atlas, wanted: Floats) -> Floats:
    """(t, 2): from its own persona towards the others that have the type, by their people."""
    lean = np.zeros((len(atlas.types), 2))
    for place, kind in enumerate(atlas.types):
        weight = np.array(kind.elsewhere, float)
        weight /= max(weight.sum(), 1)
        lean[place] = (weight[:, None] * (wanted - wanted[kind.persona])).sum(0)
    return lean


def _packed(radii: Floats, lean: Floats) -> tuple[Floats, float]:
    """Bubbles (t, 2) around the middle without overlap, and the radius of their island."""
    reach = float(np.sqrt((radii**2).sum()))
    # A spiral to begin with, the largest inside, so that no two start in one place.
    turn = np.arange(len(radii)) * np.pi * (3 - np.sqrt(5))
    spiral = np.stack([np.cos(turn), np.sin(turn)], 1)
    place = reach * lean + spiral * np.sqrt(np.arange(len(radii)))[:, None] * 0.6
    place = _apart(place, radii + GAP / 2)
    middle = (place.max(0) + place.min(0)) / 2
    place = place - middle
    return place, float((np.sqrt((place**2).sum(1)) + radii).max()) + SHORE


def _apart(place: Floats, radii: Floats) -> Floats:
    """Circles drawn towards the middle as far as they do not overlap."""
    for step in range(ROUNDS):
        place = _pushed(place * (1 - 0.03 * (1 - step / ROUNDS)), radii)
    for _ in range(20 * ROUNDS):
        moved = _pushed(place, radii)
        if np.abs(moved - place).max(initial=0) < 1e-4:
            break
        place = moved
    return place


def _around(radii: Floats, signs: Floats) -> Floats:
    """The radii (k,) of circles, with their lowest points in common, around islands with signs."""
    high = 2 * radii + signs[:, 1]
    return np.asarray((high**2 + (signs[:, 0] / 2) ** 2) / (2 * high))


def _pushed(place: Floats, radii: Floats) -> Floats:
    """Each two circles that overlap moved apart by half of it."""
    apart = place[:, None] - place
    distance = np.sqrt((apart**2).sum(2))
    overlap = np.clip(radii[:, None] + radii - distance, 0, None)
    np.fill_diagonal(overlap, 0)
    way = apart / np.maximum(distance, 1e-9)[:, :, None]
    return np.asarray(place + (way * overlap[:, :, None]).sum(1) * 0.5)


@dataclass(frozen=True)
class Tree:
    """Personas joined by who holds them.

    Attributes:
        order: personas from top to bottom.
        joins: one per join, from the closest: (upper row, lower row, upper correlation, lower
            correlation, correlation of the join); leaves have correlation 1.
    """

    order: tuple[int, ...]
    joins: tuple[tuple[float, float, float, float, float], ...]


def tree(correlation: Floats) -> Tree:
    """Average linkage of one minus the correlation of the holders, most alike beside each other."""
    count = len(correlation)
    if count < 2:
        return Tree(tuple(range(count)), ())
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distance = np.clip(1 - (correlation + correlation.T) / 2, 0, None)
    np.fill_diagonal(distance, 0)
    joined = linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    order = [int(leaf) for leaf in leaves_list(joined)]
    row = {leaf: float(place) for place, leaf in enumerate(order)}
    height = dict.fromkeys(range(count), 1.0)
    joins = []
    for place, (one, other, apart, _) in enumerate(joined):
        above, below = sorted((int(one), int(other)), key=lambda node: row[node])
        here = float(1 - apart)
        joins.append((row[above], row[below], height[above], height[below], here))
        row[count + place], height[count + place] = (row[above] + row[below]) / 2, here
    return Tree(tuple(order), tuple(joins))
