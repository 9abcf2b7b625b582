"""Words around numbers."""

_IRREGULAR = {"person": "people", "family": "families"}


def some(count: int, noun: str) -> str:
    """A number of things: `1 persona`, `2,000 families`, `3 people`."""
    return f"{count:,} {noun if count == 1 else _IRREGULAR.get(noun, f'{noun}s')}"
