"""Encoders and prefix posteriors: made once, the same in every process, and of the training texts only."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast, T5Config, T5Model

import nlp_gym_envs
from nlp_gym_envs.errors import BadArgument, NotAvailable, UnknownName
from nlp_gym_envs.text import encoding, prefixes
from nlp_gym_envs.text.encoders.transformer import Transformer
from nlp_gym_envs.text.encoding import BOUND, encode
from nlp_gym_envs.text.examples import Examples

ROOT = str(Path(nlp_gym_envs.__file__).parents[1])
WORDS = "the old miller walks along a quiet river and counts seven grey boats before rain falls on every garden".split()


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """A cache of its own, and no network."""
    monkeypatch.setenv("NLP_GYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def texts(count: int, seed: int = 0) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(1, 30))) for _ in range(count)]


def examples(values: list[str], labels: int = 3) -> Examples:
    names = tuple(f"label {i}" for i in range(labels))
    return Examples({"text": values}, [i % labels for i in range(len(values))], names)


# ---------------------------------------------------------------- every encoder


PROGRAM = """if True:
    import hashlib, sys, json
    from nlp_gym_envs.text.encoding import encode
    from nlp_gym_envs.text.examples import Examples
    from nlp_gym_envs.text.prefixes import prefixes
    values, name = json.loads(sys.stdin.read())
    data = Examples({"text": values}, [i % 3 for i in range(len(values))], ("label 0", "label 1", "label 2"))
    found = prefixes(data, data, 4).posterior if name == "prefixes" else encode(data, data, name).vectors
    print(hashlib.sha256(found.tobytes()).hexdigest(), "sklearn" in sys.modules, "torch" in sys.modules)
"""


def elsewhere(name: str, values: list[str]) -> tuple[str, bool, bool]:
    """The digest of what another process gets, and whether it imported scikit-learn and torch."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=os.environ | {"PYTHONPATH": ROOT, "PYTHONHASHSEED": "3"},
                          input=json.dumps([values, name]), capture_output=True, text=True, check=True)  # fmt: skip
    digest, sklearn, torch_too = done.stdout.split()
    return digest, sklearn == "True", torch_too == "True"


@pytest.mark.parametrize("name", ["tfidf", pytest.param("hashing", marks=pytest.mark.slow), "prefixes", "bert"])
def test_another_process_gets_the_same_numbers_and_the_second_one_from_the_cache(tmp_path, monkeypatch, name, bert):
    values, data = texts(120), examples(texts(120))
    encoder = str(bert) if name == "bert" else name
    here = prefixes.prefixes(data, data, 4).posterior if name == "prefixes" else encode(data, data, encoder).vectors
    digest = hashlib.sha256(here.tobytes()).hexdigest()
    assert elsewhere(encoder, values) == (digest, False, False)
    monkeypatch.setenv("NLP_GYM_CACHE", str(tmp_path / "another"))
    assert elsewhere(encoder, values) == (digest, name != "bert", name == "bert")


@pytest.mark.parametrize("name", ["tfidf", "hashing"])
def test_standardising_uses_the_training_split_only(name):
    train, validation = examples(texts(300)), examples([text + " boats boats boats" for text in texts(80, seed=1)])
    vectors = encode(train, train, name).vectors
    changing = vectors.std(0) > 0
    inner = np.abs(vectors).max(0) < BOUND  # where nothing was clipped
    assert changing.sum() > 20
    np.testing.assert_allclose(vectors.mean(0)[inner], 0, atol=1e-4)
    np.testing.assert_allclose(vectors.std(0)[inner & changing], 1, atol=1e-4)
    assert np.abs(encode(validation, train, name).vectors.mean(0)).max() > 0.3
    alone = encode(examples(validation["text"].tolist()[:7]), train, name).vectors
    np.testing.assert_array_equal(alone, encode(validation, train, name).vectors[:7])


def test_vectors_do_not_depend_on_labels(monkeypatch):
    values = texts(60)
    first = encode(examples(values, 2), examples(values, 2), "tfidf").vectors
    monkeypatch.setattr(encoding.ENCODERS.get("tfidf"), "encode", None)  # not to be called: the cache has them
    other = examples(values, 5)
    np.testing.assert_array_equal(encode(other, other, "tfidf").vectors, first)


@pytest.mark.parametrize("name", ["tfidf", "hashing"])
@pytest.mark.parametrize(
    "values",
    [["", "", ""], ["😀", "🎉"], ["one"], [f"word{i}" for i in range(80)], [f"same {i % 3}" for i in range(200)]],
    ids=["empty", "no words", "one text", "no word in common", "few words"],
)
def test_poor_texts_have_finite_vectors(name, values):
    vectors = encode(examples(values), examples(values), name).vectors
    assert len(vectors) == len(values) and np.isfinite(vectors).all() and np.abs(vectors).max() <= BOUND


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ("tfdif", "no encoder 'tfdif'; did you mean 'tfidf'"),
        ({"name": "tfidf", "dims": 3}, "'dims'. It takes .*dimensions"),
        ({"dimensions": 3}, "an encoder needs a name"),
        (3, "encoder must be a name"),
        ({"name": "a/b", "max_tokens": 0}, "max_tokens must be a whole number of at least 1"),
    ],
)
def test_an_encoder_that_does_not_exist_is_answered_with_those_that_do(encoder, message):
    data = examples(texts(9))
    with pytest.raises((UnknownName, BadArgument), match=message):
        encode(data, data, encoder)


def test_an_encoder_of_ones_own_is_run_again_when_its_file_changes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    source = """import numpy
class Mine:
    def fit(self, texts): pass
    def encode(self, texts): return numpy.array([[len(text) * FACTOR % 7, 1] for text in texts], float)
"""
    found = []
    for number in (1, 3):  # two processes' worth: a module of the same name, with another content
        (tmp_path / "my_encoder.py").write_text(source.replace("FACTOR", str(number)))
        sys.modules.pop("my_encoder", None)
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        data = examples(texts(20))
        found.append(encode(data, data, "my_encoder.Mine").vectors)
    assert not np.array_equal(*found)


# ---------------------------------------------------------------- transformers


def save(folder: Path, model: Any) -> Path:
    """A tiny model with a tokenizer of a few words, saved as transformers saves it."""
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys(WORDS)])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    tokenizer.post_processor = processors.TemplateProcessing(  # type: ignore[assignment]
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def make_bert(seed: int) -> BertModel:
    torch.manual_seed(seed)
    return BertModel(BertConfig(vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                                intermediate_size=32, max_position_embeddings=24))  # fmt: skip


@pytest.fixture(scope="session")
def bert(tmp_path_factory) -> Path:
    return save(tmp_path_factory.mktemp("bert"), make_bert(0))


@pytest.fixture(scope="session")
def t5(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    config = T5Config(vocab_size=40, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
    return save(tmp_path_factory.mktemp("t5"), T5Model(config))


def one_by_one(folder: Path, values: list[str], longest: int) -> np.ndarray:
    """The plain way: each text by itself, the mean of its last hidden states."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    model = model.get_encoder() if model.config.is_encoder_decoder else model
    rows = []
    for text in values:
        batch = tokenizer(text, return_tensors="pt", truncation=True, max_length=longest)
        with torch.no_grad():
            rows.append(model(batch["input_ids"]).last_hidden_state[0].mean(0).numpy())
    return np.array(rows)


@pytest.mark.parametrize("family", ["bert", "t5"])
def test_a_transformers_encoder_is_the_mean_of_its_hidden_states_whatever_the_batch(request, family):
    folder = request.getfixturevalue(family)
    values = [*texts(40), "", "boats", "😀 unknown", texts(1)[0]]
    longest = 24 if family == "bert" else 128  # the tiny BERT has no more positions
    wanted = one_by_one(folder, values, longest)
    for size in (1, 5, 64):
        np.testing.assert_allclose(Transformer(str(folder), batch_size=size).encode(values), wanted, atol=1e-5)
    np.testing.assert_allclose(Transformer(str(folder)).encode(values[::-1][:9]), wanted[::-1][:9], atol=1e-5)
    np.testing.assert_allclose(
        Transformer(str(folder), max_tokens=6).encode(values), one_by_one(folder, values, 6), atol=1e-5
    )


def test_transformers_vectors_are_cached_by_content(tmp_path, bert, monkeypatch):
    data = examples(texts(50))
    calls: list[int] = []
    plain_encode = Transformer.encode

    def counted(self: Transformer, values: Any) -> np.ndarray:
        calls.append(len(values))
        return plain_encode(self, values)

    monkeypatch.setattr(Transformer, "encode", counted)
    first = encode(data, data, str(bert)).vectors
    moved = shutil.copytree(bert, tmp_path / "moved")
    np.testing.assert_array_equal(encode(data, data, str(moved)).vectors, first)
    np.testing.assert_array_equal(encode(data, examples(texts(50), 2), str(bert)).vectors, first)
    assert calls == [50]
    make_bert(1).save_pretrained(moved)
    assert not np.allclose(encode(data, data, str(moved)).vectors, first)
    assert calls == [50, 50]


def test_a_model_in_the_hubs_cache_is_used_without_a_network(tmp_path, bert, monkeypatch):
    commit = "0123456789abcdef0123456789abcdef01234567"
    kept = tmp_path / "hub" / "models--some--model"
    shutil.copytree(bert, kept / "snapshots" / commit)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(commit)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps([texts(30), "some/model"]), capture_output=True, text=True,
        check=True, env=os.environ | {"PYTHONPATH": ROOT, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    vectors = encode(examples(texts(30)), examples(texts(30)), str(bert)).vectors
    assert done.stdout.split()[0] == hashlib.sha256(vectors.tobytes()).hexdigest()


def only_pickled(folder: Path) -> None:
    weights = AutoModel.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (only_pickled, "no .*safetensors weights, only pytorch_model.bin, which could run code"),
        (lambda folder: (folder / "config.json").unlink(), "holds no transformers model: it has no config.json"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x00" * 50), "cannot be loaded: SafetensorError"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be loaded"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "nonsense"}'), "cannot be loaded"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer"),
    ],
    ids=["pickle", "no config", "broken weights", "broken config", "unknown model", "no tokenizer"],
)  # fmt: skip
def test_a_folder_that_is_no_model_is_refused(tmp_path, bert, damage, message):
    folder = shutil.copytree(bert, tmp_path / "model")
    damage(folder)
    data = examples(texts(9))
    with pytest.raises(NotAvailable, match=message):
        encode(data, data, str(folder))


def test_a_model_without_a_network_is_said_to_be_out_of_reach():
    data = examples(texts(9))
    with pytest.raises(NotAvailable, match="no encoder 'some/other-model': .* Hub's cache .* HF_HUB_OFFLINE"):
        encode(data, data, "some/other-model")


# ---------------------------------------------------------------- prefixes


def test_posteriors_are_probabilities_of_every_prefix():
    data = examples([*texts(60), "", "boats", "😀"])
    table = prefixes.prefixes(data, data, 4)
    assert table.words.tolist() == [len(text.split()) for text in data["text"]]
    assert table.chunks.tolist() == [-(-words // 4) for words in table.words]
    assert len(table.posterior) == (table.chunks + 1).sum()
    np.testing.assert_allclose(table.posterior.sum(1), 1, atol=1e-5)
    assert (table.posterior >= 0).all()


def test_a_prefix_is_judged_as_the_text_that_it_is():
    train, data = examples(texts(60)), examples(texts(20, seed=4))
    table = prefixes.prefixes(data, train, 4)
    for n in (0, 3, 7):
        cut = [" ".join(data["text"][n].split()[: 4 * i]) for i in range(table.chunks[n] + 1)]
        alone = prefixes.prefixes(examples(cut), train, 10_000)
        last = alone.posterior[alone.start + alone.chunks]
        rows = table.posterior[table.start[n] : table.start[n] + table.chunks[n] + 1]
        np.testing.assert_allclose(rows, last, atol=1e-6)


def test_a_training_texts_own_label_does_not_reach_its_posterior():
    values = texts(60)
    values[17] = values[40] = "the old miller counts boats"  # a repeat, with its own label flipped too
    target = [i % 3 for i in range(60)]
    names = ("label 0", "label 1", "label 2")
    before = prefixes.prefixes(*[Examples({"text": values}, target, names)] * 2, 4)
    for rows in ([5], [17, 40]):
        flipped = [(label + 1) % 3 if i in rows else label for i, label in enumerate(target)]
        after = prefixes.prefixes(*[Examples({"text": values}, flipped, names)] * 2, 4)
        same = [np.array_equal(before.posterior[a : a + c + 1], after.posterior[a : a + c + 1])
                for a, c in zip(before.start, before.chunks, strict=True)]  # fmt: skip
        mine = prefixes.folds(values) == prefixes.folds(values)[rows[0]]
        assert all(np.array(same)[mine]) and not any(np.array(same)[~mine])


def test_folds_are_even_and_keep_repeats_together():
    values = [f"text {i // 2}" for i in range(1000)]
    fold = prefixes.folds(values)
    assert (fold[::2] == fold[1::2]).all()
    assert np.bincount(fold).tolist() == [1000 // prefixes.FOLDS] * prefixes.FOLDS


@pytest.mark.parametrize(
    "values", [["a b", "c d"], ["", ""], ["a"] * 9, ["😀", "🎉", ""], ["one"]],
    ids=["two texts", "empty", "repeats", "no words", "one text"],
)  # fmt: skip
def test_poor_corpora_have_posteriors_too(values):
    data = examples(values, 2)
    table = prefixes.prefixes(data, data, 1)
    np.testing.assert_allclose(table.posterior.sum(1), 1, atol=1e-5)


def test_a_long_text_is_taken_in_portions(monkeypatch):
    train, data = examples(texts(60)), examples([" ".join(texts(50, seed=2)), "boats", "", *texts(5)])
    whole = prefixes.prefixes(data, train, 3).posterior
    monkeypatch.setattr(prefixes, "PORTION", 1000)
    fresh = examples(data["text"].tolist())
    classifier = prefixes._fit(train, np.arange(60))
    assert len(list(classifier._portions(fresh["text"].tolist(), 3))) > 20
    np.testing.assert_allclose(classifier.posterior(fresh["text"].tolist(), 3), whole, atol=1e-6)
