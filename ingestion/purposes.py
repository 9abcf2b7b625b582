"""What consent is for, in the words that the decision knows.

`E-Mail`, `email_marketing` and `Email` are one purpose, to write to somebody; a denial of it must
not depend on how it is spelled. All other purposes stay the source's own words.
"""

from typing import Any

import ibis

from ingestion.columns import slug
from ingestion.functions import among

EVERY = "all"
"""The purpose of a denial that names none."""

# Ways to reach a person, as they are written -> how the purpose is called.
_WAYS = {
    "email": "email", "e_mail": "email", "mail": "mail", "mailing": "mail", "call": "call",
    "phone": "phone", "phone_call": "phone", "telephone": "phone", "newsletter": "newsletter",
    "post": "post", "postal": "post", "push": "push", "sms": "sms", "text_message": "sms",
}  # fmt: skip
# What is said beside the way without making it another purpose; `email_profiling` is another.
_BESIDE = (
    "marketing|advertising|promotions?|newsletters?|notifications?|messages?|communications?"
    "|contact|subscription|consent|opt_in|opt_out"
)
_CONTACT = rf"^(?:(?:{_BESIDE})_)*({'|'.join(sorted(_WAYS, reverse=True))})s?(?:_(?:{_BESIDE}))*$"


CONTACT = frozenset(_WAYS.values())
"""Purposes about reaching a person, not about making something of their data."""


def decides(purposes: Any) -> Any:
    """Which purposes, as they are kept, are about making something of a person's data."""
    return ~among(purposes.lower(), sorted(CONTACT))


def purpose(text: Any) -> Any:
    """A purpose as it is kept: one of reaching a person by the name of the way."""
    way = slug(text).re_extract(_CONTACT, 1)
    known = [(way == written, name) for written, name in _WAYS.items()]
    return ibis.cases(*known, else_=text)
