"""What people type: `--set key=value` as values, ids and their near misses, numbers as YAML 1.2 reads them."""

import difflib
import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from nlp_gym_envs.errors import BadArgument, UnknownName


class Values(yaml.SafeLoader):
    """YAML's core schema: `no` is a text and not false, 1e-3 is a number, and there are no dates; `<<` merges."""

    yaml_implicit_resolvers = {}


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("merge", r"<<", ["<"]),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)", list("-+0123456789.")),
):
    Values.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return int(node.value)  # YAML 1.1 would read 010 as eight


Values.add_constructor("tag:yaml.org,2002:int", _number)


def settings(given: Iterable[str] | None, option: str = "--set") -> dict[str, Any]:
    """`["chunk=5", "columns={text: review}"]` as a dict. Raises BadArgument for what does not read `key=value`."""
    found: dict[str, Any] = {}
    for pair in given or ():
        key, equals, text = pair.partition("=")
        if not equals or not key.isidentifier():
            raise BadArgument(f"{option} takes key=value, as in {option} {_EXAMPLES[option]}; got {pair!r}.")
        if key in found:
            raise BadArgument(f"{option} {key} is given twice: {found[key]!r}, and {text}.")
        try:
            value = yaml.load(text, Values)
        except yaml.YAMLError as error:
            where = getattr(error, "problem", None) or " ".join(str(error).split())
            raise BadArgument(
                f"{option} {key}: {text!r} is no YAML value ({where}). A text with : or braces in it needs quotes "
                f"inside the shell's, as in {option} '{key}=\"a: b\"'."
            ) from error
        found[key] = _absolute(value) if key == "dataset" else value
    return found


_EXAMPLES = {"--set": "reading_cost=0.002", "--param": "learning_rate=0.001"}


def _absolute(dataset: Any) -> Any:
    """A local file's whole path: a run is evaluated from other folders too."""
    if isinstance(dataset, str) and (path := Path(dataset).expanduser()).exists():
        return str(path.resolve())
    return dataset


def known_id(given: str) -> str:
    """An id that is registered; `module:id` imports the module first, as in `gymnasium.make`.

    Raises UnknownName with the nearest ids.
    """
    import nlp_gym_envs

    module, colon, env_id = given.rpartition(":")
    if colon:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise UnknownName(f"no module {module!r} ({error}). Is its folder on PYTHONPATH?") from error
    ids = nlp_gym_envs.environment_ids()
    if env_id in ids:
        return env_id if module in ("", "nlp_gym_envs") else given  # others need the module again
    words = [word for word in re.split(r"[-/\s]+", env_id.lower()) if word not in ("nlp", "", "v0")]
    close = difflib.get_close_matches(env_id, ids, n=2, cutoff=0.7)
    close += [known for known in ids if words and all(word in known for word in words) and known not in close]
    close += [known for known in difflib.get_close_matches(env_id, ids, n=2) if known not in close]
    hint = f" Did you mean {' or '.join(close[:3])}?" if close else ""
    raise UnknownName(f"no id {env_id!r}.{hint} `nlp-gym list` shows all {len(ids)}.")
