"""Turns predictions and answers into scores. Pure functions and records; no web, database or queue."""
