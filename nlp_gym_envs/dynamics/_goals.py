"""What an answer may be asked for besides being right: a limit on its length, terms that it must use.

Each goal keeps what it needs of every row, and tells features of the candidates (b, k), and a price. Its metrics are of
finished answers alone: they may be asked for when the rows have gone on.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadArgument, BadData, NotAvailable
from ..models.language_model import LanguageModel
from ._candidates import NOTHING, TokenTable

MOST_TERMS = 3  # of one example
LONGEST_TERM = 12  # tokens
WORD = re.compile(r"\w+")


class LengthLimit:
    """So many characters, `share` times the prompt's; each share of the limit written beyond it costs `cost`."""

    def __init__(self, num_rows: int, share: float, cost: float, table: TokenTable) -> None:
        self.share, self.cost, self.table = share, cost, table
        self.most = cost * float(max(1, table.characters.max()))  # the highest price of a token: limits are 1 or more
        self.typed = np.zeros(num_rows, np.int64)  # (B,) characters
        self.limit = np.ones(num_rows, np.int64)  # (B,)

    def begin(self, rows: np.ndarray, texts: np.ndarray) -> None:
        """Rows get prompts, (b,) object of str."""
        self.typed[rows] = 0
        self.limit[rows] = self._allowed(texts)

    def write(self, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Tokens (b,) are written, NOTHING where none is; their price, (b,)."""
        before = self._excess(rows, self.typed[rows])
        self.typed[rows] = np.where(tokens == NOTHING, self.typed[rows], self._after(rows, tokens[:, None])[:, 0])
        return self.cost * (self._excess(rows, self.typed[rows]) - before)

    def features(self, rows: np.ndarray, tokens: np.ndarray, is_end: np.ndarray) -> list[np.ndarray]:
        """Of candidates (b, k): the share of the limit used with each / 2, whether it is beyond the limit."""
        share = np.where(is_end, self.typed[rows, None], self._after(rows, tokens)) / self.limit[rows, None]
        return [np.minimum(share, 2) / 2, (share > 1) & ~is_end]

    def progress(self, rows: np.ndarray) -> np.ndarray:
        """The share of the limit that is used / 2, (b,)."""
        return np.minimum(self.typed[rows] / self.limit[rows], 2) / 2

    def metrics(self, texts: np.ndarray, answers: np.ndarray) -> dict[str, np.ndarray]:
        """Characters of answers to prompts, (b,) object of str both, as a share of the limit; the share beyond it."""
        ratio = np.array([len(answer) for answer in answers]) / self._allowed(texts)
        return {"length_ratio": ratio, "beyond_limit": np.maximum(0.0, ratio - 1)}

    def _allowed(self, texts: np.ndarray) -> np.ndarray:
        """Characters allowed for prompts, (b,)."""
        return np.maximum(1, (self.share * np.array([len(text) for text in texts])).astype(np.int64))

    def _after(self, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Characters with one of `tokens` (b, k) more, (b, k); blanks before the first word are not counted."""
        typed = self.typed[rows, None]
        return typed + np.where(typed > 0, self.table.characters[tokens], self.table.first[tokens])

    def _excess(self, rows: np.ndarray, typed: np.ndarray) -> np.ndarray:
        return np.maximum(0, typed - self.limit[rows]) / self.limit[rows]


class Terms:
    """The terms that each row must use; each that its answer lacks costs `cost`.

    Tokens written come as `ends` (b, L): the last L of each row, NOTHING before the first, L the longest term's length.
    """

    def __init__(self, num_rows: int, glossary: "Glossary", cost: float, table: TokenTable) -> None:
        self.glossary, self.cost, self.longest, self.table = glossary, cost, glossary.length, table
        self.tokens = np.full((num_rows, MOST_TERMS, self.longest), NOTHING, np.int32)  # (B, M, L)
        self.met = np.ones((num_rows, MOST_TERMS), bool)  # (B, M) written, or there is none
        self.fresh = np.zeros((num_rows, MOST_TERMS), bool)  # (B, M) met by the last token
        self.source = np.full((num_rows, MOST_TERMS), -1, np.int32)  # (B, M) where in the prompt the source word starts

    def begin(self, rows: np.ndarray, examples: np.ndarray, prompts: Any) -> None:
        """Rows get examples; `prompts.of(examples)` gives the ids of their prompts."""
        self.glossary.fill(examples, lambda example: prompts.of(np.array([example]))[0])
        self.tokens[rows] = self.glossary.tokens[examples]
        self.source[rows] = self.glossary.source[examples]
        self.met[rows] = self.tokens[rows][:, :, 0] == NOTHING
        self.fresh[rows] = False

    def write(self, rows: np.ndarray, ends: np.ndarray) -> None:
        """Note which terms the last token made whole, and which are none any more: it made a longer word of them."""
        terms = self.tokens[rows]
        sizes, whole = (terms != NOTHING).sum(2), np.zeros(terms.shape[:2], bool)
        for size in range(1, self.longest + 1):
            whole |= (terms[:, :, :size] == ends[:, None, self.longest - size :]).all(2) & (sizes == size)
        met = self.met[rows] & ~(self.fresh[rows] & self.table.joins[ends[:, -1]][:, None])
        self.fresh[rows] = whole & ~met
        self.met[rows] = met | whole

    def begun(self, rows: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """How many tokens of each missing term the end of what is written has already, (b, M)."""
        terms = self.tokens[rows]
        begun = np.zeros(terms.shape[:2], np.int64)
        for count in range(1, self.longest):
            same = (terms[:, :, :count] == ends[:, None, self.longest - count :]).all(2)
            begun[same & (terms[:, :, count] != NOTHING)] = count
        return np.where(self.met[rows], 0, begun)

    def wanted(self, rows: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The next token of the term that is begun, else the first of the first one missing; (b,), NOTHING for none."""
        begun, missing = self.begun(rows, ends), ~self.met[rows]
        order = (begun * MOST_TERMS - np.arange(MOST_TERMS)) + 1000 * missing  # the one most begun, then the first
        term, at = order.argmax(1), np.arange(len(rows))
        return np.where(missing[at, term], self.tokens[rows, term, begun[at, term]], NOTHING)

    def features(
        self, rows: np.ndarray, tokens: np.ndarray, ends: np.ndarray, support: np.ndarray, origin: np.ndarray
    ) -> list[np.ndarray]:
        """Of candidates (b, k): begins a missing term; goes on with one; says its source word in another way."""
        missing, begun, terms = ~self.met[rows], self.begun(rows, ends), self.tokens[rows]
        following = np.take_along_axis(terms, begun[:, :, None], 2)[:, :, 0]  # (b, M)
        hits = (following[:, None, :] == tokens[:, :, None]) & missing[:, None, :]  # (b, k, M)
        goes_on = (hits & (begun > 0)[:, None, :]).any(2)
        begins = ((terms[:, None, :, 0] == tokens[:, :, None]) & missing[:, None, :]).any(2) & ~goes_on
        about = (origin[:, :, None] == self.source[rows][:, None, :]) & missing[:, None, :]
        return [begins, goes_on, about.any(2) & (support > 0.1) & ~begins & ~goes_on]

    def progress(self, rows: np.ndarray) -> np.ndarray:
        """Missing terms / 3, (b,)."""
        return (~self.met[rows]).sum(1) / MOST_TERMS

    def lacking(self, examples: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """How many of its terms each answer lacks, (b,), whatever tokens it is made of."""
        found = [self.glossary.missing(text, example) for text, example in zip(texts, examples.tolist(), strict=True)]
        return np.array(found, float)

    def metrics(self, examples: np.ndarray, texts: np.ndarray) -> dict[str, np.ndarray]:
        """How many terms were required, and how many are there."""
        required = np.array([len(self.glossary.texts[example]) for example in examples.tolist()], float)
        return {"terms_required": required, "terms_met": required - self.lacking(examples, texts)}


class Glossary:
    """Source words and the terms that must be used for them; an example's terms are those whose source words it has.

    `source` (N, M) is where in the prompt's tokens each source word starts, -1 for none; `tokens` (N, M, L) the ids of
    its term, -1 behind the last; `texts` (N,) object of tuples of terms. Filled example by example when first needed.
    """

    def __init__(self, terms: Mapping[str, str], language_model: LanguageModel, texts: np.ndarray) -> None:
        self.terms = {word.lower(): term for word, term in terms.items()}
        self.model, self.prompts = language_model, texts
        listed = sorted(set(self.terms.values()))
        ids = language_model.tokenizer([f" {term}" for term in listed], add_special_tokens=False)["input_ids"]
        self.ids = {term: tokens[:LONGEST_TERM] for term, tokens in zip(listed, ids, strict=True)}
        self.length = max((len(tokens) for tokens in self.ids.values()), default=1)
        count = len(texts)
        self.known = np.zeros(count, bool)
        self.source = np.full((count, MOST_TERMS), -1, np.int32)
        self.tokens = np.full((count, MOST_TERMS, self.length), NOTHING, np.int32)
        self.texts = np.full(count, None, object)

    def fill(self, examples: np.ndarray, prompt: Any) -> None:
        """Look up the terms of some examples; `prompt(example)` gives the ids of one's prompt."""
        for example in np.unique(examples[~self.known[examples]]).tolist():
            found: dict[str, int] = {}
            text = str(self.prompts[example])
            for match in WORD.finditer(text):
                term = self.terms.get(match.group().lower())
                if term is not None and term not in found and len(found) < MOST_TERMS:
                    found[term] = match.start()
            for m, (term, start) in enumerate(found.items()):
                tokens = self.ids[term]
                self.tokens[example, m, : len(tokens)] = tokens
                self.source[example, m] = _token_at(self.model, prompt(example), text, start)
            self.texts[example] = tuple(found)
            self.known[example] = True

    def missing(self, text: str, example: int) -> int:
        """How many of an example's terms a text lacks: as whole words, upper and lower case alike."""
        words = set(WORD.findall(text.lower()))
        whole = text.lower()
        return sum(not (set(WORD.findall(t.lower())) <= words and t.lower() in whole) for t in self.texts[example])


def _token_at(model: LanguageModel, ids: Sequence[int], text: str, start: int) -> int:
    """Which token of a prompt holds the character at `start`; the first one where that cannot be told."""
    ahead = len(text[:start].strip().encode())
    size = 0
    for position, token in enumerate(ids):
        size += len(model.pieces[token].strip() if size == 0 else model.pieces[token])
        if size > ahead:
            return position
    return 0


def read_terms(terms: Any) -> dict[str, str]:
    """A glossary as it is given: {"source word": "term"}, or the path of a JSON file with such an object."""
    if isinstance(terms, str | Path):
        path = Path(terms).expanduser()
        try:
            terms = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise NotAvailable(f"the glossary {path} cannot be read: {error.strerror or error}.") from error
        except ValueError as error:
            raise BadData(f"the glossary {path} is no JSON: {error}.") from error
    if not isinstance(terms, Mapping) or not terms:
        raise BadArgument(f'terms must be like {{"car": "Wagen"}}, or the path of a JSON file of that, got {terms!r}.')
    for word, term in terms.items():
        if not isinstance(word, str) or not isinstance(term, str) or not WORD.fullmatch(word) or not term.strip():
            raise BadArgument(f"terms maps single words to the terms that they must become, got {word!r}: {term!r}.")
    return dict(terms)


@functools.lru_cache(maxsize=8)
def _glossary(terms: str, model: LanguageModel, examples: Any) -> Glossary:
    return Glossary(json.loads(terms), model, examples["text"])


def glossary(terms: Any, model: LanguageModel, examples: Any) -> Glossary:
    """The glossary over the prompts of some examples, one for all who ask for the same."""
    return _glossary(json.dumps(read_terms(terms), sort_keys=True), model, examples)
