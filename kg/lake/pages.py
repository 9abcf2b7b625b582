"""Web pages: the JSON-LD in their `<script>` elements, one object a line.

Nothing else of a page is read and nothing it names is fetched. A script that is no JSON stays a
line, for its reading to say so; a page without any holds no rows.
"""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from kg.lake.lines import whole_text

_TYPE = "application/ld+json"
_LONGEST_PAGE = 64 << 20  # bytes, then its end is not looked at


def page_objects(path: Path, encoding: str) -> Iterator[str]:
    """The objects of a page, each as a line of JSON.

    Raises:
        UnreadableFile: the file cannot be opened or is not text.
    """
    page, size = _Scripts(), 0
    for piece in whole_text(path, encoding):
        page.feed(piece.decode(errors="personagraph.mark"))
        size += len(piece)
        if size > _LONGEST_PAGE:
            break
    page.end()
    for script in page.found:
        yield from _objects(script)


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


class _Scripts(HTMLParser):
    """Collects the texts of scripts that hold JSON-LD."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._inside = False

    def end(self) -> None:
        """The page is over, maybe in the middle of a script."""
        self.close()
        if self._inside:
            self.found[-1] += self.rawdata

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A script begins, or something else."""
        kind = (dict(attrs).get("type") or "").split(";")[0].strip().lower()
        self._inside = tag == "script" and kind == _TYPE
        if self._inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        """It ends."""
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        """A piece of text."""
        if self._inside:
            self.found[-1] += data
