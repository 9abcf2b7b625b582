"""How the personas of one run continue those of the run before; arithmetic over labels, no lake.

What counts are the intents that both runs knew. A persona before and one now are linked when most
of one is in the other, and that part is no crumb: a quarter of the other, or of a persona most of
whose intents both runs knew. (Without the second half, the few strays of a persona whose people
have gone made it "merge" into whoever they fell to.) Links decide: a persona with several links
onward is *split*, one with several links back is *merged*, one with a single link both ways is
*continued*, and one with none is *retired* or *born*. A single link says "the same" only where at
least half of what the two hold on average is shared (F1 >= 1/2, which is Jaccard >= 1/3).

Source: Greene et al. 2010, doi:10.1109/ASONAM.2010.17 (many-to-many matches by Jaccard);
Spiliopoulou et al. 2006, doi:10.1145/1150402.1150491 (MONIC: a half survives, parts of a quarter).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gnn.tensors import Floats, Ints

MOST = 0.5
PART = 0.25
LEAST_ALONE = 1 / 3
LEAST_SHARED = 10
"""Fewer shared intents are an accident."""

UNKNOWN = -2
NOBODY = -1

Kind = Literal["continued", "split", "merged", "born", "retired"]


@dataclass(frozen=True)
class Common:
    """What two runs share, counted in intents that both knew.

    Shapes: k personas before, m now. `shared` (k, m); `before`, `before_all` (k,) known to both
    and all there were; `now`, `now_all` (m,).
    """

    shared: Ints
    before: Ints
    now: Ints
    before_all: Ints
    now_all: Ints

    @property
    def overlap(self) -> Floats:
        """(k, m): intents in both over intents in either (Jaccard)."""
        return jaccard(self.shared, self.before, self.now)


@dataclass(frozen=True)
class Link:
    """One line of a descent; -1 where there is nothing before (born) or now (retired)."""

    before: int
    now: int
    kind: Kind
    overlap: float


def jaccard(shared: Ints, before: Ints, now: Ints) -> Floats:
    """Shapes: shared (k, m), before (k,), now (m,) -> (k, m), 0 where neither has anything."""
    either = before[:, None] + now - shared
    return np.asarray(shared / np.maximum(either, 1))


def common(former: Ints, labels: Ints, before_all: Ints, count: int) -> Common:
    """Count what two runs share.

    Args:
        former: (n,) of each of this run's intents, its persona in the run before: -1 none, -2 the
            run before did not know it.
        labels: (n,) its persona now, -1 none.
        before_all: (k,) all intents of each persona before, known to this run or not.
        count: how many personas there are now.
    """
    known = former != UNKNOWN
    width = count + 1
    cells = (former[known] + 1) * width + labels[known] + 1
    table = np.bincount(cells, minlength=(len(before_all) + 1) * width).reshape(-1, width)
    return Common(
        shared=table[1:, 1:],
        before=table.sum(1)[1:],
        now=table.sum(0)[1:],
        before_all=before_all,
        now_all=np.bincount(labels + 1, minlength=width)[1:],
    )


def linked(both: Common) -> NDArray[np.bool_]:
    """Which personas continue which. -> (k, m)"""
    kept = both.shared / np.maximum(both.before, 1)[:, None]
    drawn = both.shared / np.maximum(both.now, 1)
    is_known_before = both.before >= MOST * both.before_all
    is_known_now = both.now >= MOST * both.now_all
    went = (kept >= MOST) & ((drawn >= PART) | is_known_before[:, None])
    came = (drawn >= MOST) & ((kept >= PART) | is_known_now)
    link = (went | came) & (both.shared >= LEAST_SHARED)
    alone = (link.sum(1) == 1)[:, None] & (link.sum(0) == 1)
    return np.asarray(link & (~alone | (both.overlap >= LEAST_ALONE)))


def keeps(both: Common) -> dict[int, int]:
    """Which persona now takes the id of which before: the larger part, the larger source."""
    from scipy.optimize import linear_sum_assignment

    worth = np.where(linked(both), both.shared, 0)
    rows, columns = linear_sum_assignment(-worth)
    return {int(c): int(r) for r, c in zip(rows, columns, strict=True) if worth[r, c]}


def descend(both: Common) -> list[Link]:
    """All lines between two runs: links, then who is born, then who retired.

    The overlap of who is born or retired is that with the nearest persona of the other run.
    """
    link, overlap = linked(both), both.overlap
    onward, back = link.sum(1), link.sum(0)
    lines = []
    for before, now in np.argwhere(link).tolist():
        kind: Kind = "continued"
        if onward[before] > 1:
            kind = "split"
        elif back[now] > 1:
            kind = "merged"
        lines.append(Link(before, now, kind, float(overlap[before, now])))
    near_now, near_before = overlap.max(0, initial=0), overlap.max(1, initial=0)
    for now in np.flatnonzero(back == 0).tolist():
        lines.append(Link(NOBODY, now, "born", float(near_now[now])))
    for before in np.flatnonzero(onward == 0).tolist():
        lines.append(Link(before, NOBODY, "retired", float(near_before[before])))
    return lines


def again(past: Common, free: NDArray[np.bool_]) -> dict[int, int]:
    """Which of the personas that are born (`free`, (m,)) is one that retired in an earlier run.

    Args:
        past: shared with what each retired persona last held, in intents known then.

    Returns:
        Place now -> place in `past`, where they are the same by more than half.
    """
    from scipy.optimize import linear_sum_assignment

    is_same = (past.overlap >= MOST) & (past.shared >= LEAST_SHARED) & free
    worth = np.where(is_same, past.overlap, 0)
    rows, columns = linear_sum_assignment(-worth)
    return {int(c): int(r) for r, c in zip(rows, columns, strict=True) if worth[r, c] > 0}
