"""Free text, before anything is stored: what could name a person is masked."""

from typing import Any

from ingestion.functions import regexp_replace

_MASKS = (
    ("<email>", r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)+"),
    ("<card>", r"\b\d(?:[ \-]?\d){12,18}\b"),
    ("<phone>", r"(\+|\b00)\d[\d .\-/()]{6,18}\d(\s?(x|ext\.?)\s?\d+)?"),
    ("<phone>", r"\(?\b\d{3}\)?[ .\-]?\d{3}[ .\-]?\d{4}(\s?(x|ext\.?)\s?\d+)?\b"),
    ("<phone>", r"\b0\d{2,4}[ .\-/]\d{3,}([ .\-/]?\d{2,})*\b"),
)


def scrub(text: Any) -> Any:
    """E-mail addresses, card and phone numbers in an Ibis text column, masked.

    Not guaranteed: names, postal addresses and numbers written in words stay.
    """
    for mask, pattern in _MASKS:
        text = regexp_replace(text, pattern, mask, "g")
    return text
