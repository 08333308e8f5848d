"""A household that asks to be forgotten is erased everywhere, and a search proves it."""

from orchestration.erasure.forgetting import Erasure, Place, forget_household

__all__ = ["Erasure", "Place", "forget_household"]
