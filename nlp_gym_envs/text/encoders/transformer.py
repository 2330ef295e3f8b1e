"""A frozen transformers encoder: the mean of its last hidden states over the text's tokens.

Reimers and Gurevych 2019, "Sentence-BERT". Any encoder by Hub name or local path; safetensors only, no remote code.
"""

import contextlib
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadArgument, NotAvailable
from .. import hub

USED = (".json", ".safetensors", ".txt", ".model")  # the files of a model's folder that its vectors may depend on

TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")


class Transformer:
    """The hidden size of `model` gives the dimensions; texts are cut after `max_tokens` tokens."""

    fits = False

    def __init__(self, model: str, max_tokens: int = 128, batch_size: int = 64, revision: str | None = None) -> None:
        for name, number in (("max_tokens", max_tokens), ("batch_size", batch_size)):
            if not isinstance(number, int) or number < 1:
                raise BadArgument(f"{name} must be a whole number of at least 1, got {number!r}.")
        self.model, self.max_tokens, self.batch_size, self.revision = model, max_tokens, batch_size, revision

    def identity(self) -> Any:
        """What a cache of this encoder's vectors is valid for: a local model's content, or the Hub's commit."""
        folder = Path(self.model).expanduser()
        if folder.is_dir():
            files = sorted(file for file in folder.iterdir() if file.suffix in USED and file.is_file())
            content: Any = [[file.name, _content(file, _stamp(file))] for file in files]
        else:
            content = [self.model, commit_of(self.model, self.revision)]
        return {"model": content, "max_tokens": self.max_tokens}

    def fit(self, texts: Sequence[str]) -> None:
        """Nothing to learn: the encoder is frozen."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, hidden size) float32, in batches of texts of similar length, with a progress bar when it takes long."""
        import torch
        from tqdm.auto import tqdm

        tokenizer, model = load_encoder(self.model, self.revision)
        limits = (self.max_tokens, tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None))
        longest = min(limit for limit in limits if limit)
        different = list(dict.fromkeys(texts))
        # longest first: memory runs out at once or never
        order = sorted(range(len(different)), key=lambda i: -len(different[i]))
        vectors = np.zeros((len(different), model.config.hidden_size), np.float32)
        starts = range(0, len(order), self.batch_size)
        with torch.inference_mode():
            for start in tqdm(starts, f"encoding with {Path(self.model).name}", delay=2, leave=False):
                chosen = order[start : start + self.batch_size]
                ids = tokenizer([different[i] for i in chosen], truncation=True, max_length=longest)["input_ids"]
                chosen = [i for i, tokens in zip(chosen, ids, strict=True) if tokens]  # without a token: zeros
                if chosen:
                    batch = tokenizer.pad({"input_ids": [tokens for tokens in ids if tokens]}, return_tensors="pt")
                    vectors[chosen] = _mean(model, batch.to(model.device))
        place = {text: index for index, text in enumerate(different)}
        return vectors[[place[text] for text in texts]] if len(different) < len(texts) else vectors


def _mean(model: Any, batch: Any) -> np.ndarray:
    """The mean hidden state of each text's tokens, (b, d)."""
    hidden = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state  # (b, T, d)
    mask = batch["attention_mask"].unsqueeze(-1)  # (b, T, 1)
    return ((hidden.float() * mask).sum(1) / mask.sum(1)).cpu().numpy()


def _stamp(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


@functools.lru_cache(maxsize=64)
def _content(file: Path, stamp: tuple[int, int]) -> str:
    """SHA-256 of a file, read again only when `stamp` says that it has changed."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@functools.lru_cache(maxsize=16)
def commit_of(name: str, revision: str | None) -> str:
    """The commit that a Hub name stands for now: as the Hub says, or its cache where the Hub is out of reach."""
    from huggingface_hub import hf_hub_download

    online = hub.within_reach()
    try:
        config = hf_hub_download(name, "config.json", revision=revision, local_files_only=not online)
    except Exception as error:  # a dozen kinds: no such model, no access, no network, no valid name
        raise _not_available(
            name, f"the Hub says: {type(error).__name__}: {error}" if online else hub.out_of_reach()
        ) from error
    return Path(config).parent.name  # .../snapshots/<commit>/config.json


def _not_available(name: str, reason: str) -> NotAvailable:
    return NotAvailable(
        f"no encoder {name!r}: it is no local folder, it is not in the Hub's cache on this machine, and "
        f"{reason}. Download it where there is a network (the Hub's cache is then "
        "used), or give a local folder with a safetensors model and a tokenizer."
    )


def load_encoder(name: str, revision: str | None = None) -> tuple[Any, Any]:
    """Tokenizer and model by Hub name or local path. Raises NotAvailable, within seconds, when there is none."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = Path(name).expanduser()
    options: dict[str, Any] = {"trust_remote_code": False}
    if folder.is_dir():
        _check_folder(folder)
        where, options["local_files_only"] = str(folder), True
    else:
        where, options["revision"] = name, commit_of(name, revision)
    try:
        with contextlib.nullcontext() if folder.is_dir() or hub.within_reach() else hub.offline():
            tokenizer = AutoTokenizer.from_pretrained(where, **options)
            model = AutoModel.from_pretrained(where, use_safetensors=True, dtype=torch.float32, **options)
    except Exception as error:  # OSError, ValueError, KeyError, safetensors' own: whatever is wrong with the files
        raise NotAvailable(
            f"the encoder {name!r} cannot be loaded: {type(error).__name__}: {str(error).strip()} It needs a "
            "config.json, safetensors weights and a tokenizer; models with code of their own are not run."
        ) from error
    if tokenizer.pad_token is None:  # as of GPT-2; padding is masked, so any token does
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    tokenizer.padding_side = "right"
    model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    return tokenizer, model.get_encoder() if model.config.is_encoder_decoder else model


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").exists():
        raise NotAvailable(f"the folder {folder} holds no transformers model: it has no config.json.")
    if not list(folder.glob("*.safetensors")):
        pickled = [file.name for suffix in ("*.bin", "*.pt", "*.pth") for file in folder.glob(suffix)]
        raise NotAvailable(
            f"the folder {folder} has no *.safetensors weights"
            + (f", only {', '.join(pickled)}, which could run code when it is loaded" if pickled else "")
            + ". Save them with model.save_pretrained(folder), which writes safetensors."
        )
    if not any(any(folder.glob(name)) for name in TOKENIZERS):  # transformers would make an empty one up
        raise NotAvailable(
            f"the folder {folder} has no tokenizer (one of {', '.join(TOKENIZERS)}). Save it with "
            "tokenizer.save_pretrained(folder)."
        )


ENCODER = Transformer
