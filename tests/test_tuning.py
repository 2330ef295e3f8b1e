"""Searches: studies go on, weak trials are pruned, what is written is read by training and by RL Zoo's format."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from nlp_gym_agents import _tuning
from nlp_gym_agents._agents import AGENTS, make_agent
from nlp_gym_agents._bridge import make_vec_env
from nlp_gym_agents._cli import app
from nlp_gym_agents._experiment import Experiment
from nlp_gym_agents._hyperparameters import as_values
from nlp_gym_agents._tuning import SPACES, Found, OneOf, space_of, tune, write
from nlp_gym_envs.errors import BadArgument

optuna = pytest.importorskip("optuna")
LABEL = "nlp/sentiment-label-v0"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """A short training on 120 short reviews."""
    words = (("fine", "good"), ("poor", "bad"))
    lines = [f"a film that was {words[n % 2][0]} on day {n} of {n % 7},{words[n % 2][1]}" for n in range(120)]
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    return Experiment("sarsa", LABEL, steps=64, n_envs=4, env_kwargs={"dataset": str(path)}, eval_every=32)


@pytest.mark.parametrize("agent", sorted(SPACES))
def test_every_agents_space_gives_settings_that_it_takes(agent: str, asked: Experiment) -> None:
    env = make_vec_env(LABEL, 2, 0, asked.env_kwargs)
    study = optuna.create_study()
    for _ in range(3):
        trial = study.ask()
        suggested = {name: one.suggest(trial, name) for name, one in space_of(agent).items()}
        settled = Experiment(agent, LABEL, hyperparameters=suggested).settled()
        assert suggested.items() <= settled.hyperparameters.items()
        make_agent(agent, env, as_values({**settled.hyperparameters, "n_steps": 8} if "n_steps" in suggested else
                                         settled.hyperparameters), 0)  # fmt: skip


def test_every_learned_agent_here_can_be_searched() -> None:
    from nlp_gym_agents._baseline import Baseline

    learned = {name for name in AGENTS.names() if not issubclass(AGENTS.get(name), Baseline)}
    assert set(SPACES) <= learned
    with pytest.raises(BadArgument, match="majority has nothing to search; agents with a search space are ppo"):
        space_of("majority")


@pytest.mark.parametrize("name", ["study.db", "study.log"])
def test_a_study_goes_on_where_it_was(name: str, asked: Experiment, tmp_path: Path) -> None:
    lines: list[str] = []
    found = tune(asked, tmp_path / name, trials=2, told=lines.append)
    assert len(found.study.trials) == 2 and len(lines) == 3 and "own settings" in lines[0]
    found = tune(asked, tmp_path / name, trials=3, told=lines.append)
    assert len(found.study.trials) == 3 and len(lines) == 4 and lines[-1].startswith("trial 2 ")
    assert len({str(trial.params) for trial in found.study.trials}) == 3  # going on repeats no draws
    assert sum(found.states().values()) == 3
    with pytest.raises(BadArgument, match="steps is 64 there, not 128"):
        tune(Experiment(**{**vars(asked), "steps": 128}), tmp_path / name, trials=3)


def test_a_killed_search_counts_its_finished_trials_only(asked: Experiment, tmp_path: Path) -> None:
    found = tune(asked, tmp_path / "study.db", trials=1)
    found.study.ask()  # a trial that a killed process left running
    found = tune(asked, tmp_path / "study.db", trials=2)
    assert sum(found.states().values()) == 2 and len(found.study.trials) == 3


def test_weak_trials_are_pruned_by_their_looks(
    asked: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Trained:
        """A run whose returns are its learning rate."""

        def __init__(self, rate: float) -> None:
            self.rate = rate

        def rows(self) -> list[dict[str, float]]:
            return [{"return": self.rate}]

    def pretended(experiment: Experiment, folder: Any, progress: Any = None) -> Trained:
        rate = float(experiment.hyperparameters.get("learning_rate", 0))
        for look in range(8):
            if progress:
                progress(look, 8, rate)
        return Trained(rate)

    monkeypatch.setattr(_tuning, "train", pretended)
    space: Any = {"learning_rate": OneOf((0.1, 0.2, 0.3, 0.4))}
    start = Experiment(**{**vars(asked), "hyperparameters": {"learning_rate": 0.15}})
    found = tune(start, tmp_path / "study.db", trials=24, space=space)
    pruned = [trial for trial in found.study.trials if trial.state.name == "PRUNED"]
    assert pruned and all(trial.params["learning_rate"] < 0.4 for trial in pruned)
    assert found.score == 0.4 and found.reference == 0.15 and found.settings["learning_rate"] == 0.4
    assert found.trial is not None and found.states()["pruned"] == len(pruned)


def test_what_beats_nothing_leaves_the_agents_own_settings(asked: Experiment, tmp_path: Path) -> None:
    broken: Any = {"learning_rate": OneOf((-1.0,))}
    with pytest.raises(BadArgument, match="every trial of sarsa on nlp/sentiment-label-v0 failed"):
        tune(asked, tmp_path / "broken.db", trials=2, space=broken)
    useless: Any = {"learning_rate": OneOf((1e-12,)), "exploration_final_eps": OneOf((1.0,))}
    found = tune(asked, tmp_path / "useless.db", trials=1, space=useless)
    assert found.trial is None or found.score > found.reference
    assert found.trial is not None or found.settings == asked.settled().hyperparameters


def test_what_is_written_is_what_training_reads(asked: Experiment, tmp_path: Path) -> None:
    path = tmp_path / "sarsa.yml"
    path.write_text("default: &d {n_timesteps: 5}\nnlp/sst2-read-v0: *d\n")
    settings = {**asked.settled().hyperparameters, "learning_rate": "lin_0.25"}
    write(path, asked, Found(None, settings, 0.9, 0.8, 3))
    content = yaml.safe_load(path.read_text())
    assert content["default"] == content["nlp/sst2-read-v0"] == {"n_timesteps": 5} and "&" not in path.read_text()
    assert "validation return 0.9000, before 0.8000" in path.read_text().splitlines()[0]
    read = Experiment("sarsa", LABEL, config_file=str(path)).settled()
    assert read.hyperparameters == settings and read.steps == 64 and read.n_envs == 4
    assert read.env_kwargs == asked.env_kwargs


def test_the_command_searches_and_writes(asked: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["tune", "--agent", "sarsa", "--env", LABEL, "--trials", "1", "--steps", "40", "--seeds", "2",
                 "--set", f"dataset={asked.env_kwargs['dataset']}"]  # fmt: skip
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "1 complete; " in result.stdout and "runs/tune-sarsa-sentiment-label.yml" in result.stdout
    content = yaml.safe_load(Path("runs/tune-sarsa-sentiment-label.yml").read_text())
    assert content[LABEL]["n_timesteps"] == 40 and content[LABEL]["policy"] == "LinearPolicy"
    wrong = CliRunner().invoke(app, [*arguments, "--storage", "study.json"])
    assert wrong.exit_code == 2 and "must end in .db (SQLite) or .log" in wrong.stderr
