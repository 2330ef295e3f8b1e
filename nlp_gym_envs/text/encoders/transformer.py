"""A frozen transformers encoder: the mean of its last hidden states over the text's tokens.

Reimers and Gurevych 2019, "Sentence-BERT". Any encoder by Hub name or local path; safetensors only, no remote code.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import NotAvailable
from ..tables import hub_within_reach


class Transformer:
    """The hidden size of `model` gives the dimensions; texts are cut after `max_tokens` tokens."""

    def __init__(self, model: str, max_tokens: int = 128, batch_size: int = 64, revision: str | None = None) -> None:
        self.model, self.max_tokens, self.batch_size, self.revision = model, max_tokens, batch_size, revision

    def identity(self) -> Any:
        """What a cache of this encoder's vectors is valid for: a local model's files count, not only its path."""
        folder = Path(self.model).expanduser()
        if folder.is_dir():
            files = sorted(f for f in folder.iterdir() if f.suffix in (".json", ".safetensors", ".txt", ".model"))
            return [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in files]
        return self.revision

    def fit(self, texts: Sequence[str]) -> None:
        """Nothing to learn: the encoder is frozen."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, hidden size) float32, in batches of texts of similar length, with a progress bar when it takes long."""
        import torch
        from tqdm.auto import tqdm

        tokenizer, model = load_encoder(self.model, self.revision)
        order = np.argsort(
            [-len(text) for text in texts], kind="stable"
        )  # longest first: memory runs out at once or never
        vectors: np.ndarray | None = None
        with torch.inference_mode():
            for start in tqdm(
                range(0, len(texts), self.batch_size), f"encoding with {self.model}", delay=2, leave=False
            ):
                chosen = order[start : start + self.batch_size]
                batch = tokenizer(
                    [texts[i] for i in chosen],
                    padding=True,
                    truncation=True,
                    max_length=self.max_tokens,
                    return_tensors="pt",
                ).to(model.device)
                hidden = model(**batch).last_hidden_state  # (b, T, d)
                mask = batch["attention_mask"].unsqueeze(-1)  # (b, T, 1)
                mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
                if vectors is None:
                    vectors = np.empty((len(texts), mean.shape[1]), np.float32)
                vectors[chosen] = mean.float().cpu().numpy()
        assert vectors is not None
        return vectors


def load_encoder(name: str, revision: str | None = None) -> tuple[Any, Any]:
    """Tokenizer and model by Hub name or local path. Raises NotAvailable, within seconds, when there is none."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = Path(name).expanduser()
    local = folder.is_dir()
    if local and not (folder / "config.json").exists():
        raise NotAvailable(f"the folder {name} holds no transformers model: it has no config.json.")
    where = str(folder) if local else name
    options: dict[str, Any] = {"revision": revision} if revision else {}
    options |= {"local_files_only": local or not hub_within_reach(), "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, **options)
        model = AutoModel.from_pretrained(where, use_safetensors=True, **options)
    except (OSError, ValueError, json.JSONDecodeError) as error:
        why = "and the Hub cannot be reached" if options["local_files_only"] and not local else f"({error})"
        raise NotAvailable(
            f"no encoder {name!r}: it is neither a local folder with a safetensors model and a tokenizer nor in the "
            f"Hub's cache on this machine, {why}. Download it where there is a network, or give a local folder."
        ) from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device).eval()
    return tokenizer, model.get_encoder() if model.config.is_encoder_decoder else model


ENCODER = Transformer
