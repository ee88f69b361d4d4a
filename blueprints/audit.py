"""The audit API: one HTTP function per resource, so that keys, metrics and the portal tell them apart."""

import azure.functions as func

from blueprints.asgi import answer

bp = func.Blueprint()

READ = [func.HttpMethod.GET, func.HttpMethod.HEAD]


@bp.route(route="v1/interactions/{*rest}", methods=READ)
async def read_interactions(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List interactions, or return one, or its content."""
    return await answer(req, context)


@bp.route(route="v1/interactions/{*rest}", methods=[func.HttpMethod.POST])
async def search_interactions(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List the interactions in whose texts words occur; the words come as a body."""
    return await answer(req, context)


@bp.route(route="v1/access-log", methods=READ)
async def read_access_log(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List who read content, searched or acted."""
    return await answer(req, context)


@bp.route(route="v1/grants/{*rest}", methods=READ)
async def read_grants(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List grants to read texts."""
    return await answer(req, context)


@bp.route(route="v1/grants/{*rest}", methods=[func.HttpMethod.POST])
async def manage_grants(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Ask for, give or end grants to read texts."""
    return await answer(req, context)


@bp.route(route="v1/reaches/{*rest}", methods=READ)
async def read_reaches(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List to which calls roles extend."""
    return await answer(req, context)


@bp.route(route="v1/reaches/{*rest}", methods=[func.HttpMethod.POST])
async def manage_reaches(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Limit roles to some calls, or end that."""
    return await answer(req, context)


@bp.route(route="v1/exports/{*rest}", methods=READ)
async def read_exports(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List the caller's exports, or return one, its manifest or a part."""
    return await answer(req, context)


@bp.route(route="v1/exports/{*rest}", methods=[func.HttpMethod.POST, func.HttpMethod.DELETE])
async def manage_exports(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Ask for an export, or cancel one."""
    return await answer(req, context)


@bp.route(route="v1/usage", methods=READ)
async def read_usage(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return usage by group and interval."""
    return await answer(req, context)


@bp.route(route="v1/statistics", methods=READ)
async def read_statistics(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return usage by group with durations and errors."""
    return await answer(req, context)


@bp.route(route="v1/top", methods=READ)
async def read_top(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return the largest users, teams, models and others."""
    return await answer(req, context)


@bp.route(route="v1/costs/{*rest}", methods=READ)
async def read_costs(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return a month's statement, or the closed months."""
    return await answer(req, context)


@bp.route(route="v1/costs/{*rest}", methods=[func.HttpMethod.POST])
async def manage_costs(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Close a month."""
    return await answer(req, context)


@bp.route(route="v1/prompts", methods=READ)
async def read_prompts(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List how prompts begin."""
    return await answer(req, context)


@bp.route(route="v1/balance", methods=READ)
async def read_balance(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return where every event is."""
    return await answer(req, context)


@bp.route(route="v1/completeness", methods=READ)
async def read_completeness(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List what is missing from the record."""
    return await answer(req, context)


@bp.route(route="v1/quarantine/{*rest}", methods=READ)
async def read_quarantine(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List events in quarantine, or return the bytes of one."""
    return await answer(req, context)


@bp.route(route="v1/quarantine/{*rest}", methods=[func.HttpMethod.POST])
async def manage_quarantine(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Try events in quarantine again, or discard one."""
    return await answer(req, context)


@bp.route(route="v1/prices/{*rest}", methods=READ)
async def read_prices(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List the prices of the price book, or its versions."""
    return await answer(req, context)


@bp.route(route="v1/prices/{*rest}", methods=[func.HttpMethod.POST])
async def manage_prices(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Add prices of the organisation's own, or end one."""
    return await answer(req, context)


@bp.route(route="v1/deployments/{*rest}", methods=READ)
async def read_deployments(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List what deployments are."""
    return await answer(req, context)


@bp.route(route="v1/deployments/{*rest}", methods=[func.HttpMethod.POST])
async def manage_deployments(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Say what deployments are, or end an entry."""
    return await answer(req, context)


@bp.route(route="v1/cost-centres", methods=READ)
async def read_cost_centres(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List who pays for whose calls."""
    return await answer(req, context)


@bp.route(route="v1/cost-centres", methods=[func.HttpMethod.POST])
async def manage_cost_centres(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Say who pays for whose calls."""
    return await answer(req, context)


@bp.route(route="v1/budgets/{*rest}", methods=READ)
async def read_budgets(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List budgets, return one, or say whether a call may pass."""
    return await answer(req, context)


@bp.route(route="v1/budgets/{*rest}", methods=[func.HttpMethod.POST])
async def manage_budgets(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Agree or change a budget, or take one away."""
    return await answer(req, context)


@bp.route(route="v1/alerts", methods=READ)
async def read_alerts(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List alerts of budgets."""
    return await answer(req, context)


@bp.route(route="v1/me/{*rest}", methods=READ)
async def read_own_usage(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return who the caller is to the API, or their own usage and budgets."""
    return await answer(req, context)


@bp.route(route="v1/reservations/{*rest}", methods=READ)
async def read_reservations(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List capacity that is paid by the hour, or what became of its hours."""
    return await answer(req, context)


@bp.route(route="v1/reservations/{*rest}", methods=[func.HttpMethod.POST])
async def manage_reservations(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Say what capacity is paid for, or end a reservation."""
    return await answer(req, context)


@bp.route(route="openapi.json", methods=READ)
async def read_openapi(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return the OpenAPI document."""
    return await answer(req, context)


@bp.route(route="docs/{*rest}", methods=READ)
async def read_docs(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return the page in which requests can be tried, or one of its files."""
    return await answer(req, context)


@bp.route(route="dashboard/{*rest}", methods=[*READ, func.HttpMethod.POST])
async def show_dashboard(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Show the pages of the dashboard, and take the forms that administrators send from them."""
    return await answer(req, context)


# The host tries functions in the order of their names, whatever their routes: this one must come last (a test says so).
@bp.route(route="{*rest}")
async def yield_problem(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer what no other function takes, a wrong method included, with a problem document."""
    return await answer(req, context)
