"""What a model would write next: tokens told apart into those that begin a unit and those that go on with one."""

import unicodedata
from typing import Any

import numpy as np

UNITS = ("word", "token")


class NextWord:
    """Of each of V tokens: does it begin a unit, go on with one (`inside`), is it a unit without a space (`mark`).

    A unit is a word or a punctuation mark; with `unit="token"` every token is one.
    """

    def __init__(self, model: Any, unit: str) -> None:
        self.model = model
        self.begins = beginnings(model.pieces, unit)
        silent = np.array([not piece for piece in model.pieces])
        self.inside = ~silent & ~self.begins
        self.mark = self.begins & ~np.array([piece[:1].isspace() for piece in model.pieces])
        silent[model.end] = False
        self.silent = np.where(silent, np.float32(-np.inf), np.float32(0))

    def logits(self, decoding: Any, rows: np.ndarray) -> Any:
        """Of the next token of some rows, torch (b, V) float32; -inf for tokens that write nothing and are not END."""
        import torch

        with torch.inference_mode():
            logits = decoding.logits
            if len(rows) < decoding.num_rows:
                logits = logits[torch.from_numpy(rows).to(logits.device)]
            return logits.float() + torch.from_numpy(self.silent).to(logits.device)

    def likeliest(self, decoding: Any, rows: np.ndarray) -> np.ndarray:
        """The likeliest next token of some rows, (b,)."""
        return self.logits(decoding, rows).argmax(1).cpu().numpy()

    def forecast(self, decoding: Any, rows: np.ndarray, unread: np.ndarray) -> tuple[np.ndarray, ...]:
        """Of some rows, each (b,): the likeliest next token, never END where `unread` (b,), its p and log p; the
        highest p less the second; p of END; entropy over log V.
        """
        import torch

        with torch.inference_mode():
            log_p = torch.log_softmax(self.logits(decoding, rows), 1)
            p = log_p.exp()
            entropy = torch.special.entr(p).sum(1) / np.log(self.model.vocabulary_size)
            two, end = p.topk(2, 1).values, p[:, self.model.end].clone()
            log_p[torch.from_numpy(unread).to(p.device), self.model.end] = -torch.inf
            highest, token = log_p.max(1)
            found = (token, highest.exp(), highest, two[:, 0] - two[:, 1], end, entropy)
            return tuple(array.cpu().numpy() for array in found)

    def count(self, text: str) -> int:
        """How many units the model's tokenizer makes of a text."""
        ids = self.model.tokenizer(f" {text}" if text else "", add_special_tokens=False)["input_ids"]
        return int(self.begins[ids].sum() + (len(ids) > 0 and not self.begins[ids[0]]))


def beginnings(pieces: tuple[bytes, ...], unit: str) -> np.ndarray:
    """Which tokens begin a unit, (V,) bool. A piece that is the rest of a character begins none."""
    if unit == "token":
        return np.array([bool(piece) for piece in pieces])
    return np.array([_begins(piece.decode("utf-8", "ignore")) for piece in pieces])


def _begins(text: str) -> bool:
    return bool(text) and unicodedata.category(text[0])[0] in "PSZC"  # punctuation, symbol, separator, control
