"""`layers` and `rates`: an action trains a damaged model, what is hidden is there, the model at rest never changes."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents import make_vec_env
from nlp_gym_agents._agents import make_agent
from nlp_gym_envs.dynamics._finetuning import ALL, GROUPS, OPTIMISERS
from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.models.objectives import NOTHING

SMALL: dict[str, Any] = {"updates": 0, "probe": 6, "judge": 6, "batch": 4, "length": 8, "answer": 4, "horizon": 3,
                         "start": "damaged", "schedule": "constant"}  # fmt: skip
KINDS = ("rates", "layers")
STOP = {"rates": None, "layers": [GROUPS, 0]}


def rows(kind: str, num_envs: int = 2, task: str = "sentiment", **options: Any) -> Any:
    """Rows of a small environment that stay at their end."""
    made = gym.make_vec(f"nlp/{task}-{kind}-v0", num_envs=num_envs, vectorization_mode="vector_entry_point",
                        autoreset_mode="Disabled", **{**SMALL, **options})  # fmt: skip
    made.reset(seed=0)
    return made.unwrapped


def dynamics(env: Any) -> Any:
    """What moves."""
    return env.episodes.dynamics


def only(kind: str, group: int, num_envs: int = 2) -> np.ndarray:
    """Actions that train one group at a low rate."""
    if kind == "layers":
        return np.array([[group, 0]] * num_envs)
    action = np.full((num_envs, GROUPS), -1.0)
    action[:, group] = -0.9
    return action


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_action_moves_the_groups_that_it_names_and_no_others(kind: str, optimiser: str) -> None:
    env = rows(kind, optimiser=optimiser)
    here = dynamics(env)
    before = list(here.delta)
    for group, (begin, end) in enumerate(here.tunable.spans.values()):
        env.reset(seed=0)
        env.step(only(kind, group))
        for row in range(2):
            moved = (here.delta[row] != before[row]).numpy()
            assert moved[begin:end].any()
            assert not moved[:begin].any() and not moved[end:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_changes_nothing(kind: str) -> None:
    env = rows(kind)
    here = dynamics(env)
    loss, delta = here.loss.copy(), list(here.delta)
    _, rewards, *_ = env.step(here.still(np.arange(2)))
    assert (rewards == 0).all()
    assert (here.loss == loss).all()
    assert all(now is then for now, then in zip(here.delta, delta, strict=True))


def test_a_schedule_is_what_slower_actions_are_without_one() -> None:
    plain, falling = dynamics(rows("rates", inner=2)), dynamics(rows("rates", inner=2, schedule="cosine"))
    every, asked = np.arange(2), np.full((2, GROUPS), 0.3)
    for share in (1.0, 0.75, 0.25):  # half a cosine over three steps
        plain.act(every, plain.slower(asked, np.full(2, share)))
        falling.act(every, asked)
        np.testing.assert_allclose(falling.loss, plain.loss, rtol=1e-5)
        assert (falling.used[every] == falling.rates_of(asked)).all()  # what is seen of an action is the action


def test_layers_follow_a_schedule_too() -> None:
    env = rows("layers", schedule="cosine")
    here = dynamics(env)
    moved = []
    for _ in range(3):
        env.step(np.array([[1, 3]] * 2))
        moved.append(here.moved[:, 1].copy())
    np.testing.assert_allclose(moved, np.array([[1.0], [0.75], [0.25]]) * moved[0], rtol=1e-4)  # of normalised steps


@pytest.mark.parametrize("kind", KINDS)
def test_a_schedule_that_is_none_is_told(kind: str) -> None:
    with pytest.raises(BadArgument, match="schedule must be one of constant, cosine, got 'line'"):
        rows(kind, schedule="line")


def test_what_one_row_does_the_others_do_not_see() -> None:
    env = rows("rates", 3)
    here = dynamics(env)
    kept = [(here.delta[row], here.delta[row].clone()) for row in range(3)]
    here.act(np.array([1]), np.zeros((1, GROUPS)))
    assert not torch.equal(here.delta[1], kept[1][1])
    for row, (vector, values) in enumerate(kept):
        assert torch.equal(vector, values)  # never changed in place
        assert row == 1 or here.delta[row] is vector


@pytest.mark.parametrize("kind", KINDS)
def test_row_i_is_the_single_env_seeded_with_seed_plus_i(kind: str) -> None:
    env = rows(kind, start=("damaged", "trained", "fresh"))
    seen, _ = env.reset(seed=5)
    single = gym.make(f"nlp/sentiment-{kind}-v0", **{**SMALL, "start": ("damaged", "trained", "fresh")})
    alone, _ = single.reset(seed=6)
    np.testing.assert_array_equal(seen[1], alone)
    for group in (1, 3, 4):
        seen, rewards, *_ = env.step(only(kind, group))
        alone, reward, *_ = single.step(only(kind, group)[0])
        np.testing.assert_array_equal(seen[1], alone)
        assert rewards[1] == reward


@pytest.mark.parametrize("task", ["sentiment", "translation"])
def test_the_model_at_rest_stays_bit_for_bit_whatever_comes(task: str) -> None:
    env = rows("rates", 2, task, optimiser="sgd", rate=1e4)
    tunable = dynamics(env).tunable
    before = tunable.base.clone()
    for value in (np.nan, np.inf, 1e30, -5.0, 1.0):
        env.reset(seed=1)
        for _ in range(SMALL["horizon"]):
            seen, rewards, terminated, *_ = env.step(np.full((2, GROUPS), value))
            assert np.isfinite(seen).all() and np.isfinite(rewards).all()
            assert env.single_observation_space.contains(seen[0])
            if terminated.any():
                break
        assert torch.equal(tunable.flat, before) and torch.equal(tunable.base, before)


def test_a_model_that_diverges_ends_its_episode_and_pays_for_it() -> None:
    env = rows("rates", 1, optimiser="sgd", rate=1e8)
    _, rewards, terminated, _, infos = env.step(np.ones((1, GROUPS)))
    assert terminated[0] and infos["stop"][0] == "diverged"
    assert infos["reward_components"]["divergence"][0] == -1 and rewards[0] < -1


def test_the_damaged_group_is_the_damaged_one() -> None:
    here = dynamics(rows("rates", 6))
    for row in range(6):
        start, damaged = here.instance[row].start, here.repair(row)
        for group, (begin, end) in enumerate(here.tunable.spans.values()):
            assert bool(start[begin:end].any()) == (group == damaged)
    here = dynamics(rows("rates", 2, start="trained"))
    assert not here.instance[0].start.any() and here.repair(0) == -1


def test_damage_raises_the_loss_on_training_examples_by_as_much_as_was_asked() -> None:
    here = dynamics(rows("rates", 1, damage=0.2))
    within = [angle for angle in here.starts.angles[here.there] if angle < np.pi / 2]
    assert within  # a group that a whole turn damages less is turned wholly
    data, generator = here.training, np.random.default_rng(1)
    batch = data.batch(generator.integers(len(data.task.examples), size=64))
    for group in np.flatnonzero(here.there & (here.starts.angles < np.pi / 2)):
        starts = [here.starts.turned(generator, group, here.starts.angles[group]) for _ in range(12)]
        rises = [here.tunable.losses(batch, s).mean() - here.tunable.losses(batch).mean() for s in starts]
        assert 0.05 < np.median(rises) < 0.8


@pytest.mark.parametrize(("noise", "share"), [(0.0, 0.0), (1.0, 0.5)])  # of two labels half are the same by chance
def test_noise_reaches_the_minibatches_answers_and_nothing_else(noise: float, share: float) -> None:
    here = dynamics(rows("rates", 1, noise=noise, batch=200))
    made, asked = here.instance[0], {}
    batch = here.training.batch

    def listening(examples: np.ndarray, targets: np.ndarray, names: None, alike: bool) -> Any:
        asked["chosen"], asked["targets"] = examples, targets
        return batch(examples, targets, names, alike)

    here.training.batch = listening
    try:
        labels = here.minibatch(made, 0).labels.numpy()
    finally:
        del here.training.batch
    right = here.training.task.examples.target[asked["chosen"]]
    assert abs((labels != right).mean() - share) < 0.12
    assert not set(asked["chosen"]) & {*made.probe, *made.judge}
    np.testing.assert_array_equal(made.batch.labels.numpy(), here.task.examples.target[made.probe])


@pytest.mark.parametrize("judge", [6, 20])
def test_a_target_is_confirmed_on_more_and_other_examples_than_it_was_reached_on(judge: int) -> None:
    here = dynamics(rows("rates", 2, judge=judge, target=0.01))
    made, scored = here.instance[0], []
    here._score = lambda row, examples: scored.append(set(examples)) or 1.0  # the score is reached everywhere
    here._maybe_stop(0)
    probe, confirmed = scored
    assert probe == {*made.probe} and here.solved(np.array([0]))[0]
    assert not confirmed & {*made.probe, *made.judge}
    assert len(confirmed) == max(judge, 2 * len(probe))


def test_minibatches_depend_on_the_instance_and_their_number_alone() -> None:
    here, other = dynamics(rows("rates", 2)), dynamics(rows("layers", 1))
    made = here.instance[0]
    again = other.drawn(made.number)
    for number in (0, 1):
        assert torch.equal(here.minibatch(made, number).ids, other.minibatch(again, number).ids)
    assert not torch.equal(here.minibatch(made, 0).ids, here.minibatch(made, 1).ids)


@pytest.mark.parametrize("inner", [1, 2])
def test_passes_are_counted_and_the_same_for_every_action_that_moves(inner: int) -> None:
    env = rows("rates", 2, inner=inner)
    here = dynamics(env)
    made = {"forward": 0, "backward": 0}
    tunable, losses, both = here.tunable, here.tunable.all_losses, here.tunable.all_losses_and_gradients

    def counted(run: Any, *names: str) -> Any:
        def counting(batches: Any, deltas: Any) -> Any:
            for name in names:
                made[name] += len(batches)
            return run(batches, deltas)

        return counting

    tunable.all_losses, tunable.all_losses_and_gradients = (
        counted(losses, "forward"),
        counted(both, "forward", "backward"),
    )
    try:
        env.reset(seed=3)
        for _ in range(SMALL["horizon"]):
            here.act(np.arange(2), np.array([only("rates", 2, 1)[0], np.zeros(GROUPS)]) / 2 - 0.5)
    finally:
        del tunable.all_losses, tunable.all_losses_and_gradients
    assert here.forward_passes[0] == here.forward_passes[1] == 1 + SMALL["horizon"] * (1 + inner)
    assert here.backward_passes[0] == here.backward_passes[1] == SMALL["horizon"] * inner
    assert made == {"forward": here.forward_passes.sum(), "backward": here.backward_passes.sum()}


def test_groups_that_are_not_there_are_masked_unseen_and_unmoved() -> None:
    env = rows("layers", 2, groups=("upper", "head"))
    here = dynamics(env)
    there = np.array([name in ("upper", "head") for name in ALL])
    np.testing.assert_array_equal(env.action_masks()[0], [*there, True, True, True, True, True])
    flat = dynamics(rows("layers", 1, groups=("upper", "head"), actions="flat"))
    np.testing.assert_array_equal(flat.masks(np.zeros(1, int))[0], [*np.repeat(there, 4), True])
    seen = here.observe(np.arange(2))["gradient"].reshape(2, GROUPS, 3)
    assert not seen[:, ~there].any() and seen[:, there].any()
    _, rewards, *_ = env.step(only("layers", 0))
    assert (rewards == 0).all()


def test_flat_actions_are_the_pairs_one_after_the_other() -> None:
    pairs, flat = (dynamics(rows("layers", 1, actions=actions)) for actions in ("multi", "flat"))
    for number in range(flat.action_space.n - 1):
        np.testing.assert_array_equal(flat.rates_of(number), pairs.rates_of(divmod(number, 4)))
    assert flat.rates_of(flat.action_space.n - 1) is None and pairs.rates_of((GROUPS, 0)) is None


def test_stop_ends_an_episode() -> None:
    env = rows("layers", 1)
    _, rewards, terminated, _, infos = env.step(np.array([[GROUPS, 0]]))
    assert terminated[0] and infos["stop"][0] == "stop" and rewards[0] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_slower_actions_have_lower_rates_of_the_same_groups(kind: str) -> None:
    here = dynamics(rows(kind, 1))
    action = np.array([[2, 3]]) if kind == "layers" else np.array([[0.5, -1, 0, 0.2, -1]], np.float32)
    full, half = here.rates_of(action[0]), here.rates_of(here.slower(action, np.array([0.2]))[0])
    assert ((full > 0) == (half > 0)).all()
    assert (half[full > 0] < full[full > 0]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_baselines_choose_on_training_instances_and_act_anywhere(kind: str) -> None:
    options = {**SMALL, "horizon": 2, "probe": 3, "batch": 2, "instance": "fixed"}
    if kind == "layers":
        options |= {"actions": "flat", "groups": ("head",)}
    env = make_vec_env(f"nlp/sentiment-{kind}-v0", 2, 0, {**options, "split": "validation"})
    best = make_agent("best_constant", env, {"schedule": "cosine", "instances": 2}, 0).learn()
    still, seen = make_agent("no_op", env, {}, 0), env.reset()
    assert env.action_space.contains(best.predict(seen)[0][0])
    loss = dynamics(env.venv.unwrapped).loss.copy()
    env.step(still.predict(seen)[0])
    assert (dynamics(env.venv.unwrapped).loss_at_start == loss).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimiser": "lion"}, "normalised, sgd, momentum, adam"),
        ({"noise": (0, 2)}, "shares from 0 to 1"),
        ({"start": "new"}, "damaged, trained, fresh"),
        ({"start": "fresh", "groups": ("upper",)}, "needs the group 'head'"),
        ({"observe": ("point",)}, "gradient, batch, loss, history, budget"),
        ({"rate": -1}, "rate must be"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        rows("rates", 1, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_renamed_labels_are_put_right_by_the_heads_rows_in_another_order(kind: str) -> None:
    here = dynamics(rows(kind, 3, "text_classification", start="renamed", noise=0.0))
    tunable, data = here.tunable, here.data
    spans = dict(zip(tunable.names, tunable.bounds, strict=True))
    for made, delta in zip(here.instance, here.delta, strict=True):
        names, repair = made.names, torch.zeros_like(tunable.base)
        assert sorted(names) == list(range(4)) and (names != np.arange(4)).sum() >= 2 and not delta.any()
        for name in ("head.weight", "head.bias"):
            begin, end = spans[name]
            rest = tunable.base[begin:end].view(4, -1)
            moved = torch.empty_like(rest)
            moved[names] = rest
            repair[begin:end] = (moved - rest).flatten()
        right = data.batch(made.probe)
        np.testing.assert_allclose(tunable.losses(made.batch, repair), tunable.losses(right), atol=1e-5)
        scores, _ = data.metrics(made.judge, data.batch(made.judge, names=names), repair, names)
        assert scores == data.metrics(made.judge, data.batch(made.judge), None)[0]
        given: list[np.ndarray] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(here.training, "batch", lambda chosen, *_, given=given, **__: given.append(chosen))
            here.minibatch(made, 0)
        labels = here.minibatch(made, 0).labels.numpy()
        np.testing.assert_array_equal(labels, names[here.training.task.examples.target[given[0]]])


@pytest.mark.parametrize(("task", "model"), [("translation", "t5_tiny"), ("question_answering", "gpt2")])
def test_renamed_tokens_are_written_by_their_names_and_judged_by_what_they_mean(
    task: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = dynamics(rows("layers", 3, task, model=model, start="renamed", noise=0.0))
    data, tunable = here.data, here.tunable
    assert all(here.repair(row) == list(tunable.spans).index(tunable.output) for row in range(3))
    for made, delta in zip(here.instance, here.delta, strict=True):
        names, plain = made.names, data.batch(made.probe, alike=True)
        moved = np.flatnonzero(names != np.arange(len(names)))
        assert 2 <= len(moved) <= 32 and (np.sort(names) == np.arange(len(names))).all() and not delta.any()
        asked = plain.labels != NOTHING
        assert torch.equal(made.batch.labels[asked], torch.from_numpy(names)[plain.labels[asked]])
        assert not torch.equal(made.batch.labels, plain.labels) or not np.isin(plain.labels[asked], moved).any()
        if plain.before is not None:  # what the decoder reads is what it should have written
            assert torch.equal(made.batch.before[:, 1:][asked[:, 1:]], made.batch.labels[:, :-1][asked[:, 1:]])
        answers = [answer for _, answer in data.ids(made.judge.tolist())]
        scores = []
        for called, spelled in ((None, answers), (names, [names[answer].tolist() for answer in answers])):
            monkeypatch.setattr(tunable.module, "write", lambda *_, spelled=spelled: spelled)
            scores.append(data.metrics(made.judge, None, None, called))
        assert scores[0] == scores[1] and scores[0][0][here.task.metric.name] > 0.1


@pytest.mark.parametrize(("task", "says"), [("sentiment", "head"), ("translation", "embeddings")])
def test_instances_are_unlike_as_far_as_the_groups_allow(task: str, says: str) -> None:
    here = dynamics(rows("layers", 24, task, start=None))
    assert {made.hidden["start"] for made in here.instance} == {"trained", "renamed", "damaged"}
    here = dynamics(rows("layers", 24, task, start=None, groups=[group for group in ALL if group != says]))
    assert {made.hidden["start"] for made in here.instance} == {"trained", "damaged"}


@pytest.mark.parametrize(
    ("task", "length"),
    [("sentiment", 24), ("translation", 16), ("question_answering", 64), ("squad", 64), ("babi_qa", 64)],
)
def test_passages_are_read_further_than_other_texts(task: str, length: int) -> None:
    here = dynamics(rows("layers", 1, task, length=None))
    assert here.data.length == length
    assert max(len(text) for text, _ in here.data.ids(range(6))) <= length


def test_names_need_the_group_that_says_them() -> None:
    with pytest.raises(BadArgument, match="'embeddings' among groups"):
        rows("rates", 1, "translation", start="renamed", groups=("lower", "head"))
    with pytest.raises(BadArgument, match="'head' among groups"):
        rows("rates", 1, "sentiment", start="renamed", groups=("embeddings", "lower"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_best_constant_that_knows_what_is_hidden_has_an_action_for_each_secret(kind: str) -> None:
    options = {**SMALL, "horizon": 2, "probe": 3, "batch": 2}
    env = make_vec_env(f"nlp/sentiment-{kind}-v0", 4, 0, options)
    agent = make_agent("best_constant", env, {"knows": True, "instances": 3}, 0)
    here = dynamics(env.venv.unwrapped)
    rest = here.still(np.zeros(1, np.int64))[0]
    agent.action, agent.known = rest, np.array([rest] * here.num_secrets)
    seen, secrets = env.reset(), here.secrets(np.arange(4))
    assert (secrets // 2 == [here.repair(row) for row in range(4)]).all()
    other = np.ones_like(rest) if kind == "rates" else np.zeros_like(rest)
    agent.known[secrets[0]] = other
    acted = agent.predict(seen)[0]
    assert [(action == other).all() for action in acted] == (secrets == secrets[0]).tolist()


def test_a_secret_tells_the_kind_of_start_too() -> None:
    here = dynamics(rows("rates", 24, start=["damaged", "trained", "fresh", "renamed"]))
    hidden = [tuple(made.hidden[name] for name in ("start", "group", "noise")) for made in here.instance]
    secrets = here.secrets(np.arange(24)).tolist()
    assert len({start for start, _, _ in hidden}) == 4 and max(secrets) < here.num_secrets
    assert len(set(secrets)) == len(set(hidden)) == len(set(zip(secrets, hidden, strict=True)))


def test_knowing_what_is_hidden_pays_where_each_secret_wants_another_action(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {**SMALL, "actions": "flat", "horizon": 2, "probe": 3, "batch": 2, "levels": 1}
    env = make_vec_env("nlp/sentiment-layers-v0", 2, 0, options)
    agent = make_agent("best_constant", env, {"knows": True, "instances": 8}, 0)

    def wanted(here: Any, action: np.ndarray, rows: np.ndarray, _: Any) -> np.ndarray:
        return (here.secrets(rows) // 2 == action).astype(float)  # the damaged group itself

    monkeypatch.setattr(agent, "_values", wanted)
    agent.learn()
    right = [secret for secret in range(10) if agent.known[secret] == secret // 2]
    assert len(right) >= 4  # of the secrets that eight instances show
    assert all(env.action_space.contains(action) for action in agent.known)


def test_an_action_of_layers_is_told_as_a_group_and_a_rate_or_stop_alone() -> None:
    both, flat = dynamics(rows("layers", 1)), dynamics(rows("layers", 1, actions="flat"))
    last = flat.action_space.n - 1
    assert both.meaning(np.array([GROUPS, 0])) == both.meaning(np.array([GROUPS, 3])) == flat.meaning(last) == "STOP"
    assert both.meaning(np.array([1, 2])) == "lower, at 0.065" and flat.meaning(1 * 4 + 2) == "lower at 0.065"
