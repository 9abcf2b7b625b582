"""XML feeds (RSS, Atom): each `item` or `entry` becomes one line of JSON.

An element becomes a field by its local name, so that `g:price` of a product feed is `price`; where
a feed's own element and one of an extension bear the same name, the extension's counts. Elements
that come several times are a list, those with elements inside an object. A feed is whole or it is
not read at all. A document type is refused, and with it every entity: nothing is fetched, nothing
expanded. No engine reads XML, so this is the one place that goes element by element.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from kg.lake.lines import UnreadableFile, opened

_OWN = ("", "http://www.w3.org/2005/Atom", "http://purl.org/rss/1.0/")  # of feeds themselves
_ROWS = {f"{{{space}}}{name}" if space else name for space in _OWN for name in ("item", "entry")}
_ROOTS = {"rss", "feed", "RDF"}
_NO_FEED = "this XML is no feed: it is neither RSS nor Atom"
_DEEPEST = 3  # of elements inside an item; below them is text


def feed_items(path: Path) -> Iterator[str]:
    """The items of a feed, each as a JSON object on one line.

    Raises:
        UnreadableFile: it is no whole feed, or declares a document type.
    """
    try:
        with opened(path) as file:
            yield from _items(file)
    except DefusedXmlException as error:
        message = "it declares a document type or entities, which are not read"
        raise UnreadableFile("foreign", message) from error
    except (ParseError, LookupError, ValueError) as error:
        raise UnreadableFile("unreadable", "this is not a whole XML feed") from error


def refuse_broken_feed(path: Path) -> None:
    """Read a feed to its end; XML that is none is not looked at any further.

    Raises:
        UnreadableFile: it is not whole, or declares a document type.
    """
    try:
        for _ in feed_items(path):
            pass
    except UnreadableFile as error:
        if error.detail != _NO_FEED:
            raise UnreadableFile("unreadable", error.detail) from error


def _items(file: Any) -> Iterator[str]:
    above: list[Element] = []
    for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            if not above and _local(element) not in _ROOTS:
                raise UnreadableFile("foreign", _NO_FEED)
            above.append(element)
            continue
        above.pop()
        if any(one.tag in _ROWS for one in above[:3]):
            continue  # a part of an item
        if element.tag in _ROWS:
            yield json.dumps(_object(element, _DEEPEST), ensure_ascii=False)
        if above:
            above[-1].remove(element)  # it has been told; a feed need not fit into memory


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _object(element: Element, depth: int) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    foreign: dict[str, list[Any]] = {}
    for child in element:
        space = str(child.tag).rpartition("}")[0].removeprefix("{")
        own = found if space in _OWN else foreign
        own.setdefault(_local(child), []).append(_value(child, depth - 1))
    both = {**found, **foreign}
    return {name: values[0] if len(values) == 1 else values for name, values in both.items()}


def _value(element: Element, depth: int) -> Any:
    if len(element) and depth:
        return _object(element, depth)
    text = (element.text or "").strip()
    return text or element.get("href") or element.get("term")
