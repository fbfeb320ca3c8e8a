"""Prices in whole credits, one file for each policy."""

from core.pricing.linear import Price, price

__all__ = ["Price", "price"]
