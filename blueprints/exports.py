"""Timers -> what leaves the ledger: exports, and calls that others are told of."""

import azure.functions as func

from shared.bootstrap import services

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%EXPORT_SCHEDULE%", run_on_startup=False, use_monitor=True)
def make_exports(timer: func.TimerRequest) -> None:
    """Make the parts of exports that somebody asked for, and remove the files of those that have expired."""
    services().make_exports()


@bp.timer_trigger(arg_name="timer", schedule="%FORWARD_SCHEDULE%", run_on_startup=False, use_monitor=True)
def forward_calls(timer: func.TimerRequest) -> None:
    """Tell the OTLP endpoint that the settings name of the calls that have become complete."""
    services().forward_calls()
