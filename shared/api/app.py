"""The FastAPI application of the audit API."""

from typing import Final, TypedDict, Unpack

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from shared.api.authentication import AuthSettings, authenticator
from shared.api.callers import VERSION_1
from shared.api.dashboard.routes import serve_dashboard
from shared.api.docs_page import serve_docs
from shared.api.middleware import Compression, Envelope, ThreadLimit
from shared.api.openapi import serve_openapi
from shared.api.parameters import refuse_repeats
from shared.api.rates import RateLimiter
from shared.api.responses import answer_errors
from shared.api.routes import (
    access_log,
    balance,
    completeness,
    costs,
    deployments,
    exports,
    grants,
    interactions,
    me,
    prompts,
    quarantine,
    reaches,
    statistics,
    usage,
)
from shared.api.routes import budgets as budget_routes
from shared.api.routes import cost_centres as payer_routes
from shared.api.routes import prices as price_routes
from shared.api.routes import reservations as reservation_routes
from shared.services.audit import AuditService
from shared.services.budgets import BudgetService
from shared.services.capacity import CapacityService
from shared.services.costs import CostService
from shared.services.exports import ExportService
from shared.services.payers import PayerService
from shared.services.prices import PriceService
from shared.services.quarantine import QuarantineService
from shared.services.restatements import RestatementService

__all__ = ["OtherServices", "create_app"]

_ROUTERS: Final = (
    interactions.router,
    access_log.router,
    reaches.router,
    grants.router,
    exports.router,
    usage.router,
    statistics.router,
    prompts.router,
    balance.router,
    completeness.router,
    quarantine.router,
    price_routes.router,
    deployments.router,
    reservation_routes.router,
    costs.router,
    payer_routes.router,
    budget_routes.router,
    budget_routes.alerts,
    me.router,
)


class OtherServices(TypedDict, total=False):
    """What answers for prices, cost centres, budgets, statements and exports."""

    prices: PriceService
    """For prices and deployments."""
    restatements: RestatementService
    """Has periods charged by other prices."""
    capacity: CapacityService
    """For hours of capacity."""
    costs: CostService
    """For costs by month."""
    payers: PayerService
    """Knows who pays for whose calls."""
    budgets: BudgetService
    """For budgets and alerts."""
    exports: ExportService
    """For whole lists as files."""


def create_app(
    audit: AuditService,
    settings: AuthSettings,
    held: QuarantineService,
    *,
    threads: int | None = None,
    **others: Unpack[OtherServices],
) -> FastAPI:
    """Return the application; all its paths begin with `/api`.

    Args:
        audit: answers the questions.
        settings: how callers are recognised.
        held: answers for the events in quarantine.
        threads: questions that are answered at once, each with a connection of its own; None leaves
            it to the framework.
        others: answer for what is about money, and for exports; left out where nobody asks.

    Raises:
        ConfigurationError: the settings choose a way of telling callers that must not run here.
    """
    app = FastAPI(
        title="PromptLedger audit API",
        version="1",
        description=(
            "Every call to the organisation's Azure OpenAI models: who asked what, what came back, what it used."
        ),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # What clients call an operation: it does not change with its path.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.audit = audit
    app.state.quarantine = held
    for name in OtherServices.__annotations__:
        setattr(app.state, name, others.get(name))
    app.state.authenticator = authenticator(settings)
    app.state.needs_purpose = settings.needs_purpose
    app.state.rates = RateLimiter(settings.rate_limit) if settings.rate_limit else None
    app.state.needs_grant = settings.needs_grant
    app.state.methods = _methods()
    version_1 = APIRouter(prefix=VERSION_1, dependencies=[Depends(refuse_repeats)])
    for router in _ROUTERS:
        version_1.include_router(router)
    app.include_router(version_1)
    serve_dashboard(app)
    serve_openapi(app)
    serve_docs(app)
    answer_errors(app)
    if threads is not None:
        app.add_middleware(ThreadLimit, threads=threads)
    app.add_middleware(Compression)
    app.add_middleware(Envelope)
    return app


def _methods() -> dict[str, set[str]]:
    """Return the methods of each path below the version, as its routes have it."""
    methods: dict[str, set[str]] = {}
    for router in _ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)  # noqa: S101  # nothing else is registered
            methods.setdefault(route.path_format, set()).update(route.methods or ())
    return methods
