"""How the head learns: `python -m model.inspect.training --help`.

The sets of prompts are read from a folder and never shipped; the project's own sentences are in
`lexicon/`.
"""
