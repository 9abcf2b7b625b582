"""What is known of a table, and what its rows therefore are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ingestion.propose.meanings import Meaning, counted, is_named_as_id, says, snake, words
from ingestion.propose.profiles import YES_NO, Column, Profile
from ingestion.propose.relations import Group, Id
from ingestion.shipped import mostly
from kg.words import some

FEW = 50  # values that can be looked at one by one, or describe people
_FEWEST = 5  # people, so that a column may name them
_NEARLY = 0.9  # of the rows have an id of their own: a list of people, with some in it twice


@dataclass
class Seen:
    """What is known of one table when its draft is written."""

    place: int
    label: str
    profile: Profile
    meanings: dict[str, Meaning]
    groups: dict[str, Group]  # id column -> the ids it holds
    kind: str = ""
    reason: str = ""
    used: list[str] = field(default_factory=list)
    questions: "tuple[Seen, Column] | None" = None  # the list of what its columns ask
    guess: str = ""  # the column that may name the people, where nothing else does
    others: frozenset[str] = frozenset()  # columns that name somebody else than whom rows are about

    def named(self, what: str, detail: str | None = None) -> list[Column]:
        """The columns of a meaning, in their order."""
        return [
            self.profile.columns[name]
            for name, one in self.meanings.items()
            if one.what == what and detail in {None, one.detail} and name not in self.others
        ]

    def ids(self, entity: str) -> list[Column]:
        """The id columns of an entity."""
        named = [n for n in self.groups if self.entity_of(n) == entity and n not in self.others]
        return [self.profile.columns[n] for n in named]

    def entity_of(self, name: str) -> str:
        """What an id column is of; one of a person that is another in every row, and that no other
        table knows, is the row's own where somebody else is named as well."""
        group = self.groups[name]
        alone = len(group.ids) == 1 and self.profile.columns[name].is_unique
        others = [n for n, one in self.groups.items() if n != name and one.entity == "person"]
        known = any(len(self.groups[n].ids) > 1 for n in others)
        known = known or (not self.meanings[name].detail and self._people_come_again)
        return "act" if group.entity == "person" and alone and known else group.entity

    @property
    def _people_come_again(self) -> bool:
        """Whether people are named by addresses that come again, each time at a time."""
        addresses = self.named("email") or self.named("phone")
        again = [c for c in addresses if c.distinct < _NEARLY * c.given]
        return bool(again and self.named("time", "at"))

    @property
    def titles(self) -> list[Column]:
        """What could be the name of an item."""
        found = self.named("title")
        return found or ([] if self.names_people else self.named("person", "name"))

    @property
    def names_people(self) -> bool:
        """Whether a column names a person."""
        return bool(self.ids("person") or self.named("email") or self.named("phone"))

    def take(self, column: Column) -> str:
        """A column that is used in the draft."""
        self.used.append(column.name)
        return column.name


def decide(seen: Seen, tables: Sequence[Seen]) -> None:
    """Say what the rows are, and why."""
    seen.others = _others(seen)
    if not seen.names_people and (guess := _guess(seen, tables)) is not None:
        seen.guess = guess.name
        mine = seen.groups.get(guess.name) or _alone(seen, guess)
        seen.groups[guess.name] = replace(mine, entity="person")
    seen.questions = next(_question_lists(seen, tables), None)
    if seen.questions is not None:
        listed = seen.questions[0].profile.files[0]
        seen.kind, seen.reason = "survey", f"{listed} lists its columns as questions"
    elif any(seen is one for other in tables for one, _ in _question_lists(other, tables)):
        seen.kind, seen.reason = "questions", "a list of questions"
    else:
        seen.kind, seen.reason = _kind(seen)


def _guess(seen: Seen, tables: Sequence[Seen]) -> Column | None:
    """What may name the people of a table that has times and names nobody, and comes again and
    again: what is called so, or where no table names anybody an id of which nothing says whose it
    is (beside people it is rather that of a station or a machine)."""
    if not any(is_main(seen, c) for c in seen.named("time")):
        return None
    named = [c for c in seen.profile.columns.values() if says(c.name, words()["perhaps"])]
    named.sort(key=lambda c: c.name not in seen.groups)
    known = any(one.names_people and not one.guess for one in tables)
    unknown = [] if known or seen.ids("item") or seen.ids("basket") else seen.ids("")
    return next((c for c in (*named, *unknown) if _comes_again(c)), None)


def _comes_again(column: Column) -> bool:
    """Whether a column names at least a few things, each in several rows."""
    often = _FEWEST <= column.distinct < _NEARLY * column.given
    return often and column.given >= 0.5 * column.rows and column.share(column.sentences) < 0.1


def _alone(seen: Seen, column: Column) -> Group:
    """The group of a column that was taken for no id."""
    one = Id(seen.place, column, "person", snake(column.name))
    seen.meanings[column.name] = Meaning("id", counted(column), "", one.namespace)
    return Group((one,), "person", one.namespace)


def is_of_others(name: str) -> bool:
    """Whether a column is called as one of staff, of a third party or of a place."""
    is_place = says(name, words()["places"]) and not says(name, words()["entities"]["person"])
    return is_place or says(name, words()["others"])


def _others(seen: Seen) -> frozenset[str]:
    """The columns that name staff or third parties; where all do, all but the one that is likeliest
    to be of whom the rows are about."""
    people = [*seen.ids("person"), *seen.named("email"), *seen.named("phone")]
    others = [c.name for c in people if is_of_others(c.name)]
    if len(others) == len(people):
        others.sort(key=lambda name: not says(name, words()["entities"]["person"]))
        others = others[1:]
    return frozenset(others)


def _question_lists(seen: Seen, tables: Sequence[Seen]) -> Iterator[tuple[Seen, Column]]:
    """Tables with a column whose values are names of columns here."""
    names = {name.casefold() for name in seen.profile.columns}
    for other in tables:
        for column in other.profile.columns.values():
            asked = {value.casefold() for value in column.values} & names
            if other is not seen and column.is_unique and len(asked) >= max(2, column.given // 2):
                yield other, column


def _kind(seen: Seen) -> tuple[str, str]:
    people, times = seen.names_people, [c for c in seen.named("time") if is_main(seen, c)]
    items, campaigns = seen.ids("item"), seen.ids("campaign")
    rows = seen.profile.rows
    if people and consent_columns(seen):
        return "consent", "a person, a purpose and a yes or no in each row"
    own = [c for c in (*seen.ids("person"), *seen.named("email")) if c.is_unique]
    if own and not items and not campaigns and not _says_what_was_done(seen):
        return "profile", f"{own[0].name} is another in each of {some(rows, 'row')}"
    if not _does_something(seen) and (listed := listed_people(seen)) is not None:
        return "profile", f"{listed.name} is another in nearly each of {some(rows, 'row')}"
    if people and (times or campaigns):
        who = (*seen.ids("person"), *seen.named("email"), *seen.named("phone"))[0]
        per = who.given / who.distinct if who.distinct else 0.0
        when = f"at a time ({times[0].name})" if times else "and a campaign"
        return "event", f"somebody ({who.name}, {per:.1f} rows each) {when}"
    if campaigns and campaigns[0].is_unique:
        return "campaign", f"{campaigns[0].name} is another in each of {some(rows, 'row')}"
    if items and items[0].is_unique and not people:
        return "item", f"{items[0].name} is another in each of {some(rows, 'row')}"
    if times and (items or seen.ids("basket")):
        return "event", "items or baskets at a time; nobody is named"
    if people and (others := seen.named("time")):
        told = f"({others[0].name}) is not when something was done"
        return "ignore", f"it names people, but nothing that they did: its time {told}"
    if people:
        return "ignore", "it names people, but no time"
    if len(seen.named("person")) >= 2:
        return "ignore", "it describes people, but has no id or address to name them by"
    if times:
        return "ignore", "it has times, but no column that tells people apart"
    return "ignore", "it names neither a person nor a time"


def may_be_deeds(seen: Seen) -> bool:
    """Whether rows that are to be ignored may be of people after all: they have times, and ids that
    come again."""
    columns = seen.profile.columns.values()
    return bool(seen.named("time")) and any(is_named_as_id(c) and _comes_again(c) for c in columns)


def _says_what_was_done(seen: Seen) -> bool:
    """Whether each row names a deed and when it was done: of people who came but once each has one,
    as in a list of people."""
    times = {seen.meanings[column.name].detail for column in seen.named("time")}
    return bool(seen.named("verb")) and "at" in times


def _does_something(seen: Seen) -> bool:
    """Whether the rows have what only deeds have: items, baskets, campaigns, amounts, texts."""
    ids = [column for entity in ("item", "basket", "campaign") for column in seen.ids(entity)]
    said = [column for what in ("value", "price", "quantity", "score", "text", "verb")
            for column in seen.named(what)]  # fmt: skip
    return bool(ids or said)


def listed_people(seen: Seen) -> Column | None:
    """The id of people that nearly every row has to itself."""
    times = {seen.meanings[c.name].detail for c in seen.named("time")}
    for column in seen.ids("person"):
        if column.distinct >= _NEARLY * seen.profile.rows and "at" not in times:
            return column
    return None


def is_main(seen: Seen, column: Column) -> bool:
    return seen.meanings[column.name].detail in {"at", "created", "starts"}


def consent_columns(seen: Seen) -> tuple[Column, Column] | None:
    few = [c for c in seen.profile.columns.values() if 1 <= c.distinct <= 20]
    purposes = [c for c in few if says(c.name, words()["purpose"]) and not c.is_number]
    granted = [c for c in few if says(c.name, words()["granted"]) and _is_answer(c)]
    granted = [c for c in granted if c not in purposes]
    is_small = len(seen.profile.columns) <= 10
    return (purposes[0], granted[0]) if purposes and granted and is_small else None


_DENIALS = {"no", "false", "n", "0", "denied", "opted_out", "opt-out", "opted out", "opt out",
            "opted-out", "withdrawn", "unsubscribed", "refused", "revoked", "rejected", "declined",
            "objected", "nein", "widerrufen", "abgelehnt", "verweigert", "non", "refusé", "retiré",
            "denegado", "retirado"}  # fmt: skip
_ANSWERS = {*YES_NO, *_DENIALS, "granted", "opted_in", "opt-in", "subscribed", "allowed",
            "opted in", "opt in", "opted-in", "given", "accepted", "ja", "erteilt", "oui",
            "accordé", "sí", "si", "concedido"}  # fmt: skip


def _is_answer(column: Column) -> bool:
    """Whether a column holds words for yes and no; one of at least three may be another."""
    known = [value for value in column.values if value.casefold() in _ANSWERS]
    return bool(known) and mostly(len(known), len(column.values))


def answers(column: Column) -> tuple[list[str], list[str], list[str]]:
    """The words of a column for yes, for no, and those that are for neither."""
    folded = {value: value.casefold() for value in column.values}
    no = [value for value, word in folded.items() if word in _DENIALS]
    other = [value for value, word in folded.items() if word not in _ANSWERS]
    return [value for value in folded if value not in {*no, *other}], no, other
