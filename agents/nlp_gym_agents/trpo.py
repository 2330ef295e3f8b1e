"""Trust region policy optimisation (Schulman et al. 2015): sb3-contrib's, unmodified."""

from sb3_contrib import TRPO

AGENT = TRPO
