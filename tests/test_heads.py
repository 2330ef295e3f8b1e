"""Where nothing but a head may change, all rows are judged at once, and the trunk reads a text but once."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import nlp_gym_envs  # noqa: F401  registers the ids

SMALL: dict[str, Any] = {"basis": "head", "updates": 0, "probe": 6, "judge": 6, "length": 8, "horizon": 3}
every_family = pytest.mark.parametrize("model", ["bert_tiny", "t5_tiny", "gpt2"])


def made(rows: int, **options: Any) -> Any:
    env = gym.make_vec("nlp/text_classification-subspace-v0", num_envs=rows, **{**SMALL, **options})
    env.reset(seed=0)
    return env.unwrapped


def dynamics(env: Any) -> Any:
    return env.episodes.dynamics


@every_family
def test_heads_together_are_heads_one_by_one(model: str) -> None:
    here = dynamics(made(5, model=model))
    batches, tunable = [one.batch for one in here.instance], here.tunable
    assert tunable.head_only and set(tunable.names) == {"head.weight", "head.bias"}
    losses, gradients = tunable.heads(batches, here.delta)
    for row, (batch, delta) in enumerate(zip(batches, here.delta, strict=True)):
        alone, gradient = tunable.losses_and_gradient(batch, delta)
        assert np.allclose(losses[row], alone, atol=1e-5)
        assert torch.allclose(gradients[row], gradient, atol=1e-6)


@every_family
def test_what_is_kept_is_what_the_whole_model_gives(model: str) -> None:
    here = dynamics(made(1, model=model))
    batch, tunable = here.instance[0].batch, here.tunable
    kept = tunable.losses(batch, here.delta[0]), tunable.outputs(batch, here.delta[0])
    batch.stored.clear()
    with torch.no_grad(), tunable.moved(here.delta[0]):
        assert np.allclose(kept[0], tunable.module.losses(batch).numpy(), atol=1e-6)
        assert np.allclose(kept[1], tunable.module.logits(batch).numpy(), atol=1e-5)


def test_the_trunk_reads_a_batch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made(3, horizon=6)
    here, read = dynamics(env), []
    pooled = here.tunable.module.pooled
    monkeypatch.setattr(here.tunable.module, "pooled", lambda batch: read.append(batch) or pooled(batch))
    for _ in range(4):
        env.step(np.ones((3, here.k), np.float32))
    assert not read


def test_a_row_is_the_single_face_and_the_others_do_not_move_it() -> None:
    many, alone = made(3), gym.make("nlp/text_classification-subspace-v0", **SMALL)
    first, _ = many.reset(seed=4)
    only, _ = alone.reset(seed=5)
    assert np.allclose(first[1], only, atol=1e-5)
    for step in range(3):
        action = np.full(8, 0.5 * (-1) ** step, np.float32)
        seen, paid, *_ = many.step(np.stack((-action, action, action * 0)))
        one, reward, *_ = alone.step(action)
        assert np.allclose(seen[1], one, atol=1e-4) and abs(paid[1] - reward) < 1e-4


def test_directions_side_by_side_are_directions_one_by_one() -> None:
    here = dynamics(made(4))
    offsets = [one.hidden["offsets"] for one in here.instance]
    points = np.random.default_rng(0).standard_normal((4, here.k))
    for own, point, delta in zip(offsets, points, here.basis.deltas(offsets, points), strict=True):
        assert torch.allclose(delta, here.basis.delta(own, point), atol=1e-6)
    gradients = torch.randn(4, here.tunable.size)
    found = here.basis.projects(offsets, gradients)
    for own, gradient, along in zip(offsets, gradients, found, strict=True):
        assert np.allclose(along, here.basis.project(own, gradient), atol=1e-4)
