"""Answers that grow: after any pieces, compiled or not, the score is what the metric says of the text."""

import copy
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_gym_envs.errors import BadArgument, BadData
from nlp_gym_envs.metrics._growing import Growing
from nlp_gym_envs.metrics._growing_plain import Plain, Rescored
from nlp_gym_envs.metrics.bleu import BLEU
from nlp_gym_envs.metrics.chrf import CHRF
from nlp_gym_envs.metrics.f1 import F1

TOKENIZED = {name: BLEU(SimpleNamespace(tokenize=name)) for name in ("13a", "none", "char")}
METRICS = {"chrf": CHRF(), **{f"bleu {name}": metric for name, metric in TOKENIZED.items()}}
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
ENGINES = [False, pytest.param(True, marks=needs_numba)]
every_engine = pytest.mark.parametrize("compiled", ENGINES, ids=["plain", "compiled"])

TEXTS = [
    "Die alte Lehrerin fährt heute über die Brücke, obwohl es regnet.",
    "It costs 3.5 or 1,000.50 dollars, in the U.S. only - isn't that 5-6% less?",
    "3..5 a..5 .5 -5 5-5 5--5 a,,b 1.2.3, x.,y ...9 9...9 ,7",
    "&quot;R&amp;D&quot; &lt;b&gt; &amp;lt; & co; &amp &am p;",
    "well-\nknown foo<skipped>bar -<skipped>\nx <skipped -\n \n- <ski<skipped>pped> a>\nb",
    "今天天气很好。我们去公园！ 東京 タワー🙂🙃",
    "  the\tcat\u00a0 sat\u2003on\x1cthe \x85 mat\n\nand   slept \n ",
    "“Größe”, «Maß»: (Straße) [x]{y}|~^_`@#$%*+=<>\\/'s",
]
FRAGMENTS = sorted({text[at : at + size] for text in TEXTS for size in (1, 2, 7) for at in range(0, len(text), 3)})
BROKEN = [
    b"",
    b"\xff",
    b"\xe4\xb8",
    b"\xad",
    b"\xc3",
    b"\xa4",
    b"\xed\xa0",
    b"\xf4\x90",
    b"\xe0\x80",
    b"\xf0\x9f",
    b"\xc0",
]
pieces_of_any_kind = st.one_of(
    st.sampled_from(FRAGMENTS).map(str.encode),
    st.sampled_from(BROKEN),
    st.binary(max_size=3),
    st.text(max_size=3).map(lambda text: text.encode("utf-8", "ignore")),
)
some_texts = st.one_of(
    st.sampled_from(TEXTS), st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join), st.text(max_size=9)
)


def objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def read(written: bytes) -> str:
    return written.decode("utf-8", "ignore").strip()


def scores(metric: Any, written: list[bytes], targets: np.ndarray) -> np.ndarray:
    return metric.each(objects([read(line) for line in written]), targets)


def cut(text: str, draw: np.random.Generator, most: int = 4) -> list[bytes]:
    """The bytes of a text in pieces of one to `most`, which may end within a character."""
    whole, pieces = text.encode(), []
    while whole:
        size = int(draw.integers(1, most + 1))
        pieces, whole = [*pieces, whole[:size]], whole[size:]
    return pieces


@every_engine
@every_metric
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:12]))
def test_every_prefix_of_a_text(text: str, metric: Any, compiled: bool) -> None:
    """Byte by byte and in longer pieces, against references that share much of it."""
    draw = np.random.default_rng(len(text))
    references = objects([(text,), (text[5:], text[: len(text) // 2] + " " + text, "x")])
    for most in (1, 4, 12):
        pieces = cut(text, draw, most)
        growing = Growing(metric, references, pieces, 2, 4, compiled)
        growing.begin(np.arange(2), np.arange(2))
        assert growing.scores(np.arange(2)).tolist() == [0.0, 0.0]
        for end in range(len(pieces)):
            growing.push(np.arange(2), np.array([end, end]))
            expected = scores(metric, [b"".join(pieces[: end + 1])] * 2, references)
            assert growing.scores(np.arange(2)) == pytest.approx(expected, abs=1e-9), read(b"".join(pieces[: end + 1]))
        assert growing.scores(np.array([0]))[0] == pytest.approx(1.0, abs=1e-9)


@every_engine
@every_metric
@settings(deadline=None, max_examples=40, derandomize=True)
@given(data=st.data())
def test_any_pieces_in_any_order(metric: Any, compiled: bool, data: Any) -> None:
    """Rows begin and grow on their own; a look at candidates changes nothing."""
    references = objects(
        data.draw(st.lists(st.lists(some_texts, min_size=1, max_size=3).map(tuple), min_size=2, max_size=2))
    )
    pieces = data.draw(st.lists(pieces_of_any_kind, min_size=1, max_size=12))
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    for accepted in references:
        pieces += [piece for text in accepted for piece in cut(text.encode("utf-8", "ignore").decode(), draw)]
    growing = Growing(metric, references, pieces, 3, int(draw.integers(1, 30)), compiled)
    written, example, every = [b""] * 3, draw.integers(2, size=3), np.arange(3)
    growing.begin(every, example)
    for step in range(16):
        if step == 9:
            growing.begin(every[1:2], example[:1])
            written[1], example[1] = b"", example[0]
        rows = draw.permutation(3)[: draw.integers(1, 4)]
        candidates = draw.integers(len(pieces), size=(len(rows), 2))
        lines = [written[row] + pieces[token] for row, some in zip(rows, candidates, strict=True) for token in some]
        expected = scores(metric, lines, references[np.repeat(example[rows], 2)]).reshape(-1, 2)
        assert growing.would(rows, candidates) == pytest.approx(expected, abs=1e-9), (written, lines)
        growing.push(rows, candidates[:, 1])
        for row, token in zip(rows, candidates[:, 1], strict=True):
            written[row] += pieces[token]
        assert growing.scores(every) == pytest.approx(scores(metric, written, references[example]), abs=1e-9), written


@every_engine
def test_room_is_made_for_long_answers_and_references(compiled: bool) -> None:
    long = " ".join(f"word{number} " for number in range(300))
    references, pieces = objects([("a b",), (long,)]), [b"", b"a b ", long.encode(), b"wor"]
    for metric in METRICS.values():
        growing = Growing(metric, references, pieces, 4, 1, compiled)
        growing.begin(np.array([0, 1]), np.array([0, 0]))
        growing.push(np.array([0, 1]), np.array([1, 1]))
        growing.begin(np.array([2, 3]), np.array([1, 0]))
        growing.would(np.array([0, 2]), np.array([[2], [2]]))
        growing.push(np.array([2, 2, 0]), np.array([2, 3, 0]))
        written = [b"a b ", b"a b ", long.encode() + b"wor", b""]
        expected = scores(metric, written, references[[0, 0, 1, 0]])
        assert growing.scores(np.arange(4)) == pytest.approx(expected, abs=1e-9)
        assert expected[2] > 0.9


@every_engine
@every_metric
def test_copies_go_on_alone(metric: Any, compiled: bool) -> None:
    references, pieces = objects([(TEXTS[0],)]), [b"Die al", b"te Leh", b"rer\xc3", b"\xa4 x"]
    growing = Growing(metric, references, pieces, 1, 4, compiled)
    row = np.array([0])
    growing.begin(row, row)
    growing.push(row, row)
    before = growing.scores(row)
    for other in (copy.deepcopy(growing), pickle.loads(pickle.dumps(growing))):
        other.push(row, row + 1)
        expected = scores(metric, [b"Die alte Leh"], references)
        assert other.scores(row) == pytest.approx(expected, abs=1e-9)
        assert growing.scores(row) == before and other.scores(row) != before


@pytest.mark.parametrize("metric", [F1(), BLEU(SimpleNamespace(tokenize="intl"))], ids=["f1", "bleu intl"])
def test_other_metrics_are_scored_anew(metric: Any) -> None:
    references, pieces = objects([(TEXTS[0],), ("Brücke",)]), cut(TEXTS[0], np.random.default_rng(0))
    growing, rows = Growing(metric, references, pieces, 2, 4), np.arange(2)
    assert isinstance(growing.engine, Rescored)
    growing.begin(rows, rows[::-1])
    for token in range(len(pieces)):
        expected = scores(metric, [b"".join(pieces[: token + 1])] * 2, references[::-1])
        assert growing.would(rows, np.array([[token], [token]]))[:, 0] == pytest.approx(expected)
        growing.push(rows, np.array([token, token]))
        assert growing.scores(rows) == pytest.approx(expected)
    assert growing.scores(rows)[1] == pytest.approx(1.0)
    growing.begin(rows[:1], rows[:1])
    assert growing.scores(rows).tolist() == [0.0, 1.0]


@every_engine
def test_what_is_out_of_range(compiled: bool) -> None:
    references, pieces = objects([("x",)]), [b"x", b"b"]
    for metric in (BLEU(), CHRF(), F1()):
        growing = Growing(metric, references, pieces, 2, 4, compiled)
        for wrong in (-1, 2):
            with pytest.raises(BadArgument, match=r"rows are 0..1, examples 0..0, tokens 0..1"):
                growing.begin(np.array([wrong]), np.array([0]))
            with pytest.raises(BadArgument, match="out of range"):
                growing.begin(np.array([0]), np.array([wrong]))
            with pytest.raises(BadArgument, match="out of range"):
                growing.push(np.array([wrong]), np.array([0]))
            with pytest.raises(BadArgument, match="out of range"):
                growing.push(np.array([0, 1]), np.array([0, wrong]))
            with pytest.raises(BadArgument, match="out of range"):
                growing.would(np.array([0]), np.array([[0, wrong]]))
        assert growing.scores(np.arange(2)).tolist() == [0.0, 0.0], "nothing was begun or pushed"


def test_references_that_are_no_tuples() -> None:
    with pytest.raises(BadData, match="a target is a tuple"):
        Growing(BLEU(), objects(["a", "b"]), [b"a"], 1, 1)


def test_without_numba_the_plain_engine_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert isinstance(Growing(BLEU(), objects([("a",)]), [b"a"], 1, 1).engine, Plain)


@needs_numba
def test_machine_code_is_kept_where_asked_and_nowhere_else(tmp_path: Path) -> None:
    from nlp_gym_envs.metrics import _growing_compiled as compiled

    before = compiled.numba.config.CACHE_DIR  # type: ignore[attr-defined]
    compiled.keep_in(tmp_path)
    assert list(tmp_path.glob("compiled-*"))
    assert compiled.numba.config.CACHE_DIR == before  # type: ignore[attr-defined]
    assert not list(Path(compiled.__file__).parent.glob("**/*.nb?"))
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="going on without it"):
        compiled.keep_in(tmp_path / "file")


def test_importing_loads_neither_numba_nor_sacrebleu() -> None:
    script = "import nlp_gym_envs.metrics._growing, sys; print(*{'sacrebleu', 'numba', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
