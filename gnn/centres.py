"""The centres of groups of texts, so that a text that comes later can join the nearest one.

A group is kept as the mean of the vectors of its distinct texts: no text is, and who deletes one
changes nothing. A text joins the group whose centre is nearest, if it is not farther than almost
all texts of the groups are from their own.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gnn.text import Vectors
from kg.lake.tables import schema_of

WITHIN = 0.99
"""Share of the texts of the groups that are within reach of their own centre."""


def centres(what: str, grouped: Any) -> pa.Table:
    """Rows of the lake's `topic_centres`.

    Args:
        what: `item` or `text`.
        grouped: None, or ((text (r,) of each row, vectors (n, d) of the distinct texts), topics of
            each row per level, the finest last).
    """
    fields = [field for field in schema_of("topic_centres") if field.name != "run_id"]
    if grouped is None:
        return pa.schema(fields).empty_table()
    (text_of_row, vectors), named = grouped
    first = np.unique(text_of_row, return_index=True)[1]
    fine, broad = (np.array(topics, dtype=object)[first] for topics in (named[-1], named[0]))
    names, start, group = np.unique(fine, return_index=True, return_inverse=True)
    means = np.zeros((len(names), vectors.shape[1]))
    np.add.at(means, group.reshape(-1), vectors)
    means /= np.bincount(group.reshape(-1))[:, None]
    away = np.linalg.norm(vectors - means[group.reshape(-1)], axis=1)
    rows = {
        "what": [what] * len(names),
        "topic": names.tolist(),
        "broad": broad[start].tolist(),
        "reach": [float(np.quantile(away, WITHIN))] * len(names),
        "vector": means.astype(np.float32).tolist(),
    }
    return pa.table(rows, schema=pa.schema(fields))


def joined(vectors: Vectors, groups: pa.Table) -> NDArray[np.int64]:
    """Which group each text joins: a row of `topic_centres`, or -1 where none is in reach.

    Shapes: vectors (m, d), groups g rows -> (m,).
    """
    if not len(groups) or not len(vectors):
        return np.full(len(vectors), -1, np.int64)
    from scipy.spatial.distance import cdist

    away = cdist(vectors, np.array(groups["vector"].to_pylist(), np.float32))
    nearest = away.argmin(1)
    is_near = away[np.arange(len(away)), nearest] <= groups["reach"].to_numpy()[nearest] + 1e-6
    return np.asarray(np.where(is_near, nearest, -1), np.int64)
