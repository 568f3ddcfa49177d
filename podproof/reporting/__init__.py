"""Turning what happened into what people read."""
