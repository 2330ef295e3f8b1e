"""Finding things by name, and plugging in one's own: a task, a dynamics, a metric, a reward, an encoder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from conftest import small_data, stand_in, write_csv
from play import changes_model, steps

import nlp_gym_envs
from nlp_gym_envs import rewards
from nlp_gym_envs.answers import Choice, FreeText, Label, Span
from nlp_gym_envs.dynamics.label import LabelChoice
from nlp_gym_envs.episodes import DYNAMICS
from nlp_gym_envs.errors import BadArgument, UnknownName
from nlp_gym_envs.lookup import Shelf
from nlp_gym_envs.metrics.accuracy import Accuracy
from nlp_gym_envs.task import METRICS, TASKS, Task
from nlp_gym_envs.text.corpora import Files

MODULE = '''
"""What somebody else might write: one task, one dynamics, one metric, one reward, in a module of their own."""

import pathlib

from nlp_gym_envs.answers import Label
from nlp_gym_envs.dynamics.label import LabelChoice
from nlp_gym_envs.metrics.accuracy import Accuracy
from nlp_gym_envs.task import Task
from nlp_gym_envs.text.corpora import Files


class Backwards(LabelChoice):
    name = "backwards"

    def act(self, rows, actions):
        return super().act(rows, self.action_space.n - 1 - actions)

    def oracle(self, rows):
        return self.action_space.n - 1 - super().oracle(rows)


def pay(step):
    return 3.0 * step.final


TASK = Task(Files(str(pathlib.Path(__file__).parent / "data")), Label(), ("accuracy",))
DYNAMICS = Backwards
METRIC = Accuracy
REWARD = pay
NUMBER = 7
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of one's own, with data beside it."""
    name = f"plug_in_{tmp_path.name}".replace("-", "_").lower()
    (tmp_path / f"{name}.py").write_text(MODULE, encoding="utf-8")
    for split in ("train", "validation", "test"):
        write_csv(tmp_path / "data" / f"{split}.csv", ("text", "label"), stand_in(3, split))
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.fixture
def registries() -> Iterator[None]:
    """Whatever a test registers is forgotten afterwards."""
    shelves = (TASKS, METRICS, DYNAMICS)
    known = [dict(shelf.registered) for shelf in shelves]
    terms, ids = dict(rewards.TERMS), set(gym.registry)
    yield
    for shelf, before in zip(shelves, known, strict=True):
        shelf.registered = before
    rewards.TERMS.clear()
    rewards.TERMS.update(terms)
    for added in set(gym.registry) - ids:
        del gym.registry[added]


def own_task(folder: Path) -> Task:
    for split in ("train", "validation", "test"):
        write_csv(folder / f"{split}.csv", ("text", "label"), stand_in(3, split))
    return Task(Files(str(folder)), Label(), ("accuracy", "f1_macro"))


# ---------------------------------------------------------------- shelves


@pytest.mark.parametrize("shelf", [TASKS, METRICS, DYNAMICS], ids=lambda shelf: shelf.noun)
def test_every_file_is_a_thing(shelf: Shelf) -> None:
    names = shelf.names()
    assert names == tuple(sorted(names)) and names
    assert not any(name.startswith("_") for name in names)
    assert all(shelf.get(name) is not None for name in names)


@pytest.mark.parametrize(
    ("shelf", "wrong", "right"),
    [(TASKS, "sentimnt", "sentiment"), (METRICS, "f1macro", "f1_macro"), (DYNAMICS, "reed", "read")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_names_say_what_there_is(shelf: Shelf, wrong: str, right: str) -> None:
    with pytest.raises(UnknownName) as raised:
        shelf.get(wrong)
    message = str(raised.value)
    assert f"did you mean {right!r}?" in message
    assert all(name in message for name in shelf.names())
    with pytest.raises(UnknownName) as raised:
        shelf.get("zzzzzz")
    assert "did you mean" not in str(raised.value)


def test_dotted_names(mine: str) -> None:
    task = TASKS.get(mine + ".TASK")
    assert TASKS.get(f"{mine}.NUMBER") == 7
    assert isinstance(task, Task) and TASKS.get("nlp_gym_envs.tasks.sst2") is TASKS.get("sst2")


@pytest.mark.parametrize("name", ["no_such.thing", "json.no_such", ".sst2", "sst2.", "a..b", "os.path", "my-own.task"])
def test_dotted_names_that_lead_nowhere(name: str) -> None:
    """`os.path` is a module without a task: not a task either."""
    with pytest.raises(UnknownName, match="PYTHONPATH"):
        TASKS.get(name)


def test_mistakes_in_ones_own_module_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needs_more.py").write_text("import not_installed_anywhere\n")
    (tmp_path / "misspells.py").write_text("import json\njson.lods\n")
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        TASKS.get("needs_more.TASK")
    with pytest.raises(AttributeError, match="lods"):
        TASKS.get("misspells.TASK")


# ---------------------------------------------------------------- one's own by dotted name


def test_all_of_ones_own_by_dotted_name(mine: str) -> None:
    env = gym.make(
        "nlp/sentiment-label-v0", task=f"{mine}.TASK", dynamics=f"{mine}.DYNAMICS", reward=f"{mine}.pay", split="test"
    )
    face: Any = env.unwrapped
    assert face.task.name == f"{mine}.TASK" and face.action_space.n == 3
    for _ in range(6):
        env.reset()
        right = face.oracle_action()
        _, reward, _, _, info = env.step(right)
        assert reward == 3.0 and info["is_success"] and info["answer"] == str(2 - right)
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.task.name == f"{mine}.TASK"


# ---------------------------------------------------------------- one's own, registered


def test_a_registered_task_gets_its_ids(tmp_path: Path, registries: None) -> None:
    before = set(nlp_gym_envs.environment_ids())
    task = own_task(tmp_path)
    nlp_gym_envs.register_task("weather", task)
    added = set(nlp_gym_envs.environment_ids()) - before
    assert added == {f"nlp/weather-{name}-v0" for name in DYNAMICS.names() if DYNAMICS.get(name).accepts(task)}
    assert added >= {"nlp/weather-label-v0", "nlp/weather-read-v0"}
    for env_id in added:
        if changes_model(env_id):  # an episode there is no example: test_contract_updates.py plays them
            continue
        ends = [came for came in steps(gym.make(env_id), 40) if len(came) == 5 and came[2]]
        assert ends and all(came[4]["target"][0] in ("0", "1", "2") for came in ends)
    assert gym.make_vec("nlp/weather-read-v0", num_envs=3).reset(seed=0)[0].shape[0] == 3


@pytest.mark.parametrize(
    ("form", "metric", "dynamics"),
    [(Choice(), "accuracy", "choices"), (Span(), "f1", "span"), (FreeText(), "chrf", "tokens")],
    ids=lambda value: type(value).__name__,
)
def test_a_registered_task_of_another_form_gets_its_ids_and_plays(
    form: Any, metric: str, dynamics: str, tmp_path: Path, registries: None
) -> None:
    folder = small_data(tmp_path, Task(Files(str(tmp_path)), form, (metric,)))
    nlp_gym_envs.register_task("weather", Task(Files(folder), form, (metric,)))
    env = gym.make(f"nlp/weather-{dynamics}-v0", split="validation")
    ends = [came for came in steps(env, 40) if len(came) == 5 and came[2]]
    assert ends and all(metric in came[4]["episode_metrics"] for came in ends)


def test_a_registered_dynamics_gets_its_ids(registries: None) -> None:
    class Shy(LabelChoice):
        """Label choice, for two labels only."""

        name = "shy"

        @classmethod
        def accepts(cls, task: Task) -> bool:
            return isinstance(task.answer, Label) and len(task.answer) == 2

    nlp_gym_envs.register_dynamics("shy", Shy)
    added = {env_id for env_id in nlp_gym_envs.environment_ids() if "-shy-" in env_id}
    assert "nlp/sst2-shy-v0" in added and "nlp/trec6-shy-v0" not in added
    env = gym.make("nlp/sst2-shy-v0")
    assert isinstance(env.unwrapped.episodes.dynamics, Shy)
    assert env.reset(seed=0)[0].shape == (512,)
    with pytest.raises(BadArgument, match="'shy' does not fit the task 'trec6'"):
        gym.make("nlp/sst2-shy-v0", task="trec6")


def test_a_registered_metric_is_what_is_paid(tmp_path: Path, registries: None) -> None:
    class Strict(Accuracy):
        """Accuracy by another name, which forgives nothing."""

        name = "strict"

    nlp_gym_envs.register_metric("strict", Strict)
    task = own_task(tmp_path)
    nlp_gym_envs.register_task("stern", Task(task.source, task.answer, ("strict", "accuracy")))
    env = gym.make("nlp/stern-label-v0")
    env.reset(seed=0)
    assert env.unwrapped.task.metric.name == "strict"
    assert list(env.step(0)[4]["episode_metrics"]) == ["strict"]


def test_objects_are_accepted_when_a_face_is_built_directly(tmp_path: Path) -> None:
    from nlp_gym_envs.envs import NLPEnv, NLPVectorEnv

    task = own_task(tmp_path)
    env = NLPEnv(task, LabelChoice, reward=lambda step: step.final * 2)
    rows = NLPVectorEnv(2, task, LabelChoice, reward=lambda step: step.final * 2)
    assert np.array_equal(env.reset(seed=1)[0], rows.reset(seed=0)[0][1])
    assert env.step(env.oracle_action())[1] == 2.0


def test_a_dynamics_may_take_any_keyword(tmp_path: Path) -> None:
    from nlp_gym_envs.envs import NLPEnv

    class Passing(LabelChoice):
        """Passes its keywords on."""

        name = "passing"

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)

    assert NLPEnv(own_task(tmp_path), Passing, encoder="hashing").observation_space.shape == (512,)


def test_an_encoder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_encoders.py").write_text(
        "import numpy\n\n\nclass Lengths:\n    def __init__(self, scale=1.0):\n        self.scale = scale\n\n"
        "    def fit(self, texts):\n        pass\n\n    def encode(self, texts):\n"
        "        return numpy.array([[len(text) * self.scale] for text in texts], numpy.float32)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for encoder in ("my_encoders.Lengths", {"name": "my_encoders.Lengths", "scale": 2.0}):
        assert gym.make("nlp/sst2-label-v0", encoder=encoder).reset(seed=0)[0].shape == (1,)
