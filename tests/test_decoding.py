"""Batched decoding over a kept cache: every row, at every moment, is what a full recomputation without cache gives."""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertModel,
    BloomConfig,
    BloomForCausalLM,
    DynamicCache,
    EncoderDecoderCache,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MarianConfig,
    MarianMTModel,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.models import decoding, slots
from nlp_gym_envs.models.decoding import Decoding
from nlp_gym_envs.models.language_model import LanguageModel
from nlp_gym_envs.models.steering import cache_keyword

V, ROWS, LONGEST_PROMPT, LONGEST = 61, 6, 14, 18
NEAR = 1e-5
PAD, END, START = 0, 1, 2

bart: dict[str, Any] = {
    "vocab_size": V, "d_model": 32, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 40,
    "pad_token_id": PAD, "eos_token_id": END, "bos_token_id": START, "forced_eos_token_id": None,
}  # fmt: skip
t5: dict[str, Any] = {
    "vocab_size": V, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4,
    "relative_attention_num_buckets": 8, "relative_attention_max_distance": 12, "decoder_start_token_id": PAD,
    "pad_token_id": PAD, "eos_token_id": END,
}  # fmt: skip
llama: dict[str, Any] = {
    "vocab_size": V, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 40, "eos_token_id": END,
}  # fmt: skip
gpt2: dict[str, Any] = {
    "vocab_size": V, "n_positions": 32, "n_embd": 32, "n_layer": 3, "n_head": 4, "eos_token_id": END,
}  # fmt: skip
MAKERS: dict[str, Any] = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(**gpt2)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**llama)),
    "t5": lambda: T5ForConditionalGeneration(T5Config(**t5)),
    "t5 gated": lambda: T5ForConditionalGeneration(
        T5Config(
            **t5 | {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "attn_implementation": "eager"}
        )
    ),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**llama, sliding_window=LONGEST_PROMPT + LONGEST)),
    "bart": lambda: BartForConditionalGeneration(BartConfig(**bart, decoder_start_token_id=END)),
    "marian": lambda: MarianMTModel(MarianConfig(**bart, decoder_start_token_id=PAD)),
}
READERS = ["t5", "bart", "marian"]


def family(model: Any) -> str:
    return "encoder-decoder" if model.config.is_encoder_decoder else "decoder"


def wrapped(model: Any, name: str = "tiny", kind: str | None = None) -> LanguageModel:
    vocabulary = {f"w{number}": number for number in range(V)}
    tokens = Tokenizer(models.WordLevel(vocabulary, unk_token="w3"))
    tokens.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokens, pad_token=f"w{PAD}", eos_token=f"w{END}", unk_token="w3"
    )
    return LanguageModel(model, tokenizer, name, kind or family(model))


def made(name: str) -> Any:
    """A model with weights large enough that every one of them shows in the logits."""
    torch.manual_seed(0)
    model = MAKERS[name]()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.15) if parameter.ndim > 1 else parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@functools.cache
def tiny(name: str) -> LanguageModel:
    return wrapped(made(name), name)


def decoding_of(name: str, rows: int = ROWS, **keywords: Any) -> Decoding:
    return Decoding(tiny(name), rows, **({"longest_prompt": LONGEST_PROMPT, "longest": LONGEST} | keywords))


def recomputed(language_model: LanguageModel, prompt: list[int], pushed: list[int]) -> torch.Tensor:
    """The next token's logits, (V,), from one forward without a cache."""
    model = language_model.model
    with torch.inference_mode():
        if language_model.family == "decoder":
            return model(input_ids=torch.tensor([prompt + pushed]), use_cache=False).logits[0, -1]
        start = [language_model.start, *pushed]
        return model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([start]), use_cache=False).logits[
            0, -1
        ]


def worst(first: torch.Tensor, second: torch.Tensor) -> float:
    return float((first - second).abs().max())


class Played:
    """A decoding, and what was done to each of its rows."""

    def __init__(self, decoding: Decoding, seed: int = 0) -> None:
        self.decoding, self.chance = decoding, np.random.default_rng(seed)
        self.prompts: list[list[int]] = [[]] * decoding.num_rows
        self.pushed: list[list[int]] = [[] for _ in range(decoding.num_rows)]

    def ids(self, most: int) -> list[int]:
        return self.chance.integers(3, V, self.chance.integers(1, most + 1)).tolist()

    def some(self, least: int = 1) -> np.ndarray:
        """Some rows, in any order."""
        count = self.chance.integers(least, self.decoding.num_rows + 1)
        return self.chance.permutation(self.decoding.num_rows)[:count]

    def begin(self, rows: Any) -> None:
        for row in rows:
            self.prompts[row], self.pushed[row] = self.ids(self.decoding.longest_prompt), []
        self.decoding.begin(rows, [self.prompts[row] for row in rows])

    def push(self, rows: Any) -> None:
        rows = np.array([row for row in rows if len(self.pushed[row]) < self.decoding.longest], int)
        tokens = self.chance.integers(0, V, len(rows))
        self.decoding.push(rows, tokens)
        for row, token in zip(rows, tokens, strict=True):
            self.pushed[row] = [*self.pushed[row], int(token)]

    def take(self, rows: Any, other: "Played", sources: Any) -> None:
        self.decoding.take(rows, other.decoding, sources)
        taken = [(list(other.prompts[source]), list(other.pushed[source])) for source in sources]
        for row, (prompt, pushed) in zip(rows, taken, strict=True):
            self.prompts[row], self.pushed[row] = prompt, pushed

    def check(self) -> None:
        """Every row's logits, of the last hidden state as well, are those of a full recomputation."""
        held = self.decoding
        for row in range(held.num_rows):
            expected = recomputed(held.language_model, self.prompts[row], self.pushed[row])
            assert worst(held.logits[row], expected) < NEAR
            assert held.length[row] == len(self.pushed[row])
        head = held.language_model.model.get_output_embeddings()
        extra = getattr(held.language_model.model, "final_logits_bias", 0)
        assert worst(head(held.state) + extra, held.logits) < NEAR


# ---------------------------------------------------------------- against full recomputation


@pytest.mark.parametrize("name", MAKERS)
def test_logits_are_those_of_a_full_recomputation_at_every_moment(name):
    game = Played(decoding_of(name))
    game.begin(range(ROWS))
    game.check()
    for _ in range(30):
        if game.chance.random() < 0.3:
            game.begin(game.some())
        game.push(game.some())
        game.check()
    assert recomputed(tiny(name), [5, 6], [7]).std() > 0.1  # the models tell texts apart: a wrong row would show
    assert worst(recomputed(tiny(name), [5, 6], [7]), recomputed(tiny(name), [6, 5], [7])) > 1e-3


@pytest.mark.parametrize("name", MAKERS)
def test_subsets_are_the_same_computed_in_place_or_gathered(name, monkeypatch):
    found = []
    for share in (0.0, 2.0):  # all rows are computed always, never
        monkeypatch.setattr(decoding, "ALL", share)
        game = Played(decoding_of(name))
        game.begin(range(ROWS))
        for _ in range(8):
            game.push(game.some())
        found.append((game.decoding.logits.clone(), game.decoding.positions))
    assert worst(found[0][0], found[1][0]) < NEAR
    assert found[0][1] > found[1][1]


@pytest.mark.parametrize("name", MAKERS)
def test_a_row_is_the_same_alone_and_among_neighbours(name):
    many, alone = decoding_of(name), decoding_of(name, 1)
    game = Played(many)
    game.begin(range(ROWS))
    alone.begin([0], [game.prompts[2]])
    for _ in range(6):
        game.push(game.some(ROWS))
        alone.push([0], [game.pushed[2][-1]])
        assert worst(many.logits[2], alone.logits[0]) < NEAR and worst(many.state[2], alone.state[0]) < NEAR


@pytest.mark.parametrize("name", ["gpt2", "t5", "marian"])
def test_two_decodings_of_one_model_do_not_disturb_each_other(name):
    first, second = Played(decoding_of(name), 1), Played(decoding_of(name, 3), 2)
    for game in (first, second):
        game.begin(range(game.decoding.num_rows))
    for _ in range(5):
        for game in (first, second):
            game.push(game.some())
    first.check()
    second.check()


@pytest.mark.parametrize("name", MAKERS)
def test_full_rows_keep_what_they_hold_while_others_go_on(name):
    game = Played(decoding_of(name, 4))
    game.begin(range(4))
    game.prompts[0] = game.ids(LONGEST_PROMPT) * 20
    game.prompts[0] = game.prompts[0][:LONGEST_PROMPT]
    game.decoding.begin([0], [game.prompts[0]])
    for _ in range(LONGEST):
        game.push([0])
    for _ in range(4):
        game.push([1, 2, 3])
    most = name in ("gpt2", "mistral")  # whose positions are used up
    longer = Played(decoding_of(name, 2, longest=LONGEST if most else LONGEST + 2))
    longer.begin(range(2))
    longer.take([1], game, [0])
    if not most:
        longer.push([1])
    longer.check()
    game.check()


# ---------------------------------------------------------------- rows begin and end on their own


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_but_the_named_rows_changes(name):
    game = Played(decoding_of(name))
    game.begin(range(ROWS))
    game.push(range(ROWS))
    for call in (lambda rows: game.begin(rows), lambda rows: game.push(rows), lambda rows: game.take(rows, game, [0]),
                 *([lambda rows: game.decoding.reread(rows, [[5, 6, 7]])] if name in READERS else [])):  # fmt: skip
        logits, state, length = game.decoding.logits.clone(), game.decoding.state.clone(), game.decoding.length
        call([3])
        rest = [row for row in range(ROWS) if row != 3]
        assert torch.equal(game.decoding.logits[rest], logits[rest])
        assert torch.equal(game.decoding.state[rest], state[rest])
        assert (game.decoding.length[rest] == length[rest]).all()
        assert not torch.equal(game.decoding.logits[3], logits[3])


@pytest.mark.parametrize("name", ["gpt2", "llama", *READERS])
@pytest.mark.parametrize("share", [0.0, 2.0])
def test_a_row_of_nans_spoils_no_neighbour_and_is_healed_by_a_new_beginning(name, share, monkeypatch):
    monkeypatch.setattr(decoding, "ALL", share)
    model, poison = made(name), V - 1
    with torch.no_grad():
        model.get_input_embeddings().weight[poison] = float("nan")
    held, clean = Decoding(wrapped(model), 3, 8, 8), Decoding(tiny(name), 3, 8, 8)
    prompts = [[5, 6, 7], [8, 9, 10, 11, 12], [13]]
    held.begin(range(3), [prompts[0], [*prompts[1], poison], prompts[2]])
    clean.begin(range(3), prompts)
    for step in range(4):
        held.push(range(3), [20, poison, 21 + step])
        clean.push(range(3), [20, 30, 21 + step])
        if step == 1:
            held.push([0, 2], [25, 26])
            clean.push([0, 2], [25, 26])
        assert held.logits[1, :poison].isnan().all()
        assert worst(held.logits[[0, 2], :poison], clean.logits[[0, 2], :poison]) < NEAR
    for other in (held, clean):
        other.begin([1], [[14, 15]])
        other.push(range(3), [17, 16, 18])  # the neighbours are longer: more is read than the new row holds
    assert worst(held.logits[:, :poison], clean.logits[:, :poison]) < NEAR


def test_what_a_shorter_prompt_is_padded_with_does_not_spoil_it():
    model = made("llama")
    with torch.no_grad():
        model.get_input_embeddings().weight[0] = float("nan")
    held, clean = Decoding(wrapped(model), 2, 8, 8), Decoding(tiny("llama"), 2, 8, 8)
    for other in (held, clean):
        other.begin([0, 1], [[5], [6, 7, 8, 9]])
        other.push([0, 1], [10, 11])
    assert worst(held.logits[:, 1:], clean.logits[:, 1:]) < NEAR


@pytest.mark.parametrize("name", ["gpt2", "t5"])
def test_the_same_calls_give_the_same_bits(name):
    found = []
    for _ in range(2):
        game = Played(decoding_of(name), seed=3)
        game.begin(range(ROWS))
        for _ in range(5):
            game.push(game.some())
        found.append(game.decoding.logits.clone())
    assert torch.equal(*found)


@pytest.mark.parametrize("name", MAKERS)
def test_rows_taken_go_on_by_themselves(name):
    game, small = Played(decoding_of(name)), Played(decoding_of(name, 3), seed=1)
    game.begin(range(ROWS))
    for _ in range(4):
        game.push(game.some())
    small.take([2, 0], game, [4, 4])  # before anything has begun there
    small.begin([1])
    for _ in range(6):
        small.push(small.some())
        small.check()
    small.begin([0])
    small.check()
    for _ in range(6):  # a beam: rows become copies of each other, some longer than what they replace, some shorter
        game.take(game.some(ROWS), game, game.chance.integers(0, ROWS, ROWS))
        game.check()
        game.push(game.some())
        game.take([0], small, [1])
        game.begin([5])
        game.check()


# ---------------------------------------------------------------- reading another source


def stepped(model: Any, start: int, steps: list[tuple[str, Any]]) -> torch.Tensor:
    """Logits, (V,), by transformers' own caches: ("read", a source) or ("write", a token), one after the other."""
    cache, fed, found = EncoderDecoderCache(DynamicCache(), DynamicCache()), start, None
    with torch.inference_mode():
        for kind, value in steps:
            if kind == "read":
                source = torch.tensor([value])
                if found is not None:
                    layers: list[Any] = cache.self_attention_cache.layers
                    for layer in layers:  # the last token is computed again
                        layer.keys, layer.values = layer.keys[:, :, :-1], layer.values[:, :, :-1]
                cache = EncoderDecoderCache(cache.self_attention_cache, DynamicCache())
            else:
                fed = value
            states = model.get_encoder()(input_ids=source)  # pyright: ignore[reportPossiblyUnbound]
            found = model(encoder_outputs=states, decoder_input_ids=torch.tensor([[fed]]), use_cache=True,
                          **{cache_keyword(model): cache}).logits[0, -1]  # fmt: skip
    assert found is not None
    return found


@pytest.mark.parametrize("name", READERS)
def test_another_source_is_read_and_what_was_written_stays_as_it_was_computed(name):
    held, chance = decoding_of(name, 4, longest_prompt=12), np.random.default_rng(0)
    words = chance.integers(3, V, (4, 12)).tolist()
    seen = [2, 3, 1, 5]
    done: list[list[tuple[str, Any]]] = [[("read", words[row][: seen[row]])] for row in range(4)]
    held.begin(range(4), [words[row][: seen[row]] for row in range(4)])
    for _ in range(10):
        reading = [row for row in range(4) if chance.random() < 0.5 and seen[row] < 12]
        writing = [row for row in range(4) if row not in reading]
        for row in reading:
            seen[row] += 1
            done[row].append(("read", words[row][: seen[row]]))
        held.reread(reading, [words[row][: seen[row]] for row in reading])
        tokens = chance.integers(3, V, len(writing)).tolist()
        held.push(writing, tokens)
        for row, token in zip(writing, tokens, strict=True):
            done[row].append(("write", token))
        for row in range(4):
            expected = stepped(tiny(name).model, tiny(name).start or 0, done[row])
            assert worst(held.logits[row], expected) < NEAR
    held.reread([0, 1, 2, 3], [[5], [6], [7], [8]])  # a shorter one
    assert worst(held.logits[0], stepped(tiny(name).model, tiny(name).start or 0, [*done[0], ("read", [5])])) < NEAR
    with pytest.raises(BadArgument, match="has no encoder"):
        decoding_of("gpt2").reread([0], [[5]])


@pytest.mark.parametrize("name", READERS)
def test_each_prompt_is_encoded_once_within_what_may_be_remembered(name):
    prompts = [[5, 6, 7], [8, 9], [5, 6, 7]]
    held = decoding_of(name, 3)
    held.begin(range(3), prompts)
    assert (held.forwards, held.positions) == (2, 2 * 3 + 3)  # two different prompts of at most three ids, three rows
    first = held.logits.clone()
    held.begin([2, 0], [prompts[1], prompts[0]])
    assert held.forwards == 3
    assert worst(held.logits[[2, 0, 1]], first[[1, 0, 1]]) < NEAR
    forgetful = decoding_of(name, 3, remember=0)
    forgetful.begin(range(3), prompts)
    forgetful.begin(range(3), prompts)
    assert forgetful.forwards == 4 and worst(forgetful.logits, first) < NEAR
    some = decoding_of(name, 1, remember=8 * 32 * 4 / 2**20)  # eight tokens of 32 float32
    for prompt in ([5, 6, 7], [8, 9, 10], [5, 6, 7], [11, 12, 13], [5, 6, 7], [8, 9, 10]):  # the oldest unused one goes
        some.begin([0], [prompt])
    assert some.forwards == 6 + 4
    assert some._encoded.size <= some._encoded.room


# ---------------------------------------------------------------- what is spent, what is refused


def test_one_forward_for_all_rows_and_nothing_for_none():
    held = decoding_of("gpt2")
    held.begin(range(ROWS), [[5, 6]] * ROWS)
    held.push(range(ROWS), range(ROWS))
    held.push([1], [5])
    assert (held.forwards, held.positions) == (3, 2 * ROWS + ROWS + 1)
    before = held.logits.clone()
    held.begin([], [])
    held.push([], [])
    held.take([], held, [])
    assert held.forwards == 3 and torch.equal(held.logits, before)


def test_nothing_is_allocated_by_steps(monkeypatch):
    held = decoding_of("llama", 2)
    held.begin([0, 1], [[5] * LONGEST_PROMPT] * 2)
    stores = [[store.data_ptr() for store in layer.stores] for layer in held._slots.slots]
    for _ in range(LONGEST):
        held.push([0, 1], [5, 6])
    assert stores == [[store.data_ptr() for store in layer.stores] for layer in held._slots.slots]


def test_room_is_made_when_it_runs_out():
    held = slots.Slots(1, 2, 4)
    held.plan.rows, held.plan.width = torch.tensor([0, 1]), 0
    keys, values = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    held.update(keys, values, 0)
    held.reserve(5)
    read = held.slots[0].read(None, 4)
    assert held.room == 8 and torch.equal(read[0], keys) and torch.equal(read[1], values)
    assert not held.slots[0].stores[0][:, 4:].any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda held: [held.begin([0], [[5]]), held.push([0], [V])], "tokens are 0 to 60, got .61"),
        (lambda held: held.begin([0, 1], [[5], [6, -1]]), "ids of prompts are 0 to 60, got .6, -1"),
        (lambda held: held.push([0], [5]), r"rows \[0\] have not begun"),
        (lambda held: held.begin([0], [[]]), "1 to longest_prompt=14 ids, not 0"),
        (lambda held: held.begin([0], [[5] * 15]), "1 to longest_prompt=14 ids, not 15"),
        (lambda held: held.begin([0, 1], [[5]]), "2 rows cannot have 1 prompts"),
        (lambda held: held.take([0], decoding_of("llama"), [0]), "of the same model"),
        (lambda held: held.take([0, 1], held, [0]), "2 rows cannot be copies of 1"),
        (
            lambda held: [held.begin([0], [[5]]), *(held.push([0], [5]) for _ in range(19))],
            r"rows \[0\] hold longest=18",
        ),
    ],
)
def test_misuse_is_told(call, message):
    with pytest.raises(BadArgument, match=message):
        call(decoding_of("gpt2"))


@pytest.mark.parametrize(
    ("model", "keywords", "message"),
    [
        (lambda: tiny("gpt2"), {"longest": 19}, "need 33 positions; the model 'gpt2' has 32"),
        (lambda: tiny("gpt2"), {"num_rows": 0}, "num_rows must be at least 1, got 0"),
        (lambda: wrapped(BertModel(BertConfig(vocab_size=V, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                                              intermediate_size=16)), kind="encoder"), {}, "is an encoder"),
        (lambda: wrapped(BloomForCausalLM(BloomConfig(vocab_size=V, hidden_size=16, n_layer=1, n_head=2))), {},
         "takes no position_ids"),
        (lambda: wrapped(MistralForCausalLM(MistralConfig(**llama, sliding_window=31))), {}, "a window of 31"),
        (lambda: tiny("bart"), {"longest_prompt": 41}, "need 41 positions; the model 'bart' has 40"),
    ],
)  # fmt: skip
def test_models_that_cannot_are_told(model, keywords, message):
    with pytest.raises(BadArgument, match=message):
        Decoding(model(), **({"num_rows": 2, "longest_prompt": LONGEST_PROMPT, "longest": LONGEST} | keywords))


def test_other_weights_are_near():
    half = wrapped(made("gpt2").to(torch.bfloat16), "half")
    fine, coarse = decoding_of("gpt2", 3), Decoding(half, 3, LONGEST_PROMPT, LONGEST)
    for held in (fine, coarse):
        held.begin(range(3), [[5, 6, 7], [8], [9, 10]])
        for token in (11, 12, 13):
            held.push([0, 2], [token, token + 1])
    assert coarse.logits.dtype == coarse.state.dtype == torch.float32
    assert 0 < worst(fine.logits, coarse.logits) < 0.1 * float(fine.logits.std())


@pytest.mark.parametrize("name", ["llama", "t5", "marian"])
def test_an_interruption_leaves_nothing_half_done(name, monkeypatch):
    game = Played(decoding_of(name, 3))
    game.begin(range(3))
    game.push(range(3))

    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    handle = tiny(name).model.get_output_embeddings().register_forward_hook(interrupted)
    with pytest.raises(KeyboardInterrupt):
        game.decoding.push([0, 1, 2], [5, 6, 7])
    with pytest.raises(KeyboardInterrupt):
        game.decoding.begin([1], [[5, 6, 7]])
    handle.remove()
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in tiny(name).model.modules())
    with pytest.raises(BadArgument, match=r"rows \[1\] have not begun"):
        game.decoding.push([1], [5])
    game.begin([1])
    game.push([0, 2])
    game.push([1, 2])
    game.check()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "t5"])
def test_compiled_blocks_give_the_same(name):
    torch.compiler.reset()
    model = made(name)
    compiled = LanguageModel(model, wrapped(made(name)).tokenizer, name, family(model), compile=True)
    game = Played(Decoding(compiled, 3, LONGEST_PROMPT, LONGEST))
    game.begin(range(3))
    for _ in range(4):
        game.push(game.some())
    for row in range(3):
        assert worst(game.decoding.logits[row], recomputed(tiny(name), game.prompts[row], game.pushed[row])) < NEAR
