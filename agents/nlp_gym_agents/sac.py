"""Soft actor-critic (Haarnoja et al. 2018): Stable-Baselines3's, unmodified; for actions that are numbers."""

from stable_baselines3 import SAC

AGENT = SAC
