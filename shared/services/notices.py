"""Alerts -> webhooks: each is told at least once, with an id by which it knows a repeat; every attempt is recorded."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.domain.values import utc_now, utc_of
from shared.errors import WebhookError
from shared.services.isolation import LOGGED_ONLY, Failures, one_by_one
from shared.stores.budget_ports import AlertStore, Delivery, Notice, Webhook

__all__ = ["send_notices"]

logger = logging.getLogger(__name__)

_AT_A_TIME: Final = 50
"""Notices in one run: webhooks are slow, and the next run is minutes away."""
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)
_PATIENCE: Final = timedelta(days=3)
"""After which an alert is old news: it stays in the list of alerts, undelivered."""
_DEAD_AFTER: Final = 3
"""A webhook that failed so often in a run is left alone until the next."""


def send_notices(
    alerts: AlertStore,
    webhooks: Sequence[Webhook],
    *,
    failures: Failures = LOGGED_ONLY,
    now: Callable[[], datetime] = utc_now,
) -> int:
    """Send what is due, the oldest first; return how many webhooks took one.

    Raises:
        StoreUnavailableError: what was sent may be sent again.
    """
    known = {one.name: one for one in webhooks}
    failed: dict[str, int] = {}

    def send(notice: Notice) -> bool:
        name = notice.delivery.webhook
        if failed.get(name, 0) >= _DEAD_AFTER:
            return False
        webhook = known.get(name)
        if webhook is None:
            # The settings name it no more.
            alerts.note(notice.alert.id, notice.delivery._replace(due_at=None, result="no such webhook"))
            return False
        after = _attempt(webhook, notice, now)
        failed[name] = 0 if after.delivered_at else failed.get(name, 0) + 1
        alerts.note(notice.alert.id, after)
        return after.delivered_at is not None

    due = alerts.due(utc_of(now()), _AT_A_TIME)
    return sum(one_by_one(send, due, failures).results)


def _attempt(webhook: Webhook, notice: Notice, now: Callable[[], datetime]) -> Delivery:
    attempts = notice.delivery.attempts + 1
    try:
        result = webhook.send(notice.alert)
    except WebhookError as error:
        at = now()
        pause = min(_FIRST_PAUSE * 2 ** min(attempts - 1, 16), _LONGEST_PAUSE)
        is_over = at - datetime.fromisoformat(notice.alert.raised_at) > _PATIENCE
        logger.warning("notices.failed webhook=%s attempts=%d gives_up=%s: %s", webhook.name, attempts, is_over, error)
        return Delivery(webhook.name, attempts, None, None if is_over else utc_of(at + pause), str(error)[:256])
    return Delivery(webhook.name, attempts, utc_of(now()), None, result)
