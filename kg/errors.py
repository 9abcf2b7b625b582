"""The one error tree. Every door maps these five kinds once; nothing else may reach a user.

    PersonagraphError
    |-- InputError      the caller sent something we refuse        422   exit 2
    |   `-- PartlyRead  files could not be read; all others were   422   exit 7
    |-- NotFound        the thing named does not exist             404   exit 3
    |-- Conflict        the state forbids it                       409   exit 4
    |-- NotAllowed      consent, guard or limit forbids it         403   exit 5
    `-- Unavailable     a backend failed; trying again may help    503   exit 6

Messages state the fact (expected, received) in one sentence and never contain personal data.
"""

from typing import Any, ClassVar


class PersonagraphError(Exception):
    """Something a user can act on.

    Args:
        message: one sentence, what is wrong.
        hint: one sentence, what to do about it.
        facts: what a program would want to know, without personal data.
    """

    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.facts = facts


class InputError(PersonagraphError):
    """The caller sent something we refuse."""

    exit_code = 2
    status = 422


class PartlyRead(InputError):  # noqa: N818
    """Some files could not be read; what the others say was worked on, and stays."""

    exit_code = 7


class NotFound(PersonagraphError):  # noqa: N818 - reads as the fact it states
    """The thing named does not exist."""

    exit_code = 3
    status = 404


class Conflict(PersonagraphError):  # noqa: N818
    """The state forbids it."""

    exit_code = 4
    status = 409


class NotAllowed(PersonagraphError):  # noqa: N818
    """Consent, a person's answer, the guard of queries, or a limit forbids it."""

    exit_code = 5
    status = 403


class Unavailable(PersonagraphError):  # noqa: N818
    """A backend failed; trying again may help."""

    exit_code = 6
    status = 503
