"""YAML that people write: what it says, and on which line of it something stands."""

from io import StringIO
from typing import Any

from kg.errors import InputError


def yaml_tree(text: str, name: str, hint: str) -> Any:
    """What a text says, with the lines it says it on (see `line_of`).

    Args:
        name: of the file, for messages.
        hint: where the file is described.

    Raises:
        InputError: it is not YAML; the message names the line.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="rt").load(StringIO(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = " ".join(str(error.problem).split())
        raise InputError(
            f"{name}, line {line}: this is not YAML: {problem}.", hint=hint, line=line
        ) from error
    except (YAMLError, RecursionError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(f"{name} is not YAML that can be read: {first}.", hint=hint) from error


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
