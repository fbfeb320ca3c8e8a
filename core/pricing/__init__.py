"""Prices in whole credits, one file for each policy."""

from core.pricing.base import Bases, Tariff
from core.pricing.due import due
from core.pricing.linear import price, priced_seconds

__all__ = ["Bases", "Tariff", "due", "price", "priced_seconds"]
