"""The schema's history. `python -m storage.migrations "what and why"` writes the next step."""
