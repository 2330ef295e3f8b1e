"""Copies of a small model pass together: the same numbers as one by one, and the same bits whatever the others are."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_envs.dynamics import _tuned
from nlp_gym_envs.models import stacking

SMALL: dict[str, Any] = {"updates": 0, "probe": 4, "judge": 4, "batch": 3, "length": 12, "horizon": 3,
                         "start": "trained"}  # fmt: skip
KINDS = [("text_classification", "bert_tiny"), ("text_classification", "t5_tiny"), ("text_classification", "gpt2"),
         ("translation", "t5_tiny"), ("question_answering", "gpt2")]  # fmt: skip
GROUPS = [("embeddings", "lower", "middle", "upper", "head"), ("upper", "head")]
every_kind = pytest.mark.parametrize(("task", "model"), KINDS)
every_choice = pytest.mark.parametrize("groups", GROUPS, ids=["all", "upper"])


@pytest.fixture(autouse=True)
def stacked_whatever_its_size(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(stacking, "LARGEST", 10_000_000)
    _tuned._tunable.cache_clear()
    yield
    _tuned._tunable.cache_clear()


def made(task: str, model: str, rows: int = 4, **options: Any) -> Any:
    """The dynamics of an environment at the start of its episodes, each row's model a little off at random."""
    small = {**SMALL, **({"answer": 6} if task in ("translation", "question_answering") else {})}
    env = gym.make_vec(f"nlp/{task}-rates-v0", num_envs=rows, model=model, **{**small, **options})
    env.reset(seed=0)
    here: Any = env.unwrapped.episodes.dynamics  # pyright: ignore[reportAttributeAccessIssue]
    draw = torch.Generator().manual_seed(0)
    here.delta = [0.02 * torch.randn(here.tunable.size, generator=draw) for _ in range(rows)]
    return here


def asked(here: Any) -> tuple[list[Any], list[Any]]:
    """Each row's probe, and what is added to its model."""
    return [one.batch for one in here.instance], list(here.delta)


@every_kind
@every_choice
def test_together_is_one_by_one(task: str, model: str, groups: tuple[str, ...]) -> None:
    here = made(task, model, groups=groups)
    batches, deltas = asked(here)
    tunable = here.tunable
    losses, gradients = tunable.all_losses_and_gradients(batches, deltas)
    assert tunable.known["stack"] is not None and bool(tunable.skipped) == (groups == GROUPS[1])
    np.testing.assert_allclose(tunable.all_losses(batches, deltas), losses, atol=1e-6)
    for row, (batch, delta) in enumerate(zip(batches, deltas, strict=True)):
        alone, gradient = tunable.losses_and_gradient(batch, delta)
        np.testing.assert_allclose(losses[row], alone, atol=1e-5)
        assert torch.allclose(gradients[row], gradient, atol=1e-5 * float(gradient.abs().max()))
        assert gradients[row].abs().max() > 0


@every_kind
@every_choice
def test_a_row_has_the_same_bits_whatever_the_others_are(task: str, model: str, groups: tuple[str, ...]) -> None:
    here = made(task, model, 5, groups=groups)
    batches, deltas = asked(here)
    losses, gradients = here.tunable.all_losses_and_gradients(batches, deltas)
    assert np.isfinite(losses).all()
    broken = [torch.full_like(deltas[1], number) for number in (np.nan, np.inf, 1e30)]
    for others in ([], [0], [1, 3, 4], *broken):
        beside = [others] if isinstance(others, torch.Tensor) else [deltas[i] for i in others]
        theirs = [batches[1]] * len(beside)
        again, slopes = here.tunable.all_losses_and_gradients([*theirs, batches[2]], [*beside, deltas[2]])
        np.testing.assert_array_equal(again[-1], losses[2])
        assert torch.equal(slopes[-1], gradients[2])


def test_more_than_fit_together_go_one_lot_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    batches, deltas = asked(here := made("text_classification", "bert_tiny", 5))
    whole = here.tunable.all_losses_and_gradients(batches, deltas)
    monkeypatch.setattr(stacking, "TOGETHER", 2)
    parts = here.tunable.all_losses_and_gradients(batches, deltas)
    np.testing.assert_array_equal(whole[0], parts[0])
    assert all(torch.equal(a, b) for a, b in zip(whole[1], parts[1], strict=True))


def test_batches_of_several_shapes_come_back_in_their_order() -> None:
    here = made("translation", "t5_tiny", length=40)
    wide = [here.data.batch(one.probe, alike=True) for one in here.instance]
    narrow = [here.data.batch(one.probe) for one in here.instance]
    assert narrow[1].ids.shape != wide[1].ids.shape
    mixed = [wide[0], narrow[1], wide[2], narrow[3]]
    losses, gradients = here.tunable.all_losses_and_gradients(mixed, here.delta)
    expected, slopes = here.tunable.all_losses_and_gradients(wide, here.delta)
    np.testing.assert_allclose(losses, expected, atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(gradients, slopes, strict=True))


def test_the_model_at_rest_is_untouched_even_by_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    batches, deltas = asked(here := made("translation", "t5_tiny"))
    tunable, module = here.tunable, here.tunable.module
    tunable.all_losses(batches, deltas)
    kept = [(name, parameter, parameter.clone()) for name, parameter in module.named_parameters()]

    def stop(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(module, "losses", stop)
        with pytest.raises(KeyboardInterrupt):
            tunable.all_losses_and_gradients(batches, deltas)
    for (name, parameter, values), (again, now) in zip(kept, module.named_parameters(), strict=True):
        assert name == again and parameter is now and torch.equal(values, now)
    assert not any("forward" in vars(part) for part in module.modules())


def test_a_model_that_cannot_be_stacked_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    here = made("text_classification", "bert_tiny")
    expected = here.tunable.all_losses(*asked(here))
    _tuned._tunable.cache_clear()
    from nlp_gym_envs.models.objectives import Classifier

    whole = Classifier.pooled

    def looking(self: Any, batch: Any) -> Any:
        states = whole(self, batch)
        return states + 0 if states.sum() > 0 else states  # hangs on what the numbers are

    monkeypatch.setattr(Classifier, "pooled", looking)
    here = made("text_classification", "bert_tiny")
    np.testing.assert_allclose(here.tunable.all_losses(*asked(here)), expected, atol=1e-5)
    assert here.tunable.known["stack"] is None
    assert here.tunable.module.trunk.config._attn_implementation != "eager"


def test_a_model_that_says_something_else_when_stacked_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "attention_bias", lambda mask, causal, dtype: mask[..., None, None, :].to(dtype) * 0)
    here = made("text_classification", "bert_tiny")
    assert here.tunable.known["stack"] is None


def test_large_models_go_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "LARGEST", 1000)
    here = made("text_classification", "bert_tiny")
    assert here.tunable.known["stack"] is None


def test_one_candidate_after_the_other_ends_at_rest_even_by_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "LARGEST", 1000)
    batches, deltas = asked(here := made("text_classification", "bert_tiny"))
    tunable, module = here.tunable, here.tunable.module
    expected = [tunable.losses(*pair) for pair in zip(batches, deltas, strict=True)]
    at_rest = tunable.losses(batches[0])
    seen: list[int] = []

    def stops_at_the_third(batch: Any) -> Any:
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return type(module).losses(module, batch)

    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(module, "losses", stops_at_the_third)
        tunable.all_losses(batches, deltas)
    assert torch.equal(tunable.flat, tunable.base) and tunable.at_rest and not tunable.visiting
    assert np.array_equal(tunable.all_losses(batches, deltas), expected) and torch.equal(tunable.flat, tunable.base)
    with tunable.visited():
        with tunable.moved(deltas[0]):
            assert not torch.equal(tunable.flat, tunable.base)
        assert np.array_equal(tunable.losses(batches[0]), at_rest)  # without a candidate: the model itself
    assert torch.equal(tunable.flat, tunable.base)


@pytest.mark.parametrize(("length", "answer"), [(13, 5), (64, 40), (1, 1)])
def test_widths_are_few_a_batchs_own_and_never_beyond_what_is_read(length: int, answer: int) -> None:
    here = made("translation", "t5_tiny", 3, length=length, answer=answer)
    for one in here.instance:
        ids, labels = one.batch.ids.shape[1], one.batch.labels.shape[1]
        assert ids <= length and labels <= answer + 1
        assert (ids == length or ids % 8 == 0) and (labels == answer + 1 or labels % 8 == 0)
        natural = here.data.batch(one.probe)
        assert ids - natural.ids.shape[1] < 8 and labels - natural.labels.shape[1] < 8
