"""One loader for transformers models of the three families: encoders, decoders, encoder-decoders.

Safetensors only, no remote code. A process holds one copy of a model for the same arguments.
"""

import collections
import contextlib
import re
import threading
import weakref
from collections.abc import Iterator
from typing import Any

from ..errors import BadArgument, NotAvailable
from . import files
from .language_model import LanguageModel

FAMILIES = {"encoder": "AutoModel", "decoder": "AutoModelForCausalLM", "encoder-decoder": "AutoModelForSeq2SeqLM"}
DTYPES = ("float32", "bfloat16", "float16")
UNREAD = re.compile(r"(?:^|\.)pooler\.")  # of an encoder: nothing here reads it, and few files have it

_alive: weakref.WeakValueDictionary[Any, LanguageModel] = weakref.WeakValueDictionary()
_recent: collections.deque[LanguageModel] = collections.deque(maxlen=2)  # kept when nobody holds them
_loading = threading.Lock()


def load(
    name: str,
    family: str | None = None,
    dtype: str = "float32",
    device: str = "cpu",
    quantize: str | None = None,
    compile: bool = False,
) -> LanguageModel:
    """The model called `name`: one that ships with the package, a local folder, or a name on the Hugging Face Hub.

    `family` is "encoder", "decoder" or "encoder-decoder", from the model's config when not given. `quantize="int8"`
    takes the linear layers to eight bits (on a CPU). `compile=True` compiles the forward of every block with
    torch.compile, which takes half a minute or more at the first calls and a C++ compiler; small models on a CPU become
    no faster. The second call with the same arguments gives the same object.

    Raises BadArgument for an option that is not allowed, NotAvailable (within seconds) where there is no such model.
    """
    _check_options(family, dtype, device, quantize)
    folder = files.local(name)
    place = name if folder is None else (str(folder), files.stamp(folder))
    options = (dtype, device, quantize, bool(compile))
    with _loading:
        found = _alive.get((place, family, *options))
        if found is None:
            where, safely = files.find(name)
            with files.quickly(folder):
                config = _config(name, where, safely)
                chosen = family or family_of(config)
                found = _alive.get((place, chosen, *options))
                if found is None:
                    model, tokenizer = _from_files(name, where, safely, config, chosen, dtype, device)
                    found = LanguageModel(model, tokenizer, name, chosen, quantize, compile)
                    lasting = name if folder is None or folder.parent == files.SHIPPED else str(folder)
                    found.recipe = (load, (lasting, chosen, *options))
            _alive[place, family, *options] = _alive[place, chosen, *options] = found
        if found not in _recent:
            _recent.append(found)
    return found


def _check_options(family: str | None, dtype: str, device: str, quantize: str | None) -> None:
    for option, value, allowed in (
        ("family", family, (None, *FAMILIES)),
        ("dtype", dtype, DTYPES),
        ("quantize", quantize, (None, "int8")),
    ):
        if value not in allowed:
            raise BadArgument(f"{option} must be one of {', '.join(map(repr, allowed))}, got {value!r}.")
    if quantize is not None and (device != "cpu" or dtype != "float32"):
        raise BadArgument(
            f"quantize={quantize!r} goes with device='cpu' and dtype='float32', got {device!r} and {dtype!r}."
        )
    check_device(device)


def check_device(device: str) -> None:
    """Raises BadArgument where torch cannot use a device."""
    if device != "cpu":
        import torch

        try:
            torch.empty(0, device=device)
        except Exception as error:  # RuntimeError or AssertionError, as the kind of device has it
            raise BadArgument(f"device={device!r} cannot be used: {error}. 'cpu' always can.") from error


def _config(name: str, where: str, safely: dict[str, Any]) -> Any:
    from transformers import AutoConfig

    with _explained(name):
        return AutoConfig.from_pretrained(where, **safely)


def _from_files(
    name: str, where: str, safely: dict[str, Any], config: Any, family: str, dtype: str, device: str
) -> tuple[Any, Any]:
    """Model and tokenizer."""
    import torch
    import transformers

    if family == "decoder" and family_of(config) == "encoder" and not getattr(config, "is_decoder", False):
        raise BadArgument(f"the model {name!r} cannot serve as 'decoder': it reads in both directions.")
    with _explained(name), files.without_bars(), files.without_reports():
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, **safely)
        model, report = getattr(transformers, FAMILIES[family]).from_pretrained(
            where, config=config, use_safetensors=True, dtype=getattr(torch, dtype), output_loading_info=True, **safely
        )
    missing = sorted(report["missing_keys"])
    if family == "encoder":  # it may lack its pooler, which nothing here reads: drawn at random otherwise
        for unread in [name for name in missing if UNREAD.search(name)]:
            missing.remove(unread)
            model.get_parameter(unread).data.zero_()
    if missing:
        raise BadArgument(
            f"the model {name!r} cannot serve as {family!r}: its files have no weights {', '.join(missing[:3])}. "
            f"Its config says that it is of the family {family_of(config)!r}."
        )
    if tokenizer.pad_token is None:  # as of GPT-2; padding is masked, so any token does
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    tokenizer.padding_side = "right"
    return model.to(device), tokenizer


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Whatever is wrong with the files, in one kind of error: OSError, ValueError, KeyError, safetensors' own."""
    try:
        yield
    except Exception as error:
        raise NotAvailable(
            f"the model {name!r} cannot be loaded: {type(error).__name__}: {' '.join(str(error).split())} It needs a "
            "config.json, safetensors weights and a tokenizer; models with code of their own are not run."
        ) from error


def family_of(config: Any) -> str:
    """The family that a model's config tells."""
    from transformers.models.auto import modeling_auto

    if config.is_encoder_decoder:
        return "encoder-decoder"
    heads = " ".join(config.architectures or ())
    if "CausalLM" in heads or "LMHead" in heads:
        return "decoder"
    kind = config.model_type
    masked = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return "decoder" if kind in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in masked else "encoder"
