"""Timers -> the index of words."""

import azure.functions as func

from shared.bootstrap import services

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%WORDS_SCHEDULE%", run_on_startup=False, use_monitor=True)
def index_words(timer: func.TimerRequest) -> None:
    """Let the index of words follow what was stored, and take in what was there before it."""
    services().index_words()
