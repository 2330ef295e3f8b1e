"""What importing costs, and who may import whom: down only."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nlp_gym_envs"
HEAVY = (
    "torch",
    "transformers",
    "datasets",
    "numba",
    "sacrebleu",
    "stable_baselines3",
    "sklearn",
    "scipy",
    "pandas",
    "PIL",
    "rich",
)
FILES = sorted(PACKAGE.rglob("*.py"))
LAYERS = {  # a file or folder of the package: its floor; a folder's own files count as one floor
    "errors": 0,
    "actions": 1,
    "charts": 3,
    "lookup": 1,
    "metrics": 1,
    "answers": 1,
    "lazy": 1,
    "streams": 1,
    "text": 2,
    "models": 3,
    "task": 4,
    "tasks": 5,
    "dynamics": 5,
    "rewards": 6,
    "pictures": 2,
    "episodes": 7,
    "envs": 8,
    "__init__": 9,
}
ALLOWED_ACROSS = {"tasks": {"tasks"}, "dynamics": {"dynamics"}, "text": {"text"}, "metrics": {"metrics"}}


def place(path: Path) -> str:
    """The file or folder of the package that a file belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Every module that a file imports anywhere in it, with full names; `from x import y` is both x and x.y."""
    inside = ("nlp_gym_envs", *path.relative_to(PACKAGE).with_suffix("").parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = ".".join(inside[: len(inside) - node.level]) if node.level else ""
            module = ".".join(filter(None, (parent, node.module)))
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def own(path: Path) -> set[str]:
    """The files and folders of the package that a file imports."""
    parts = [module.split(".") for module in imported(path) if module.startswith("nlp_gym_envs.")]
    return {part[1] for part in parts if (PACKAGE / part[1]).is_dir() or (PACKAGE / f"{part[1]}.py").exists()}


def test_every_file_has_its_floor() -> None:
    assert {place(path) for path in FILES} <= set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    here = place(path)
    for other in own(path):
        assert LAYERS[other] < LAYERS[here] or other in ALLOWED_ACROSS.get(here, {here}), f"{here} imports {other}"
    if here == "tasks":
        assert not own(path) & {"dynamics", "rewards", "episodes", "envs"}
    if here == "dynamics":
        assert not own(path) & {"tasks", "rewards", "episodes", "envs"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_who_may_know_gymnasium_and_agents(path: Path) -> None:
    modules = imported(path)
    roots = {module.split(".")[0] for module in modules}
    assert not roots & {"stable_baselines3", "sb3_contrib", "nlp_gym_agents", "ray"}
    if path not in (PACKAGE / "envs.py", PACKAGE / "__init__.py"):
        known = {module for module in modules if module.split(".")[0] == "gymnasium"}
        assert known <= {"gymnasium", "gymnasium.spaces"}
        assert "gymnasium" not in known or "gymnasium.spaces" in known
        assert not any(
            isinstance(node, ast.Import) and any(alias.name == "gymnasium" for alias in node.names)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    if place(path) in ("metrics", "streams", "answers", "errors", "lookup", "text", "tasks", "task", "pictures"):
        assert "gymnasium" not in roots


def test_importing_is_quick_and_loads_nothing_heavy() -> None:
    script = (
        "import sys, time; start = time.process_time(); import nlp_gym_envs; taken = time.process_time() - start;"
        f"print(taken, *(name for name in {HEAVY} if name in sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    printed = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True
    ).stdout.split()
    assert printed[1:] == []
    assert float(printed[0]) < 1.5  # seconds of processor time


def test_an_id_can_be_made_by_its_package_in_a_fresh_process() -> None:
    script = (
        "import gymnasium as gym; env = gym.make('nlp_gym_envs:nlp/sentiment-label-v0');"
        "env.reset(seed=0); print(env.step(0)[2], env.spec.id);"
        "print(gym.make_vec('nlp_gym_envs:nlp/sentiment-label-v0', num_envs=3).reset(seed=0)[0].shape)"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["True nlp/sentiment-label-v0", "(3, 512)"], done.stderr
