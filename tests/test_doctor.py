"""The doctor: every planted fault is found, and what is sound is called sound."""

import json
import re
from pathlib import Path
from typing import Any

import faulty
import gymnasium as gym
import numpy as np
import pytest
from conftest import small_data, write_csv
from typer.testing import CliRunner

import nlp_gym_envs
from nlp_gym_agents._cli import app
from nlp_gym_agents._doctor import FAULT, NOTE, OK, WARNING, Report, examine
from nlp_gym_agents._doctor._findings import CHECKS
from nlp_gym_agents._doctor.data import normal, shingles
from nlp_gym_envs.task import TASKS

LABEL = "nlp/text_classification-label-v0"
RUNNER = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"})


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_data(tmp_path_factory.mktemp("small"), TASKS.get("text_classification"))


def marks(report: Report, about: str) -> set[str]:
    """The marks of all findings about something."""
    return {each.finding.mark for each in report.found if each.finding.about == about}


def faults(report: Report) -> dict[str, str]:
    return {each.finding.about: each.finding.told for each in report.marked(FAULT)}


def looked(name: str, small: str, *only: str, quick: bool = True) -> Report:
    """What is found in one of the dynamics of `faulty`, in some sections."""
    given = {
        "dynamics": f"faulty.{name}",
        "dataset": small,
        "encoder": {"name": "hashing", "dimensions": 64},
    }
    return examine(LABEL, given, quick, only)


# ---------------------------------------------------------------- planted faults


@pytest.mark.parametrize(
    ("name", "section", "about"),
    [
        ("Paid", "Reward", {"oracle", "better answers"}),
        ("UpsideDown", "Reward", {"oracle"}),
        ("Leaking", "Leaks", {"answers swapped"}),
        ("NotANumber", "Contract", {"observations"}),
        ("Beyond", "Contract", {"observations"}),
        ("SeedIgnored", "Seeds and rows", {"a seed"}),
        ("OneBeginning", "Seeds and rows", {"other seeds"}),
        ("Remembers", "Seeds and rows", {"a seed again"}),
        ("SilencePays", "Degenerate answers", {"no answer at all"}),
        ("AllForbidden", "Masks", {"masks"}),
        ("RowsTalk", "Seeds and rows", {"rows alone", "row i = single face"}),
        ("DearerThanDeclared", "Reward", {"range"}),
    ],
)
def test_a_planted_fault_is_found(name: str, section: str, about: set[str], small: str) -> None:
    found = faults(looked(name, small, section))
    assert about <= set(found), found
    assert faults(looked("WithANumber", small, section)) == {}  # the sound twin


def test_a_label_that_was_fitted_on_itself_is_found(small: str) -> None:
    assert set(faults(looked("SeesItsOwn", small, "Leaks", quick=False))) == {"own answer in training"}


def test_breaking_the_masks_must_not_pay(small: str) -> None:
    report = looked("ForbiddenPays", small, "Masks")
    assert marks(report, "forbidden actions") == {WARNING}
    assert (report.exit_code(), report.exit_code(strict=True)) == (0, 1)
    assert report.verdict == "Sound, with 1 warning to know of: forbidden actions."


def test_what_a_step_raises_is_a_finding_with_its_place(small: str) -> None:
    report = looked("Raises", small, "Contract")
    told = [each.finding for each in report.marked(FAULT) if "ZeroDivisionError: no words" in each.finding.told]
    assert told and any(re.search(r"faulty\.py:\d+", finding.todo) for finding in told)
    assert report.exit_code() == 2


def test_an_empty_answer_that_the_metric_pays_is_found(small: str) -> None:
    for task, found in (("faulty.LENIENT", {"accuracy of answers"}), ("faulty.TASK", set())):
        report = examine(LABEL, {"task": task, "dataset": small}, True, ("Degenerate answers",))
        assert set(faults(report)) == found


def test_held_out_texts_that_training_has_are_found(tmp_path: Path) -> None:
    folder = Path(small_data(tmp_path, TASKS.get("text_classification")))
    (folder / "test.csv").write_text((folder / "train.csv").read_text())
    report = examine(LABEL, {"dataset": str(folder), "encoder": "hashing"}, only=("Data",))
    assert set(faults(report)) == {"test in train"}
    assert "48 of 48" in faults(report)["test in train"]


def test_near_duplicates_repetitions_and_named_labels_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = [f"word{number}" for number in range(200)]
    train = [(" ".join(rng.choice(words, 20)), "sport" if number % 2 else "trade") for number in range(60)]
    train = [(f"{text} {label}", label) for text, label in train]
    near = [(f"{text.upper()} indeed", "trade") for text, _ in train[:30]]
    contradicting = [(text, "trade") for text, _ in train[:8]]
    new = [(" ".join(rng.choice(words, 20)), "trade") for _ in range(30)]
    for split, rows in (("train", [*train, *contradicting]), ("validation", near), ("test", new)):
        write_csv(tmp_path / f"{split}.csv", ("text", "label"), rows)
    report = examine(LABEL, {"dataset": str(tmp_path), "encoder": "hashing"}, only=("Data",))
    for about in ("near validation", "label in the text", "labels", "repetitions"):
        assert marks(report, about) == {WARNING}, about
    assert marks(report, "near test") == {OK} and faults(report) == {}


def test_texts_are_compared_by_their_words() -> None:
    assert normal("The CAT,  sat. ") == normal("the cat sat") == "the cat sat"
    assert shingles("a b c d") == shingles("A, b c -- d!") != shingles("d c b a")
    assert len(shingles("私は猫が好きです")) == 4 and len(shingles("")) == 1


# ---------------------------------------------------------------- anybody's environment


@pytest.mark.parametrize(
    ("fault", "section", "about"),
    [
        ("leak", "Leaks", "one number"),
        ("seed", "Seeds and rows", "a seed"),
        ("shared", "Seeds and rows", "rows alone"),
        ("range", "Reward", "range"),
        ("sign", "Reward", "better answers"),
    ],
)
def test_faults_of_other_peoples_environments_are_found(fault: str, section: str, about: str) -> None:
    gym.register_envs(faulty)
    assert about in faults(examine("faulty/Plain-v0", {"fault": fault}, True, (section,)))


def test_a_sound_environment_of_other_people() -> None:
    report = examine("faulty/Plain-v0", quick=True)
    assert faults(report) == {}
    assert marks(report, "oracle") == {NOTE} and marks(report, "better answers") == {OK}
    assert "PPO(" in next(each.finding.todo for each in report.found if each.finding.about == "train")


class Numbers(gym.Env):
    """Two numbers are to be met, by two numbers or by two choices."""

    def __init__(self, space: Any) -> None:
        self.observation_space = gym.spaces.Dict({"wanted": gym.spaces.Box(-1, 1, (2,), np.float32)})
        self.action_space = space

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        self.wanted = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return {"wanted": self.wanted.copy()}, {}

    def step(self, action: Any) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        return {"wanted": self.wanted.copy()}, -float(np.abs(self.wanted - action).sum()), True, False, {}


@pytest.mark.parametrize(
    "space", [gym.spaces.Box(-1, 1, (2,), np.float32), gym.spaces.MultiDiscrete([2, 3])], ids=["box", "choices"]
)
def test_actions_need_not_be_discrete(space: Any) -> None:
    gym.register("faulty/Numbers-v0", entry_point=Numbers, kwargs={"space": space})
    try:
        report = examine("faulty/Numbers-v0", quick=True)
    finally:
        del gym.registry["faulty/Numbers-v0"]
    assert faults(report) == {}
    assert marks(report, "rows alone") == {OK} and marks(report, "masks") == {NOTE}


# ---------------------------------------------------------------- the command


def called(*arguments: str) -> Any:
    result = RUNNER.invoke(app, ["doctor", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_screen_has_sections_marks_and_a_verdict(small: str, tmp_path: Path) -> None:
    given = ("--set", f"dataset={small}", "--set", "encoder=hashing")
    result = called(LABEL, *given, "--json", str(tmp_path / "found.json"))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines) and "\x1b" not in result.stdout
    for section in dict.fromkeys(check.section for check in CHECKS):
        assert section in lines
    assert lines[-1].startswith("Sound") or lines[-2].startswith("Sound")
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["exit_code"] == 0 and found["counts"]["fault"] == 0
    assert sum(found["counts"].values()) == len(found["findings"])
    assert {each["check"] for each in found["findings"]} >= {c.name for c in CHECKS} - {"forbidden_actions_do_no_harm"}


def test_faults_are_exit_code_2_and_json_goes_to_standard_output(small: str) -> None:
    given = ("--set", f"dataset={small}", "--set", "dynamics=faulty.AllForbidden", "--set", "encoder=hashing")
    result = called(LABEL, *given, "--only", "Masks", "--json", "-")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["verdict"].startswith("Not sound")


def test_a_task_by_its_dotted_name(small: str) -> None:
    result = called("faulty.TASK", "--set", f"dataset={small}", "--only", "First agent", "--json", "-")
    found = json.loads(result.stdout)
    assert result.exit_code == 0 and found["options"]["task"] == "faulty.TASK"
    train = next(each["todo"] for each in found["findings"] if each["about"] == "train")
    assert train.startswith("nlp-gym train --agent ppo --env nlp/") and "task=faulty.TASK" in train


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nlp/sentimnt-label-v0", "Did you mean nlp/sentiment-label-v0"),
        ("nowhere.task", "no task at 'nowhere.task'"),
        ("nowhere:Env-v0", "no module 'nowhere'"),
        ("faulty.Plain", "is no task but"),
        (LABEL + " --only Dat", "no section 'Dat'; did you mean 'Data'"),
    ],
)
def test_names_that_nothing_has(name: str, message: str) -> None:
    result = called(*name.split())
    assert result.exit_code == 2 and message in " ".join(result.stderr.split()) and result.stdout == ""


# ---------------------------------------------------------------- what is sound


@pytest.mark.slow
@pytest.mark.parametrize("env_id", nlp_gym_envs.environment_ids())
def test_every_id_of_the_suite_is_sound(env_id: str) -> None:
    assert faults(examine(env_id, quick=True)) == {}
