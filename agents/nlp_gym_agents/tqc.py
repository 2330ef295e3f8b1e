"""Truncated quantile critics (Kuznetsov et al. 2020): sb3-contrib's, unmodified; for actions that are numbers."""

from sb3_contrib import TQC

AGENT = TQC
