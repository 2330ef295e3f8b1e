"""Bases of a subspace of a model's parameters: k directions, drawn for each instance, none of them ever stored.

Every direction reads another stretch of one table of random numbers, as in Salimans et al. 2017, "Evolution strategies
as a scalable alternative to reinforcement learning": drawing one is drawing an offset.
"""

import functools
from typing import Any

import numpy as np
import torch

UNIT = 0.1  # a coordinate of 1 adds to each number this share of its tensor's root mean square, times a standard normal
TOGETHER = 1 << 14  # parameters at most whose directions of several rows are worth laying side by side
SPARE = 1 << 18  # offsets to choose from


@functools.lru_cache(maxsize=4)
def table(size: int, device: str) -> torch.Tensor:
    """Standard normal numbers, the same for everyone."""
    generator = torch.Generator().manual_seed(20_260_101)
    return torch.randn(size + SPARE, generator=generator).to(device)


class Basis:
    """k directions, told by where each begins in the table."""

    k: int

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Where each direction begins in the table, (k,) int64."""
        return generator.choice(SPARE, self.k, replace=False)

    def delta(self, offsets: np.ndarray, point: np.ndarray) -> torch.Tensor:
        """What the point (k,) adds to the parameters, (D,)."""
        raise NotImplementedError

    def deltas(self, offsets: list[np.ndarray], points: np.ndarray) -> list[torch.Tensor]:
        """`delta` of each of B rows."""
        return [self.delta(own, point) for own, point in zip(offsets, points, strict=True)]


class Dense(Basis):
    """Directions over all the parameters that may change."""

    def __init__(self, tunable: Any, k: int) -> None:
        self.k, self.size = k, tunable.size
        self.scales = tunable.scales() * UNIT  # (D,)
        self.table = table(self.size, str(tunable.base.device))

    def delta(self, offsets: np.ndarray, point: np.ndarray) -> torch.Tensor:
        """What the point (k,) adds to the parameters, (D,)."""
        found = torch.zeros_like(self.scales)
        for offset, coordinate in zip(offsets.tolist(), point.tolist(), strict=True):
            found.add_(self.table[offset : offset + self.size], alpha=coordinate)
        return found.mul_(self.scales)

    def project(self, offsets: np.ndarray, gradient: torch.Tensor) -> np.ndarray:
        """The gradient along each direction, (k,)."""
        scaled = gradient * self.scales
        return np.array([float(self.table[o : o + self.size] @ scaled) for o in offsets.tolist()])

    def deltas(self, offsets: list[np.ndarray], points: np.ndarray) -> list[torch.Tensor]:
        """`delta` of each of B rows."""
        if self.size > TOGETHER or not offsets:
            return super().deltas(offsets, points)
        found = torch.as_tensor(points, dtype=self.scales.dtype, device=self.scales.device)[:, None]
        return list(((found @ self._directions(offsets))[:, 0] * self.scales).unbind())

    def projects(self, offsets: list[np.ndarray], gradients: torch.Tensor) -> np.ndarray:
        """`project` of each of B gradients (B, D), (B, k)."""
        if self.size > TOGETHER:
            return np.stack([self.project(own, gradient) for own, gradient in zip(offsets, gradients, strict=True)])
        along = self._directions(offsets) @ (gradients * self.scales)[:, :, None]
        return along[:, :, 0].double().cpu().numpy()

    def _directions(self, offsets: list[np.ndarray]) -> torch.Tensor:
        """(B, k, D), unscaled."""
        starts = torch.as_tensor(np.stack(offsets), device=self.scales.device)
        return self.table[starts[:, :, None] + torch.arange(self.size, device=self.scales.device)]


class LowRank(Basis):
    """Directions of rank one in every matrix that may change, u v' each; other parameters stay as they are.

    The diagonal between two frozen factors is what moves, as in Balazy et al. 2024, "LoRA-XS", with random factors.
    """

    def __init__(self, tunable: Any, k: int) -> None:
        self.k = k
        self.matrices = [(start, end, shape) for (start, end), shape in zip(tunable.bounds, tunable.shapes, strict=True)
                         if len(shape) == 2]  # fmt: skip
        self.base, self.scales = tunable.base, tunable.scales()
        self.size = sum(a + b for _, _, (a, b) in self.matrices)
        self.table = table(self.size, str(tunable.base.device))

    def _factors(self, offsets: np.ndarray) -> Any:
        """Of each matrix (a, b): where it lies, its scale, u (k, a), v (k, b)."""
        rows, at = [self.table[o : o + self.size] for o in offsets.tolist()], 0
        for start, end, (a, b) in self.matrices:
            u = torch.stack([row[at : at + a] for row in rows])
            v = torch.stack([row[at + a : at + a + b] for row in rows])
            at += a + b
            yield start, end, float(self.scales[start]) * UNIT, u, v

    def delta(self, offsets: np.ndarray, point: np.ndarray) -> torch.Tensor:
        """What the point (k,) adds to the parameters, (D,)."""
        found = torch.zeros_like(self.base)
        z = torch.as_tensor(point, dtype=found.dtype, device=found.device)
        for start, end, scale, u, v in self._factors(offsets):
            found[start:end] = ((u * z[:, None]).T @ v).reshape(-1) * scale
        return found

    def project(self, offsets: np.ndarray, gradient: torch.Tensor) -> np.ndarray:
        """The gradient along each direction, (k,)."""
        total = torch.zeros(self.k, device=gradient.device)
        for start, end, scale, u, v in self._factors(offsets):
            part = gradient[start:end].view(u.shape[1], v.shape[1])
            total += ((u @ part) * v).sum(1) * scale
        return total.double().cpu().numpy()
