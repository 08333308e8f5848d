"""A household that asks to be forgotten is erased everywhere, and a search proves it."""

from orchestration.erasure.forgetting import Erasure, Place, forget_household
from orchestration.erasure.sent_again import erase_sent_again, try_erasing_sent_again

__all__ = ["Erasure", "Place", "erase_sent_again", "forget_household", "try_erasing_sent_again"]
