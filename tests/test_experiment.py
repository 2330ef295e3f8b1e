"""Training: what an interruption at any moment leaves, and that a continued run is as good as one that was not."""

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nlp_gym_agents import _buffers, _experiment, _runs
from nlp_gym_agents._experiment import Experiment, train
from nlp_gym_agents._runs import Run
from nlp_gym_agents._trained import compare, judge, load_run
from nlp_gym_envs.errors import BadArgument, BadData

ENV = "nlp/sentiment-label-v0"
QUICK = {"n_steps": 8, "batch_size": 32, "n_epochs": 1}  # 4 rows of 8 steps: a rollout of 32


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A csv file of 120 short reviews; the sentiment is in one word, and one in ten is labelled wrongly."""
    generator = np.random.default_rng(0)
    words = {"good": ["fine", "great", "lovely"], "bad": ["poor", "dull", "awful"]}
    lines = ["text,label"]
    for number in range(120):
        label = ("good", "bad")[number % 2]
        shown = label if generator.random() > 0.1 else ("bad", "good")[number % 2]
        lines.append(f"review {number}: the film was {generator.choice(words[label])} on day {number % 7},{shown}")
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def asked(dataset: str, agent: str = "ppo", **changes: Any) -> Experiment:
    """A training of a second."""
    settings = {"ppo": QUICK, "dqn": {"learning_starts": 16, "buffer_size": 400}}.get(agent, {})
    given: dict[str, Any] = {"steps": 96, "eval_every": 32, "n_envs": 4, "seed": 3} | changes
    return Experiment(agent, ENV, env_kwargs={"dataset": dataset}, hyperparameters=dict(settings), **given)


@pytest.mark.parametrize("agent", ["ppo", "dqn", "sarsa"])
def test_a_training_makes_no_temporary_log_folder(
    agent: str, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    train(asked(dataset, agent), tmp_path / "run")
    train(asked(dataset, agent, steps=128), tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "model.zip").exists() and list(elsewhere.glob("SB3*")) == []


def steps_of(run: Run) -> list[int]:
    return [row["steps"] for row in run.rows()]


def assert_whole(run: Run, steps: list[int]) -> None:
    """The run has a row for each look, no other, and its model is the best of them."""
    lines = (run.folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["steps"] for line in lines] == steps
    best = max(row["return"] for row in run.rows())
    assert judge(run.folder, "validation").scores["return"].value == pytest.approx(best)
    assert run.facts()["best_validation"] == pytest.approx(best)
    assert {"command", "versions", "data", "began", "ended"} <= set(run.facts())
    leftovers = [path.name for path in run.folder.iterdir() if path.name.startswith(".") and path.name != ".lock"]
    assert leftovers == []


def test_a_run_has_its_files_and_its_best_model(dataset: str, tmp_path: Path) -> None:
    run = train(asked(dataset), tmp_path / "run")
    assert_whole(run, [0, 32, 64, 96])
    names = {path.name for path in run.folder.iterdir()}
    assert names >= {"config.yaml", "run.json", "metrics.jsonl", "model.zip", "checkpoint-000000000096"}
    assert run.config()["hyperparameters"]["n_steps"] == 8 and run.config()["seed"] == 3


def test_without_looks_the_last_model_is_kept_and_continued(dataset: str, tmp_path: Path) -> None:
    run = train(asked(dataset, eval_every=0, steps=64), tmp_path / "run")
    assert run.rows() == [] and run.facts()["best_validation"] is None and not (run.folder / "curve.png").exists()
    looked = train(asked(dataset, eval_every=1000, steps=64), tmp_path / "looked")
    newest = looked.checkpoint()
    assert newest is not None
    looked.write("model.zip", (newest / "agent.zip").read_bytes())
    assert weights_of(run) == weights_of(looked)  # a look does not disturb what is learned
    train(asked(dataset, eval_every=0, steps=128), run.folder, resume=True)  # of two rollouts: the last one's rate is 0
    assert run.steps_done() == 128 and weights_of(run) != weights_of(looked)


def weights_of(run: Run) -> list[float]:
    return [float(values.sum()) for values in load_run(run.folder)[2].policy.state_dict().values()]


@pytest.mark.parametrize(
    ("steps", "rate", "told"), [(32, "lin_0.001", True), (33, "lin_0.001", False), (32, 0.001, False)]
)
def test_a_training_of_one_rollout_at_a_rate_of_0_is_told(
    steps: int, rate: Any, told: bool, dataset: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    idle = asked(dataset, steps=steps, eval_every=0)
    idle.hyperparameters["learning_rate"] = rate
    train(idle, tmp_path / "run")
    assert any("nothing will be learned: 32 steps are one rollout" in str(w.message) for w in recwarn) == told


def test_the_same_seed_gives_the_same_rows_and_another_one_others(dataset: str, tmp_path: Path) -> None:
    def outcome(name: str, seed: int) -> list[float]:
        run = train(asked(dataset, seed=seed, steps=64), tmp_path / name)
        return [row["return"] for row in run.rows()] + weights_of(run)

    first, again, other = outcome("a", 3), outcome("b", 3), outcome("c", 4)
    assert first == again != other


KILLED = """
import os, sys
sys.path[:0] = {path!r}
import torch; torch.set_num_threads(1)
from nlp_gym_agents import _experiment
_experiment.train(_experiment.Experiment(**{asked!r}), os.path.join({folder!r}, "whole"))  # all is loaded from now on
replace = os.replace
for number in range(1, {points} + 1):
    child = os.fork()
    if child == 0:
        folder, count = os.path.join({folder!r}, str(number)), 0
        def counted(source, target, *rest, **options):
            global count
            count += str(target).startswith(folder)
            if count == number:
                os._exit(9)  # as sudden as kill -9: no handler, nothing flushed
            return replace(source, target, *rest, **options)
        os.replace = counted
        _experiment.train(_experiment.Experiment(**{asked!r}), folder)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_a_kill_before_any_file_takes_its_place_loses_one_interval_at_most(dataset: str, tmp_path: Path) -> None:
    points = 10  # every file that a new run and its first looks put in their places
    experiment = asked(dataset)
    script = KILLED.format(path=sys.path, points=points, folder=str(tmp_path), asked=vars(experiment))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=200)
    assert done.stdout.split() == ["9"] * points, done.stderr
    kept = []
    for number in range(1, points + 1):
        run = Run(tmp_path / str(number))
        before = run.steps_done()
        kept.append(before)
        resumed = train(experiment, run.folder, resume=True)
        assert_whole(resumed, [0, 32, 64, 96])
    assert kept == sorted(kept) and kept[0] == 0 and kept[-1] >= 32  # the later the kill, the more is kept


@pytest.mark.parametrize("agent", ["ppo", "dqn", "reinforce"])
def test_an_interruption_leaves_a_checkpoint_of_that_moment(
    agent: str, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(steps: int, total: int, score: float | None) -> None:
        if steps >= 76 and score is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(asked(dataset, agent), tmp_path / "run", progress=interrupt)
    run = Run(tmp_path / "run")
    kept = 72 if agent == "dqn" else 76  # DQN stores a step after telling of it
    assert run.steps_done() == 76 and steps_of(run) == [0, 32, 64] and not run.finished(96)
    loaded: list[int] = []
    monkeypatch.setattr(
        _experiment, "fill_buffer", lambda buffer, path: (_fill(buffer, path), loaded.append(buffer.size() * 4))
    )
    last = 108 if agent == "ppo" else 96  # a whole rollout of 32 from where it stood
    assert_whole(train(asked(dataset, agent), run.folder, resume=True), [0, 32, 64, last])
    assert loaded == ([kept] if agent == "dqn" else [])  # the replay buffer is as it was


_fill = _buffers.fill_buffer


@pytest.mark.parametrize("observation", ["vector", "dict"])
def test_a_replay_buffer_comes_back_whatever_the_observation(observation: str, dataset: str, tmp_path: Path) -> None:
    from nlp_gym_agents._agents import make_agent
    from nlp_gym_agents._bridge import make_vec_env

    env = make_vec_env("nlp/sentiment-read-v0", 2, 0, {"dataset": dataset, "observation": observation})
    filled, empty = (make_agent("dqn", env, {"buffer_size": 200, "learning_starts": 500}, 0) for _ in range(2))
    filled.learn(60)
    np.savez(tmp_path / "replay.npz", **_buffers.buffer_arrays(filled.replay_buffer))
    _buffers.fill_buffer(empty.replay_buffer, tmp_path / "replay.npz")
    mine, its = (_buffers.arrays_of(agent.replay_buffer) for agent in (filled, empty))
    assert mine.keys() == its.keys() and any(array.any() for array in mine.values())
    for name, array in mine.items():
        np.testing.assert_array_equal(array[:30], its[name][:30], err_msg=name)
    assert empty.replay_buffer.pos == filled.replay_buffer.pos >= 30


def test_a_continued_run_does_not_see_its_first_examples_again(dataset: str, tmp_path: Path) -> None:
    train(asked(dataset, steps=32), tmp_path / "run")
    seeds: list[Any] = []
    before = _experiment.SB3VecEnv.seed

    def seed(self: Any, seed: int | None = None) -> Any:
        seeds.append(seed)
        return before(self, seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_experiment.SB3VecEnv, "seed", seed)
        train(asked(dataset, steps=64), tmp_path / "run", resume=True)
    assert seeds[0] == 3 and seeds[-1] not in (None, 3)


def test_a_finished_run_stays_as_it_is_and_can_be_made_longer(dataset: str, tmp_path: Path) -> None:
    run = train(asked(dataset), tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
    train(asked(dataset), run.folder, resume=True)
    assert before == {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
    train(asked(dataset, steps=160), run.folder, resume=True)
    assert_whole(run, [0, 32, 64, 96, 128, 160])
    assert run.config()["steps"] == 160  # what a later --resume goes by


@pytest.mark.parametrize("changes", [{"seed": 4}, {"n_envs": 8}, {"eval_every": 16}])
def test_a_continued_run_has_its_own_settings(dataset: str, tmp_path: Path, changes: dict[str, int]) -> None:
    train(asked(dataset, steps=32), tmp_path / "run")
    with pytest.raises(BadArgument, match=f"its own settings: {next(iter(changes))} is .* there, not"):
        train(asked(dataset, **changes), tmp_path / "run", resume=True)


def test_other_keywords_and_hyperparameters_are_refused_too(dataset: str, tmp_path: Path) -> None:
    run = train(asked(dataset, steps=32), tmp_path / "run")
    other = asked(dataset)
    other.hyperparameters["n_epochs"] = 7
    with pytest.raises(BadArgument, match="n_epochs is 1 there, not 7"):
        train(other, run.folder, resume=True)
    other = asked(dataset)
    other.env_kwargs["labels"] = ["bad", "good"]
    with pytest.raises(BadArgument, match="labels is not set there"):
        train(other, run.folder, resume=True)
    assert steps_of(train(Experiment("ppo", ENV), run.folder, resume=True)) == [0, 32]  # nothing asked: nothing differs


@pytest.mark.parametrize("file", ["agent.zip", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "noise"])
def test_a_damaged_checkpoint_falls_back_on_the_one_before(
    file: str, damage: str, dataset: str, tmp_path: Path
) -> None:
    run = train(asked(dataset), tmp_path / "run")
    newest = run.checkpoint()
    assert newest is not None
    path = newest / file
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"\0" * len(content))
    if damage == "gone":
        path.unlink()
    with pytest.warns(UserWarning, match="000096 cannot be read.*going on from the one before"):
        train(asked(dataset, steps=128), run.folder, resume=True)
    assert steps_of(run) == [0, 32, 64, 96, 128]
    assert judge(run.folder, "validation").scores["return"].value >= max(row["return"] for row in run.rows()) - 1e-9


def test_when_no_checkpoint_can_be_read_the_error_says_what_to_do(dataset: str, tmp_path: Path) -> None:
    run = train(asked(dataset), tmp_path / "run")
    model = (run.folder / "model.zip").read_bytes()
    for folder in run.checkpoints():
        (folder / "state.json").write_text("{")
    with pytest.raises(BadData, match="000096 cannot be read.*000064 cannot be read.*Remove the checkpoint folders"):
        train(asked(dataset, steps=128), run.folder, resume=True)
    assert (run.folder / "model.zip").read_bytes() == model and steps_of(run) == [0, 32, 64, 96]


@pytest.mark.parametrize("at", range(3, 12))
def test_a_full_disk_loses_nothing_that_was_finished(
    at: int, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    replace = os.replace

    def full(source: Any, target: Any) -> None:
        nonlocal calls
        calls += str(target).startswith(str(tmp_path / "run"))
        if calls >= at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        train(asked(dataset), tmp_path / "run")
    monkeypatch.setattr(os, "replace", replace)
    run = Run(tmp_path / "run")
    assert run.steps_done() == (0 if at <= 7 else 32 if at <= 9 else run.steps_done())
    assert_whole(train(asked(dataset), run.folder, resume=True), [0, 32, 64, 96])


def test_nothing_is_written_when_the_settings_are_wrong(dataset: str, tmp_path: Path) -> None:
    wrong = asked(dataset)
    wrong.hyperparameters["n_step"] = 8
    with pytest.raises(BadArgument, match="n_step"):
        train(wrong, tmp_path / "run")
    wrong = asked(dataset)
    wrong.hyperparameters["policy_kwargs"] = {"activation_fn": object()}
    with pytest.raises(BadArgument, match="dotted names"):
        train(wrong, tmp_path / "run")
    with pytest.raises(BadArgument, match="steps .* at least 1"):
        train(asked(dataset, steps=0), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_changed_data_are_noticed(dataset: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_text(Path(dataset).read_text())
    run = train(asked(str(copy)), tmp_path / "run")
    copy.write_text(Path(dataset).read_text().replace("film", "book"))
    with pytest.raises(BadArgument, match="training data have changed"):
        train(asked(str(copy), steps=128), run.folder, resume=True)
    with pytest.raises(BadArgument, match="training data have changed"):
        load_run(run.folder)


def test_a_model_that_cannot_be_read_is_named(dataset: str, tmp_path: Path) -> None:
    run = train(asked(dataset, steps=32), tmp_path / "run")
    model = run.folder / "model.zip"
    content = model.read_bytes()
    other = train(asked(dataset, "dqn", steps=32), tmp_path / "dqn").folder / "model.zip"
    for damaged in (content[: len(content) // 2], b"", b"noise" * 99, other.read_bytes()):
        model.write_bytes(damaged)
        with pytest.raises(BadData, match="model.zip cannot be read as the ppo that config.yaml describes"):
            load_run(run.folder)
    model.unlink()
    with pytest.raises(BadArgument, match="no model.zip.*--resume"):
        load_run(run.folder)
    train(asked(dataset), run.folder, resume=True)
    assert load_run(run.folder)[1].agent == "ppo"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stepz": 5}, "stepz"),
        ({"steps": "many"}, "steps"),
        ({"env_kwargs": [1]}, "env_kwargs"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_configuration_with_other_things_in_it_is_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    config = {"agent": "ppo", "env": ENV, "steps": 5, "seed": 0, "n_envs": 1, "eval_every": 1} | change
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(BadData, match=f"config.yaml.*{message}"):
        load_run(tmp_path)


def test_a_baseline_trains_and_is_continued_by_the_same_words(dataset: str, tmp_path: Path) -> None:
    run = train(asked(dataset, "supervised"), tmp_path / "run")
    assert steps_of(run) == [0] and run.finished(96) and run.checkpoint() is None
    (run.folder / "run.json").unlink()  # as killed at the very end
    train(asked(dataset, "supervised"), run.folder, resume=True)
    assert_whole(train(asked(dataset, "supervised"), run.folder, resume=True), [0])


def test_the_comparison_stands_between_floor_and_ceiling(dataset: str, tmp_path: Path) -> None:
    experiment = asked(dataset)
    experiment.env, experiment.steps = "nlp/sentiment-read-v0", 32
    experiment.env_kwargs["observation"] = "dict"  # the baselines do not mind
    report = compare(train(experiment, tmp_path / "run").folder)
    names = [row["agent"] for row in report["rows"]]
    assert names == ["ppo", "uniform", "majority", "threshold", "supervised", "oracle"]
    assert [row["trained"] for row in report["rows"]] == [True] + [False] * 5
    accuracy = {row["agent"]: row["scores"]["accuracy"]["value"] for row in report["rows"]}
    assert accuracy["majority"] <= accuracy["supervised"] <= accuracy["oracle"] == 1
    assert report["n"] == judge(tmp_path / "run").n and report["steps"] == 32
    assert json.loads(json.dumps(report)) == report


def test_circumstances_name_versions() -> None:
    assert _runs.circumstances()["versions"]["torch"]
