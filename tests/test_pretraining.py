"""Pre-training small models: what is saved is what was trained, and what ships is what its card says."""

import functools
import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import nlp_gym_envs
from nlp_gym_agents._agents import make_agent
from nlp_gym_agents._bridge import make_vec_env
from nlp_gym_agents._cli import app
from nlp_gym_agents._evaluation import evaluate
from nlp_gym_agents._pretraining import SHIPPED, _pairs, pretrain_task, shipped
from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.models.loading import load
from nlp_gym_envs.models.pretraining import SHAPES, Recipe, make_model, make_tokenizer, masked_accuracy, pretrain, save
from nlp_gym_envs.task import TASKS
from nlp_gym_envs.text.examples import content_digest

FOLDER = Path(nlp_gym_envs.__file__).parent / "models" / "shipped"
WORDS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf", "six": "sechs"}
TINY = {"width": 32, "layers": 1, "heads": 2, "inner": 64, "vocabulary": 320, "batch": 256, "warmup": 5}
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_shipped = pytest.mark.parametrize("name", sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir()))


def toy(count: int = 120) -> tuple[list[str], list[str]]:
    """Number words and their translation, one after the other."""
    draw = np.random.default_rng(0)
    prompts = [" ".join(draw.choice(list(WORDS), draw.integers(1, 5))) for _ in range(count)]
    return prompts, [" ".join(WORDS[word] for word in prompt.split()) for prompt in prompts]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


@every_shape
def test_a_seed_gives_the_same_weights_and_the_loss_falls(tmp_path: Path, shape: str) -> None:
    losses: list[float] = []
    recipe = Recipe(shape, updates=25, **TINY)
    before = torch.get_rng_state()
    facts = pretrain(recipe, *toy(), tmp_path / "a", lambda done, total, loss: losses.append(loss))
    assert torch.equal(before, torch.get_rng_state())  # the global generator is left alone
    pretrain(recipe, *toy(), tmp_path / "b")
    first, again = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert losses[-1] < losses[0] - 0.3
    assert facts["parameters"] < 100_000 and facts["examples"] == 120
    pretrain(Recipe(shape, updates=25, seed=1, **TINY), *toy(), tmp_path / "c")
    assert any(not torch.equal(first[name], value) for name, value in weights(tmp_path / "c").items())


def test_a_device_that_is_not_there_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match="device='nowhere' cannot be used.*'cpu' always can"):
        pretrain(Recipe("t5", **TINY), *toy(), tmp_path / "m", device="nowhere")
    assert not list(tmp_path.iterdir())
    assert pretrain(Recipe("t5", updates=1, **TINY), *toy(20), tmp_path / "m")["device"] == "cpu"


@every_shape
@pytest.mark.parametrize("half", [False, True], ids=["float32", "float16"])
def test_what_is_loaded_is_what_was_trained(tmp_path: Path, shape: str, half: bool) -> None:
    """transformers reads some of T5's config otherwise than it was written; this would change every probability."""
    recipe = Recipe(shape, **TINY)
    tokenizer = make_tokenizer(recipe, sum(toy(), []))
    model = make_model(recipe, tokenizer).eval()
    ids = torch.tensor([tokenizer("one two three")["input_ids"]])
    more = {"decoder_input_ids": ids} if shape == "t5" else {}
    with torch.no_grad():
        before = model(input_ids=ids, **more).logits
    save(model.half() if half else model, tokenizer, tmp_path / "m", {})
    loaded = load(str(tmp_path / "m"))
    assert loaded.family == SHAPES[shape]
    if shape == "bert":  # the loader takes the encoder without its head
        from transformers import AutoModelForMaskedLM

        again: Any = AutoModelForMaskedLM.from_pretrained(tmp_path / "m", dtype="float32").eval()
    else:
        again = loaded.model
    with torch.no_grad():
        after = again(input_ids=ids, **more).logits
    assert torch.allclose(before, after, atol=0.02 if half else 1e-5)
    assert loaded.tokenizer("one two three")["input_ids"] == ids[0].tolist()


def test_a_failed_training_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "mine.txt").write_text("kept")

    def stop(done: int, total: int, loss: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(Recipe("t5", updates=5, **TINY), *toy(), tmp_path / "m", stop)
    assert [file.name for file in tmp_path.rglob("*")] == ["m", "mine.txt"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Recipe("rnn"), "shape must be one of t5, gpt2, bert, got 'rnn'"),
        (lambda: Recipe(width=30, heads=4), "width must be a multiple of heads, got 30 and 4"),
        (lambda: pretrain(Recipe(), [], [], "x"), "as many answers as prompts, got 0 and 0"),
        (lambda: pretrain_task([], Recipe(), "x"), "name a task"),
        (lambda: pretrain_task(["sentiment"], Recipe("t5"), "x"), "take --shape bert"),
        (lambda: shipped("gpt9"), "no shipped model 'gpt9'; there are: t5, gpt2, bert"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        call()


def test_the_command(tmp_path: Path) -> None:
    tiny = [f"--param={name}={value}" for name, value in (TINY | {"updates": 3}).items()]
    done = CliRunner().invoke(app, ["pretrain", "--task", "babi_qa", "--out", str(tmp_path / "m"), *tiny])
    assert done.exit_code == 0, done.output
    assert "babi_qa, validation: exact_match" in done.output
    card = (tmp_path / "m" / "README.md").read_text()
    assert "babi_qa | exact_match" in card and "seed 0" in card
    assert gym.make("nlp/babi_qa-tokens-v0", model=str(tmp_path / "m")).reset(seed=0)
    assert CliRunner().invoke(app, ["pretrain", "--out", str(tmp_path / "m")]).exit_code != 0


# ---------------------------------------------------------------- what ships


def test_what_ships_is_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) < 12e6


@every_shipped
def test_a_shipped_model_is_what_its_recipe_says(name: str) -> None:
    """Its texts are those of today's corpora: whoever changes a corpus trains the models again."""
    facts = json.loads((FOLDER / name / "pretraining.json").read_text())
    tasks, recipe = SHIPPED[name]
    assert facts["tasks"] == list(tasks)
    assert facts["recipe"] == {field: getattr(recipe, field) for field in facts["recipe"]}
    assert facts["data_sha256"] == digest_of_texts(tasks, recipe.shape, recipe.seed)


@functools.cache  # models of one shape have the same texts
def digest_of_texts(tasks: tuple[str, ...], shape: str, seed: int) -> str:
    recipe = Recipe(shape=shape, seed=seed)
    pairs = [pair for task in tasks for pair in _pairs(TASKS.get(task).open(task), recipe)]
    return content_digest([list(column) for column in zip(*pairs, strict=True)])


@pytest.mark.parametrize(
    "name", [name if name == "bert_tiny" else pytest.param(name, marks=pytest.mark.slow) for name in sorted(SHIPPED)]
)
def test_a_shipped_model_reaches_what_its_card_says(name: str) -> None:
    facts = json.loads((FOLDER / name / "pretraining.json").read_text())
    loaded = load(name)
    shape = SHIPPED[name][1].shape
    assert loaded.family == SHAPES[shape]
    for task, scores in facts["scores"].items():
        if SHAPES[shape] == "encoder":
            texts = TASKS.get(task).open(task).at("validation").examples["text"][:100].tolist()
            found_now = masked_accuracy(SHIPPED[name][1], FOLDER / name, texts)
            assert (
                abs(found_now - scores["masked_accuracy"]) < 0.05
                and (0.15 if "tiny" in name else 0.5) < found_now < 0.9
            )
            continue
        env_id, options = f"nlp/{task}-tokens-v0", {"model": name}
        env = make_vec_env(env_id, 1, 0, options)
        found = evaluate(make_agent("greedy", env, {}, 0), env_id, "validation", options, 32, 100, intervals=False)
        for metric, value in scores.items():
            assert abs(found.scores[metric].value - value) < 0.1, metric
