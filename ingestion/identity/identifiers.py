"""How identifiers are written, hashed and found unusable.

Personal values (e-mail, phone, ...) leave this package only as keyed hashes. The hash hides them
from whoever lacks the workspace key; who has the key can still test a guess.
"""

import hmac
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingestion.identity.limits import Form, Junk, Limit, Limits, shipped
from kg.hashing import SEPARATOR

if TYPE_CHECKING:
    import pyarrow as pa

# (pattern, replacement) in order, RE2 syntax; the same form as `ingestion.columns.identifier` gives
# in the engine when it reads a file, so that a person is found by what a source wrote.
_FORMS: dict[Form, tuple[tuple[str, str], ...]] = {
    "trim": (),
    "lower": (),
    "email": ((r"^mailto:|\s", ""),),
    # The extension of a switchboard stays, behind an x: it tells desks apart.
    "phone": (
        (r"~", ""),
        (r"\s*(?:x|[;,]?\s*ext(?:ension)?[.:=]?|#)\s*(\d{1,6})$", r"~\1"),
        (r"[^0-9~]", ""),
        (r"~", "x"),
        (r"^00(\d{10,}(?:x\d+)?)$", r"\1"),
    ),
}


def canonical_values(
    namespace: str, values: "pa.Array", limits: Limits | None = None
) -> "pa.Array":
    """The values of a namespace as they are compared; case and punctuation as its form says,
    national telephone numbers made international where it is known of which country they are.

    Args:
        limits: the workspace's; without them those that come with the product hold.
    """
    import pyarrow.compute as pc

    limits = limits or shipped()
    form: Form = limits.of(namespace).form
    values = pc.utf8_trim_whitespace(pc.utf8_normalize(values, form="NFC"))
    if form != "trim":
        values = pc.utf8_lower(values)
    for pattern, replacement in _FORMS[form]:
        values = pc.replace_substring_regex(values, pattern, replacement)
    if form == "phone" and limits.phone_region:
        return international(values, limits.phone_region)
    return values


def international(values: "pa.Array", region: str) -> "pa.Array":
    """Telephone numbers (digits, `x` and the extension behind them) as they are dialled from
    abroad; what is no number stays.

    Args:
        region: the country that a number without its code is in, e.g. `GB`.
    """
    import pyarrow as pa

    return pa.array([_international(value, region) for value in values.to_pylist()], pa.string())


def _international(digits: str, region: str) -> str:
    import phonenumbers

    for text, home in ((f"+{digits}", None), (digits, region)):
        try:
            number = phonenumbers.parse(text, home)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            found: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            desk = f"x{number.extension}" if number.extension else ""
            return found.removeprefix("+") + desk
    return digits


def canonical_identifier(namespace: str, value: str, limits: Limits | None = None) -> str:
    """One identifier as it is compared: `canonical_identifier("email", " Ann@X.org ")`."""
    import pyarrow as pa

    return str(canonical_values(namespace, pa.array([value]), limits)[0].as_py())


def hash_identifier(key: bytes, namespace: str, value: str, limits: Limits | None = None) -> str:
    """The keyed HMAC-SHA256 (hex) that stands for a personal value."""
    return _digest(key, namespace, canonical_identifier(namespace, value, limits))


def shown_identifier(key: bytes, namespace: str, value: str, limits: Limits) -> str:
    """What `user_identifiers` holds for a value: its hash when personal, else itself."""
    if limits.of(namespace).personal:
        return hash_identifier(key, namespace, value, limits)
    return canonical_identifier(namespace, value, limits)


def shown_values(key: bytes, namespace: str, values: "pa.Array", limits: Limits) -> "pa.Array":
    """`shown_identifier` of canonical values, each distinct one once."""
    return hashed_values(key, namespace, values) if limits.of(namespace).personal else values


def hashed_values(key: bytes, namespace: str, values: "pa.Array") -> "pa.Array":
    """The keyed hashes of canonical values."""
    import pyarrow as pa

    return pa.array([_digest(key, namespace, value) for value in values.to_pylist()], pa.string())


def _digest(key: bytes, namespace: str, canonical: str) -> str:
    return hmac.digest(key, f"{namespace}{SEPARATOR}{canonical}".encode(), "sha256").hex()


def unusable(namespace: str, values: "pa.Array", limits: Limits) -> "pa.Array":
    """Why canonical values name nobody: `junk`, `role_mailbox`, `evidence_only`; null: usable."""
    import pyarrow as pa
    import pyarrow.compute as pc

    limit = limits.of(namespace)
    if not limit.merges:
        return pa.array(["evidence_only"] * len(values), pa.string())
    lowered = pc.utf8_lower(values)
    junk = pc.is_in(lowered, value_set=pa.array(limits.junk.words))
    for pattern in _junk_patterns(limit, limits.junk):
        junk = pc.or_(junk, pc.match_substring_regex(lowered, pattern))
    role = pa.array([False] * len(values))
    if limit.form == "email":
        role = pc.is_in(
            pc.replace_substring_regex(values, "[@+].*$", ""),
            value_set=pa.array(sorted(limits.role_mailboxes)),
        )
    reasons = pc.if_else(role, "role_mailbox", pa.scalar(None, pa.string()))
    return pc.if_else(junk, "junk", reasons)


def _junk_patterns(limit: Limit, junk: Junk) -> Iterator[str]:
    yield from junk.patterns
    if limit.opaque:
        yield from junk.opaque_patterns
    if limit.form == "phone":
        yield from junk.phone_patterns
    if limit.opaque or limit.form == "phone":
        repeated = "|".join(f"[{character}+-]+" for character in junk.placeholder_characters)
        yield f"^(?:{repeated})$"
