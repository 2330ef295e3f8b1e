"""PPO that never takes a masked action (Huang and Ontañón 2022): sb3-contrib's, unmodified."""

from sb3_contrib import MaskablePPO

AGENT = MaskablePPO
