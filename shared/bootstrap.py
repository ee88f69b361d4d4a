"""The only place that builds stores: on the first call, once per process."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Callable

from shared.domain.delivery import Delivery
from shared.settings import Settings

__all__ = ["Services", "reset", "services"]
