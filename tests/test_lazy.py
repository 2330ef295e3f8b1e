"""A lazy dict is an ordinary dict to everybody, and makes its rest once, when somebody looks."""

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from nlp_gym_envs.lazy import Made

WHOLE = {"there": 1, "late": 2, "later": [3]}


def made(calls: list[int] | None = None) -> Made:
    def rest() -> dict[str, Any]:
        if calls is not None:
            calls.append(1)
        return {"late": 2, "later": [3], "there": "never seen"}

    lazy = Made(rest)
    lazy["there"] = 1
    return lazy


LOOKS: dict[str, Callable[[Made], Any]] = {
    "item": lambda d: {**WHOLE, "late": d["late"]},
    "get": lambda d: {**WHOLE, "late": d.get("late")},
    "iterate": lambda d: {name: d[name] for name in d},
    "items": lambda d: dict(d.items()),
    "dict": lambda d: dict(d),
    "unpack": lambda d: {**d},
    "copy": lambda d: d.copy(),
    "shallow copy": lambda d: copy.copy(d),
    "deep copy": lambda d: copy.deepcopy(d),
    "pickle": lambda d: pickle.loads(pickle.dumps(d)),
    "json": lambda d: json.loads(json.dumps(d)),
    "or": lambda d: d | {},
    "ror": lambda d: {} | d,
    "itself": lambda d: d,
    "update": lambda d: (d.update({}), d)[1],
    "reversed": lambda d: {name: d[name] for name in reversed(d)},
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_way_of_looking_sees_the_whole(look: str) -> None:
    assert LOOKS[look](made()) == WHOLE
    assert len(made()) == 3 and "late" in made() and "nothing" not in made()


def test_the_rest_is_made_once_and_only_when_it_is_needed() -> None:
    calls: list[int] = []
    lazy = made(calls)
    assert lazy["there"] == 1 and lazy.get("there") == 1 and isinstance(lazy, dict) and not calls
    assert "there" in lazy and not calls
    assert lazy["late"] == 2 and list(lazy) and lazy.get("nothing", 5) == 5
    with pytest.raises(KeyError):
        lazy["nothing"]
    assert len(calls) == 1


def test_what_is_written_stays() -> None:
    lazy = made()
    lazy["late"] = "mine"
    assert dict(lazy) == {**WHOLE, "late": "mine"}
    del lazy["later"]
    assert lazy.pop("late") == "mine" and lazy == {"there": 1}
    assert made().setdefault("late", 9) == 2
