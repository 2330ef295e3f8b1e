"""Gymnasium environments for language tasks: importing this registers every id, `nlp/<task>-<dynamics>-v0`.

```python
import gymnasium as gym, nlp_gym_envs
env = gym.make("nlp/sentiment-read-v0", split="validation")
envs = gym.make_vec("nlp/sst2-label-v0", num_envs=64)
```
"""

import gymnasium as _gymnasium

from .episodes import DYNAMICS as _DYNAMICS
from .errors import BadArgument, BadData, NlpGymError, NotAvailable, UnknownName
from .rewards import register_reward
from .task import METRICS as _METRICS
from .task import TASKS as _TASKS
from .task import Task

__version__ = "0.1.0"


def environment_ids() -> tuple[str, ...]:
    """Every id of this suite, sorted."""
    return tuple(sorted(name for name in _gymnasium.registry if name.startswith("nlp/")))


def register_task(name: str, task: Task) -> None:
    """Make a task of your own available, and register its ids, `nlp/<name>-<dynamics>-v0`."""
    _TASKS.register(name, task)
    for dynamics in _DYNAMICS.names():
        if _DYNAMICS.get(dynamics).accepts(task):
            _register(name, dynamics)


def register_dynamics(name: str, dynamics: type) -> None:
    """Make a dynamics of your own available, and register its ids with every task that it accepts."""
    _DYNAMICS.register(name, dynamics)
    for task in _TASKS.names():
        if dynamics.accepts(_TASKS.get(task)):
            _register(task, name)


def register_metric(name: str, metric: type) -> None:
    """Make a metric of your own available to tasks by `name`."""
    _METRICS.register(name, metric)


def _register(task: str, dynamics: str) -> None:
    _gymnasium.register(
        id=f"nlp/{task}-{dynamics}-v0",
        entry_point="nlp_gym_envs.envs:NLPEnv",
        vector_entry_point="nlp_gym_envs.envs:NLPVectorEnv",
        kwargs={"task": task, "dynamics": dynamics},
    )


for _task in _TASKS.names():
    for _name in _DYNAMICS.names():
        if f"nlp/{_task}-{_name}-v0" not in _gymnasium.registry and _DYNAMICS.get(_name).accepts(_TASKS.get(_task)):
            _register(_task, _name)

__all__ = [
    "BadArgument",
    "BadData",
    "NlpGymError",
    "NotAvailable",
    "Task",
    "UnknownName",
    "environment_ids",
    "register_dynamics",
    "register_metric",
    "register_reward",
    "register_task",
]
