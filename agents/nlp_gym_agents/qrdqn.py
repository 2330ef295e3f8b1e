"""Quantile regression DQN (Dabney et al. 2018): sb3-contrib's, unmodified; it knows no masks."""

from sb3_contrib import QRDQN

AGENT = QRDQN
