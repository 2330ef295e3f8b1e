"""A run's folder: what a killed process may leave in it, who may write to it, and what damaged files lead to."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nlp_gym_agents._runs import Run
from nlp_gym_envs.errors import BadArgument, BadData

CONFIG = {"agent": "ppo", "env": "nlp/sentiment-label-v0"}


def saving(content: str):
    """A checkpoint with one file."""
    return lambda folder: (folder / "state.json").write_text(content)


def test_a_run_is_never_overwritten(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.create(CONFIG)
    with pytest.raises(BadArgument, match="holds a run already.*--resume.*--out"):
        run.create(CONFIG)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BadArgument, match="something else"):
        Run(tmp_path).create(CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(BadArgument, match="something else"):
        Run(tmp_path / "run").create(CONFIG)
    with pytest.raises(BadArgument, match="that is a file"):
        Run(tmp_path / "run").config()
    with pytest.raises(BadArgument, match="no such folder"):
        Run(tmp_path / "nothing").config()


def test_what_a_killed_process_left_is_no_obstacle_and_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint").mkdir()
    (tmp_path / ".checkpoint" / "agent.zip").write_text("half")
    (tmp_path / ".config.yaml.abc123").write_text("half")
    (tmp_path / ".lock").write_text("999999999\n")
    run = Run(tmp_path)
    with run.locked():
        run.create(CONFIG)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "config.yaml"]


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"agent: ppo\n", b"agent: {\n", b"\xff\xfe\x00"])
def test_a_damaged_configuration_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(BadData, match="config.yaml"):
        Run(tmp_path).config()


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff"])
def test_damaged_facts_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(BadData, match="run.json"):
        Run(tmp_path).facts()


def test_a_second_process_is_refused_until_the_first_is_gone_however_it_went(tmp_path: Path) -> None:
    holds = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from nlp_gym_agents._runs import Run\n"
        f"with Run({str(tmp_path)!r}).locked():\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    other = subprocess.Popen([sys.executable, "-c", holds], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(BadArgument, match=f"another process, number {other.pid}"):
            with Run(tmp_path).locked():
                pass
    finally:
        other.kill()
        other.communicate()
    with Run(tmp_path).locked():
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_a_row_takes_the_place_of_one_at_the_same_step_and_a_torn_line_goes(tmp_path: Path) -> None:
    run = Run(tmp_path)
    (tmp_path / "metrics.jsonl").write_text('{"steps": 0, "return": 0.1}\n{"steps": 5, "return": 0.2}\n{"steps": 1')
    run.add_row({"steps": 5, "return": 0.3})
    run.add_row({"steps": 9, "return": 0.4})
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["return"] for line in lines] == [0.1, 0.3, 0.4]
    run.forget_after(5)
    assert [row["steps"] for row in run.rows()] == [0, 5]


def test_a_broken_line_in_the_middle_is_an_error_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"steps": 0}\nbroken\n{"steps": 2}\n')
    with pytest.raises(BadData, match="line 2"):
        Run(tmp_path).rows()


def test_the_newest_two_checkpoints_are_kept(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.checkpoint() is None and run.steps_done() == 0
    for steps in (5, 900, 10_000):
        run.save_checkpoint(steps, saving(str(steps)))
    run.drop_old_checkpoints()
    assert [int(path.name.split("-")[1]) for path in run.checkpoints()] == [10_000, 900]
    assert run.steps_done() == 10_000


def test_a_full_disk_leaves_the_checkpoint_before_and_no_half_one(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.save_checkpoint(5, saving("good"))

    def fails(folder: Path) -> None:
        (folder / "state.json").write_text("ha")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for steps in (5, 6):  # the same step again, too
        with pytest.raises(OSError, match="No space left"):
            run.save_checkpoint(steps, fails)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-000000000005"]
    assert (tmp_path / "checkpoint-000000000005" / "state.json").read_text() == "good"


def test_finished_needs_the_end_the_steps_and_the_model(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert not run.finished(10)
    run.note(ended="now", steps=10)
    assert not run.finished(10)
    run.write("model.zip", b"")
    assert run.finished(10) and not run.finished(11)
