"""Podium: competitions and leaderboards for deep-learning courses and clubs."""

__version__ = "0.1.0"
