"""What people may name: an id, anybody's id with its module, or a task of their own by its dotted name."""

from typing import Any

import gymnasium as gym

from nlp_gym_envs.episodes import DYNAMICS
from nlp_gym_envs.errors import BadArgument, UnknownName
from nlp_gym_envs.task import TASKS, Task
from nlp_gym_envs.text.corpora import BuiltIn

from .._settings import known_id

FIRST = ("label", "choices", "span", "tokens")  # dynamics by which a task is looked at, the first that fits


def named(given: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A registered id and its keywords. Raises UnknownName with what is near, or BadArgument."""
    if given in gym.registry:
        return given, options
    module, colon, env_id = given.rpartition(":")
    if colon:
        try:
            gym.spec(given)  # imports the module
        except ModuleNotFoundError as error:
            raise UnknownName(f"no module {module!r} ({error}). Is its folder on PYTHONPATH?") from error
        except gym.error.Error:
            return known_id(given), options  # says what is near
        return (env_id if env_id in gym.registry else given), options
    if "." not in given or "/" in given:
        return known_id(given), options
    task = TASKS.get(given)
    if not isinstance(task, Task):
        raise BadArgument(f"{given!r} is no task but {type(task).__name__}; a task is nlp_gym_envs.Task(...).")
    return _by_task(given, task, options)


def _by_task(name: str, task: Task, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """An id whose task is replaced by another: that of a built-in task with the same dynamics."""
    accepted = [each for each in DYNAMICS.names() if DYNAMICS.get(each).accepts(task)]
    asked = options.get("dynamics")
    chosen = asked or next((each for each in (*FIRST, *accepted) if each in accepted), None)
    if chosen is None:
        raise BadArgument(f"no dynamics accepts the task {name!r}, whose answers are {task.answer}.")
    ids = [known for known in gym.registry if known.startswith("nlp/")]
    alike = [known for known in ids if gym.spec(known).kwargs.get("dynamics") == chosen]
    built_in = [known for known in alike if isinstance(TASKS.get(gym.spec(known).kwargs["task"]).source, BuiltIn)]
    found = (built_in or alike or ids)[0]
    return found, {"task": name, **options}
