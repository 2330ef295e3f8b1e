"""Hyper-parameters from `configs/<agent>.yml`, in RL Zoo's format: by id, with a `default`; values are only values."""

import copy
import functools
from pathlib import Path
from typing import Any

import yaml

from nlp_gym_envs.errors import BadArgument

#: Where the files are: inside an installed package, or beside the packages in a checkout.
FOLDERS = (Path(__file__).parent / "configs", Path(__file__).parents[2] / "configs")


def hyperparameters(agent: str, env_id: str, file: str | Path | None = None) -> dict[str, Any]:
    """What an agent's file says of an id, else its `default`; {} for an agent without a file.

    Raises BadArgument for a file that cannot be read as such.
    """
    path = Path(file) if file is not None else next((f for d in FOLDERS if (f := d / f"{agent}.yml").exists()), None)
    if path is None:
        return {}
    try:
        known = _content(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadArgument(f"cannot read the hyper-parameters in {path}: {error}") from error
    if not isinstance(known, dict):
        raise BadArgument(f"{path} must be a mapping of ids (and `default`) to hyper-parameters.")
    found = known.get(env_id, known.get("default"))
    if not isinstance(found, dict):
        raise BadArgument(f"{path} has neither {env_id!r} nor `default`; it has: {', '.join(map(str, known))}.")
    return copy.deepcopy(found)


@functools.lru_cache(maxsize=32)
def _content(path: Path, changed: int) -> Any:
    """What a file holds, read once: a benchmark asks for every cell."""
    return yaml.safe_load(path.read_text())


def as_values(settings: dict[str, Any]) -> dict[str, Any]:
    """Hyper-parameters as SB3 takes them: "lin_0.001" becomes a linear schedule to 0, text numbers become numbers."""
    from stable_baselines3.common.utils import LinearSchedule

    def value(name: str, given: Any) -> Any:
        if isinstance(given, str) and given.startswith("lin_"):
            try:
                return LinearSchedule(float(given[4:]), 0.0, 1.0)
            except ValueError as error:
                raise BadArgument(f"{name} must be a number or 'lin_<number>', got {given!r}.") from error
        if isinstance(given, str):
            try:
                return float(given)  # YAML reads 1e-3 as text
            except ValueError:
                return given
        return tuple(given) if name == "train_freq" and isinstance(given, list) else given

    return {name: value(name, given) for name, given in settings.items()}
