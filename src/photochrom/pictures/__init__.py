"""Photographs in files: opened, converted, drawn, written."""
