"""Proximal policy optimisation (Schulman et al. 2017): Stable-Baselines3's, unmodified."""

from stable_baselines3 import PPO

AGENT = PPO
