"""What every id promises whose actions change a model: an episode is an instance, and the model at rest never changes.

Of each dynamics with each form of answer two ids take all tests; the others the first, unless `-m slow`.
"""

import copy
import itertools
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env as check_for_gymnasium
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from play import actions_in, changes_model, keywords_of, on, short, steps, task_of, told
from stable_baselines3.common.env_checker import check_env as check_for_sb3

import nlp_gym_envs
from nlp_gym_agents import make_vec_env
from nlp_gym_agents._doctor._compare import differences, digest
from nlp_gym_envs.actions import mask_width
from nlp_gym_envs.errors import BadArgument, NlpGymError

pytestmark = pytest.mark.filterwarnings("error")
IDS = tuple(env_id for env_id in nlp_gym_envs.environment_ids() if changes_model(env_id))
every_mode = pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.name.lower())
everywhere = pytest.mark.everywhere


@pytest.fixture(scope="module", params=IDS)
def env_id(request: pytest.FixtureRequest) -> str:
    """Each id in turn."""
    return request.param


def vector(env_id: str, folder: str, rows: int, mode: Any = AutoresetMode.SAME_STEP, **options: Any) -> Any:
    settings = {**short(env_id), "dataset": folder, **options}
    return gym.make_vec(env_id, num_envs=rows, autoreset_mode=mode, **settings).unwrapped


def taken(env: Any, seed: int = 0) -> Any:
    """Random actions of all rows, for ever."""
    rows = [actions_in(env.single_action_space, seed + row) for row in range(env.num_envs)]
    while True:
        yield np.array([next(row) for row in rows])


def weights(env: Any) -> bytes:
    """The model at rest, byte for byte; nothing where no transformers model is changed."""
    tunable = getattr(env.unwrapped.episodes.dynamics, "tunable", None)
    return b"" if tunable is None else tunable.flat.numpy().tobytes() + tunable.base.numpy().tobytes()


@everywhere
def test_spec_survives_json_and_the_id_has_a_page(env_id: str) -> None:
    assert EnvSpec.from_json(gym.spec(env_id).to_json()) == gym.spec(env_id)
    assert not {"instance", "instances", "target"} - set(keywords_of(env_id))


@pytest.mark.parametrize("observation", ["vector", "dict"])
def test_both_checkers_find_nothing(env_id: str, small: str, observation: str) -> None:
    env = on(small, env_id, observation=observation).unwrapped
    check_for_gymnasium(env)
    check_for_sb3(env)


def test_words_are_not_to_be_had(env_id: str, small: str) -> None:
    with pytest.raises(BadArgument, match="vector"):
        on(small, env_id, observation="ids")


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"]
)
def test_copies_go_on_as_the_original(env_id: str, small: str, duplicate: Any) -> None:
    env = on(small, env_id)
    list(steps(env, 4, seed=3))
    env.reset()
    twin = duplicate(env)
    assert digest(list(steps(env, 5, seed=None))) == digest(list(steps(twin, 5, seed=None)))


# ---------------------------------------------------------------- seeds, instances, splits


def test_a_seed_means_the_same_in_another_process(
    env_id: str, small: str, digest_elsewhere: Callable[[str], str]
) -> None:
    assert told(on(small, env_id)) == digest_elsewhere(env_id)


def test_seeds_choose_the_instances(env_id: str, small: str) -> None:
    env = on(small, env_id)

    def instances(seed: int) -> list[int]:
        return [env.reset(seed=seed)[1]["example"], env.reset()[1]["example"]]

    assert instances(5) == instances(5) and len({tuple(instances(seed)) for seed in range(4)}) == 4


def test_an_instance_is_the_same_wherever_it_comes_and_another_in_another_split(env_id: str, small: str) -> None:
    """Row and history do not matter; the numbers of validation and test are other instances than those of training."""
    starts = {}
    for split in ("train", "validation", "test"):
        env = vector(env_id, small, 3, split=split, order="sequential", instances=3)
        first, _ = env.reset(seed=0)
        env.step(next(taken(env)))
        again, infos = env.reset(seed=9)
        assert np.array_equal(first, again) and infos["example"].tolist() == [0, 1, 2]
        starts[split] = first
        assert not np.array_equal(first[0], first[1])
        alone = on(small, env_id, split=split, order="sequential", instances=3)
        assert np.array_equal(alone.reset(seed=5)[0], first[0])
    assert not np.array_equal(starts["train"], starts["validation"])
    assert not np.array_equal(starts["validation"], starts["test"])


def test_evaluation_visits_every_instance_once(env_id: str, small: str) -> None:
    env = vector(env_id, small, 2, split="test", instances=5)
    _, infos = env.reset(seed=0)
    seen = []
    for actions in taken(env):
        infos = env.step(actions)[4]
        if "final_info" in infos:
            final = infos["final_info"]
            seen += [
                int(final["example"][row]) for row in np.flatnonzero(infos["_final_info"]) if not final["epoch"][row]
            ]
        if len(seen) >= 5:
            break
    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_a_fixed_instance_is_one(env_id: str, small: str) -> None:
    env = on(small, env_id, instance="fixed")
    assert {env.reset(seed=seed)[1]["example"] for seed in range(5)} == {0}
    with pytest.raises(BadArgument, match="varied"):
        on(small, env_id, instance="sometimes")


# ---------------------------------------------------------------- the two faces, and the model


@every_mode
def test_row_i_is_the_single_face_seeded_with_seed_plus_i(env_id: str, small: str, mode: AutoresetMode) -> None:
    ours = vector(env_id, small, 2, mode)
    theirs = SyncVectorEnv([lambda: on(small, env_id) for _ in range(2)], autoreset_mode=mode)
    assert ours.single_action_space == theirs.single_action_space and ours.action_space == theirs.action_space
    assert differences(ours.reset(seed=11), theirs.reset(seed=11)) == []
    ends, actions = 0, taken(ours)
    for _ in range(5):
        chosen = next(actions)
        came, expected = ours.step(chosen), theirs.step(chosen)
        if "final_obs" in came[4]:
            dense, objects = came[4].pop("final_obs"), expected[4].pop("final_obs")
            for row in np.flatnonzero(came[4]["_final_obs"]):
                assert differences(dense[row], objects[row]) == []
        assert differences(came, expected) == []
        done = came[2] | came[3]
        ends += done.sum()
        if mode == AutoresetMode.DISABLED and done.any():
            resets = [env.reset(options={"reset_mask": done.copy()}) for env in (ours, theirs)]
            assert differences(*resets) == []
    assert ends > 0


def wild(space: Any, rows: int, draw: np.random.Generator) -> np.ndarray:
    """Actions of every kind that a space takes: of a Box far out, infinite, and no numbers at all, too."""
    if not isinstance(space, spaces.Box):
        return draw.integers(space.n if isinstance(space, spaces.Discrete) else space.nvec, size=(rows, *space.shape))
    actions = draw.standard_normal((rows, *space.shape)) * 10.0 ** draw.integers(-3, 30, size=(rows, 1))
    odd = draw.random(actions.shape) < 0.1
    return np.where(odd, draw.choice([np.nan, np.inf, -np.inf, 0.0], actions.shape), actions)


@pytest.mark.parametrize("much", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_whatever_is_done_numbers_stay_finite_and_the_model_at_rest_is_untouched(
    env_id: str, small: str, much: bool
) -> None:
    """The slow ones together take a million actions over all ids."""
    rows, count = ((256, 190) if "-nudge-" in env_id else (8, 105)) if much else (3, 8)
    env, draw = vector(env_id, small, rows), np.random.default_rng(0)
    before, (low, high) = weights(env), env.reward_range
    observations, _ = env.reset(seed=0)
    for _ in range(count):
        assert np.isfinite(observations).all() and (observations <= env.observation_space.high).all()
        assert (observations >= env.observation_space.low).all()
        observations, rewards, _, truncated, infos = env.step(wild(env.single_action_space, rows, draw))
        assert np.isfinite(rewards).all() and (low <= rewards).all() and (rewards <= high).all()
        assert not truncated.any()
        final = infos.get("final_info", {}).get("episode_metrics", {})
        assert all(np.isfinite(values).all() for name, values in final.items() if name[0] != "_")
        assert weights(env) == before


def test_an_interruption_leaves_the_model_at_rest(env_id: str, small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    env = vector(env_id, small, 2)
    tunable = getattr(env.episodes.dynamics, "tunable", None)
    env.reset(seed=0)
    if tunable is None:
        return  # nothing but cached numbers is changed
    before, module = weights(env), tunable.module
    for error in (KeyboardInterrupt, MemoryError):

        def fail(batch: Any, error: type[BaseException] = error) -> Any:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(module, "losses", fail)
            with pytest.raises(error):
                env.step(
                    env.action_space.high if hasattr(env.action_space, "high") else np.zeros_like(next(taken(env)))
                )
        assert weights(env) == before
    assert np.isfinite(env.reset(seed=0)[0]).all()


def test_one_row_does_not_touch_another(env_id: str, small: str) -> None:
    seen = []
    for seed in (1, 2):
        env = vector(env_id, small, 2)
        env.reset(seed=0)
        mine, others = actions_in(env.single_action_space, 0), actions_in(env.single_action_space, seed)
        seen.append([env.step(np.array([next(mine), next(others)])) for _ in range(3)])
    for one, other in zip(*seen, strict=True):
        assert np.array_equal(one[0][0], other[0][0]) and one[1][0] == other[1][0]


# ---------------------------------------------------------------- rewards, masks, info


def test_both_ways_of_paying_differ_by_the_start(env_id: str, small: str) -> None:
    ends = {}
    for reward in ("final", "improvement"):
        env = vector(env_id, small, 3, AutoresetMode.DISABLED, reward=reward)
        env.reset(seed=0)
        moves, total, actions = env.episodes.dynamics, np.zeros(3), taken(env)
        (low, high), start = moves.pays, moves.outcome(np.arange(3))
        over = np.zeros(3, bool)
        while not over.all():
            _, rewards, terminated, _, _ = env.step(next(actions))
            total, over = total + rewards * ~over, over | terminated
            if over.any() and not over.all():
                env.reset(options={"reset_mask": over.copy()})
        ends[reward] = total
    assert ends["final"] == pytest.approx(ends["improvement"] + low + (high - low) * start, abs=1e-9)


def test_components_add_up_and_info_tells_how_it_ended(env_id: str, small: str) -> None:
    ends = 0
    for came in steps(on(small, env_id), 9):
        info = came[-1]
        assert type(info["text"]) is str and info["text"] and type(info["stop"]) is str
        if len(came) == 5:
            assert came[1] == pytest.approx(sum(info["reward_components"].values()), abs=1e-12)
            assert came[2] is bool(info["stop"]) and came[3] is False
        ended = len(came) == 5 and came[2]
        ends += ended
        assert all((name in info) == ended for name in ("episode_metrics", "answer", "target", "is_success"))
        if ended:
            metrics, own = info["episode_metrics"], task_of(env_id).metrics[0]
            assert {own, f"{own}_start", f"{own}_standard_error", "loss", "loss_start", "rise", "forward_passes",
                    "backward_passes"} <= set(metrics)  # fmt: skip
            assert all(type(value) is float and np.isfinite(value) for value in metrics.values())
            assert 0 <= metrics[own] <= 1 and info["is_success"] is (info["stop"] == "target")
            assert type(info["answer"]) is str and info["answer"] and type(info["target"]) is tuple
    assert ends >= 2


def test_masks_and_meanings(env_id: str, small: str) -> None:
    env = on(small, env_id).unwrapped
    space, width = env.action_space, mask_width(env.action_space)
    for came in steps(env, 5):
        assert came[-1]["action_mask"].shape == (width,) and came[-1]["action_mask"].any()
    if isinstance(space, spaces.Discrete):
        assert len(set(env.action_meanings)) == space.n <= 256
    elif isinstance(space, spaces.MultiDiscrete):
        assert [len(of) for of in env.action_meanings] == space.nvec.tolist()
    else:
        assert len(set(env.action_meanings)) == space.shape[0]
    assert vector(env_id, small, 2).action_masks().shape == (2, width)


@pytest.mark.parametrize("score", [1.0, 0.0])
def test_a_target_that_is_reached_ends_the_episode(
    env_id: str, small: str, score: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that always has the score ends at once; one that never has it goes on to the horizon, or to STOP."""
    env: Any = on(small, env_id, target=0.5)
    here, own = env.unwrapped.episodes.dynamics, task_of(env_id).metrics[0]
    if hasattr(here, "data"):
        monkeypatch.setattr(here.data, "metrics", lambda *_: ({own: score}, 0.0))
    else:
        look, report = here.board.look, here.board.report
        monkeypatch.setattr(here.board, "look", lambda *asked: look(*asked)._replace(metric=np.full(1, score)))
        monkeypatch.setattr(here.board, "report", lambda *asked: {**report(*asked), own: np.full(1, score)})
    env.reset(seed=0)
    ends = []
    for action in itertools.islice(actions_in(env.action_space, 3), 15):
        came = env.step(action)
        if came[2]:
            ends.append(came[4]["stop"])
            assert came[4]["is_success"] is (ends[-1] == "target")
            env.reset()
    if score:
        assert "target" in ends and "horizon" not in ends
    else:
        assert ends and "target" not in ends


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_an_episode_can_be_looked_at(env_id: str, small: str, mode: str) -> None:
    env = on(small, env_id, render_mode=mode)
    for came in steps(env, 4):
        shown: Any = env.render()
        if mode == "ansi":
            assert max(map(len, shown.splitlines())) <= 80 and "return" in shown
        else:
            assert shown.dtype == np.uint8 and shown.shape[2] == 3
        assert came is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": 2.0}, "target must be"),
        ({"instances": 0}, "instances must be"),
        ({"nosuch": 1}, "no keyword 'nosuch'"),
        ({"observation": {"name": "vector", "length": 3}}, "takes blank, not length"),
    ],
    ids=str,
)
def test_mistakes_say_what_is_allowed(env_id: str, small: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(NlpGymError, match=message):
        on(small, env_id, **options)


def test_off_the_shelf_agents_train(env_id: str, small: str) -> None:
    from stable_baselines3 import DQN, PPO, SAC

    env = make_vec_env(env_id, 2, 0, {**short(env_id), "dataset": small})
    learners: list[Any] = [PPO("MlpPolicy", env, n_steps=4, batch_size=8, n_epochs=1, seed=0, device="cpu")]
    if isinstance(env.action_space, spaces.Box):
        learners.append(SAC("MlpPolicy", env, learning_starts=4, batch_size=4, buffer_size=100, seed=0, device="cpu"))
    elif isinstance(env.action_space, spaces.Discrete):
        learners.append(DQN("MlpPolicy", env, learning_starts=2, batch_size=4, buffer_size=100, seed=0, device="cpu"))
    for learner in learners:
        before = torch.nn.utils.parameters_to_vector(learner.policy.parameters()).detach().clone()
        learner.learn(8)
        after = torch.nn.utils.parameters_to_vector(learner.policy.parameters())
        assert learner.num_timesteps >= 8 and torch.isfinite(after).all() and not torch.equal(before, after)
