"""Rendering: engines, the runner, model families, video files. Knows torch, knows no platform."""
