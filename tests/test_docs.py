"""The site: a page for each id, links that lead somewhere, and examples that run as they stand."""

import importlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import commands
import gymnasium as gym
import id_pages
import learned
import numpy as np
import pytest
import result_pages

import nlp_gym_envs
from nlp_gym_agents import _pages
from nlp_gym_envs import rewards
from nlp_gym_envs.episodes import DYNAMICS
from nlp_gym_envs.task import METRICS, TASKS

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs" / "examples"
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("README*.md")), ROOT / "CONTRIBUTING.md"]
IDS = nlp_gym_envs.environment_ids()
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize("env_id", IDS)
def test_every_id_has_a_page_with_all_sections_and_what_is_known_of_agents(env_id: str) -> None:
    text = id_pages.page_of(env_id)
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == [*_pages.SECTIONS, "Learned by", "Nearby"]
    told = text.split("## Learned by\n\n")[1].split("## Nearby")[0]
    assert ("Not measured yet" in told) == (not learned.measured(env_id))
    for table in re.findall(r"(?:^\|.*\n?)+", told, re.MULTILINE):
        assert len({line.count("|") for line in table.strip().splitlines()}) == 1


def test_the_index_leads_to_every_id_and_to_nothing_else() -> None:
    links = re.findall(r"\]\((\S+)\.md\)", id_pages.index_of(IDS))
    assert sorted(links) == sorted(id_pages.file_of(env_id) for env_id in IDS)
    results = {f"../results/{name.removesuffix('.md')}" for name in result_pages.sources().values()}
    for env_id in IDS:
        assert set(re.findall(r"\]\((\S+)\.md\)", id_pages.page_of(env_id))) <= {*links, *results, "index"}


@by_name
def test_links_to_files_lead_to_files(page: Path) -> None:
    made = {f"environments/{id_pages.file_of(env_id)}.md" for env_id in IDS} | {"environments/index.md"}
    made |= {f"results/{name}" for name in result_pages.sources().values()}
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists() or target in made, target


@by_name
def test_ids_and_commands_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\bnlp/[a-z0-9_]+-[a-z]+-v\d+", text))
    assert named <= set(IDS), named - set(IDS)
    known = set(re.findall(r"`nlp-gym ([a-z-]+)`", commands.table()))
    asked = set(re.findall(r"nlp-gym ([a-z]+)\b", text))
    assert asked <= known, asked - known


def test_every_example_is_on_a_page_and_every_included_file_is_there() -> None:
    included = set()
    for page in PAGES:
        included |= set(re.findall(r"\{literalinclude\} examples/(\S+)", page.read_text(encoding="utf-8")))
    assert included == {path.name for path in EXAMPLES.glob("*.py")}


def test_copied_results_keep_their_links() -> None:
    pages = result_pages.sources()
    for path in pages:
        text = path.read_text(encoding="utf-8")
        for title, target in re.findall(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)([^)#\s]+)", text):
            assert (path.parent / target).exists(), f"{path.name}: {title} leads to {target}"


# ---------------------------------------------------------------- learned by


def row(agent: str, value: float, seed: int = 0, arm: str = "as is", **more: Any) -> tuple[str, dict[str, Any]]:
    scores = {"test": {"accuracy": [value, value - 0.02, value + 0.02], "return": [value, value - 0.02, value + 0.02]}}
    told = {"experiment": "label", "agent": agent, "env": "nlp/sst2-label-v0", "arm": arm, "seed": seed, "set": {}}
    return "some.jsonl", {**told, "param": {}, "steps": 1000, "scores": scores, **more}


def test_an_agent_is_said_to_learn_only_above_the_best_trivial_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row("uniform", 0.5), row("majority", 0.6), row("oracle", 1.0)]
    rows += [row("ppo", 0.8, seed) for seed in range(3)] + [row("dqn", 0.62, seed) for seed in range(3)]
    rows += [row("a2c", 0.9, arm="constant reward")]
    monkeypatch.setattr(learned, "_rows", lambda: tuple(rows))
    told = learned.learned_by("nlp/sst2-label-v0")
    assert "**Learned by ppo**" in told and "`majority`, the best trivial" in told
    assert "**Not learned by dqn**" in told  # .62 +- .02 is not clearly above .60
    assert "Learned by a2c" not in told and "| a2c, constant reward | control |" in told
    assert "| oracle | ceiling |" in told and "| ppo | learns | 3 | 1,000 | 80.0" in told
    assert "Not measured yet" in learned.learned_by("nlp/imdb-label-v0")


def changed(agent: str, rises: list[float], seed: int = 0, **more: Any) -> tuple[str, dict[str, Any]]:
    learns = agent in ("ppo", "dqn")
    cell = {"task": "sentiment", "dynamics": "layers", "agent": agent, "arm": "as is", "seed": seed, "param": {}}
    cell |= {"set": {"rate": 0.03}, "common": {"start": ["damaged"]}, "setting": "unlike labels"}
    cell |= {"steps": 1000 if learns else None, "each": {"rise": rises}}
    mean, half = sum(rises) / len(rises), 1.0
    return "finetuning.jsonl", {**cell, "scores": {"rise": [mean, mean - half, mean + half]}, **more}


def test_agents_that_change_a_model_are_compared_instance_by_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    instances = np.linspace(-1, 1, 50)
    rows = [changed("no_op", [0.0] * 50), changed("best_constant", [*instances + 0.1])]
    rows += [changed("best_constant", [*instances + 0.9], param={"knows": True})]
    rows += [changed("best_constant", [*instances + 0.8], arm="adam")]
    rows += [changed("ppo", [*instances + 0.2 + 0.01 * np.sin(np.arange(50) + seed)], seed) for seed in range(2)]
    rows += [changed("dqn", [*instances * 0.9 + 0.1])]
    told_rows = tuple((file, learned._as_others(row)) for file, row in rows)
    monkeypatch.setattr(learned, "_rows", lambda: told_rows)
    told = learned.learned_by("nlp/sentiment-layers-v0")
    assert "**Learned by ppo**: rise above that of `best_constant`" in told and "**Not learned by dqn**" in told
    assert "experiment `unlike labels`." in told and "(../results/finetuning.md)" in told
    assert "| best_constant knows=True | told what is hidden |" in told
    assert "| best_constant optimiser=adam | rule |" in told and "| best_constant | floor, the best |" in told


def test_committed_rows_are_of_ids_and_agents_that_exist() -> None:
    from nlp_gym_agents._agents import AGENTS

    rows = learned._rows()
    assert len(rows) > 100
    assert {row["env"] for _, row in rows} <= set(IDS)
    assert {row["agent"] for _, row in rows} <= set(AGENTS.names())


# ---------------------------------------------------------------- examples


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An empty folder to work in, and registries in which nothing stays."""
    monkeypatch.chdir(tmp_path)
    for shelf in (TASKS, DYNAMICS, METRICS):
        monkeypatch.setattr(shelf, "registered", dict(shelf.registered))
    monkeypatch.setattr(rewards, "TERMS", dict(rewards.TERMS))
    before = dict(gym.registry)
    yield
    gym.registry.clear()
    gym.registry.update(before)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("own_data", (1_024,), "answer billing"),
        ("own_reward", (), "'haste': 0.2"),
        ("own_task", (), "nlp/parity-label-v0"),
        pytest.param("own_model", (60,), "T5ForConditionalGeneration is in", marks=pytest.mark.slow),
        pytest.param("change_model", (256,), "BertModel is in", marks=pytest.mark.slow),
        pytest.param("own_dynamics", (1_024,), "say nothing", marks=pytest.mark.slow),
        pytest.param("own_agent", (20_000,), "after", marks=pytest.mark.slow),
        pytest.param("quickstart", (4_000,), "on 3000 texts", marks=pytest.mark.slow),
    ],
)
def test_an_example_runs(name: str, arguments: tuple[Any, ...], says: str, capsys: pytest.CaptureFixture) -> None:
    importlib.import_module(name).main(*arguments)
    assert says in capsys.readouterr().out


def test_a_reward_goes_by_its_dotted_name() -> None:
    env = gym.make("nlp/sst2-read-v0", reward={"final": 1.0, "own_reward.haste": 0.2})
    env.reset(seed=0)
    info = env.step(0)[4]
    assert info["reward_components"]["own_reward.haste"] == pytest.approx(0.2)  # all was left unread


def test_an_agent_goes_by_its_dotted_name(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from nlp_gym_agents._cli import app

    told = ["train", "--agent", "stable_baselines3.A2C", "--env", "nlp/sst2-label-v0", "--steps", "64", "--no-table"]
    result = CliRunner().invoke(app, [*told, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run").is_dir()


# ---------------------------------------------------------------- libraries


def families() -> list[str]:
    """One id of each family of actions: tokens are chosen, one parameter is nudged, many are moved at once."""
    found = ["nlp/sentiment-read-v0"]
    for kind in ("nudge", "subspace"):
        found += [env_id for env_id in IDS if env_id == f"nlp/sentiment-{kind}-v0"]
    return found


LIBRARIES = {  # example -> what must be importable, how much to train
    "sb3_ppo": (("stable_baselines3", "sb3_contrib"), 512),
    "rl_zoo": (("rl_zoo3", "requests"), 512),
    "rllib_ppo": (("ray", "tree", "lz4", "ormsgpack", "scipy"), 1),
    "torchrl_ppo": (("torchrl",), 128),
    "tianshou_ppo": (("tianshou",), 512),
    "cleanrl_ppo": (("torch",), 1_024),
}


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("env_id", families())
@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_trains_on_an_id_of_each_family(name: str, env_id: str, tmp_path: Path) -> None:
    needed, steps = LIBRARIES[name]
    absent = [module for module in needed if importlib.util.find_spec(module) is None]
    if absent:
        pytest.skip(f"{name} needs {', '.join(absent)}: `make interop` installs them")
    paths = os.pathsep.join([str(ROOT), str(ROOT / "agents")])
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), env_id, str(steps)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=1_100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
