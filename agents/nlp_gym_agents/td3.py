"""Twin delayed DDPG (Fujimoto et al. 2018): Stable-Baselines3's, unmodified; for actions that are numbers."""

from stable_baselines3 import TD3

AGENT = TD3
