"""What every id promises whose actions choose an answer; one that is registered later is tested by being there.

Of each dynamics with each form of answer two ids take all tests, one whose data are built in and one of the others. All
ids take the tests marked `everywhere`; `-m slow` adds what is left out. Where a language model computes the steps,
numbers of a row alone and of the row among others may differ by 1e-4; whatever is discrete is equal everywhere.
"""

import copy
import json
import pickle
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from conftest import FOLDER, small_data
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env as check_for_gymnasium
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from play import (
    changes_model,
    form_of,
    has_model,
    keywords_of,
    near,
    on,
    short,
    shows_what_was_read,
    spoil,
    steps,
    task_of,
    told,
)
from stable_baselines3.common.env_checker import check_env as check_for_sb3

import nlp_gym_envs
from nlp_gym_agents._doctor._compare import differences, digest
from nlp_gym_envs.errors import BadArgument, NlpGymError
from nlp_gym_envs.models.files import SHIPPED

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("short_corpora")]
MODES = list(AutoresetMode)
every_mode = pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name.lower())
every_form = pytest.mark.parametrize("observation", ["vector", "dict", "ids"])
everywhere = pytest.mark.everywhere


IDS = tuple(env_id for env_id in nlp_gym_envs.environment_ids() if not changes_model(env_id))


@pytest.fixture(scope="module", params=IDS)
def env_id(request: pytest.FixtureRequest) -> str:
    """Each id in turn, with all its tests, so that its data stay in memory."""
    return request.param


def single(env_id: str, **options: Any) -> Any:
    return gym.make(env_id, **{**short(env_id), **options})


def vector(env_id: str, rows: int, mode: Any = AutoresetMode.NEXT_STEP, **options: Any) -> Any:
    return gym.make_vec(env_id, num_envs=rows, autoreset_mode=mode, **{**short(env_id), **options})


def gymnasiums_own(env_id: str, rows: int, mode: AutoresetMode, **options: Any) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: single(env_id, **options) for _ in range(rows)], autoreset_mode=mode)


def actions_of(env: Any, seed: int = 0) -> Iterator[Any]:
    """Random actions for a vector environment, for ever."""
    draw = np.random.default_rng(seed)
    while True:
        yield draw.integers(env.single_action_space.n, size=env.num_envs)


def few(env_id: str, count: int) -> int:
    """So many steps or rows; fewer where each takes a forward of a model."""
    return max(2, count // 3) if has_model(env_id) else count


def once(env: Any, policy: Any) -> dict[str, np.ndarray]:
    """One episode in every row: its return, what of it was costs, its length, the metric at its end.

    `policy(env, step)` gives all rows' actions.
    """
    _, _ = env.reset(seed=0)
    running = np.ones(env.num_envs, bool)
    totals, costs, lengths = np.zeros(env.num_envs), np.zeros(env.num_envs), np.zeros(env.num_envs, int)
    metric = env.task.metric.name
    scores = np.full(env.num_envs, np.nan)
    low, high = env.reward_range
    for step in range(env.horizon):
        _, rewards, terminated, truncated, infos = env.step(policy(env, step))
        assert ((low <= rewards) & (rewards <= high))[running].all()
        totals += rewards * running
        for name in env.episodes.dynamics.costs:
            costs -= infos["reward_components"][name] * running
        lengths += running
        ended = running & (terminated | truncated)
        if ended.any():
            scores[ended] = infos["episode_metrics"][metric][ended]
        running &= ~ended
        if not running.any():
            assert (costs >= 0).all()
            return {"return": totals, "costs": costs, "length": lengths, "score": scores}
    raise AssertionError(f"{running.sum()} episodes run longer than the horizon of {env.horizon}")


# ---------------------------------------------------------------- Gymnasium's and Stable-Baselines3's own checks


@everywhere
@every_form
def test_both_checkers_find_nothing(env_id: str, observation: str) -> None:
    env = single(env_id, observation=observation).unwrapped
    check_for_gymnasium(env)
    check_for_sb3(env)


@everywhere
def test_spec_survives_json(env_id: str) -> None:
    assert EnvSpec.from_json(gym.spec(env_id).to_json()) == gym.spec(env_id)
    env = single(env_id, split="validation", reward={"improvement": 2.0}, observation="dict")
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.spec == env.spec
    assert digest(list(steps(env, 10))) == digest(list(steps(again, 10)))


@everywhere
@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"]
)
@every_form
def test_copies_go_on_as_the_original(env_id: str, duplicate: Any, observation: str) -> None:
    env = single(env_id, observation=observation)
    list(steps(env, 7, seed=3))
    env.reset()
    twin = duplicate(env)
    count = few(env_id, 30)
    assert digest(list(steps(env, count, seed=None))) == digest(list(steps(twin, count, seed=None)))
    rows = vector(env_id, 3, observation=observation)
    rows.reset(seed=3)
    actions = actions_of(rows)
    for _ in range(5):
        rows.step(next(actions))
    twins = duplicate(rows)
    for _ in range(few(env_id, 20)):
        taken = next(actions)
        assert differences(rows.step(taken), twins.step(taken)) == []


# ---------------------------------------------------------------- seeds


def test_a_seed_means_the_same_in_another_process(
    env_id: str, small: str, digest_elsewhere: Callable[[str], str]
) -> None:
    assert told(on(small, env_id)) == digest_elsewhere(env_id)


@everywhere
def test_seeds_choose_the_examples(env_id: str) -> None:
    env = single(env_id)

    def examples(seed: int) -> list[int]:
        return [env.reset(seed=seed)[1]["example"], *(env.reset()[1]["example"] for _ in range(few(env_id, 15)))]

    assert examples(5) == examples(5)
    assert len({tuple(examples(seed)) for seed in range(8)}) == 8
    assert len(set(examples(5))) > 3


def test_without_a_seed_episodes_differ(env_id: str) -> None:
    first = [single(env_id).reset()[1]["example"] for _ in range(12)]
    assert len(set(first)) > 1
    assert len(set(vector(env_id, 12).reset()[1]["example"].tolist())) > 1


def test_global_generators_are_left_alone(env_id: str, tmp_path: Path) -> None:
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    before = random.getstate(), np.random.get_state(), torch.get_rng_state().tolist()  # noqa: NPY002
    folder = small_data(tmp_path, task_of(env_id))  # data never seen: everything is fitted anew
    list(steps(on(folder, env_id, split="validation"), 20))
    rows = vector(env_id, 2)
    rows.reset()
    rows.step(np.zeros(2, int))
    after = random.getstate(), np.random.get_state(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert digest(before) == digest(after)


# ---------------------------------------------------------------- the two faces


@everywhere
@every_mode
@every_form
def test_row_i_is_the_single_face_seeded_with_seed_plus_i(env_id: str, mode: AutoresetMode, observation: str) -> None:
    ours, theirs = (make(env_id, 4, mode, observation=observation) for make in (vector, gymnasiums_own))
    for space in ("single_observation_space", "single_action_space", "observation_space", "action_space"):
        assert getattr(ours, space) == getattr(theirs, space)
    tolerance = near(env_id)
    assert differences(ours.reset(seed=11), theirs.reset(seed=11), tolerance) == []
    actions, ends = actions_of(ours), 0
    for _ in range(few(env_id, 40)):
        taken = next(actions)
        came, expected = ours.step(taken), theirs.step(taken)
        if "final_obs" in came[4]:
            compare_final_observations(came[4], expected[4], tolerance)
        assert differences(came, expected, tolerance) == []
        done = came[2] | came[3]
        ends += done.sum()
        if mode == AutoresetMode.DISABLED and done.any():
            resets = [env.reset(options={"reset_mask": done.copy()}) for env in (ours, theirs)]
            assert differences(*resets, tolerance) == []
    assert ends > 0


def compare_final_observations(ours: dict[str, Any], theirs: dict[str, Any], tolerance: float) -> None:
    """The one deliberate difference: boxes come as one array of all rows; only those in `_final_obs` mean anything."""
    dense, objects = ours.pop("final_obs"), theirs.pop("final_obs")
    for row in np.flatnonzero(ours["_final_obs"]):
        assert differences(dense[row], objects[row], tolerance) == []


def test_reset_masks_and_seeds(env_id: str) -> None:
    ours, theirs = (make(env_id, 4, AutoresetMode.DISABLED) for make in (vector, gymnasiums_own))
    for seed in (2, [9, None, 0, None], None, 2**64 - 2):
        assert seed is None or differences(ours.reset(seed=2), theirs.reset(seed=2), near(env_id)) == []
        came = []
        for env in (ours, theirs):
            options = {"reset_mask": np.array([True, False, True, False])}
            came.append(env.reset(seed=seed, options=options))
            assert "reset_mask" not in options  # Gymnasium's own takes it out, too
        assert differences(*came, near(env_id)) == []
        came = [env.reset(seed=[3, None, None, 4]) for env in (ours, theirs)]
        assert differences(*came, near(env_id)) == []


def test_reset_masks_and_seeds_that_do_not_fit_are_refused(env_id: str) -> None:
    env = vector(env_id, 3)
    for mask in (np.zeros(3, bool), np.ones(2, bool), np.ones(3, int), "all"):
        with pytest.raises(BadArgument, match="3 booleans"):
            env.reset(options={"reset_mask": mask})
    for seed in ([1, 2], [1, 2, -3]):
        with pytest.raises(BadArgument, match="seed must be"):
            env.reset(seed=seed)
    for face in (env, single(env_id).unwrapped):
        with pytest.raises(gym.error.Error):
            face.reset(seed=-1)


@pytest.mark.parametrize("spelling", ["enum", "value", "name"])
@every_mode
def test_autoreset_mode_by_any_of_its_names(env_id: str, mode: AutoresetMode, spelling: str) -> None:
    asked = {"enum": mode, "value": mode.value, "name": mode.name}[spelling]
    env = vector(env_id, 2, asked)
    assert env.autoreset_mode is mode
    assert env.metadata["autoreset_mode"] is mode
    assert vector(env_id, 2).metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP


def test_an_ended_episode_is_not_continued(env_id: str) -> None:
    env = single(env_id).unwrapped
    with pytest.raises(NlpGymError, match=r"no episode has started.*reset\(\)"):
        env.step(0)
    env.reset(seed=0)
    while not env.step(0)[2]:
        pass
    with pytest.raises(NlpGymError, match=r"has ended.*reset\(\)"):
        env.step(0)
    for mode in MODES:
        rows = vector(env_id, 2, mode)
        with pytest.raises(NlpGymError, match="no episode has started"):
            rows.step(np.zeros(2, int))
    rows = vector(env_id, 2, AutoresetMode.DISABLED)
    rows.reset(seed=0)
    done = np.zeros(2, bool)
    while not done.any():
        done = rows.step(np.zeros(2, int))[2]
    with pytest.raises(NlpGymError, match="reset_mask"):
        rows.step(np.zeros(2, int))


@every_mode
@pytest.mark.parametrize("limit", [1, pytest.param(2, marks=pytest.mark.slow), 3])
def test_time_limits_truncate(env_id: str, mode: AutoresetMode, limit: int) -> None:
    """As `TimeLimit` does, but where a game ends in the last step allowed: that is its end, and no truncation."""
    ours, theirs = (make(env_id, 4, mode, max_episode_steps=limit) for make in (vector, gymnasiums_own))
    tolerance = near(env_id)
    assert differences(ours.reset(seed=1)[0], theirs.reset(seed=1)[0], tolerance) == []
    actions, lengths = actions_of(ours, 5), np.zeros(4, int)
    for _ in range(few(env_id, 10 * limit)):
        taken = next(actions)
        came, expected = ours.step(taken), theirs.step(taken)
        assert differences(came[:3], expected[:3], tolerance) == []
        assert differences(came[3], expected[3] & ~expected[2]) == []
        done = came[2] | came[3]
        lengths += 1
        assert (lengths <= limit + (mode == AutoresetMode.NEXT_STEP)).all()
        assert (lengths[came[3]] >= limit).all()
        lengths[done] = -1 if mode == AutoresetMode.NEXT_STEP else 0
        if done.any():
            ends = came[4]["final_info"] if mode == AutoresetMode.SAME_STEP else came[4]
            assert np.array_equal(ends["_episode_metrics"], done)
        if mode == AutoresetMode.DISABLED and done.any():
            for env in (ours, theirs):
                env.reset(options={"reset_mask": done.copy()})


def test_no_limit_and_no_nonsense_limit(env_id: str) -> None:
    assert vector(env_id, 1, max_episode_steps=-1).max_episode_steps is None
    for limit in (0, -2):
        with pytest.raises(BadArgument, match="max_episode_steps"):
            vector(env_id, 1, max_episode_steps=limit)


def test_episodes_end_one_way_and_within_the_horizon(env_id: str) -> None:
    rows = few(env_id, 16)
    env = vector(env_id, rows, AutoresetMode.SAME_STEP)
    env.reset(seed=0)
    actions, lengths = actions_of(env), np.zeros(rows, int)
    for _ in range(60):
        _, _, terminated, truncated, _ = env.step(next(actions))
        lengths += 1
        assert not truncated.any()
        assert lengths.max() <= env.horizon
        lengths[terminated] = 0


# ---------------------------------------------------------------- observations


@everywhere
def test_observations_are_finite_bounded_floats(env_id: str) -> None:
    env = single(env_id)
    space = env.observation_space
    assert isinstance(space, spaces.Box) and space.dtype == np.float32 and len(space.shape) == 1
    assert np.isfinite(space.low).all() and np.isfinite(space.high).all()
    for came in steps(env, few(env_id, 80)):
        assert came[0].dtype == np.float32 and np.isfinite(came[0]).all() and came[0] in space
    assert {name: part.shape for name, part in single(env_id, observation="dict").observation_space.items()}


def test_a_dict_holds_what_the_vector_holds(env_id: str) -> None:
    env: Any = single(env_id, observation="dict")
    order = list(env.unwrapped.episodes.dynamics.parts)
    for whole, parts in zip(steps(single(env_id), 20), steps(env, 20), strict=True):
        assert np.array_equal(whole[0], np.concatenate([parts[0][name] for name in order]))
        assert list(parts[0]) == list(env.observation_space.spaces)  # as buffers hold them


def test_ids_are_words_of_the_training_split(env_id: str, small: str) -> None:
    """Where a model writes from its candidates they are its own tokens: those of the prompt, then those written."""
    tokens = "vocabulary" in keywords_of(env_id)
    form = {"name": "ids", "length": 6} | ({} if tokens else {"size": 12})
    env = on(small, env_id, observation=form, split="validation")
    space, high = env.observation_space, len(env.unwrapped.tokenizer) - 1 if tokens else 11
    assert isinstance(space, spaces.Box) and (space.shape, space.dtype, space.high.max()) == ((6,), np.int32, high)
    texts = env.unwrapped.task.examples["text"]
    for came in steps(env, 20):
        assert came[0] in space
        shown = texts[came[-1]["example"]]
        if shows_what_was_read(env_id):
            shown = came[-1]["text"].split("\n> ")[0]
        if tokens:
            assert env.unwrapped.tokenizer(shown)["input_ids"][:3] == came[0][:3].tolist()
        else:
            words = len(shown.split())
            assert (came[0][: min(words, 6)] > 0).all() and (came[0][words:] == 0).all()


@every_form
def test_what_was_returned_can_be_overwritten(env_id: str, observation: str) -> None:
    env, untouched = single(env_id, observation=observation), single(env_id, observation=observation)
    for came, expected in zip(*(steps(face, few(env_id, 20)) for face in (env, untouched)), strict=True):
        assert differences(came, expected) == []
        spoil(came[0]), spoil(came[-1])
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
        rows, twins = (vector(env_id, 3, mode, observation=observation) for _ in range(2))
        spoil(rows.reset(seed=0)), twins.reset(seed=0)
        actions = actions_of(rows)
        for _ in range(few(env_id, 20)):
            taken = next(actions)
            came, expected = rows.step(taken), twins.step(taken)
            assert differences(came, expected) == []
            spoil(came), spoil(rows.action_masks())


@pytest.mark.parametrize("observation", ["vector", "ids"])
def test_the_answer_is_not_in_the_observation(env_id: str, observation: str, small: str, tmp_path: Path) -> None:
    """Other answers in the split, the same in the training split: an agent sees the same."""
    folders = (small, small_data(tmp_path, task_of(env_id), shift=1))
    faces = [on(folder, env_id, split="validation", observation=observation) for folder in folders]
    ends = 0
    for came, other in zip(*(steps(face, 150) for face in faces), strict=True):
        assert differences(came[0], other[0]) == []
        assert differences(came[-1]["text"], other[-1]["text"]) == []
        assert differences(came[-1]["action_mask"], other[-1]["action_mask"]) == []
        if "target" in came[-1]:
            ends += 1
            assert came[-1]["target"] != other[-1]["target"]
    assert ends > 10


@pytest.mark.parametrize("example", [0, 7, 40])
def test_a_training_example_does_not_show_its_own_answer(env_id: str, example: int, small: str, tmp_path: Path) -> None:
    """Another answer to one training example changes nothing that an agent sees of that example."""
    seen = []
    for folder in (small, small_data(tmp_path, task_of(env_id), shift=1, only=example, shifted="train")):
        env = on(folder, env_id, order="sequential")
        _, info = env.reset(seed=0)
        for _ in range(example):
            _, info = env.reset()
        observation, info = env.reset()
        assert info["example"] == example + 1
        env.reset(seed=0)
        for _ in range(example):
            observation, info = env.reset()
        if example == 0:
            observation, info = env.reset(seed=0)
        assert info["example"] == example
        frames = [observation]
        last, over = env.action_space.n - 1, False
        while not over:
            observation, _, over, _, info = env.step(last)
            frames.append(observation)
        seen.append((frames, info["target"]))
    assert digest(seen[0][0]) == digest(seen[1][0])
    assert seen[0][1] != seen[1][1]


# ---------------------------------------------------------------- actions and masks


@everywhere
def test_masks_allow_something_and_are_in_info(env_id: str) -> None:
    env = single(env_id)
    actions = env.action_space.n
    for came in steps(env, few(env_id, 60)):
        mask = env.unwrapped.action_masks()
        assert mask.dtype == bool and mask.shape == (actions,)
        if not (len(came) == 5 and came[2]):
            assert mask.any()
        assert np.array_equal(came[-1]["action_mask"], mask)
    rows = vector(env_id, 3)
    _, infos = rows.reset(seed=0)
    assert rows.action_masks().shape == (3, actions)
    assert np.array_equal(infos["action_mask"], rows.action_masks())
    assert np.array_equal(np.stack(rows.call("action_masks")), rows.action_masks())


def test_allowed_actions_cost_no_penalty_and_masked_ones_do_no_harm(env_id: str) -> None:
    draw = np.random.default_rng(0)
    for wanted in (True, False):
        env = vector(env_id, few(env_id, 32), AutoresetMode.SAME_STEP)
        low, high = env.reward_range
        env.reset(seed=0)
        for _ in range(few(env_id, 60)):
            masks = env.action_masks()
            likely = draw.random(masks.shape) + 2.0 * (masks == wanted)
            likely[:, -1] += draw.random(len(masks)) < 0.7  # often the last, to see how episodes end that way
            _, rewards, _, _, infos = env.step((likely - 9.0 * (~masks & wanted)).argmax(1))
            assert np.isfinite(rewards).all() and (low <= rewards).all() and (rewards <= high).all()
            for components in (
                infos.get("reward_components", {}),
                infos.get("final_info", {}).get("reward_components", {}),
            ):
                assert not wanted or not np.any(components.get("invalid", 0.0))


NO_ACTIONS = [-1, 10_000, 0.5, float("nan"), float("inf"), 1.0, "0", None, True, [0, 0], [], [[0], [0]]]


@pytest.mark.parametrize("action", NO_ACTIONS, ids=str)
def test_what_is_no_action_is_refused(env_id: str, action: Any) -> None:
    env, twin = single(env_id).unwrapped, single(env_id).unwrapped
    env.reset(seed=0), twin.reset(seed=0)
    with pytest.raises(BadArgument, match="action"):
        env.step(action)
    assert differences(env.step(np.int32(0)), twin.step(0)) == []
    rows, twins = vector(env_id, 3), vector(env_id, 3)
    rows.reset(seed=0), twins.reset(seed=0)
    with pytest.raises(BadArgument, match="action"):
        rows.step(action if isinstance(action, list) else np.array([action] * 3))
    assert differences(rows.step([0, 0, 0]), twins.step(np.zeros(3, np.uint8))) == []


@everywhere
def test_every_action_has_a_meaning(env_id: str) -> None:
    env = single(env_id).unwrapped
    assert isinstance(env.action_space, spaces.Discrete) and env.action_space.n <= 256
    assert len(env.action_meanings) == len(set(env.action_meanings)) == env.action_space.n
    assert all(isinstance(meaning, str) and meaning for meaning in env.action_meanings)
    assert vector(env_id, 2).action_meanings == env.action_meanings


# ---------------------------------------------------------------- rewards


def test_right_answers_pay_more_than_wrong_ones(env_id: str, small: str) -> None:
    """What is paid rises with the metric and with nothing else, less the costs; and the oracle is right."""
    options: dict[str, Any] = {"dataset": small} if has_model(env_id) else {}
    if "vocabulary" in keywords_of(env_id):
        options |= {"vocabulary": "closed", "floor": 0, "longest": 60}  # then every training answer can be written
    for reward in ("final", "improvement"):
        env = vector(env_id, few(env_id, 24), AutoresetMode.DISABLED, reward=reward, **options)
        (low, high), start = env.episodes.dynamics.pays, start_of(env)
        best = once(restarting(env), lambda env, _: env.oracle_actions())
        assert best["return"] == pytest.approx(low + (high - low) * best["score"] - start - best["costs"], abs=1e-6)
        if "vocabulary" in options or not has_model(env_id):
            assert (best["score"] == 1.0).all()
        for action in range(min(int(env.single_action_space.n), few(env_id, 8))):
            other = once(restarting(env), lambda env, _, action=action: np.full(env.num_envs, action))
            paid = low + (high - low) * other["score"] - start
            assert other["return"] == pytest.approx(paid - other["costs"], abs=1e-6)
            worse = other["score"] < best["score"]
            assert (other["return"] + other["costs"] < best["return"] + best["costs"])[worse].all()


def restarting(env: Any) -> Any:
    """Under DISABLED, rows that have ended are reset at once, so that the others can go on."""

    class Restarting:
        num_envs = env.num_envs

        def __getattr__(self, name: str) -> Any:
            return getattr(env, name)

        def step(self, actions: Any) -> Any:
            came = env.step(actions)
            if (done := came[2] | came[3]).any():
                env.reset(options={"reset_mask": done})
            return came

    return Restarting()


def test_both_ways_of_paying_give_the_same_return(env_id: str) -> None:
    """But for what the start is worth: improvement + low + (high - low) x start = final."""
    ends: dict[str, np.ndarray] = {}
    for reward in ("final", "improvement"):
        rows = few(env_id, 64)
        env = vector(env_id, rows, reward=reward)
        env.reset(seed=0)
        moves = env.episodes.dynamics
        (low, high), start = moves.pays, moves.outcome(np.arange(rows))
        actions, turn = actions_of(env, 3), np.arange(rows) % 4

        def some_right(env: Any, step: int, actions: Any = actions, turn: np.ndarray = turn) -> np.ndarray:
            return np.where(turn <= min(step, 1), env.oracle_actions(), next(actions))

        ends[reward] = once(env, some_right)["return"]
    assert ends["final"] == pytest.approx(ends["improvement"] + low + (high - low) * start, abs=1e-6)
    assert len(set(ends["final"].round(6))) > 1


@everywhere
def test_components_add_up(env_id: str) -> None:
    weighed = {"final": 0.5, "improvement": 2.0}
    for reward in (None, "improvement", weighed):
        for came in steps(single(env_id, reward=reward), few(env_id, 60)):
            if len(came) == 5:
                assert type(came[1]) is float
                assert all(type(part) is float for part in came[4]["reward_components"].values())
                assert came[1] == pytest.approx(sum(came[4]["reward_components"].values()), abs=1e-12)
                assert reward is not weighed or set(weighed) <= set(came[4]["reward_components"])


def start_of(env: Any) -> np.ndarray:
    """What the start of each episode is worth, (B,), where the metric is paid as it rises; else 0."""
    env.reset(seed=0)
    if not env.episodes.reward.needs_standing:
        return np.zeros(env.num_envs)
    low, high = env.episodes.dynamics.pays
    return low + (high - low) * env.episodes.dynamics.outcome(np.arange(env.num_envs))


def test_trivial_policies_earn_what_they_deserve(env_id: str) -> None:
    """Over the whole split: paid is what the metric says, and no degenerate answer beats the trivial baseline."""
    examples = len(single(env_id, split="validation").unwrapped.task.examples)
    env = vector(env_id, min(examples, 64) if has_model(env_id) else examples, split="validation")
    low, high = env.episodes.dynamics.pays
    start = start_of(env)
    policies = TRIVIAL["model" if has_model(env_id) else form_of(env_id)](env)
    for name, (policy, limit) in policies.items():
        played = once(env, policy)
        paid = low + (high - low) * played["score"] - start - played["costs"]
        assert played["return"] == pytest.approx(paid, abs=1e-6), name
        assert (played["length"] <= env.horizon).all(), name
        assert played["score"].mean() <= limit + 1e-9, name


Policies = dict[str, tuple[Any, float]]  # a name -> actions for (env, step), the highest mean of the metric that is due


def always(action: int) -> Any:
    return lambda env, _: np.full(env.num_envs, action)


def last_allowed(env: Any, step: int) -> np.ndarray:
    masks = env.action_masks()
    return masks.shape[1] - 1 - masks[:, ::-1].argmax(1)


def label_policies(env: Any) -> Policies:
    """A constant answer is worth the commonest label's share; the commonest label earns its own."""
    targets, last = env.task.examples.target, int(env.single_action_space.n) - 1
    majority = int(np.bincount(env.task.train.target).argmax())
    share = np.bincount(targets).max() / len(targets)
    assert once(env, always(majority))["score"].mean() == np.mean(targets == majority)
    return {
        "the first label": (always(0), share),
        "the last label": (always(len(env.task.answer) - 1), share),
        "the commonest label": (always(majority), share),
        "the last action": (always(last), 1.0),
        "by turns": (lambda env, step: np.full(env.num_envs, last if step % 2 else majority), 1.0),
        "last, then first": (lambda env, step: np.full(env.num_envs, 0 if step else last), 1.0),
        "round and round": (lambda env, step: (np.arange(env.num_envs) + step) % (last + 1), 1.0),
    }


def choice_policies(env: Any) -> Policies:
    """No place among the shuffled choices is worth more than a blind choice, but for three standard errors."""
    counts = np.array([len(choices) for choices in env.task.examples["choices"]])
    chance = (1 / counts).mean() + 3 * np.sqrt((1 / counts * (1 - 1 / counts)).sum()) / len(counts)
    return {
        "the first": (always(0), chance),
        "the last": (always(1), chance),
        "the second": (lambda env, step: np.full(env.num_envs, step == 0, int), chance),
    }


def span_policies(env: Any) -> Policies:
    """The rule that orders the candidates is not beaten by other places, by long answers, or by none."""
    rule = once(env, lambda env, _: env.action_masks().argmax(1))["score"].mean()

    def long(env: Any, step: int) -> np.ndarray:
        return np.where(step == 2, last_allowed(env, step), env.action_masks().argmax(1))

    return {
        "the last candidate": (last_allowed, rule),
        "the second candidate": (always(1), rule),
        "no answer": (always(int(env.single_action_space.n) - 1), rule),
        "the longest": (long, rule),
    }


def model_policies(env: Any) -> Policies:
    """Of a model that was trained for the task: its greedy answer is better than any degenerate one."""
    moves = env.episodes.dynamics
    if not hasattr(moves, "candidates"):
        return {f"always {meaning}": (always(action), 1.0) for action, meaning in enumerate(env.action_meanings)}

    def best(where: np.ndarray) -> np.ndarray:
        return np.where(where & moves.allowed, moves.log_p, -np.inf).argmax(1)

    def again(env: Any, step: int) -> np.ndarray:
        last = moves.written[np.arange(env.num_envs), np.maximum(moves.length - 1, 0)]
        same = (moves.candidates == last[:, None]) & moves.allowed
        return np.where(same.any(1), same.argmax(1), best(np.ones_like(same)))

    def stop(env: Any, step: int) -> np.ndarray:
        return (moves.candidates == moves.model.end).argmax(1)

    greedy = 1.0
    trained = json.loads((SHIPPED / moves.model.name / "pretraining.json").read_text(encoding="utf-8"))
    if env.task.name in trained["tasks"]:
        greedy = once(env, lambda env, _: best(np.ones_like(moves.allowed)))["score"].mean()
    return {
        "nothing": (stop, greedy),
        "as long as can be": (lambda env, _: best(moves.candidates != moves.model.end), greedy),
        "one token again and again": (again, greedy),
        "the last candidate": (always(moves.k - 1), greedy),
    }


TRIVIAL = {"Label": label_policies, "Choice": choice_policies, "Span": span_policies, "model": model_policies}


# ---------------------------------------------------------------- info


@everywhere
def test_info_tells_what_a_person_wants_to_know(env_id: str) -> None:
    env = single(env_id)
    texts, labelled = env.unwrapped.task.examples["text"], form_of(env_id) == "Label"
    ends = 0
    for came in steps(env, 60):
        info = came[-1]
        assert type(info["text"]) is str and type(info["example"]) is int and type(info["epoch"]) is int
        whole = texts[info["example"]]
        if shows_what_was_read(env_id):
            assert whole.startswith(info["text"].split("\n> ")[0])  # as much of it as was read
        else:
            assert info["text"].startswith(whole)  # and what was done so far
        ended = len(came) == 5 and came[2]
        ends += ended
        assert all((name in info) == ended for name in ("episode_metrics", "answer", "target", "is_success"))
        if ended:
            metrics = info["episode_metrics"]
            assert all(type(name) is str and type(value) is float for name, value in metrics.items())
            assert all(np.isfinite(value) for value in metrics.values())
            own = metrics[env.unwrapped.task.metric.name]
            assert all(0.0 <= metrics[name] <= 1.0 for name in env.unwrapped.task.metrics if name in metrics)
            assert type(info["answer"]) is str and (info["answer"] or not labelled)
            assert type(info["target"]) is tuple and all(type(text) is str for text in info["target"])
            assert info["is_success"] is (own >= 1.0)
            assert info["is_success"] or info["answer"] not in info["target"]
            assert not labelled or info["is_success"] is (info["answer"] in info["target"])
    assert ends > 3


# ---------------------------------------------------------------- every example once


def test_sequential_order_on_the_single_face(env_id: str, small: str) -> None:
    env = on(small, env_id, split="validation")
    size = len(env.unwrapped.task.examples)
    infos = [env.reset(seed=4)[1], *(env.reset()[1] for _ in range(2 * size - 1))]
    assert [info["example"] for info in infos] == [*range(size), *range(size)]
    assert [info["epoch"] for info in infos] == [0] * size + [1] * size
    assert env.reset(seed=4)[1]["example"] == 0


@pytest.mark.parametrize("split", ["validation", "test"])
def test_evaluation_splits_are_sequential(env_id: str, split: str) -> None:
    assert vector(env_id, 5, split=split).reset()[1]["example"].tolist() == [0, 1, 2, 3, 4]
    assert len(set(vector(env_id, 40).reset(seed=0)[1]["example"].tolist()) - set(range(40))) > 0


@every_mode
@pytest.mark.parametrize("rows", [1, pytest.param(3, marks=pytest.mark.slow), 7, 50])
def test_all_rows_together_visit_every_example_once(env_id: str, mode: AutoresetMode, rows: int, small: str) -> None:
    options = {"longest": 2} if has_model(env_id) else {}
    env = vector(env_id, rows, mode, dataset=small, split="validation", **options)
    size = len(env.task.examples)
    _, infos = env.reset(seed=0)
    begun = list(zip(infos["epoch"].tolist(), infos["example"].tolist(), strict=True))
    ended: list[tuple[int, int]] = []
    actions, done = actions_of(env), np.zeros(rows, bool)
    while not {(epoch, example) for epoch in (0, 1) for example in range(size)} <= set(ended):
        renewed = done
        _, _, terminated, truncated, infos = env.step(next(actions))
        done = terminated | truncated
        final = infos.get("final_info", infos)
        ended += [(int(final["epoch"][row]), int(final["example"][row])) for row in np.flatnonzero(done)]
        if mode == AutoresetMode.SAME_STEP:
            renewed = done
        elif mode == AutoresetMode.DISABLED and done.any():
            _, infos = env.reset(options={"reset_mask": done.copy()})
            renewed = done
        begun += [(int(infos["epoch"][row]), int(infos["example"][row])) for row in np.flatnonzero(renewed)]
        if mode == AutoresetMode.DISABLED:
            done = np.zeros(rows, bool)
    assert begun == [divmod(n, size) for n in range(len(begun))]
    assert len(ended) == len(set(ended))


def test_a_full_reset_starts_from_the_first_example(env_id: str) -> None:
    env = vector(env_id, 3, split="validation")
    env.reset()
    assert env.reset(options={"reset_mask": np.array([False, True, False])})[1]["example"][1] == 3
    _, infos = env.reset()
    assert infos["example"].tolist() == [0, 1, 2] and infos["epoch"].tolist() == [0, 0, 0]


# ---------------------------------------------------------------- pictures


def test_text_shows_the_episode(env_id: str) -> None:
    env = single(env_id, render_mode="ansi")
    for came in steps(env, 20):
        shown = str(env.render())
        assert max(map(len, shown.splitlines())) <= 80
        assert ("\nanswer " in shown) is ("target" in came[-1])  # a new episode has no answer left over
        shown = "".join(shown.split())  # lines break within long words, too
        assert "".join(came[-1]["text"].split()) in shown
        if "target" in came[-1]:
            answer = "".join(came[-1]["answer"].split())
            assert f"answer{answer}(right)" in shown if came[-1]["is_success"] else f"answer{answer}(wrong:" in shown
            assert "".join(came[-1]["target"][0].split()) in shown


def test_rows_look_as_the_single_face_does(env_id: str) -> None:
    ours, theirs = (make(env_id, 3, MODES[0], render_mode="ansi") for make in (vector, gymnasiums_own))
    ours.reset(seed=0), theirs.reset(seed=0)
    actions = actions_of(ours)
    for _ in range(12):
        taken = next(actions)
        ours.step(taken), theirs.step(taken)
        assert ours.render() == theirs.render()


def test_pictures_change_with_the_episode(env_id: str) -> None:
    env = single(env_id, render_mode="rgb_array")
    env.reset(seed=0)
    before: Any = env.render()
    env.step(0)
    after: Any = env.render()
    assert before.shape == after.shape == (360, 640, 3) and before.dtype == np.uint8
    assert not np.array_equal(before, after)
    rows = vector(env_id, 2, render_mode="rgb_array")
    rows.reset(seed=0)
    frames = rows.render()
    assert len(frames) == 2 and np.array_equal(frames[0], before) and not np.array_equal(frames[0], frames[1])


def test_people_can_watch(env_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    env = single(env_id, render_mode="human")
    env.reset(seed=0)
    env.step(0)
    printed = capsys.readouterr().out
    assert env.unwrapped.action_meanings[0] in printed and "return" in printed
    assert env.render() is None and capsys.readouterr().out == printed[printed.rindex("╭") :]
    rows = vector(env_id, 2, render_mode="human")
    rows.reset(seed=0)
    assert capsys.readouterr().out.count("return") == 2


def test_nobody_watches_unless_asked(env_id: str) -> None:
    rows = vector(env_id, 2)
    rows.reset()
    assert rows.render() is None and rows.call("render") == (None, None)
    with pytest.raises(BadArgument, match="ansi, human, rgb_array"):
        vector(env_id, 2, render_mode="smell")


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ordr": "random"}, "did you mean 'order'"),
        ({"order": "backwards"}, "random, sequential"),
        ({"split": "nosuch"}, "nosuch"),
        ({"observation": "pixels"}, "vector, dict, ids"),
        ({"observation": {"name": "ids", "width": 3}}, "length and size, not width"),
        ({"observation": {"name": "ids", "length": 0}}, "length must be"),
        ({"observation": {"name": "vector", "length": 3}}, "takes blank, not length"),
        ({"reward": "finl"}, "did you mean 'final'"),
        ({"reward": {"final": float("nan")}}, "finite number"),
        ({"num_envs": 0}, "at least 1"),
        ({"autoreset_mode": "sometimes"}, "NextStep"),
    ],
    ids=str,
)
def test_mistakes_say_what_is_allowed(env_id: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(NlpGymError, match=message):
        gym.make_vec(env_id, **{"num_envs": 1, **options})


def test_data_that_are_not_there(env_id: str) -> None:
    with pytest.raises(NlpGymError, match="nowhere"):
        single(env_id, dataset=str(FOLDER / "nowhere.csv"))


def test_making_an_environment_is_silent(env_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vector(env_id, 2).close()
        single(env_id).close()
    assert capsys.readouterr() == ("", "")
