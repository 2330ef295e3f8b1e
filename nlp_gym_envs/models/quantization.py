"""Weights in eight bits, activations quantised as they come: linear layers on a CPU."""

import warnings
from typing import Any

from ..errors import NotAvailable


def quantize_linear(model: Any) -> None:
    """Replace every linear layer of `model`, GPT-2's Conv1D among them, by a dynamically quantised one, in place.

    Raises NotAvailable where this torch cannot.
    """
    import torch
    from torch import nn

    _conv1d_to_linear(model)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated since 2.10 in favour of torchao, which was slower
            torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8, inplace=True)
    except (AttributeError, RuntimeError, NotImplementedError) as error:
        raise NotAvailable(
            f"quantize='int8' does not work with torch {torch.__version__} on this machine ({error}). "
            "dtype='bfloat16' is the other way to save time."
        ) from error


def _conv1d_to_linear(model: Any) -> None:
    """GPT-2 keeps its linear layers transposed, under another name."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, Conv1D):
                linear = nn.Linear(layer.nx, layer.nf)
                linear.weight = nn.Parameter(layer.weight.detach().t().contiguous(), requires_grad=False)
                linear.bias = layer.bias
                setattr(parent, name, linear)
