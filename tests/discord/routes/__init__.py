"""REST v10, noun by noun: a table of routes in each module."""
