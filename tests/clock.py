"""Hour and weekday of intents that a test makes up, by a clock in UTC."""

import pyarrow as pa

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def with_clock(intents: pa.Table) -> pa.Table:
    """Rows of `intents` with the hour and weekday of `started_at_ms`."""
    at = intents["started_at_ms"].to_numpy()
    for name, values in (("hour", at % DAY_MS // HOUR_MS), ("weekday", (at // DAY_MS + 3) % 7)):
        intents = intents.append_column(name, pa.array(values, pa.int32()))
    return intents
