"""Advantage actor-critic (Mnih et al. 2016, synchronous): Stable-Baselines3's, unmodified."""

from stable_baselines3 import A2C

AGENT = A2C
