"""Timers -> usage rollups, and the budgets that are measured by them."""

import azure.functions as func

from shared.bootstrap import services

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%ROLLUP_SCHEDULE%", run_on_startup=False, use_monitor=True)
def rebuild_usage_rollups(timer: func.TimerRequest) -> None:
    """Recompute usage for every hour that new facts have touched, then its day and month."""
    services().rebuild_usage_rollups()


@bp.timer_trigger(arg_name="timer", schedule="%BUDGET_SCHEDULE%", run_on_startup=False, use_monitor=True)
def check_budgets(timer: func.TimerRequest) -> None:
    """Measure every budget, raise the alerts that are new, and tell the webhooks."""
    services().check_budgets()


@bp.timer_trigger(arg_name="timer", schedule="%PRICES_SCHEDULE%", run_on_startup=False, use_monitor=True)
def refresh_prices(timer: func.TimerRequest) -> None:
    """Add what has changed in the Azure Retail Prices API to the price book, where the settings want it."""
    services().refresh_prices()
