"""The command line: every command, every mistake that a user can make, exit codes, and what goes where."""

import errno
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from typer.testing import CliRunner

import nlp_gym_envs
from nlp_gym_agents import _screens, _trained
from nlp_gym_agents._cli import app
from nlp_gym_agents._runs import Run
from nlp_gym_agents._settings import known_id, settings
from nlp_gym_envs.errors import BadArgument, NotAvailable, UnknownName

LABEL, READ = "nlp/sentiment-label-v0", "nlp/sentiment-read-v0"
RUNNER = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"})
FAST = "--steps 96 --eval-every 32 --n-envs 4 --param n_steps=8 --param batch_size=32 --param n_epochs=1".split()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A csv file of 120 short reviews whose columns have names of their own."""
    lines = ["review,stars"]
    for number in range(120):
        word, label = (("fine", "good"), ("poor", "bad"))[number % 2]
        lines.append(f"review {number} of a film that was {word} on day {number % 7},{label}")
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def mine(dataset: str) -> list[str]:
    return ["--set", f"dataset={dataset}", "--set", "columns={text: review, label: stars}"]


@pytest.fixture(scope="module")
def trained(mine: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A finished run of a reading agent, and what its command printed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, done("train", "--agent", "ppo", "--env", READ, "--out", str(folder), *FAST, *mine)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs go into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


def called(*arguments: str, text: str | None = None) -> Any:
    """The command's result; an exception that reached the user is an error of the test."""
    result = RUNNER.invoke(app, [str(argument) for argument in arguments], input=text)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "\x1b" not in result.stdout and "Traceback" not in result.output
    return result


def done(*arguments: str, text: str | None = None) -> Any:
    result = called(*arguments, text=text)
    assert result.exit_code == 0, result.output
    return result


def refused(*arguments: str, code: int = 2) -> str:
    """What standard error says of a command that must fail, as one line; nothing is on standard output."""
    result = called(*arguments)
    assert result.exit_code == code, result.output
    lines = [line for line in result.stderr.splitlines() if not line.startswith("Preparing ")]  # of a slow machine
    assert result.stdout == "" and len(lines) <= 3
    return " ".join(" ".join(lines).split())


def process(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "nlp_gym_agents._cli", *arguments]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # a shell that runs the tests in the background has interrupts ignored, and its children would inherit that
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, text=True, env=environment, preexec_fn=heed, **{**pipes, **options})


# ---------------------------------------------------------------- looking


def test_list_has_a_line_for_every_id_and_finds_words() -> None:
    lines = done("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(nlp_gym_envs.environment_ids())
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)
    assert re.search(r"sentiment-read-v0 +sentiment +read +2 +package", "\n".join(lines))
    some = done("list", "SST2").stdout.splitlines()[1:]
    assert [line.split()[0] for line in some] == [name for name in nlp_gym_envs.environment_ids() if "/sst2-" in name]
    assert "no id has 'xyzzy'" in refused("list", "xyzzy")


def test_list_agents_has_a_sentence_for_each() -> None:
    from nlp_gym_agents._agents import AGENTS

    text = done("list", "--agents").stdout
    assert set(AGENTS.names()) <= set(re.findall(r"^(\w+)  ", text, re.MULTILINE))
    assert "Proximal policy optimisation" in text


@pytest.mark.parametrize("arguments", [("--help",), ("list",), ("list", "--agents"), ("--version",)])
def test_what_should_come_at_once_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    script = (
        f"import sys; sys.path[:0] = {sys.path!r}; sys.argv = ['nlp-gym', *{arguments!r}]\n"
        "from nlp_gym_agents._cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'torch', 'stable_baselines3', 'sklearn', 'transformers', 'datasets'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr


def test_version() -> None:
    assert done("--version").stdout == f"nlp-gym {nlp_gym_envs.__version__}\n"


@pytest.mark.parametrize("command", ["", "list", "show", "play", "train", "evaluate"])
def test_every_help_has_examples_and_fits_80_columns(command: str) -> None:
    text = done(*filter(None, [command]), "--help").stdout
    assert "Examples" in text and "nlp-gym " in text
    assert all(len(line.rstrip()) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("env_id", [LABEL, READ])
def test_show_prints_facts_sections_and_episodes(env_id: str) -> None:
    from nlp_gym_agents._pages import SECTIONS

    text = done("show", env_id).stdout
    lines = text.splitlines()
    assert lines[0] == env_id and all(len(line) <= 80 and line == line.rstrip() for line in lines)
    places = [lines.index(section) for section in (*SECTIONS, "Examples")]
    assert places == sorted(places)
    assert "12,000 examples" in text and "answer positive" in text and text.count("\n  > ") == 3


def test_show_takes_settings(mine: list[str]) -> None:
    text = done("show", READ, *mine, "--set", "chunk=2").stdout
    assert "good" in text and "answer bad" in text and "of a film" in text


def test_show_of_unreachable_data_still_has_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*arguments: Any, **options: Any) -> None:
        raise NotAvailable("the Hub cannot be reached.")

    monkeypatch.setattr(gym, "make", unreachable)
    result = called("show", LABEL)
    assert result.exit_code == 2 and "Episode End" in result.stdout and "Examples" not in result.stdout
    assert result.stderr == "Error: the Hub cannot be reached.\n"
    assert "cannot be reached" in refused("show", LABEL, "--set", "dataset=nobody/has-this")


def test_play_takes_numbers_and_names_from_a_pipe(mine: list[str]) -> None:
    shown = done("play", LABEL, "--seed", "1", "--episodes", "3", *mine, text="0\nANSWER good\nbad\n").stdout
    assert shown.count("of a film") == 3 and re.search(r"so far \d of 3 right", shown)
    assert "3 episodes" in shown and "accuracy" in shown
    assert shown == done("play", LABEL, "--seed", "1", "--episodes", "3", *mine, text="0\ngood\n0\n").stdout.replace(
        "> good", "> ANSWER good"
    ).replace("> 0\n", "> bad\n").replace("> bad\n", "> 0\n", 1)


def test_play_shows_costs_masks_and_help_and_quits(mine: list[str]) -> None:
    text = "?\nnonsense\n99\n" + "read\n" * 6 + "good\nq\n"
    shown = done("play", READ, "--seed", "1", "--set", "chunk=3", *mine, text=text).stdout
    assert "(nothing read yet)" in shown and "reading -0.003" in shown and "'read on' is not allowed now" in shown
    assert shown.count("Type an action's number or name") == 2 and shown.count("0 answer bad") == 3
    assert "1 episode " in shown and "words_read" in shown and "Episode 2 of 10" in shown
    assert "No episode was finished." in done("play", READ, *mine, text="").stdout


@pytest.mark.parametrize(
    ("env_id", "typed", "metric"),
    [
        ("nlp/arc_easy-choices-v0", "continue to the next\n0\n", "accuracy"),
        ("nlp/squad-span-v0", "0\n0\n0\n", "exact_match"),
        ("nlp/squad-tokens-v0", "0\n" * 50, "exact_match"),
        ("nlp/multi30k_en_de-readwrite-v0", "read a word\n" + "write a word\n" * 80, "chrf"),
    ],
    ids=["choices", "span", "tokens", "readwrite"],
)
def test_ids_whose_answers_are_no_labels_are_shown_and_played(env_id: str, typed: str, metric: str) -> None:
    text = done("show", env_id).stdout
    assert "Examples" in text and text.count("\n  > ") >= 3
    shown = done("play", env_id, "--seed", "1", "--episodes", "1", text=typed).stdout
    assert metric in shown and "1 episode " in shown and re.search(r"so far \d of 1 right", shown)


def test_play_obeys_no_control_characters_in_texts(tmp_path: Path) -> None:
    rows = [f"evil \x1b[31m {number},{'ab'[number % 2]}" for number in range(40)]
    (tmp_path / "evil.csv").write_text("\n".join(["text,label", *rows]))
    assert "evil" in done("play", LABEL, "--set", "dataset=evil.csv", text="a\n").stdout


# ---------------------------------------------------------------- training and judging


def test_train_prints_progress_table_folder_and_curve(trained: tuple[Path, Any]) -> None:
    folder, result = trained
    assert re.search(r"96 of 96 steps, .* validation return", result.stderr)
    names = re.findall(r"^(?:> |  )(\w+)", result.stdout, re.MULTILINE)
    assert names == ["ppo", "uniform", "majority", "threshold", "supervised", "oracle"]
    assert "words read" in result.stdout and "% read" in result.stdout and "(read-all)" in result.stdout
    assert f"run    {folder}" in result.stdout and f"curve  {folder / 'curve.png'}" in result.stdout
    assert (folder / "curve.png").read_bytes()[:4] == b"\x89PNG"
    table = json.loads((folder / "table.json").read_text())
    assert [row["agent"] for row in table["rows"]] == names and table["split"] == "test"
    assert Run(folder).facts()["command"].startswith("nlp-gym")


def test_a_finished_run_is_said_to_be_and_its_table_comes_again(trained: tuple[Path, Any]) -> None:
    folder, first = trained
    again = done("train", "--resume", "--out", str(folder))
    assert "is finished, 96 steps" in again.stderr and again.stdout == first.stdout


def test_evaluate_prints_a_table_or_one_json_object(trained: tuple[Path, Any]) -> None:
    folder, _ = trained
    assert re.search(r"accuracy x 100 +[\d.]+  \[", done("evaluate", str(folder)).stdout)
    result = done("evaluate", str(folder), "--json", "--split", "validation")
    report = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1 and report["agent"] == "ppo" and report["env"] == READ
    assert report["split"] == "validation" and report["n"] > 0
    for score in report["scores"].values():
        assert score["low"] <= score["value"] <= score["high"]


def test_json_is_alone_on_standard_output_whatever_libraries_print(
    trained: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = _trained.judge

    def noisy(*arguments: Any) -> Any:
        print("a library says hello")
        return judge(*arguments)

    monkeypatch.setattr(_trained, "judge", noisy)
    result = done("evaluate", str(trained[0]), "--json")
    assert json.loads(result.stdout)["agent"] == "ppo" and "hello" in result.stderr


def test_the_default_folder_has_a_number_when_it_is_taken(mine: list[str]) -> None:
    arguments = ("train", "--agent", "majority", "--env", LABEL, "--no-table", "--seed", "7", *mine)
    for name in ("", "-2", "-3"):
        assert done(*arguments).stdout == f"run    runs/majority-sentiment-label-seed7{name}\n"
    assert "runs/majority-sentiment-label-seed7-3 is finished" in done(*arguments, "--resume").stderr


@pytest.mark.parametrize("env_id", ["nlp/arc_easy-choices-v0", "nlp/squad-span-v0", "nlp/squad-tokens-v0"])
def test_ids_whose_answers_are_no_labels_are_trained_and_judged(env_id: str) -> None:
    arguments = [*FAST, "--set", "longest=6"] if "tokens" in env_id else FAST
    said = done("train", "--agent", "maskable_ppo", "--env", env_id, "--out", "run", *arguments).stdout
    names = re.findall(r"^(?:> |  )(\w+)", said, re.MULTILINE)
    assert names[0] == "maskable_ppo" and {"uniform", "oracle"} <= set(names)
    scores = json.loads(done("evaluate", "run", "--json", "--split", "validation").stdout)["scores"]
    metric = "accuracy" if "choices" in env_id else "f1"
    assert 0 <= scores[metric]["low"] <= scores[metric]["value"] <= scores[metric]["high"] <= 1


def test_quiet_prints_nothing_and_still_writes(mine: list[str]) -> None:
    result = done("train", "--agent", "supervised", "--env", LABEL, "--quiet", "--out", "quiet", *mine)
    assert result.output == "" and json.loads(Path("quiet/table.json").read_text())["rows"][0]["agent"] == "supervised"


def test_a_dataset_is_found_from_another_folder_too(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("here.csv").write_text(Path(dataset).read_text().replace("review,stars", "text,label"))
    done("train", "--agent", "majority", "--env", LABEL, "--no-table", "--out", "run", "--set", "dataset=here.csv")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert "majority on" in done("evaluate", "../run").stdout


def test_warnings_are_one_line_and_keep_off_standard_output(mine: list[str]) -> None:
    arguments = ("--steps", "20", "--n-envs", "1", "--param", "n_steps=5", "--param", "batch_size=3", *mine)
    result = done("train", "--agent", "ppo", "--env", LABEL, "--no-table", *arguments)
    said = [line for line in result.stderr.splitlines() if line.startswith("Warning: ")]
    assert len(said) == 1 and "mini-batch size of 3" in said[0]


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "nlp/sentimnt-label-v0"), r"no id 'nlp/sentimnt-label-v0'. Did you mean nlp/sentiment-label-v0"),
        (("play", "sst2"), r"Did you mean nlp/sst2-\w+-v0 or nlp/sst2-\w+-v0"),
        (("show", "nowhere:nlp/x-label-v0"), "no module 'nowhere'"),
        (("show", LABEL, "--set", "split"), "--set takes key=value"),
        (("show", LABEL, "--set", "columns={text"), "no YAML value"),
        (("show", LABEL, "--set", "split=train", "--set", "split=test"), "given twice"),
        (("show", LABEL, "--set", "splt=test"), "did you mean 'split'"),
        (("show", LABEL, "--set", "dataset=missing.csv"), "missing.csv"),
        (("play", LABEL, "--split", "tset"), "tset"),
        (("train", "--env", LABEL), "--agent is missing, as in nlp-gym train"),
        (("train", "--agent", "ppo"), "--env is missing"),
        (("train", "--agent", "poo", "--env", LABEL), "no agent 'poo'; did you mean 'ppo'"),
        (("train", "--agent", "ppo", "--env", LABEL, "--param", "gama=1"), "no hyperparameter 'gama'"),
        (("train", "--agent", "ppo", "--env", LABEL, "--param", "gamma"), "--param takes key=value"),
        (("train", "--agent", "ppo", "--env", LABEL, "--config", "none.yml"), "none.yml"),
        (("train", "--agent", "threshold", "--env", LABEL), "Threshold is for read environments"),
        (("evaluate", "nothing"), "there is no run in nothing: there is no such folder"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(arguments: tuple[str, ...], message: str) -> None:
    said = refused(*arguments)
    assert said.startswith("Error: ") and re.search(message, said), said
    assert not Path("runs").exists()


def test_mistakes_about_folders(mine: list[str]) -> None:
    train = ("train", "--agent", "majority", "--env", LABEL, "--no-table", "--out")
    Path("file").write_text("")
    assert "file holds something else already" in refused(*train, "file", *mine)
    assert "that is a file" in refused("evaluate", "file")
    assert re.search(r"Not a directory|File exists", refused(*train, "file/run", *mine))
    done(*train, "run", *mine)
    assert re.search(r"run holds a run already; continue it with --resume", refused(*train, "run", *mine))
    Path("run/config.yaml").write_text("")
    assert "config.yaml" in refused("evaluate", "run") and "config.yaml" in refused(*train, "run", "--resume", *mine)


def test_what_the_system_forbids_is_one_line(mine: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*arguments: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "locked/run")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    said = refused("train", "--agent", "majority", "--env", LABEL, "--out", "locked/run", "--quiet", *mine)
    assert said == "Error: Permission denied: locked/run"


def test_a_full_disk_says_how_to_go_on(mine: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def full(source: Any, target: Any) -> None:
        if str(target).endswith("checkpoint-000000000064"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        replace(source, target)

    arguments = ["--agent", "ppo", "--env", LABEL, *FAST, *mine, "--no-table", "--quiet", "--out", "a run"]
    monkeypatch.setattr(os, "replace", full)
    said = refused("train", *arguments)
    assert "No space left on device" in said and "32 steps are kept" in said
    monkeypatch.setattr(os, "replace", replace)
    again = re.search(r"nlp-gym (train --resume --out 'a run')$", said)
    assert again
    done(*shlex.split(again[1]), "--no-table")
    assert [row["steps"] for row in Run("a run").rows()] == [0, 32, 64, 96]


def test_resuming_with_other_settings_is_refused(trained: tuple[Path, Any]) -> None:
    resume = ("train", "--resume", "--out", str(trained[0]), "--steps", "200")
    assert "seed is 0 there, not 5" in refused(*resume, "--quiet", "--seed", "5")
    assert "chunk is not set there, not 9" in refused(*resume, "--quiet", "--set", "chunk=9")
    assert "n_steps is 8 there, not 16" in refused(*resume, "--quiet", "--param", "n_steps=16")
    assert "agent is 'ppo' there, not 'dqn'" in refused(*resume, "--quiet", "--agent", "dqn")
    assert "32" in refused(*resume, "--quiet", "--eval-every", "7")


def test_a_bug_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_screens, "list_ids", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        called("list")


# ---------------------------------------------------------------- interruptions


def until_rows(folder: Path, count: int, running: subprocess.Popen[str]) -> None:
    """Wait until a training has looked so often."""
    deadline = time.monotonic() + 120
    while len(Run(folder).rows()) < count:
        assert running.poll() is None and time.monotonic() < deadline, running.communicate()
        time.sleep(0.02)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_process_that_is_stopped_can_be_continued(
    sent: signal.Signals, code: int, mine: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    arguments = ["--env", LABEL, "--steps", "1000000", "--eval-every", "500", "--seed", "2", *mine]
    running = process("train", "--agent", "dqn", "--param", "buffer_size=2000", "--out", str(folder), *arguments)
    try:
        until_rows(folder, 3, running)
        refusal = refused("train", "--resume", "--out", str(folder), "--quiet")
        assert f"another process, number {running.pid}" in refusal
        running.send_signal(sent)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == code and "Traceback" not in said
    looks = [row["steps"] for row in Run(folder).rows()]
    kept = Run(folder).steps_done()
    assert looks[-1] >= kept - 520 and kept >= 500
    again = ["train", "--resume", "--out", str(folder)]
    if sent == signal.SIGINT:
        assert said.rstrip().endswith("nlp-gym " + shlex.join(again)) and f"{kept:,} steps" in said
    result = done(*again, "--steps", str(kept + 600), "--no-table")
    assert f"after {kept:,} of {kept + 600:,} steps" in result.stderr
    rows = [row["steps"] for row in Run(folder).rows()]
    assert rows[: len(looks) - 1] == looks[:-1] and rows == sorted(set(rows)) and rows[-1] >= kept + 600
    scores = json.loads(done("evaluate", str(folder), "--json", "--split", "validation").stdout)["scores"]
    assert scores["return"]["value"] == pytest.approx(max(row["return"] for row in Run(folder).rows()))


def test_control_c_in_a_game_is_no_traceback(mine: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupt)
    result = called("play", LABEL, *mine)
    assert result.exit_code == 130 and result.stderr.strip() == "Interrupted."


# ---------------------------------------------------------------- what people type


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1e-3", 0.001), ("5", 5), ("010", 10), ("-.5", -0.5), ("no", "no"), ("[no, yes]", ["no", "yes"]), ("true", True),
     ("", None), ("null", None), ("'5'", "5"), ("{text: review}", {"text": "review"}), ("2020-01-01", "2020-01-01"),
     ("1:30", "1:30"), ("a=b", "a=b"), ("two words", "two words")],
)  # fmt: skip
def test_values_are_read_as_people_mean_them(typed: str, value: Any) -> None:
    read = settings([f"key={typed}"])["key"]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize("typed", ["key", "=5", "a b=5", "key=[1", "key=!!python/name:os.system", "key=a: b: c"])
def test_what_is_no_setting_is_refused(typed: str) -> None:
    with pytest.raises(BadArgument, match="--set"):
        settings([typed])


def test_ids_are_found_with_their_module_and_near_misses_named() -> None:
    assert known_id(LABEL) == known_id(f"nlp_gym_envs:{LABEL}") == LABEL
    with pytest.raises(UnknownName, match="nlp/imdb-read-v0"):
        known_id("nlp/imdb-read-v1")
