"""Benchmarks: configurations, cells, arms, rows; and what is kept when something goes wrong."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import nlp_gym_envs
from nlp_gym_agents import _cells
from nlp_gym_agents._arms import shuffled
from nlp_gym_agents._baseline import Baseline
from nlp_gym_agents._benchmark import State, run
from nlp_gym_agents._bridge import make_vec_env
from nlp_gym_agents._cli import app
from nlp_gym_agents._evaluation import counted, evaluate
from nlp_gym_agents._pages import names_of
from nlp_gym_agents._plan import ARMS, Benchmark, Cell, cells, load, only
from nlp_gym_agents._results import Results
from nlp_gym_agents._samples import samples
from nlp_gym_agents._workers import _next
from nlp_gym_envs.answers import Label
from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.task import TASKS

CONFIGS = Path(__file__).parents[1] / "configs"
LABEL, READ = "nlp/sentiment-label-v0", "nlp/sentiment-read-v0"
FAST = {"agent": "sarsa", "steps": 64, "n_envs": 4}
RUNNER = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"})


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Keywords for 200 short reviews."""
    words = (("fine", "good"), ("poor", "bad"))
    lines = [f"a film that was {words[n % 2][0]} on day {n} of {n % 7},{words[n % 2][1]}" for n in range(200)]
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    return {"dataset": str(path)}


def asked(mine: dict[str, Any], *agents: Any, env: str = LABEL, **more: Any) -> Benchmark:
    """A small benchmark of one id."""
    entry = {"id": env, "env_kwargs": mine, "agents": list(agents or ("majority", FAST)), "eval_every": 32}
    return Benchmark("small", [entry], ["uniform"], **{"limit": 16, **more})


def written(folder: Path, benchmark: Benchmark) -> Path:
    """Its configuration as a file."""
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({name: value for name, value in vars(benchmark).items() if value is not None}))
    return path


def command(*arguments: Any) -> Any:
    """The command's result; an exception that reached the user is an error of the test."""
    result = RUNNER.invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


# ---------------------------------------------------------------- configurations


@pytest.mark.parametrize("name", ["smoke", "quick", "full"])
def test_configurations_that_ship_can_be_read_and_have_cells(name: str) -> None:
    found = cells(load(CONFIGS / f"{name}.yaml"))
    assert len({cell.id for cell in found}) == len(found) > 10
    assert all(cell.metric in (*TASKS.get(names_of(cell.env)[0]).metrics, "rise") for cell in found)
    for env_id in {cell.env for cell in found}:
        assert {"uniform", "oracle"} <= {cell.agent for cell in found if cell.env == env_id}, env_id


@pytest.mark.parametrize("name", ["quick", "full"])
def test_every_id_is_in_the_larger_ones(name: str) -> None:
    found = cells(load(CONFIGS / f"{name}.yaml"))
    assert {cell.env for cell in found} == set(nlp_gym_envs.environment_ids())
    for env_id in nlp_gym_envs.environment_ids():
        arms = {cell.arm for cell in found if cell.env == env_id and cell.kind == "learned"}
        assert arms >= {"as is", "constant reward"}, env_id


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "name: x\nenvs: [nlp/sentiment-label-v0]\nagents: [ppo]\nseads: 3",
            "unknown key 'seads'; did you mean 'seeds'",
        ),
        ("name: x\nagents: [ppo]", "lacks 'envs'"),
        ("name: x\nenvs: []\nagents: [ppo]", "envs must be a list of at least one"),
        ("name: x\nenvs: [nlp/sentiment-label-v0]\nagents: [poo]", "no agent 'poo'; did you mean 'ppo'"),
        ("name: x\nenvs: [nlp/sentimnt-label-v0]\nagents: [ppo]", "no id 'nlp/sentimnt-label-v0'. Did you mean"),
        ("name: x\nenvs: ['nlp/*-labl-v0']\nagents: [ppo]", r"no registered id is like 'nlp/\*-labl-v0'"),
        ("name: x\nenvs: [{id: nlp/sentiment-label-v0, stepz: 5}]\nagents: [ppo]", "unknown key 'stepz'"),
        (
            "name: x\nenvs: [nlp/sentiment-label-v0]\nagents: [{agent: ppo, arms: [none]}]",
            "arms must be a list of 'as is'",
        ),
        ("name: x\nenvs: [nlp/sentiment-label-v0]\nagents: [ppo]\nseeds: [1, 1]", "seeds must be how many"),
        ("name: x\nenvs: [nlp/sentiment-label-v0]\nagents: [ppo]\nsteps: many", "steps must be a whole number"),
        ("name: x\nenvs: [nlp/sentiment-label-v0]\nagents: [ppo]\nsplits: [train]", "'test' among them"),
        ("name: [", "is no YAML"),
        ("5", "must be a mapping"),
    ],
)
def test_a_mistake_in_a_configuration_is_named(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(content)
    with pytest.raises((BadArgument, LookupError), match=message):
        cells(load(tmp_path / "wrong.yaml"))


def test_what_stands_nearer_wins_and_patterns_take_what_is_left() -> None:
    entries = [{"id": LABEL, "steps": 7, "seeds": [4]}, "nlp/*-label-v0", {"id": "nlp/*", "steps": 9}]
    who = ["majority", "threshold", "ppo", {"agent": "sarsa", "steps": 3, "seeds": 1, "arms": list(ARMS)}]
    found = cells(Benchmark("x", entries, who, seeds=2, steps=5))

    def of(**wanted: Any) -> list[Cell]:
        return [cell for cell in found if all(getattr(cell, name) == value for name, value in wanted.items())]

    assert [cell.steps for cell in of(env=LABEL, agent="ppo")] == [7] and of(env=LABEL, agent="ppo")[0].seed == 4
    assert [cell.steps for cell in of(env="nlp/sst2-label-v0", agent="ppo")] == [5, 5]
    assert {cell.steps for cell in of(env=READ, agent="ppo")} == {9}
    assert [(cell.steps, cell.arm) for cell in of(env=LABEL, agent="sarsa")] == [(3, arm) for arm in ARMS]
    assert len(of(env=READ, agent="majority")) == 1  # another seed, or an arm, would change nothing
    assert of(env=READ, agent="threshold") and not of(env=LABEL, agent="threshold")  # it is for reading
    assert len({cell.env for cell in found}) == len(nlp_gym_envs.environment_ids())
    assert {cell.agent for cell in only(found, ["env=nlp/*-read-v0", "agent=p*"])} == {"ppo"}
    with pytest.raises(BadArgument, match="--only takes name=pattern"):
        only(found, ["enf=x"])


def test_a_cells_id_changes_with_whatever_decides_what_comes_out(mine: dict[str, Any]) -> None:
    cell = cells(asked(mine))[-1]
    assert cell.id == cells(replace(asked(mine), name="other", samples=1))[-1].id
    changes: list[dict[str, Any]] = [{"seed": 1}, {"arm": ARMS[1]}, {"steps": 65}, {"limit": None}, {"env": READ},
                                     {"hyperparameters": {}}, {"env_kwargs": {}}, {"n_envs": 1}]  # fmt: skip
    assert len({cell.id, *(replace(cell, **change).id for change in changes)}) == len(changes) + 1


# ---------------------------------------------------------------- rows


@pytest.fixture(scope="module")
def finished(mine: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of every arm of a learned agent, of a baseline, and of a cell that fails."""
    folder = tmp_path_factory.mktemp("results") / "small"
    wrong = {"agent": "ppo", "hyperparameters": {"gama": 1}}
    benchmark = asked(mine, "majority", "uniform", wrong, {**FAST, "arms": list(ARMS), "steps": 640}, samples=3)
    state, damaged = run(benchmark, folder, workers=0)
    assert damaged is None and state.count("failed") == 1 and state.count("ok") == 6 and not state.waiting
    return Results(folder)


def test_a_row_holds_what_the_report_needs(finished: Results) -> None:
    rows = {(row["agent"], row["arm"]): row for row in finished.rows()}
    row, trivial = rows["sarsa", "as is"], rows["majority", "as is"]
    assert row["status"] == "ok" and row["error"] is None and row["benchmark"] == "small" and row["kind"] == "learned"
    assert row["env"] == LABEL and row["metric"] == "accuracy" and row["steps"] == 640 and row["seed"] == 0
    for split in ("validation", "test", "train"):
        scores = row["scores"][split]
        assert scores["n"] == 16
        for name in ("accuracy", "return", "length"):
            value, low, high = scores[name]
            assert low <= value <= high
    assert [look["steps"] for look in row["curve"]] == list(range(0, 641, 32))
    best = max(row["curve"], key=lambda look: look["return"])
    assert row["selected_at"] == best["steps"] and row["scores"]["validation"]["return"][0] == best["return"]
    assert row["counts"] == {"environment_steps": 640, "forward_passes": None, "backward_passes": None, "tokens": None}
    assert row["seconds"] > 0 and row["cpu_seconds"] > 0 and 50 < row["peak_memory_mb"] < 20_000
    assert row["versions"]["torch"] and row["data"]["train"]["n"] > 150 and len(row["data"]["train"]["sha256"]) == 64
    assert trivial["kind"] == "baseline" and trivial["counts"]["environment_steps"] == 0
    assert set(trivial["scores"]) == {"validation", "test"} and trivial["selected_at"] == 0


def test_a_failed_cell_is_a_row_with_its_error(finished: Results) -> None:
    (row,) = [row for row in finished.rows() if row["status"] == "failed"]
    assert row["agent"] == "ppo" and row["error"].startswith("BadArgument: ppo has no hyperparameter 'gama'")
    assert "scores" not in row and row["seconds"] >= 0 and row["versions"]


def test_controls_learn_nothing_and_the_agent_does(finished: Results) -> None:
    score = {row["arm"]: row["scores"]["test"]["accuracy"][0] for row in finished.rows() if row["agent"] == "sarsa"}
    assert score["as is"] == 1.0
    assert max(score[arm] for arm in ARMS[1:]) <= 0.85  # 16 examples; two labels
    last = {row["arm"]: row["selected_at"] for row in finished.rows() if row["agent"] == "sarsa"}
    assert last["constant reward"] == 640  # nothing can be chosen on validation there


def test_episodes_and_samples_are_those_of_the_scores(finished: Results) -> None:
    for row in finished.rows():
        if row["status"] != "ok":
            continue
        kept = finished.episodes(row["cell"])
        assert kept["return"].shape == (16,) and kept["counts/accuracy"].shape == (16, 2)
        assert kept["return"].mean() == pytest.approx(row["scores"]["test"]["return"][0], abs=1e-5)
        assert kept["accuracy"].mean() == pytest.approx(row["scores"]["test"]["accuracy"][0], abs=1e-5)
        told = finished.samples(row["cell"])
        assert told is not None and told["agent"] == row["agent"] and len(told["episodes"]) == 3
        for number, episode in enumerate(told["episodes"]):
            assert episode["example"] == number
            if row["agent"] != "uniform":  # which draws anew
                assert episode["return"] == pytest.approx(float(kept["return"][number]))
            (step,) = episode["steps"]
            assert step["meaning"] == f"answer {episode['answer']}" and "film" in episode["text"]
            assert step["reward"] == sum(step["components"].values()) and episode["metrics"]["accuracy"] in (0, 1)


def test_samples_tell_probabilities_of_policies_that_have_them(mine: dict[str, Any], tmp_path: Path) -> None:
    quick = {"hyperparameters": {"n_steps": 8, "batch_size": 16, "n_epochs": 1}, "steps": 64, "n_envs": 4}
    agents = [{"agent": name, **quick} for name in ("ppo", "maskable_ppo")]
    run(asked(mine, *agents, env=READ), tmp_path / "out", workers=0)
    for row in Results(tmp_path / "out").rows():
        told = Results(tmp_path / "out").samples(row["cell"])
        steps = [step for episode in (told or {})["episodes"] for step in episode["steps"]]
        assert steps and all(0.2 < step["probability"] <= 1 for step in steps)


class Reader(Baseline):
    """Wants to read on for ever, which masks forbid at the end of a text, as they forbid nothing else."""

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        return np.where(masks[:, -1], self.actions - 1, masks.argmax(1))


class Blind(Reader):
    """The same, told of no masks."""

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True):
        return super().predict(observation, state, episode_start, deterministic)


def test_agents_that_take_masks_are_judged_with_them(mine: dict[str, Any]) -> None:
    env = make_vec_env(READ, 1, 0, mine)
    obeying, ignoring = Reader("none", env), Blind("none", env)
    judged = [evaluate(agent, READ, "test", mine, limit=12) for agent in (obeying, ignoring)]
    assert (judged[0].answers == 0).all()  # it reads while it may, then takes the first of what is left
    assert set(judged[1].answers) == {0, 1}  # its forbidden last action left the answer to the environment
    last = [[episode["steps"][-1] for episode in samples(agent, READ, mine)] for agent in (obeying, ignoring)]
    assert [{step["meaning"] for step in steps} for steps in last] == [{"answer bad"}, {"read on"}]
    assert all(not step["components"]["invalid"] for step in last[0])
    assert all(step["components"]["invalid"] < 0 for step in last[1])


@pytest.mark.parametrize(
    "env_id",
    [LABEL, "nlp/arc_easy-choices-v0", "nlp/boolq-choices-v0", "nlp/squad_v2-span-v0", "nlp/multi30k_en_de-tokens-v0"],
)
def test_shuffling_keeps_the_texts_and_deals_the_answers_anew(env_id: str, tmp_path: Path) -> None:
    name, _ = names_of(env_id)
    before = TASKS.get(name).open(name)
    options = shuffled(env_id, {}, tmp_path / "data", 0)
    after = TASKS.get(name).open(name, **options)
    for split in ("train", "validation", "test"):
        true, made = before.at(split).examples, after.at(split).examples
        assert list(true["text"]) == list(made["text"])
        same = np.mean([a == b for a, b in zip(true.target, made.target, strict=True)])
        assert same == 1 if split == "test" else same < 0.9
    if isinstance(before.answer, Label):
        assert sorted(before.train.target) == sorted(after.train.target) and before.answer.names == after.answer.names


def test_data_that_are_not_there_are_skipped_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    benchmark = asked({"dataset": "nobody/has-this"}, "majority")
    state, _ = run(benchmark, tmp_path / "out", workers=0)
    (row,) = state.rows.values()
    assert row["status"] == "skipped" and row["error"].startswith("NotAvailable: ")
    path = written(tmp_path, benchmark)
    result = command("benchmark", path, "--out", tmp_path / "out")
    assert result.exit_code == 0 and "1 cell skipped" in result.stderr and "--retry" in result.stderr


def test_what_is_not_counted_is_null_and_a_dynamics_of_your_own_counts_itself() -> None:
    class Game:
        """Episodes as `counted` sees them."""

        def __init__(self, **what: Any) -> None:
            self.dynamics = type("Any", (), what)()

    assert counted(Game()) == {}
    assert counted(Game(spent={"backward_passes": 2})) == {"backward_passes": 2}
    model = type("Model", (), {"forwards": 3, "positions": 40})()
    assert counted(Game(decoding=model)) == {"forward_passes": 3, "tokens": 40}


@pytest.mark.slow
def test_what_a_model_computed_is_counted(tmp_path: Path) -> None:
    entry = {"id": "nlp/multi30k_en_de-tokens-v0", "env_kwargs": {"longest": 4}, "limit": 3}
    agent = {"agent": "maskable_ppo", "steps": 16, "n_envs": 2, "hyperparameters": {"n_steps": 8, "n_epochs": 1}}
    state, _ = run(Benchmark("x", [entry], [agent], splits=["validation", "test"]), tmp_path, workers=0)
    (row,) = state.rows.values()
    assert row["error"] is None and row["counts"]["forward_passes"] > 4 and row["counts"]["tokens"] > 16
    assert row["counts_test"]["forward_passes"] > 1 and row["counts_test"]["environment_steps"] >= 6
    assert row["agent_env_kwargs"] == {"observation": "dict"} and row["env_kwargs"] == {"longest": 4}


# ---------------------------------------------------------------- going on


class Watched:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.begun_cells: list[Cell] = []
        self.lines: list[str] = []

    def begin(self, state: State) -> None:
        self.state = state

    def begun(self, cell: Cell) -> None:
        self.begun_cells.append(cell)

    def finished(self, row: dict[str, Any]) -> None:
        self.lines.append(row["status"])


def test_what_has_a_row_is_not_run_again_and_failures_only_when_asked(mine: dict[str, Any], tmp_path: Path) -> None:
    wrong = {"agent": "ppo", "hyperparameters": {"gama": 1}}
    benchmark = asked(mine, "majority", wrong)
    counts = []
    for retry in (False, False, True):
        watched = Watched()
        run(benchmark, tmp_path, workers=0, retry=retry, watcher=watched)
        counts.append([cell.agent for cell in watched.begun_cells])
    assert counts == [["majority", "ppo"], [], ["ppo"]]
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2  # the failed row was replaced
    watched = Watched()
    run(
        replace(benchmark, envs=[{**benchmark.envs[0], "agents": ["majority", "uniform"]}]),
        tmp_path,
        0,
        (),
        False,
        watched,
    )
    assert [cell.agent for cell in watched.begun_cells] == ["uniform"]  # a configuration may grow
    with pytest.raises(BadArgument, match="holds the results of benchmark 'small', not 'other'"):
        run(replace(benchmark, name="other"), tmp_path, workers=0)


def test_the_time_left_is_told_by_cells_like_those_left(mine: dict[str, Any]) -> None:
    wanted = cells(asked(mine, "majority", FAST, seeds=3))
    rows = [{**cell.as_row(), "status": "ok", "seconds": seconds, "scores": {"test": {"accuracy": [0.5, 0, 1]}}}
            for cell, seconds in zip(wanted, (1.0, 10.0), strict=False)]  # fmt: skip
    state = State(wanted, rows, workers=2)
    assert state.seconds_left() == pytest.approx(10.0) and state.score() == 0.5
    state.finished({**rows[1], **wanted[2].as_row()})
    assert state.seconds_left() == pytest.approx(10.0) and len(state.waiting) == 1
    assert State(wanted, [], 2).seconds_left() is None and State(wanted, [], 2).score() is None


def test_lines_that_cannot_be_read_are_set_aside_and_run_again(mine: dict[str, Any], tmp_path: Path) -> None:
    benchmark = asked(mine, "majority", "uniform", "supervised")
    run(benchmark, tmp_path, workers=0)
    path = tmp_path / "rows.jsonl"
    whole = path.read_bytes()
    first, second, third = whole.splitlines(keepends=True)
    path.write_bytes(first + b"{garbage\n" + third[: len(third) // 2])  # an edit by hand; a crash in the middle
    assert [row["agent"] for row in Results(tmp_path).rows()] == ["majority"]
    result = command("benchmark", written(tmp_path, benchmark), "--out", tmp_path, "--workers", "0")
    assert result.exit_code == 0 and "lines 2, 3 of" in result.stderr and "rows.damaged.jsonl" in result.stderr
    assert (tmp_path / "rows.damaged.jsonl").read_bytes().startswith(first + b"{garbage\n")
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert rows[0] == json.loads(first) and [row["agent"] for row in rows] == ["majority", "uniform", "supervised"]


def test_a_last_line_without_its_end_is_completed(mine: dict[str, Any], tmp_path: Path) -> None:
    benchmark = asked(mine, "majority")
    run(benchmark, tmp_path, workers=0)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    state, damaged = run(asked(mine, "majority", "uniform"), tmp_path, workers=0)
    assert damaged is None and len(state.rows) == 2
    assert [json.loads(line)["agent"] for line in path.read_bytes().splitlines()] == ["majority", "uniform"]


def test_two_benchmarks_cannot_write_to_one_folder(mine: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path, asked(mine, "majority"))
    with Results(tmp_path / "out").locked():
        arguments = ["benchmark", str(path), "--out", str(tmp_path / "out")]
        script = f"from nlp_gym_agents._cli import app; app({arguments!r})"
        ended = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True)
    assert ended.returncode == 2 and f"another benchmark, process {os.getpid()}" in ended.stderr
    assert not (tmp_path / "out" / "rows.jsonl").exists()


def environment() -> dict[str, str]:
    """What a process of its own needs to find the packages."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}


def test_a_full_disk_keeps_what_was_finished_and_says_how_to_go_on(
    mine: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = written(tmp_path, asked(mine, "majority", "uniform"))
    arguments = ("benchmark", path, "--out", tmp_path / "out", "--workers", "0")
    append, rows = Results._append, tmp_path / "out" / "rows.jsonl"

    def second(self: Results, line: bytes) -> None:
        if rows.exists():
            monkeypatch.setattr(os, "fsync", full)  # after the bytes went in, as some file systems tell it
        append(self, line)

    with monkeypatch.context() as patched:
        patched.setattr(Results, "_append", second)
        result = command(*arguments)
    monkeypatch.undo()
    assert result.exit_code == 2 and "No space left on device" in result.stderr and "Traceback" not in result.output
    assert [json.loads(line)["agent"] for line in rows.read_text().splitlines()] == ["majority"]
    again = re.search(r"nlp-gym (benchmark .*)", result.stderr)
    assert again and command(*again[1].split(), "--workers", "0").exit_code == 0
    assert len(rows.read_text().splitlines()) == 2


def test_a_disk_that_is_full_for_a_cell_stops_the_benchmark(mine: dict[str, Any], tmp_path: Path) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_cells, "train", full)
        with pytest.raises(OSError, match="No space left"):
            run(asked(mine, "majority"), tmp_path, workers=0)
    assert not (tmp_path / "rows.jsonl").exists()  # it is no failure of that cell's


# ---------------------------------------------------------------- processes


def test_an_ids_first_cell_fills_its_caches_before_another_is_begun(mine: dict[str, Any]) -> None:
    entries = [{"id": env, "agents": ["majority", "supervised"]} for env in (LABEL, READ)]
    waiting = deque(cells(Benchmark("x", entries, ["majority"])))
    given = [
        _next(waiting, busy, opened) for busy, opened in ((set(), set()), ({LABEL}, set()), ({LABEL, READ}, set()))
    ]
    assert [cell.env for cell in given] == [LABEL, READ, LABEL]  # none is left idle
    assert _next(waiting, {READ}, {READ}).env == READ and not waiting


def test_a_process_that_dies_is_a_failed_row_and_the_rest_goes_on(mine: dict[str, Any], tmp_path: Path) -> None:
    """In the first cell the worker kills itself, as the system does when memory is short."""
    (tmp_path / "dying.py").write_text(
        "import os, signal\n"
        "from nlp_gym_agents._baseline import Baseline\n"
        "class AGENT(Baseline):\n"
        "    def learn(self, *arguments, **options): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(tmp_path))
        state, _ = run(asked(mine, "dying.AGENT", "majority"), tmp_path / "out", workers=1)
    rows = {row["agent"]: row for row in state.rows.values()}
    assert rows["dying.AGENT"]["status"] == "failed" and "signal 9" in rows["dying.AGENT"]["error"]
    assert rows["majority"]["status"] == "ok"
    assert not (tmp_path / "out" / ".cells").exists()


def test_kill_9_loses_only_the_cells_in_flight(mine: dict[str, Any], tmp_path: Path) -> None:
    long = {"agent": "sarsa", "steps": 10_000_000, "n_envs": 4}
    path, out = written(tmp_path, asked(mine, "majority", "uniform", long)), tmp_path / "out"
    started = subprocess.Popen(
        [sys.executable, "-m", "nlp_gym_agents._cli", "benchmark", str(path), "--out", str(out), "--workers", "1"],
        env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 200
        while not (Results(out).exists and len(Results(out).rows()) == 2 and list(out.glob(".cells/*/run/*.jsonl"))):
            assert started.poll() is None and time.monotonic() < deadline, started.communicate()
            time.sleep(0.05)
        workers = children(started.pid)
        started.send_signal(signal.SIGKILL)
        started.wait()
        assert workers and gone(workers)
    finally:
        started.kill()
        assert started.stderr is not None
        started.stderr.close()
    assert [row["agent"] for row in Results(out).rows()] == ["majority", "uniform"]
    watched = Watched()
    run(asked(mine, "majority", "uniform", {**FAST}), out, workers=0, watcher=watched)
    assert [cell.agent for cell in watched.begun_cells] == ["sarsa"] and not (out / ".cells").exists()


def children(parent: int) -> list[int]:
    """The processes that a process has started."""
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(number) for number in listed.read_text().split()]


def gone(processes: Sequence[int]) -> bool:
    """Whether all of them have ended, given a little time."""
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{number}").exists() for number in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.slow
def test_ray_gives_the_same_scores(mine: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    benchmark = asked(mine, "majority", FAST, {"agent": "ppo", "hyperparameters": {"gama": 1}})
    here, there = (run(benchmark, tmp_path / str(workers), workers)[0] for workers in (0, "ray"))
    assert here.rows.keys() == there.rows.keys()
    for cell, row in here.rows.items():
        assert row["status"] == there.rows[cell]["status"] and row.get("scores") == there.rows[cell].get("scores")


@pytest.mark.slow
def test_the_smoke_benchmark_runs_whole(tmp_path: Path) -> None:
    result = command("benchmark", CONFIGS / "smoke.yaml", "--out", tmp_path, "--workers", "1")
    assert result.exit_code == 0, result.output
    rows = Results(tmp_path).rows()
    assert len(rows) == len(cells(load(CONFIGS / "smoke.yaml"))) and {row["status"] for row in rows} == {"ok"}
