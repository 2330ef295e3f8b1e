"""A Sphinx extension: one page for each id, and an index of them, written into `docs/environments` at every build.

A page is what `nlp-gym show` prints (docstrings, real spaces), a picture of an episode, and what the committed results
say of agents that were trained there. Data that are not on this machine are not fetched: then the spaces are left out.
"""

import inspect
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gymnasium as gym
from learned import learned_by, measured
from PIL import Image

import nlp_gym_envs
from nlp_gym_agents import _pages
from nlp_gym_envs.answers import Label
from nlp_gym_envs.episodes import DYNAMICS
from nlp_gym_envs.errors import NotAvailable
from nlp_gym_envs.task import TASKS
from nlp_gym_envs.text.corpora import BuiltIn

FOLDER = Path(__file__).parent / "environments"  # written at build time, never committed
SEED = 3  # of the episode in the picture
LONGEST_EPISODE = 200  # steps of it
QUICK = {"lexicon": False, "updates": 30}


def setup(app: Any) -> dict[str, Any]:
    """What Sphinx calls."""
    app.connect("builder-inited", lambda _: write_all(FOLDER))
    return {"version": nlp_gym_envs.__version__, "parallel_read_safe": True}


def write_all(folder: Path) -> None:
    """Every page and picture, and the index; files whose content is the same are left alone."""
    ids = nlp_gym_envs.environment_ids()
    for env_id in ids:
        env = _made(env_id)
        _write(folder / f"{file_of(env_id)}.md", page_of(env_id, env, _picture(env, env_id, folder)))
    _write(folder / "index.md", index_of(ids))
    kept = {f"{file_of(env_id)}.md" for env_id in ids} | {"index.md"}
    for old in folder.glob("*.md"):
        if old.name not in kept:
            old.unlink()


def file_of(env_id: str) -> str:
    """`nlp/sst2-read-v0` is the page `sst2-read`."""
    return env_id.removeprefix("nlp/").rsplit("-v", 1)[0]


def page_of(env_id: str, env: Any = None, picture: str | None = None) -> str:
    """The Markdown of an id's page; with `env`, its printed spaces; with `picture`, that file."""
    page = _pages.page(env_id, env)
    heading, _, rest = page.markdown().partition("\n\n")
    quick = ", ".join(f"`{name}={value}`" for name, value in _quick(env_id).items())
    made_with = f" Made with {quick}, to be quick." if quick else ""
    caption = f'The end of an episode, as `render_mode="rgb_array"` shows it.{made_with}'
    shown = f"```{{figure}} {picture}\n:alt: the end of an episode of {env_id}\n\n{caption}\n```"
    made = f'```python\nimport gymnasium as gym, nlp_gym_envs\n\nenv = gym.make("{env_id}")\n```'
    absent = (
        "Its spaces are printed by `nlp-gym show "
        f"{env_id}` where its data are: in the folder named by `NLP_GYM_DATA`, or from the Hub."
    )
    return "\n\n".join(
        [heading, made, *([shown] if picture else []), *([] if page.facts else [absent]), rest.strip(),
         f"## Learned by\n\n{learned_by(env_id)}", f"## Nearby\n\n{_nearby(env_id)}"]
    ) + "\n"  # fmt: skip


def index_of(ids: Iterable[str]) -> str:
    """All ids by task and dynamics, and a hidden list that puts them into the site's contents."""
    pairs = {_pages.names_of(env_id): env_id for env_id in ids}
    kinds = sorted({dynamics for _, dynamics in pairs}, key=_order)
    tasks = sorted({task for task, _ in pairs}, key=lambda task: (not _built_in(task), task))
    head = ["| task | " + " | ".join(f"`{kind}`" for kind in kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    rows = []
    for task in tasks:
        cells = [_cell(pairs[task, kind]) if (task, kind) in pairs else "" for kind in kinds]
        rows.append(f"| `{task}`{' ●' if _built_in(task) else ''} | " + " | ".join(cells) + " |")
    what = [f"| `{kind}` | {_pages.summary(_module_docstring(kind))} |" for kind in kinds]
    introduction = (
        f"{len(pairs)} ids: a task (rows) under a dynamics (columns). ● is built in: it runs at once, offline. The "
        "others take their data from a folder named by `NLP_GYM_DATA`, or from the Hub; all take yours with "
        "`dataset=`. *measured* leads to pages that say which agents learn the id, and how well."
    )
    contents = [f"{env_id.removeprefix('nlp/')} <{file_of(env_id)}>" for env_id in ids]
    parts = ["# Environments", "", introduction, "", *head, *rows, "", "## What an action does", ""]
    parts += ["| dynamics | |", "|---|---|", *what, "", "```{toctree}", ":hidden:", ":maxdepth: 1", "", *contents]
    return "\n".join([*parts, "```", ""])


def _cell(env_id: str) -> str:
    """An id in the index."""
    return f"[{'measured' if measured(env_id) else 'page'}]({file_of(env_id)}.md)"


def _nearby(env_id: str) -> str:
    """Links to the same task under other dynamics, and to the dynamics' other tasks."""
    task, dynamics = _pages.names_of(env_id)
    lines = []
    for title, place, name in (("The same task", 0, task), ("The same actions", 1, dynamics)):
        others = [
            other for other in nlp_gym_envs.environment_ids()
            if other != env_id and _pages.names_of(other)[place] == name
        ]  # fmt: skip
        if others:
            lines.append(f"{title}: " + ", ".join(f"[{file_of(other)}]({file_of(other)}.md)" for other in others) + ".")
    return "\n\n".join([*lines, "[All environments](index.md)."])


def _quick(env_id: str) -> dict[str, Any]:
    """Keywords that leave the spaces as they are and make the environment sooner."""
    taken = inspect.signature(DYNAMICS.get(_pages.names_of(env_id)[1])).parameters
    return {name: value for name, value in QUICK.items() if name in taken}


def _made(env_id: str) -> Any:
    """The environment, or None where its data are not on this machine."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of libraries inside
            return gym.make(env_id, render_mode="rgb_array", **_quick(env_id))
    except NotAvailable:
        return None


def _picture(env: Any, env_id: str, folder: Path) -> str | None:
    """The last frame of an episode of a built-in id; texts of other people's data are not published."""
    if env is None or not _built_in(_pages.names_of(env_id)[0]):
        return None
    env.reset(seed=SEED)
    for _ in range(LONGEST_EPISODE):
        _, _, terminated, truncated, _ = env.step(_pages.sensible(env.unwrapped))
        if terminated or truncated:
            break
    name = f"{file_of(env_id)}.png"
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(env.render()).save(folder / name)
    env.close()
    return name


def _built_in(task: str) -> bool:
    return isinstance(TASKS.get(task).source, BuiltIn)


def _module_docstring(dynamics: str) -> str | None:
    return inspect.getdoc(inspect.getmodule(DYNAMICS.get(dynamics)))


def _order(dynamics: str) -> tuple[int, str]:
    """Dynamics that label tasks come first in the table, so that it is full in one corner."""
    accepted = [TASKS.get(name) for name in TASKS.names() if DYNAMICS.get(dynamics).accepts(TASKS.get(name))]
    return (0 if any(isinstance(task.answer, Label) for task in accepted) else 1, dynamics)


def _write(path: Path, text: str) -> None:
    """Write only what has changed, so that a second build reads little."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
