"""What a run says of its steps."""

from typing import Any

from api.cli.notes import WARNING, notes

SAID = {
    "records": 900, "people": 262, "denied": 0, "blocked": [], "cut": [], "evidence": {},
    "reviews": 0,
}  # fmt: skip


class _Told:
    """A lake of which only one step has said something."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said

    def summary(self, step: str) -> dict[str, Any]:
        return self.said if step == "identity" else {}


def test_far_fewer_people_than_ids_are_warned_of() -> None:
    gathered = [{"namespace": "customer", "values": 700, "people": 262}]
    first, warned = notes(_Told(SAID | {"gathered": gathered}))
    assert first == "900 records turned out to be about 262 people."
    assert warned.startswith(f"{WARNING}700 values of customer became only 262 people.")
    assert notes(_Told(SAID)) == [first]
