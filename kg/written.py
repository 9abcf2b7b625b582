"""What people write: texts that no table can hold are refused; YAML, and on which line of it.

Invariant: what is let in here can be put into SQL, JSON and Parquet.
"""

import re
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from kg.errors import InputError

_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
_ITSELF = "Write every character as itself, in UTF-8, and no NUL."

_Named = TypeVar("_Named", str, Path)


def storable(name: _Named) -> _Named:
    """What somebody types or sends as a name, as it is.

    Raises:
        InputError: it holds NUL or half of a character (what is not UTF-8 arrives so).
    """
    if _UNSTORABLE.search(str(name)):
        raise InputError("A name holds NUL, or bytes that are no character.", hint=_ITSELF)
    return name


def yaml_tree(text: str, name: str, hint: str) -> Any:
    """What a text says, with the lines it says it on (see `line_of`).

    Args:
        name: of the file, for messages.
        hint: where the file is described.

    Raises:
        InputError: it is not YAML, or a text in it is not `storable`; the message names the line.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return _yaml(name).load(StringIO(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = " ".join(str(error.problem).split())
        raise InputError(
            f"{name}, line {line}: this is not YAML: {problem}.", hint=hint, line=line
        ) from error
    except (YAMLError, RecursionError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(f"{name} is not YAML that can be read: {first}.", hint=hint) from error


def _yaml(name: str) -> Any:
    """A reader of YAML that looks at every text as it stands, keys included."""
    from ruamel.yaml import YAML
    from ruamel.yaml.composer import Composer

    class Looking(Composer):
        def compose_scalar_node(self, anchor: Any) -> Any:
            node = super().compose_scalar_node(anchor)
            if _UNSTORABLE.search(node.value):
                line = node.start_mark.line + 1
                raise InputError(
                    f"{name}, line {line}: a text holds NUL or half of a character.",
                    hint=_ITSELF,
                    line=line,
                )
            return node

    yaml = YAML(typ="rt")
    yaml.Composer = Looking
    return yaml


def line_of(tree: Any, path: tuple[Any, ...]) -> int:
    """The line (1-based) on which a part of a tree stands; of what is missing, its owner's."""
    line = 0
    node: Any = tree
    for part in path:
        try:
            find = node.lc.key if hasattr(node, "keys") else node.lc.item
            line = find(part)[0]
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            continue  # pydantic's own names for a choice, or a key that is missing
    return line + 1
