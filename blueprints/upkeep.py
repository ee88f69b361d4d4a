"""Timers -> what keeps the record complete."""

import azure.functions as func

from shared.bootstrap import services

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%EXPIRE_SCHEDULE%", run_on_startup=False, use_monitor=True)
def expire_pending_fragments(timer: func.TimerRequest) -> None:
    """Give up the interactions that waited too long for their other parts; a part that comes later still merges."""
    services().expire_pending_fragments()


@bp.timer_trigger(arg_name="timer", schedule="%COMPLETENESS_SCHEDULE%", run_on_startup=False, use_monitor=True)
def check_completeness(timer: func.TimerRequest) -> None:
    """Look for what is missing from the record, hour by hour, and keep what was found."""
    services().check_completeness()
