"""Web pages: the JSON-LD in their `<script>` elements, one object a line.

Nothing else of a page is read and nothing it names is fetched. A script that is no JSON stays a
line, for its reading to say so; a page without any holds no rows. Only comments and scripts are
told apart, in one pass: `html.parser` takes time quadratic in the size of a page that is made for
it (two and a half seconds for 80 KB of `<!--`).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from kg.lake.lines import whole_text

_LONGEST_PAGE = 64 << 20  # bytes; what comes after is not looked at
_OPENS = re.compile(r"<!--|<script\b([^<>]*)>", re.IGNORECASE)
_CLOSES = re.compile(r"</script", re.IGNORECASE)
_JSON_LD = re.compile(r"\btype\s*=\s*[\"']?\s*application/ld\+json\s*([\"';\s]|$)", re.IGNORECASE)


def page_objects(path: Path, encoding: str) -> Iterator[str]:
    """The objects of a page, each as a line of JSON.

    Raises:
        UnreadableFile: the file cannot be opened or is not text.
    """
    pieces, size = [], 0
    for piece in whole_text(path, encoding):
        pieces.append(piece)
        size += len(piece)
        if size > _LONGEST_PAGE:
            break
    for script in _scripts(b"".join(pieces).decode(errors="personagraph.mark")):
        yield from _objects(script)


def _scripts(page: str) -> Iterator[str]:
    """The texts of the scripts that hold JSON-LD; one that is never closed goes to the end."""
    at = 0
    while opened := _OPENS.search(page, at):
        attributes, begin = opened[1], opened.end()
        if attributes is None:
            end = page.find("-->", begin)
        else:
            closed = _CLOSES.search(page, begin)
            end = closed.start() if closed else -1
            if _JSON_LD.search(attributes):
                yield page[begin : end if end >= 0 else len(page)]
        if end < 0:
            return
        at = end


def _objects(script: str) -> Iterator[str]:
    text = script.strip()
    if text.startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list):
            yield from (json.dumps(one, ensure_ascii=False) for one in listed)
            return
    if text:
        yield text
