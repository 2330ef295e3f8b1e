"""What an answer may be asked for besides being right: a limit on its length, terms that it must use."""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadArgument, BadData, NotAvailable
from ..models.language_model import LanguageModel

MOST_TERMS = 3  # of one example
LONGEST_TERM = 12  # tokens
WORD = re.compile(r"\w+")


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
        self.tokens = np.full((count, MOST_TERMS, self.length), -1, np.int32)
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
