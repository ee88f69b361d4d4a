"""Timers -> exports that were asked for."""

import azure.functions as func

from shared.bootstrap import services

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%EXPORT_SCHEDULE%", run_on_startup=False, use_monitor=True)
def make_exports(timer: func.TimerRequest) -> None:
    """Make the parts of exports that somebody asked for, and remove the files of those that have expired."""
    services().make_exports()
