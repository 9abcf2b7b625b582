"""What a business asks of its personas: `personas.yaml` of a workspace.

Invariant: what is read here is what is meant, or an error that names the line. Names of topics,
verbs, channels and campaigns are looked up later, in what the workspace holds (`named`).
"""

import difflib
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from kg.errors import Conflict, InputError
from kg.lake.disk import on_disk
from kg.personas.statistics import MIN_PEOPLE
from kg.written import line_of, yaml_tree

FILE = "personas.yaml"
HINT = "docs/personas.md describes it."
MANNERS = ("channel", "hour", "weekday", "order", "price", "amount")
Manner = Literal["channel", "hour", "weekday", "order", "price", "amount"]


class Model(BaseModel):
    """A part of the file: exactly these keys, with values of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class KeepOut(Model):
    """What must not shape personas: intents by what they are, and manners of all."""

    channels: list[str] = Field(default_factory=list)
    verbs: list[str] = Field(default_factory=list)
    topics: list[str] = Field(default_factory=list)
    manners: list[Manner] = Field(default_factory=list)


class KeepIn(Model):
    """What must shape personas, whether or not it tells anything."""

    manners: list[Manner] = Field(default_factory=list)


class Goal(Model):
    """Something people are meant to do: an intent, an answer to a campaign, or to come again.

    Attributes:
        verb, topic: of the intents that reach it; one alone is enough.
        campaign: that the intents which reach it answer.
        returns_within_days: reached by the next session after a person's first one, when it
            begins so soon.
        keep_out_of_representation: its intents shape no persona, which would else foretell it by
            definition.
    """

    verb: str | None = None
    topic: str | None = None
    campaign: str | None = None
    returns_within_days: int | None = Field(default=None, ge=1, le=3650)
    keep_out_of_representation: bool = True

    @model_validator(mode="after")
    def _one(self) -> Self:
        by_intent = self.verb is not None or self.topic is not None
        if [by_intent, self.campaign is not None, self.is_return].count(True) != 1:
            raise ValueError(
                "a goal is a verb, a topic or both, or a campaign, or returns_within_days"
            )
        if self.is_return and "keep_out_of_representation" in self.model_fields_set:
            raise ValueError(
                "coming again is no intent, so keep_out_of_representation says nothing of it"
            )
        return self

    @property
    def is_return(self) -> bool:
        """Whether it is reached by coming again."""
        return self.returns_within_days is not None

    @property
    def is_outside(self) -> bool:
        """Whether what reaches it shapes no persona."""
        return self.keep_out_of_representation and not self.is_return


class Condition(Model):
    """Intents that a rule asks for: all that is named must be true of each of them.

    Attributes:
        occasions: on how many (no pause over half a day, over all channels) at least.
        within_days: only those so long before the newest event count.
    """

    verb: str | None = None
    topic: str | None = None
    channel: str | None = None
    campaign: str | None = None
    occasions: int = Field(default=1, ge=1)
    within_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any((self.verb, self.topic, self.channel, self.campaign)):
            raise ValueError("a condition names a verb, topic, channel or campaign")
        return self


class Constraints(Model):
    """The whole file; empty: nothing is asked."""

    minimum_people: int | None = None
    minimum_share: float | None = Field(default=None, gt=0, lt=1)
    keep_out: KeepOut = Field(default_factory=KeepOut)
    keep_in: KeepIn = Field(default_factory=KeepIn)
    must_keep: list[str] = Field(default_factory=list)
    goals: dict[str, Goal] = Field(default_factory=dict)
    rules: dict[str, list[Condition]] = Field(default_factory=dict)

    _tree: Any = PrivateAttr(default=None)
    _file: str = PrivateAttr(default=FILE)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.minimum_people is not None and self.minimum_people < MIN_PEOPLE:
            raise ValueError(
                f"minimum_people is {self.minimum_people}, below the floor: "
                f"nothing is said of fewer than {MIN_PEOPLE} people"
            )
        both = sorted({*self.keep_out.manners} & {*self.keep_in.manners})
        if both:
            raise ValueError(f"keep_out and keep_in both name {both[0]}; it can only be in one")
        for part, named in (("goals", self.goals), ("rules", self.rules)):
            if any(not name.strip() for name in named):
                raise ValueError(f"{part} has one without a name")
        empty = [name for name, conditions in self.rules.items() if not conditions]
        if empty:
            raise ValueError(f"the rule {empty[0]!r} has no condition")
        return self

    def at(self, *path: str | int) -> str:
        """Where a part stands, for messages: `personas.yaml, line 12`."""
        return self._file if self._tree is None else f"{self._file}, line {self._line(path)}"

    def _line(self, path: tuple[str | int, ...]) -> int:
        return line_of(self._tree, path)

    @property
    def shaping(self) -> dict[str, Any]:
        """What of it decides which personas there are: part of that step's id."""
        told = self._told({"minimum_people", "minimum_share", "keep_out", "keep_in", "must_keep"})
        goals = {name: goal for name, goal in self.goals.items() if goal.is_outside}
        if goals:
            told["goals"] = {
                name: goal.model_dump(exclude_defaults=True) for name, goal in goals.items()
            }
        return told

    @property
    def aims(self) -> dict[str, Any]:
        """The goals, for the id of the step that looks who reached them."""
        return self._told({"goals"})

    @property
    def own_rules(self) -> dict[str, Any]:
        """The rules, for the id of the step that looks who meets them."""
        return self._told({"rules"})

    def _told(self, parts: set[str]) -> dict[str, Any]:
        return self.model_dump(mode="json", include=parts, exclude_defaults=True)


def read(workspace: Path) -> Constraints:
    """What a workspace's own file asks; nothing where there is none.

    Raises:
        InputError: it is not what docs/personas.md describes; the message names the line.
    """
    path = workspace / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Constraints()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"{FILE} cannot be read: {why.lower()}.", hint=HINT) from error
    return parse(text)


def parse(text: str, name: str = FILE) -> Constraints:
    """Read the text of such a file; a file of comments asks nothing."""
    tree = yaml_tree(text, name, HINT)
    if tree is None:
        return Constraints()
    if not isinstance(tree, Mapping):
        raise InputError(
            f"{name}, line 1: expected keys such as keep_out and goals, received none.", hint=HINT
        )
    try:
        found = Constraints.model_validate(tree)
    except ValidationError as error:
        raise _explained(error, tree, name) from error
    found._tree, found._file = tree, name
    return found


def _explained(error: ValidationError, tree: Any, name: str) -> InputError:
    first = error.errors()[0]
    path = tuple(first["loc"])
    message, hint = first["msg"].removeprefix("Value error, "), HINT
    message = message.replace("Input should be", "it should be")
    if first["type"] == "extra_forbidden":
        message = f"{path[-1]!r} is not a key here"
        hint = _near(str(path[-1]), _keys(path)) or hint
    elif first["type"] == "literal_error":
        message = f"{first['input']!r} is no manner"
        hint = _near(str(first["input"]), get_args(Manner)) or hint
    elif expected := _EXPECTED.get(first["type"]):
        message = f"expected {expected}, received {reprlib.repr(first['input'])}"
    elif message.startswith(("minimum_people ", "keep_out ", "goals ", "rules ")):
        path = (message.split()[0],)
    where = ".".join(str(part) for part in path) or "the file"
    line = line_of(tree, path)
    return InputError(f"{name}, line {line}: {message} ({where}).", hint=hint, line=line)


_EXPECTED = {
    "string_type": "a name (in quotation marks, where it is a number)",
    "int_type": "a whole number",
    "float_type": "a number (0.05 for 5 %)",
    "bool_type": "true or false",
    "list_type": "a list, [a, b]",
    "dict_type": "names with what each asks, {name: …}",
    "model_type": "keys with values, {key: value}",
}
"""What a value of another type should have been, in words."""

_PARTS: dict[str, type[Model]] = {
    "keep_out": KeepOut,
    "keep_in": KeepIn,
    "goals": Goal,
    "rules": Condition,
}


def _keys(path: tuple[Any, ...]) -> list[str]:
    model = _PARTS.get(str(path[0]), Constraints) if len(path) > 1 else Constraints
    return list(model.model_fields)


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."


def write_default(workspace: Path) -> Path:
    """Write the commented file that asks nothing yet; where.

    Raises:
        Conflict: there is one already. Unavailable: the disk refuses.
    """
    path = workspace / FILE
    with on_disk(path):
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(DEFAULT)
        except FileExistsError:
            raise Conflict(
                f"{path} is there already.", hint="Edit it, or move it away first."
            ) from None
    return path


DEFAULT = f"""\
# What the business asks of its personas. Everything is optional; a line that begins with # asks
# nothing. The next `personagraph run` follows; `personagraph personas constraints` says what holds.

# Personas that fewer people hold are dropped. Never below {MIN_PEOPLE} people.
# minimum_people: 50
# minimum_share: 0.01          # of all people with an intent

# What must not shape personas. Intents of these channels, verbs and topics (an id, a label or a
# category with all below it) belong to no persona, and no claim speaks of them; a manner is not
# looked at. Manners: {", ".join(MANNERS)}.
# keep_out:
#   channels: [survey]
#   verbs: [returned]
#   topics: [Baby]
#   manners: [hour]

# Manners that must be looked at, even where they seem to tell nothing.
# keep_in:
#   manners: [price]

# Personas that go on, found again or not: what a search does not find itself competes by the rule
# that it had, and is marked as kept by the business, with what speaks against it.
# must_keep: [p_0a1b2c3d]

# What people are meant to do: an intent (verb, topic or both), an answer to a campaign, or to come
# again. Each persona says how many of its people get there. The intents of a goal shape no persona,
# unless you say keep_out_of_representation: false.
# goals:
#   activation: {{verb: used}}
#   conversion: {{verb: bought, topic: Crafts}}
#   retention: {{returns_within_days: 30}}
#   spring mail: {{campaign: spring-2026}}

# Personas by rule, beside the found ones (`personagraph personas compare`). All conditions must be
# met. An occasion is what a person does with no pause over half a day; within_days counts back from
# the newest event.
# rules:
#   Regular crafters:
#     - {{verb: bought, topic: Crafts, occasions: 2, within_days: 180}}
#     - {{channel: app}}
"""
