"""Loading transformers models: three families, safely and once; tokenizers as bytes; states and embeddings."""

import copy
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Model,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

import nlp_gym_envs
from nlp_gym_envs.errors import BadArgument, NotAvailable
from nlp_gym_envs.models import files, loading
from nlp_gym_envs.models.decoding import Decoding
from nlp_gym_envs.models.language_model import LanguageModel
from nlp_gym_envs.models.loading import load

TEXTS = [
    "The old miller, who can't swim, walks along a quiet river.",
    "Zwölf süße Bären über dem Fluß — naïve façade 😀 日本語",
    "don't stop. Why? It 's here , isn't it!",
    "seven grey boats and 12 crows before rain falls",
]
SPECIAL = ["<pad>", "</s>", "<unk>", "<s>"]


def fast(tokenizer: Tokenizer, **names: str) -> PreTrainedTokenizerFast:
    given = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "bos_token": "<s>"} | names
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **given)


def trained(tokenizer: Tokenizer, trainer: Any) -> Tokenizer:
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    return tokenizer


def byte_level() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    return fast(trained(tokenizer, trainer))


def metaspace() -> PreTrainedTokenizerFast:
    """As T5's: SentencePiece's unigrams, an end token behind every text."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=150, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer = trained(tokenizer, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return fast(tokenizer)


def byte_fallback() -> PreTrainedTokenizerFast:
    """As Llama 2's: what no piece covers is written in bytes."""
    vocabulary = SPECIAL + [f"<0x{byte:02X}>" for byte in range(256)] + ["▁", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(vocabulary)}, [], byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return fast(tokenizer)


def word_piece(cleanup: bool = True) -> PreTrainedTokenizerFast:
    """As BERT's."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=cleanup)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trained(tokenizer, trainers.WordPieceTrainer(vocab_size=180, special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
                                   sep_token="[SEP]", mask_token="[MASK]")  # fmt: skip


def words() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return fast(trained(tokenizer, trainers.WordLevelTrainer(special_tokens=SPECIAL, show_progress=False)))


def unusual() -> PreTrainedTokenizerFast:
    """BPE with a mark of its own at the end of words, and words added later."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Whitespace(), decoders.BPEDecoder("</w>")
    trainer = trainers.BpeTrainer(
        vocab_size=150, special_tokens=SPECIAL, end_of_word_suffix="</w>", show_progress=False
    )
    return fast(trained(tokenizer, trainer))


TOKENIZERS = {
    "byte level": byte_level,
    "metaspace": metaspace,
    "byte fallback": byte_fallback,
    "word piece": word_piece,
    "word piece without cleanup": lambda: word_piece(False),
    "words": words,
}
SMALL: dict[str, Any] = {"num_layers": 1, "num_heads": 2, "d_model": 16, "d_kv": 8, "d_ff": 32}
TOLD: dict[str, Any] = {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1}
MAKERS: dict[str, Any] = {
    "encoder": (word_piece, lambda size: BertForMaskedLM(BertConfig(
        vocab_size=size, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32))),
    "decoder": (byte_level, lambda size: GPT2LMHeadModel(GPT2Config(
        vocab_size=size, n_positions=64, n_embd=16, n_layer=2, n_head=2))),
    "encoder-decoder": (metaspace, lambda size: T5ForConditionalGeneration(T5Config(
        vocab_size=size + 5, **SMALL | TOLD))),
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A saved model of every family."""
    root = tmp_path_factory.mktemp("models")
    for family, (tokenizer, model) in MAKERS.items():
        torch.manual_seed(0)
        made = tokenizer()
        made.save_pretrained(root / family)
        model(len(made)).save_pretrained(root / family)
    return {family: root / family for family in MAKERS}


@pytest.fixture
def folder(folders, tmp_path) -> Path:
    """A decoder's folder to be changed."""
    return Path(shutil.copytree(folders["decoder"], tmp_path / "gpt2"))


# ---------------------------------------------------------------- tokenizers as bytes


def model_of(tokenizer: Any) -> LanguageModel:
    return LanguageModel(MAKERS["decoder"][1](len(tokenizer) + 3), tokenizer, "tiny", "decoder")


def joined(model: LanguageModel, ids: list[int]) -> str:
    return b"".join(model.pieces[number] for number in ids).decode("utf-8", "ignore").strip()


def decoded(tokenizer: Any, ids: list[int]) -> str:
    return tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False).strip()


@pytest.mark.parametrize("name", [name for name in TOKENIZERS if name != "word piece"])
def test_pieces_joined_are_the_tokenizers_own_text(name, tmp_path):
    TOKENIZERS[name]().save_pretrained(tmp_path)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    tokenizer.eos_token = tokenizer.eos_token or tokenizer.sep_token
    model = model_of(tokenizer)
    assert len(model.pieces) == model.vocabulary_size == len(tokenizer) + 3
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        assert joined(model, ids) == decoded(tokenizer, ids) == model.text(ids)
        assert len(joined(model, ids)) > 10
    special = [tokenizer.convert_tokens_to_ids(token) for token in tokenizer.all_special_tokens]
    assert {model.pieces[number] for number in [*special, -1, -2, -3]} == {b""}


def test_pieces_of_word_pieces_are_cleaned_up_as_the_tokenizer_does():
    tokenizer = word_piece()
    tokenizer.eos_token = "[SEP]"
    model = model_of(tokenizer)
    found = [joined(model, tokenizer(text)["input_ids"]) for text in TEXTS]
    assert found == [decoded(tokenizer, tokenizer(text)["input_ids"]) for text in TEXTS]
    assert found[0].endswith("river.")  # "river ." without


@pytest.mark.parametrize("name", ["metaspace", "words"])
def test_pieces_of_any_ids_join(name):
    tokenizer, chance = TOKENIZERS[name](), np.random.default_rng(0)
    model = model_of(tokenizer)
    for _ in range(50):
        ids = chance.integers(0, len(tokenizer), 12).tolist()
        assert joined(model, ids) == decoded(tokenizer, ids)


def test_half_a_character_is_left_out_until_it_is_whole():
    model = model_of(byte_level())
    ids = model.tokenizer("ab 😀")["input_ids"]
    assert [model.text(ids[:end]) for end in (len(ids) - 1, len(ids))] == ["ab", "ab 😀"]


def test_another_kind_of_tokenizer_has_pieces_too():
    tokenizer = unusual()
    model = model_of(tokenizer)
    for text in TEXTS[::3]:
        ids = tokenizer(text)["input_ids"]
        assert joined(model, ids).split() == decoded(tokenizer, ids).split()


# ---------------------------------------------------------------- loading


@pytest.mark.parametrize("family", MAKERS)
def test_the_family_is_told_by_the_files(family, folders):
    model = load(str(folders[family]))
    assert model.family == family and model is load(str(folders[family]), family)
    assert model.width == 16 and model.vocabulary_size == model.embeddings.shape[0]
    assert not model.model.training and not any(weight.requires_grad for weight in model.model.parameters())
    assert model.end == (3 if family == "encoder" else 1)
    assert model.start == (0 if family == "encoder-decoder" else None)
    head = model.model.get_input_embeddings() if family == "encoder" else model.model.get_output_embeddings()
    np.testing.assert_array_equal(model.embeddings, head.weight.numpy())


def test_a_process_holds_one_copy(folders):
    name = str(folders["decoder"])
    model = load(name)
    assert load(name) is model is load(f"{name}/") is load(os.path.relpath(name))
    assert load(name, dtype="bfloat16") is not model
    assert copy.deepcopy([model])[0] is model
    pickled = pickle.dumps(model)
    assert pickle.loads(pickled) is model and len(pickled) < 1000


def test_a_pickle_is_loaded_again_elsewhere(folders):
    model = load(str(folders["encoder-decoder"]))
    program = "import pickle, sys; print(pickle.load(sys.stdin.buffer).digest)"
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(model), capture_output=True, check=True,
                          env=os.environ | {"PYTHONPATH": str(Path(nlp_gym_envs.__file__).parents[1])})  # fmt: skip
    assert done.stdout.decode().strip() == model.digest


def test_a_folder_that_changes_is_another_model(folder):
    before = load(str(folder))
    altered = GPT2LMHeadModel.from_pretrained(folder)
    with torch.no_grad():
        altered.transformer.wpe.weight[3, 3] += 0.5
    altered.save_pretrained(folder)
    os.utime(folder / "model.safetensors", ns=(1, 1))
    after = load(str(folder))
    assert after is not before and after.digest != before.digest


def test_a_digest_names_the_content(folder, folders, tmp_path):
    same = shutil.copytree(folder, tmp_path / "same")
    digest = load(str(folder)).digest
    assert load(str(same)).digest == digest == load(str(folders["decoder"])).digest
    assert len({digest, load(str(folder), quantize="int8").digest, load(str(folder), dtype="bfloat16").digest}) == 3
    tokenizer = json.loads((same / "tokenizer.json").read_text())
    tokenizer["model"]["merges"].pop()
    (same / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert load(str(same)).digest != digest


def test_an_encoder_without_a_pooler_is_the_same_model_every_time(folders, tmp_path):
    same, lacking = (Path(shutil.copytree(folders["encoder"], tmp_path / name)) for name in ("same", "lacking"))
    assert load(str(same)).digest == load(str(folders["encoder"])).digest
    weights, lost = load_file(lacking / "model.safetensors"), "encoder.layer.0.output.dense.weight"
    del weights[f"bert.{lost}"]
    save_file(weights, lacking / "model.safetensors", {"format": "pt"})
    with pytest.raises(BadArgument, match=f"no weights {lost}"):
        load(str(lacking))


def test_models_that_ship_go_by_their_folders_names(folders, monkeypatch, tmp_path):
    monkeypatch.setattr(files, "SHIPPED", tmp_path)
    shutil.copytree(folders["decoder"], tmp_path / "tiny_writer")
    model = load("tiny_writer")
    assert files.shipped() == ("tiny_writer",) and model.name == "tiny_writer"
    assert model.recipe is not None and model.recipe[1][0] == "tiny_writer"
    with pytest.raises(NotAvailable, match="did you mean 'tiny_writer'"):
        load("tiny_writers")


def test_a_missing_model_is_told_within_seconds(tmp_path):
    start = time.monotonic()
    with pytest.raises(NotAvailable, match="no model 'nobody/nothing'.*HF_HUB_OFFLINE is set"):
        load("nobody/nothing")
    with pytest.raises(NotAvailable, match="no model"):
        load(str(tmp_path / "no folder"))
    assert time.monotonic() - start < 5


def unsafe(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def foreign(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "foreign", "auto_map": {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text("raise SystemExit('it was run')")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (unsafe, r"no \*.safetensors weights, only pytorch_model.bin, which could run code"),
        (foreign, "cannot be loaded.*code of their own are not run"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer"),
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"nothing"), "cannot be loaded"),
    ],
)
def test_files_that_are_not_safe_or_not_whole_are_refused(folder, spoil, message):
    spoil(folder)
    with pytest.raises(NotAvailable, match=message):
        load(str(folder))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"family": "transformer"}, "family must be one of None, 'encoder', .* got 'transformer'"),
        ({"dtype": "int4"}, "dtype must be one of 'float32'"),
        ({"quantize": "int4"}, "quantize must be one of None, 'int8'"),
        ({"quantize": "int8", "dtype": "bfloat16"}, "goes with device='cpu' and dtype='float32'"),
        ({"device": "abacus"}, "device='abacus' cannot be used"),
    ],
)
def test_options_that_are_not_allowed_are_told(folders, keywords, message):
    with pytest.raises(BadArgument, match=message):
        load(str(folders["decoder"]), **keywords)


def test_a_model_without_a_head_cannot_write(folder):
    bare = GPT2Model.from_pretrained(folder)
    bare.config.tie_word_embeddings = False
    bare.save_pretrained(folder)
    with pytest.raises(BadArgument, match="cannot serve as 'decoder': its files have no weights lm_head.weight"):
        load(str(folder), "decoder")


def test_a_model_that_reads_in_both_directions_cannot_write(folders):
    with pytest.raises(BadArgument, match="reads in both directions"):
        load(str(folders["encoder"]), "decoder")


def test_a_model_made_in_memory_pickles_with_its_weights():
    model = model_of(byte_level())
    again = pickle.loads(pickle.dumps(model))
    assert again.digest == model.digest and again.lock is not model.lock


def test_a_model_without_an_end_token_cannot_write():
    tokenizer = byte_level()
    tokenizer.eos_token = None
    with pytest.raises(NotAvailable, match="has no end token"):
        model_of(tokenizer)


def test_a_tokenizer_without_padding_gets_one(folder):
    tokenizer = byte_level()
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder)
    assert load(str(folder)).tokenizer.pad_token == "</s>"


def test_importing_the_loader_loads_nothing_heavy():
    program = (
        "import sys, nlp_gym_envs.models.loading as loading;"
        "print([name for name in ('torch', 'transformers', 'tokenizers', 'numba') if name in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(nlp_gym_envs.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_models_that_nobody_holds_are_let_go(folders):
    load(str(folders["decoder"]), dtype="float16")
    for family in MAKERS:
        load(str(folders[family]), dtype="bfloat16")
    assert not any(key[2] == "float16" for key in loading._alive)


# ---------------------------------------------------------------- other numbers than float32


@pytest.mark.parametrize("family", ["decoder", "encoder-decoder"])
@pytest.mark.parametrize(
    ("keywords", "share"), [({"quantize": "int8"}, 0.1), ({"dtype": "bfloat16"}, 0.05), ({"dtype": "float16"}, 0.01)]
)
def test_coarser_numbers_are_near(family, keywords, share, folders):
    found = []
    for model in (load(str(folders[family])), load(str(folders[family]), **keywords)):
        held = Decoding(model, 2, 16, 8)
        held.begin([0, 1], model.encode(TEXTS[:2], 16))
        held.push([0, 1], [20, 30])
        found.append(held.logits.numpy().copy())
    assert 0 < np.abs(found[0] - found[1]).max() < share * np.abs(found[0]).max()


def test_int8_takes_every_linear_layer_and_no_original(folders):
    plain, quantised = load(str(folders["decoder"])), load(str(folders["decoder"]), quantize="int8")
    assert "DynamicQuantizedLinear" in str(quantised.model) and "Conv1D" not in str(quantised.model)
    assert "Conv1D" in str(plain.model)
    assert 0 < np.abs(quantised.embeddings - plain.embeddings).max() < 0.02 * np.abs(plain.embeddings).max()


# ---------------------------------------------------------------- texts


def test_prompts_are_cut_and_never_empty(folders):
    writer, reader = load(str(folders["decoder"])), load(str(folders["encoder-decoder"]))
    assert [len(ids) for ids in writer.encode(TEXTS, 7)] == [7] * 4
    assert writer.encode(["", "a"], 7) == [[3], writer.tokenizer("a")["input_ids"]]
    assert [ids[-1] for ids in reader.encode([*TEXTS, ""], 9)] == [1] * 5  # the end token stays
    assert reader.encode([], 9) == []
    assert writer.longest == 64 and [len(ids) for ids in writer.encode([TEXTS[0] * 30], 1000)] == [64]
    with pytest.raises(BadArgument, match="longest must be at least 1"):
        writer.encode(["a"], 0)


@pytest.mark.parametrize("family", MAKERS)
def test_states_of_a_text_do_not_depend_on_its_neighbours(family, folders):
    model = load(str(folders[family]))
    texts = [*TEXTS, "a", TEXTS[0]]
    states, mask = model.hidden(texts, 40)
    assert states.dtype == np.float32 and states.shape == (*mask.shape, 16)
    for row, text in enumerate(texts):
        ids = model.encode([text], 40)[0]
        inputs = {"input_ids": torch.tensor([ids])}
        base = model.model.get_encoder() if family == "encoder-decoder" else model.model.base_model
        with torch.inference_mode():
            alone = base(**inputs).last_hidden_state[0].numpy()
        assert mask[row].sum() == len(ids) and mask[row, : len(ids)].all()
        np.testing.assert_allclose(states[row, : len(ids)], alone, atol=1e-5)
        assert not states[row, len(ids) :].any()
    assert model.hidden([])[0].shape == (0, 0, 16)


def test_token_states_know_where_they_stand(folders):
    model = load(str(folders["encoder"]))
    states, offsets = model.token_states([*TEXTS, ""], 60)
    whole, mask = model.hidden(TEXTS, 60)
    for row, text in enumerate(TEXTS):
        assert len(states[row]) == len(offsets[row]) == mask[row].sum() - 2  # [CLS] and [SEP] are left out
        np.testing.assert_allclose(states[row], whole[row][mask[row]][1:-1], atol=1e-6)
        tokens = model.tokenizer(text, add_special_tokens=False, truncation=True, max_length=58).tokens()
        if text.isascii():
            read = [token.removeprefix("##") for token in tokens]
            assert [text[first:last].lower() for first, last in offsets[row]] == read
    assert states[4].shape == (0, 16) and offsets[4].shape == (0, 2)
    assert model.token_states([]) == ([], [])
