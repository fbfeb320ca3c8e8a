"""Prices in whole credits, one file for each policy."""

from core.pricing.due import due
from core.pricing.linear import Price, price

__all__ = ["Price", "due", "price"]
