"""Timers -> claimed bodies."""

import azure.functions as func

from shared.bootstrap import services

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%CLAIM_CHECK_SCHEDULE%", run_on_startup=False, use_monitor=True)
def fetch_claimed_bodies(timer: func.TimerRequest) -> None:
    """Try again the bodies that were not in Blob storage when their events came."""
    services().fetch_claimed_bodies()
