"""Agents for `nlp_gym_envs`: one file each, the bridge to Stable-Baselines3, and the command line `nlp-gym`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._bridge import SB3VecEnv, make_vec_env
    from ._evaluation import evaluate
    from ._explanation import explain
    from ._features import WordMean

__all__ = ["SB3VecEnv", "WordMean", "evaluate", "explain", "make_vec_env"]

_HOMES = {
    "SB3VecEnv": "_bridge",
    "WordMean": "_features",
    "evaluate": "_evaluation",
    "explain": "_explanation",
    "make_vec_env": "_bridge",
}


def __getattr__(name: str) -> Any:
    """Stable-Baselines3 and torch are loaded when something of theirs is asked for: `nlp-gym list` needs neither."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
