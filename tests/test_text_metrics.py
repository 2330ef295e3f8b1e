"""Metrics of texts: sacreBLEU and rouge_score say the same, SQuAD's rules hold, counts add up, scores are bounded."""

import copy
import pickle
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_gym_envs.errors import BadArgument, BadData, NotAvailable
from nlp_gym_envs.metrics.bleu import BLEU
from nlp_gym_envs.metrics.chrf import CHRF
from nlp_gym_envs.metrics.exact_match import ExactMatch
from nlp_gym_envs.metrics.f1 import F1
from nlp_gym_envs.metrics.rouge_l import RougeL

METRICS = (BLEU, CHRF, ExactMatch, F1, RougeL)
TABLE = [  # an answer and its accepted texts
    ("", ("",)),
    ("", ("Ein Hund läuft.",)),
    ("Ein Hund läuft.", ("",)),
    ("Ein Hund läuft über die Straße.", ("Ein Hund läuft über die Straße.",)),
    ("ein Hund läuft ueber die Strasse", ("Ein Hund läuft über die Straße.",)),
    ("Die Männer, die Bäume fällen, sind müde!", ("Die Männer fällen Bäume und sind müde.", "Müde Männer.")),
    ("Männer", ("Die Männer fällen Bäume.", "Männer")),
    ("a a a a a a a a", ("a a b", "a b a b a")),
    ("one two three", ("one two three four", "one two", "one two three four five")),
    ("It costs 3.5 or 1,000.50 dollars - in the U.S. only", ("It cost $3.50 or 1,000 dollars in the U.S. only...",)),
    ("3..5 a..5 .5 -5 5-5 5--5 a,,b", ("3.5 a.5 0.5 -5 5 - 5 5-5 a, b",)),
    ("&quot;R&amp;D&quot; &lt;b&gt; &amp;lt;", ('"R&D" <b> &lt;',)),
    ("foo<skipped>bar well-\nknown\n", ("foobar wellknown", "foo bar well- known")),
    ("  the\tcat \u00a0 sat\u2003on the mat  ", ("The cat sat on the mat",)),
    ("今天天气很好。我们去公园！", ("今天天气不错，我们去公园吧。", "天气很好")),
    ("東京 タワー", ("東京タワー",)),
    ("🙂🙃 e\u0301 ﬁ İ", ("🙂 é fi i",)),
    ("The", ("the",)),
    ("the the the", ("the", "cat the")),
    ("Paris", ("paris", "Paris, France", "the city of Paris")),
]
WORDS = ["the", "The", "cat", "Katze", "läuft", "über", "3.5", "1,000", "U.S.", "well-known", "a", "an", ".", ",", "!",
         "&amp;", "&quot;", "<skipped>", "-\n", "天", "气", "«", "ß", "🙂", "5-", "..", "'s", "("]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), max_size=14).flatmap(
    lambda words: st.sampled_from((" ", "")).map(lambda space: space.join(words))
)
examples = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=6)
every_metric = pytest.mark.parametrize("kind", METRICS, ids=lambda kind: kind.name)
quick = settings(deadline=None, max_examples=60, derandomize=True)


def columns(rows: list[tuple[str, tuple[str, ...]]]) -> tuple[np.ndarray, np.ndarray]:
    """The answers and the targets, (B,) object each."""
    answers, targets = np.empty(len(rows), object), np.empty(len(rows), object)
    answers[:], targets[:] = [row[0] for row in rows], [row[1] for row in rows]
    return answers, targets


def corpus(metric: Any, rows: list[tuple[str, tuple[str, ...]]]) -> float:
    return float(metric.score(metric.counts(*columns(rows)).sum(0)))


def side_by_side(rows: list[tuple[str, tuple[str, ...]]]) -> list[list[str | None]]:
    """The references as sacreBLEU wants them: first ones, second ones, ...; None where an example has no more."""
    most = max(len(accepted) for _, accepted in rows)
    return [[accepted[i] if i < len(accepted) else None for _, accepted in rows] for i in range(most)]


def same_as_sacrebleu(rows: list[tuple[str, tuple[str, ...]]], tokenize: str = "13a") -> None:
    answers = [answer for answer, _ in rows]
    sentence_bleu = sacrebleu.BLEU(tokenize=tokenize, effective_order=True)
    for ours, theirs, sentence in (
        (BLEU(SimpleNamespace(tokenize=tokenize)), sacrebleu.BLEU(tokenize=tokenize), sentence_bleu),
        (CHRF(), sacrebleu.CHRF(), sacrebleu.CHRF()),
    ):
        expected = theirs.corpus_score(answers, side_by_side(rows)).score / 100  # type: ignore[arg-type]
        assert corpus(ours, rows) == pytest.approx(expected, abs=1e-9)
        each = [sentence.sentence_score(answer, accepted).score / 100 for answer, accepted in rows]
        assert ours.each(*columns(rows)) == pytest.approx(each, abs=1e-9)
        assert ours.signature == str(theirs.get_signature())


@pytest.mark.parametrize("row", TABLE, ids=lambda row: repr(row[0]))
@pytest.mark.parametrize("tokenize", ["13a", "intl", "char", "none", "zh"])
def test_sacrebleu_agrees_on_tables(row: Any, tokenize: str) -> None:
    same_as_sacrebleu([row], tokenize)


@pytest.mark.parametrize("tokenize", ["13a", "intl", "char", "none", "zh"])
def test_sacrebleu_agrees_on_a_corpus(tokenize: str) -> None:
    same_as_sacrebleu(TABLE, tokenize)


@quick
@given(rows=examples)
def test_sacrebleu_agrees(rows: Any) -> None:
    same_as_sacrebleu(rows)


def test_sentence_bleu_is_sacrebleus_own_function() -> None:
    ours = BLEU().each(*columns(TABLE))
    assert ours == pytest.approx([sacrebleu.sentence_bleu(answer, list(golds)).score / 100 for answer, golds in TABLE])
    assert 0.0 < ours.min(where=ours > 0, initial=1.0) < ours.max() == 1.0


def test_bleu_worked_by_hand() -> None:
    """6 words against 7: 5 of 6, 3 of 5, 2 of 4, 1 of 3 n-grams match."""
    row = ("the cat sat on a mat", ("the cat sat on the red mat",))
    assert BLEU().counts(*columns([row])).tolist() == [[6, 7, 5, 3, 2, 1, 6, 5, 4, 3]]
    expected = np.exp(1 - 7 / 6) * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    assert corpus(BLEU(), [row]) == pytest.approx(expected, abs=1e-12)
    assert BLEU().each(*columns([row]))[0] == pytest.approx(expected, abs=1e-12)


def test_chrf_worked_by_hand() -> None:
    """ "abc" against "abd": 2 of 3, 1 of 2, 0 of 1 n-grams match on both sides; longer orders do not count."""
    assert corpus(CHRF(), [("a bc", ("ab d",))]) == pytest.approx((2 / 3 + 1 / 2) / 3, abs=1e-12)


SQUAD = [  # answer, accepted texts, exact match, F1: what SQuAD's evaluate-v2.0.py gives
    ("", ("",), 1, 1),
    ("Paris", ("",), 0, 0),
    ("", ("Paris",), 0, 0),
    ("the", ("",), 1, 1),
    ("...", ("",), 1, 1),
    ("Paris", ("", "Paris"), 1, 1),
    ("", ("", "Paris"), 0, 0),
    ("", ("the", "an"), 1, 1),
    ("The Eiffel Tower!", ("eiffel tower",), 1, 1),
    ("eiffel  TOWER", ("the Eiffel Tower", "Tour Eiffel"), 1, 1),
    ("a tower in Paris", ("the Eiffel Tower",), 0, 0.4),
    ("in Paris, France", ("Paris", "Paris France"), 0, 0.8),
    ("cat cat cat", ("cat dog", "cat cat"), 0, 0.8),
    ("3.5", ("35",), 1, 1),
    ("$1,000", ("1000",), 1, 1),
    ("Über-Haus", ("über Haus",), 0, 0),
    ("Über Haus", ("über haus",), 1, 1),
    ("«Haus»", ("Haus",), 0, 0),
    ("another theatre", ("other atre",), 0, 0),
    ("a.an.the", ("aanthe",), 1, 1),
    ("x\u00a0y", ("x y",), 1, 1),
]


@pytest.mark.parametrize("row", SQUAD, ids=lambda row: repr(row[:2]))
def test_squad(row: Any) -> None:
    answer, accepted, exact, f1 = row
    one = columns([(answer, accepted)])
    assert ExactMatch().each(*one).tolist() == [exact]
    assert F1().each(*one).tolist() == pytest.approx([f1], abs=1e-12)


@quick
@given(rows=examples)
def test_squad_metrics_follow_from_one_another(rows: Any) -> None:
    """A match has F1 1; F1 is 1 just where the words agree as a bag; 0 just where none is shared."""
    exact, f1 = ExactMatch().each(*columns(rows)), F1().each(*columns(rows))
    assert (f1[exact == 1] == 1).all()
    swapped = [(accepted[0], (answer,)) for answer, accepted in rows]
    assert F1().each(*columns(swapped)) == pytest.approx(F1().each(*columns([(a, g[:1]) for a, g in rows])), abs=1e-12)


@quick
@given(rows=examples)
def test_rouge_score_agrees(rows: Any) -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    for some in (rows, TABLE):
        expected = [scorer.score_multi(list(accepted), answer)["rougeL"].fmeasure for answer, accepted in some]
        assert RougeL().each(*columns(some)) == pytest.approx(expected, abs=1e-12)
        assert corpus(RougeL(), some) == pytest.approx(np.mean(expected), abs=1e-12)


def test_rouge_l_worked_by_hand() -> None:
    """ "police killed the gunman" against "police kill the gunman" (Lin 2004): three of four words in order."""
    assert corpus(RougeL(), [("police kill the gunman", ("Police killed the gunman!",))]) == pytest.approx(0.75)
    assert corpus(RougeL(), [("the gunman kill police", ("police killed the gunman", "cat"))]) == pytest.approx(0.5)


@every_metric
@quick
@given(rows=examples, seed=st.integers(0, 99), cut=st.integers(0, 6))
def test_counts_of_shuffled_parts_add_up(kind: Any, rows: Any, seed: int, cut: int) -> None:
    metric = kind()
    whole = metric.counts(*columns(rows))
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = [rows[i] for i in order]
    assert np.array_equal(metric.counts(*columns(shuffled)), whole[order])
    parts = [metric.counts(*columns(part)).sum(0) for part in (shuffled[:cut], shuffled[cut:])]
    assert metric.score(parts[0] + parts[1]) == pytest.approx(metric.score(whole.sum(0)), abs=1e-12)
    assert (whole >= 0).all() and whole.dtype == np.float64


@every_metric
@quick
@given(rows=examples)
def test_each_is_one_by_one_and_in_bounds(kind: Any, rows: Any) -> None:
    each = kind().each(*columns(rows))
    assert each.dtype == np.float64 and each.shape == (len(rows),)
    assert ((each >= 0) & (each <= 1)).all() and 0 <= corpus(kind(), rows) <= 1
    assert np.array_equal(each, [kind().each(*columns([row]))[0] for row in rows])


@every_metric
def test_scores_of_many_sums_at_once(kind: Any) -> None:
    """A bootstrap scores (..., s) sums in one call."""
    metric, draw = kind(), np.random.default_rng(0)
    counts = metric.counts(*columns(TABLE))
    sums = counts[draw.integers(len(TABLE), size=(4, 5, 30))].sum(2)
    scores = metric.score(sums)
    assert scores.shape == (4, 5) and len(set(scores.ravel().tolist())) > 5
    assert scores[2, 3] == metric.score(sums[2, 3])


@every_metric
def test_no_rows(kind: Any) -> None:
    counts = kind().counts(*columns([]))
    assert counts.shape == (0, kind().counts(*columns(TABLE)).shape[1])
    assert kind().score(counts.sum(0)) == 0.0 and kind().each(*columns([])).shape == (0,)


@every_metric
def test_right_beats_wrong(kind: Any) -> None:
    answers = ["A dog runs over the road.", "A dog runs over my red road.", "", "zzz"]
    each = kind().each(*columns([(answer, ("A dog runs over the road.",)) for answer in answers]))
    assert each[0] == 1.0 and each[0] > each[1] >= each[2] == each[3] == 0.0


@every_metric
@pytest.mark.parametrize("target", ["text", ["text"], (), (1,), None], ids=repr)
def test_targets_that_are_no_tuple_of_texts(kind: Any, target: Any) -> None:
    answers, targets = columns([("text", ("text",))])
    targets[0] = target
    with pytest.raises(BadData, match="a target is a tuple"):
        kind().counts(answers, targets)


@every_metric
def test_copies_score_the_same(kind: Any) -> None:
    metric = kind()
    expected = metric.each(*columns(TABLE))
    for other in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        assert np.array_equal(other.each(*columns(TABLE)), expected)
    if hasattr(metric, "signature"):
        assert pickle.loads(pickle.dumps(metric)).signature == metric.signature


@every_metric
def test_a_metric_is_called_what_its_file_is_called(kind: Any) -> None:
    assert kind.__module__.rpartition(".")[2] == kind.name
    assert sys.modules[kind.__module__].METRIC is kind


def test_signatures_tell_the_number_of_references() -> None:
    metric = BLEU(SimpleNamespace(tokenize="char"))
    metric.counts(*columns([TABLE[4]]))
    assert metric.signature.startswith("nrefs:1|case:mixed|eff:no|tok:char|smooth:exp|version:")
    metric.counts(*columns([TABLE[5]]))
    assert metric.signature.startswith("nrefs:var|")


def test_tokenizers_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadArgument, match="13a, intl, char, none, zh, ja-mecab, got 'moses'"):
        BLEU(SimpleNamespace(tokenize="moses"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NotAvailable, match="MeCab"):
        BLEU(SimpleNamespace(tokenize="ja-mecab"))


def test_importing_is_cheap() -> None:
    names = ", ".join(f"nlp_gym_envs.metrics.{kind.name}" for kind in METRICS)
    script = f"import {names}, sys; print(*{{'sacrebleu', 'numba', 'torch', 'regex'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
