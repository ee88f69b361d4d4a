"""The FastAPI application of the audit API."""

from typing import Final

from fastapi import APIRouter, Depends, FastAPI

from shared.api.authentication import AuthSettings, authenticator
from shared.api.callers import VERSION_1
from shared.api.middleware import Envelope, ThreadLimit
from shared.api.openapi import serve_openapi
from shared.api.parameters import refuse_repeats
from shared.api.responses import answer_errors
from shared.api.routes import (
    access_log,
    balance,
    completeness,
    costs,
    deployments,
    interactions,
    prompts,
    quarantine,
    usage,
)
from shared.api.routes import prices as price_routes
from shared.services.audit import AuditService
from shared.services.costs import CostService
from shared.services.prices import PriceService
from shared.services.quarantine import QuarantineService
from shared.services.restatements import RestatementService

__all__ = ["create_app"]

_ROUTERS: Final = (
    interactions.router,
    access_log.router,
    usage.router,
    prompts.router,
    balance.router,
    completeness.router,
    quarantine.router,
    price_routes.router,
    deployments.router,
    costs.router,
)


def create_app(
    audit: AuditService,
    settings: AuthSettings,
    held: QuarantineService,
    *,
    prices: PriceService | None = None,
    restatements: RestatementService | None = None,
    costs: CostService | None = None,
    threads: int | None = None,
) -> FastAPI:
    """Return the application; all its paths begin with `/api`.

    Args:
        audit: answers the questions.
        settings: how callers are recognised.
        held: answers for the events in quarantine.
        prices: answers for prices and deployments; None where nobody asks, as in the next ones.
        restatements: has periods charged by other prices.
        costs: answers for costs by month.
        threads: questions that are answered at once, each with a connection of its own; None leaves
            it to the framework.

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
    )
    app.state.audit = audit
    app.state.quarantine = held
    app.state.prices = prices
    app.state.restatements = restatements
    app.state.costs = costs
    app.state.authenticator = authenticator(settings)
    app.state.needs_purpose = settings.needs_purpose
    version_1 = APIRouter(prefix=VERSION_1, dependencies=[Depends(refuse_repeats)])
    for router in _ROUTERS:
        version_1.include_router(router)
    app.include_router(version_1)
    serve_openapi(app)
    answer_errors(app)
    if threads is not None:
        app.add_middleware(ThreadLimit, threads=threads)
    app.add_middleware(Envelope)
    return app
