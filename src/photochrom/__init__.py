"""Photochrom: colorize grayscale photographs, and compare honestly the ways of doing it."""

__version__ = "0.1.0"
