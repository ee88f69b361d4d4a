"""One method for each operation of the OpenAPI document. Written by generate.py."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal

from promptledger_client.models import (
    AccessRecord,
    AccessResult,
    Alert,
    Assignment,
    AssignmentChange,
    AssignmentsToMake,
    Balance,
    BookChange,
    BookVersion,
    Budget,
    BudgetToAgree,
    CapacityHour,
    ClosedMonth,
    CloseRequest,
    ContentTexts,
    CostStatement,
    Decision,
    DeploymentEntry,
    DeploymentsToAdd,
    Discarded,
    DiscardRequest,
    End,
    ExportAnswer,
    ExportRequest,
    FoundAmiss,
    GrantAnswer,
    GrantToGet,
    Interaction,
    InteractionPage,
    Manifest,
    Me,
    OwnUsage,
    PageOfAccessRecord,
    PageOfAlert,
    PageOfAssignment,
    PageOfBookVersion,
    PageOfBudget,
    PageOfCapacityHour,
    PageOfClosedMonth,
    PageOfDeploymentEntry,
    PageOfExportAnswer,
    PageOfFoundAmiss,
    PageOfGrantAnswer,
    PageOfPrice,
    PageOfPrompt,
    PageOfQuarantinedEvent,
    PageOfReachAnswer,
    PageOfReservation,
    PageOfRestatement,
    PageOfStatistics,
    PageOfUsage,
    Price,
    PricesToAdd,
    Prompt,
    QuarantinedBody,
    QuarantinedEvent,
    ReachAnswer,
    ReachToAdd,
    ReconcileRequest,
    Reconciliation,
    Removed,
    ReplayRequest,
    ReplayResult,
    Reservation,
    ReservationsToAdd,
    Restated,
    Restatement,
    RestatementRequest,
    Scope,
    SearchRequest,
    State,
    StatementLine,
    Statistics,
    Tier,
    Unit,
    Usage,
    VerifiedMonth,
)
from promptledger_client.transport import TextAnswer, Transport, id_in_path, part_of_path

__all__ = ["Operations"]


class Operations(Transport):
    """What can be asked of the audit API."""

    def list_accesses_as_csv(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        reader: str | None = None,
        route: str | None = None,
        case: str | None = None,
        result: AccessResult | None = None,
        request_id: str | None = None,
        interaction_id: str | None = None,
    ) -> TextAnswer:
        """List every answer that held text, every search and every act of an administrator, newest first."""
        return self._text(
            "GET",
            "/api/v1/access-log",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "reader": reader,
                "route": route,
                "case": case,
                "result": result,
                "requestId": request_id,
                "interactionId": interaction_id,
            },
            "text/csv",
        )

    def list_accesses(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        reader: str | None = None,
        route: str | None = None,
        case: str | None = None,
        result: AccessResult | None = None,
        request_id: str | None = None,
        interaction_id: str | None = None,
    ) -> PageOfAccessRecord:
        """List every answer that held text, every search and every act of an administrator, newest first."""
        answer: PageOfAccessRecord = self._json(
            "GET",
            "/api/v1/access-log",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "reader": reader,
                "route": route,
                "case": case,
                "result": result,
                "requestId": request_id,
                "interactionId": interaction_id,
            },
        )
        return answer

    def iter_accesses(
        self,
        *,
        limit: int | None = None,
        from_: str | None = None,
        to: str | None = None,
        reader: str | None = None,
        route: str | None = None,
        case: str | None = None,
        result: AccessResult | None = None,
        request_id: str | None = None,
        interaction_id: str | None = None,
    ) -> Iterator[AccessRecord]:
        """List every answer that held text, every search and every act of an administrator, newest first. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_accesses(
                limit=limit,
                cursor=cursor,
                from_=from_,
                to=to,
                reader=reader,
                route=route,
                case=case,
                result=result,
                request_id=request_id,
                interaction_id=interaction_id,
            )

        yield from self._every(ask)

    def list_alerts(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        budget_id: str | None = None,
        kind: Literal["threshold", "forecast", "anomaly"] | None = None,
    ) -> PageOfAlert:
        """List alerts, newest first, each with what became of it at every webhook."""
        answer: PageOfAlert = self._json(
            "GET",
            "/api/v1/alerts",
            {"limit": limit, "cursor": cursor, "from": from_, "to": to, "budgetId": budget_id, "kind": kind},
        )
        return answer

    def iter_alerts(
        self,
        *,
        limit: int | None = None,
        from_: str | None = None,
        to: str | None = None,
        budget_id: str | None = None,
        kind: Literal["threshold", "forecast", "anomaly"] | None = None,
    ) -> Iterator[Alert]:
        """List alerts, newest first, each with what became of it at every webhook. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_alerts(limit=limit, cursor=cursor, from_=from_, to=to, budget_id=budget_id, kind=kind)

        yield from self._every(ask)

    def read_balance(self) -> Balance:
        """Return, for each hub and partition and in total, how many events were received and where they are."""
        answer: Balance = self._json("GET", "/api/v1/balance", {})
        return answer

    def list_budgets(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfBudget:
        """List budgets by their ids, each with how it stands."""
        answer: PageOfBudget = self._json("GET", "/api/v1/budgets", {"limit": limit, "cursor": cursor})
        return answer

    def iter_budgets(self, *, limit: int | None = None) -> Iterator[Budget]:
        """List budgets by their ids, each with how it stands. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_budgets(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def agree_budget(self, body: BudgetToAgree) -> Budget:
        """Add a budget, or change the one with its id. This is recorded, with what it was before."""
        answer: Budget = self._json("POST", "/api/v1/budgets", {}, body)
        return answer

    def decide(
        self,
        subscription_id: str,
        *,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        model: str | None = None,
        deployment: str | None = None,
    ) -> Decision:
        """Return whether an enforced budget that is used up concerns a call. The gateway asks, and keeps the answer."""
        answer: Decision = self._json(
            "GET",
            "/api/v1/budgets/decision",
            {
                "subscriptionId": subscription_id,
                "productId": product_id,
                "userId": user_id,
                "appId": app_id,
                "model": model,
                "deployment": deployment,
            },
        )
        return answer

    def read_budget(self, id: str) -> Budget:
        """Return a budget, and how it stands."""
        answer: Budget = self._json("GET", f"/api/v1/budgets/{part_of_path(id)}", {})
        return answer

    def remove_budget(self, id: str) -> Removed:
        """Take a budget away. This is recorded, with what it was; its alerts stay."""
        answer: Removed = self._json("POST", f"/api/v1/budgets/{part_of_path(id)}/remove", {})
        return answer

    def list_findings(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        hub: str | None = None,
        kind: Literal[
            "gap",
            "quarantined",
            "pending",
            "unaccounted",
            "no_answer",
            "no_request",
            "pieces_missing",
            "log_without_event",
            "event_without_log",
            "bypass",
            "callers_differ",
            "no_price",
            "unmapped_deployment",
            "ambiguous_payer",
            "unknown_word",
        ]
        | None = None,
        resolved: bool | None = None,
    ) -> PageOfFoundAmiss:
        """List what is missing, by hub, hour and kind, the newest hours first. What vanished has a time in `resolvedAt`."""
        answer: PageOfFoundAmiss = self._json(
            "GET",
            "/api/v1/completeness",
            {"limit": limit, "cursor": cursor, "from": from_, "to": to, "hub": hub, "kind": kind, "resolved": resolved},
        )
        return answer

    def iter_findings(
        self,
        *,
        limit: int | None = None,
        from_: str | None = None,
        to: str | None = None,
        hub: str | None = None,
        kind: Literal[
            "gap",
            "quarantined",
            "pending",
            "unaccounted",
            "no_answer",
            "no_request",
            "pieces_missing",
            "log_without_event",
            "event_without_log",
            "bypass",
            "callers_differ",
            "no_price",
            "unmapped_deployment",
            "ambiguous_payer",
            "unknown_word",
        ]
        | None = None,
        resolved: bool | None = None,
    ) -> Iterator[FoundAmiss]:
        """List what is missing, by hub, hour and kind, the newest hours first. What vanished has a time in `resolvedAt`. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_findings(
                limit=limit, cursor=cursor, from_=from_, to=to, hub=hub, kind=kind, resolved=resolved
            )

        yield from self._every(ask)

    def list_cost_centres(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfAssignment:
        """List who pays for whose calls, those that ended too, by kind, name, value and beginning."""
        answer: PageOfAssignment = self._json("GET", "/api/v1/cost-centres", {"limit": limit, "cursor": cursor})
        return answer

    def iter_cost_centres(self, *, limit: int | None = None) -> Iterator[Assignment]:
        """List who pays for whose calls, those that ended too, by kind, name, value and beginning. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_cost_centres(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def assign_cost_centres(self, body: AssignmentsToMake) -> AssignmentChange:
        """Add assignments, or end those that are there, all or none. This is recorded; the hours since are charged anew."""
        answer: AssignmentChange = self._json("POST", "/api/v1/cost-centres", {}, body)
        return answer

    def export_costs(
        self,
        month: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
    ) -> TextAnswer:
        """Return a month's costs by day and meter as CSV in the columns of FOCUS 1.2."""
        return self._text(
            "GET",
            "/api/v1/costs/export",
            {"limit": limit, "cursor": cursor, "month": month, "team": team, "costCentre": cost_centre},
            "text/csv; charset=utf-8",
        )

    def list_months(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfClosedMonth:
        """List closed months, the newest first: who closed them, when, and what was unknown then."""
        answer: PageOfClosedMonth = self._json("GET", "/api/v1/costs/months", {"limit": limit, "cursor": cursor})
        return answer

    def iter_months(self, *, limit: int | None = None) -> Iterator[ClosedMonth]:
        """List closed months, the newest first: who closed them, when, and what was unknown then. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_months(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def close_month(self, body: CloseRequest) -> ClosedMonth:
        """Close a month for good: its numbers never change again. This is recorded. Asking twice changes nothing."""
        answer: ClosedMonth = self._json("POST", "/api/v1/costs/months", {}, body)
        return answer

    def read_month(self, month: str) -> VerifiedMonth:
        """Return a closed month, and whether its lines still have the digest that they were closed with."""
        answer: VerifiedMonth = self._json("GET", f"/api/v1/costs/months/{part_of_path(month)}", {})
        return answer

    def reconcile_costs(self, body: ReconcileRequest) -> Reconciliation:
        """Compare an export of Azure Cost Management to the charges, by day, account, kind of unit and model."""
        answer: Reconciliation = self._json("POST", "/api/v1/costs/reconciliation", {}, body)
        return answer

    def read_statement_as_csv(
        self,
        month: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
    ) -> TextAnswer:
        """Return what a month cost whom, in lines that add up to its totals, whichever page they stand on."""
        return self._text(
            "GET",
            "/api/v1/costs/statement",
            {"limit": limit, "cursor": cursor, "month": month, "team": team, "costCentre": cost_centre},
            "text/csv",
        )

    def read_statement(
        self,
        month: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
    ) -> CostStatement:
        """Return what a month cost whom, in lines that add up to its totals, whichever page they stand on."""
        answer: CostStatement = self._json(
            "GET",
            "/api/v1/costs/statement",
            {"limit": limit, "cursor": cursor, "month": month, "team": team, "costCentre": cost_centre},
        )
        return answer

    def iter_statement(
        self, month: str, *, limit: int | None = None, team: str | None = None, cost_centre: str | None = None
    ) -> Iterator[StatementLine]:
        """Return what a month cost whom, in lines that add up to its totals, whichever page they stand on. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.read_statement(limit=limit, cursor=cursor, month=month, team=team, cost_centre=cost_centre)

        yield from self._every(ask)

    def list_deployments(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        name: str | None = None,
        host: str | None = None,
        model: str | None = None,
        at: str | None = None,
    ) -> PageOfDeploymentEntry:
        """List what deployments are and were, by their names."""
        answer: PageOfDeploymentEntry = self._json(
            "GET",
            "/api/v1/deployments",
            {"limit": limit, "cursor": cursor, "name": name, "host": host, "model": model, "at": at},
        )
        return answer

    def iter_deployments(
        self,
        *,
        limit: int | None = None,
        name: str | None = None,
        host: str | None = None,
        model: str | None = None,
        at: str | None = None,
    ) -> Iterator[DeploymentEntry]:
        """List what deployments are and were, by their names. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_deployments(limit=limit, cursor=cursor, name=name, host=host, model=model, at=at)

        yield from self._every(ask)

    def add_deployments(self, body: DeploymentsToAdd) -> BookChange:
        """Say what deployments are, all entries or none. This is recorded; the hours since are charged anew."""
        answer: BookChange = self._json("POST", "/api/v1/deployments", {}, body)
        return answer

    def end_deployment(self, id: str, body: End) -> BookChange:
        """Let an entry hold no longer. This is recorded; the hours since are charged anew."""
        answer: BookChange = self._json("POST", f"/api/v1/deployments/{part_of_path(id)}/end", {}, body)
        return answer

    def list_exports(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfExportAnswer:
        """List the caller's own exports, newest first, those that have expired too."""
        answer: PageOfExportAnswer = self._json("GET", "/api/v1/exports", {"limit": limit, "cursor": cursor})
        return answer

    def iter_exports(self, *, limit: int | None = None) -> Iterator[ExportAnswer]:
        """List the caller's own exports, newest first, those that have expired too. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_exports(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def ask_for_export(self, body: ExportRequest) -> ExportAnswer:
        """Ask for a whole list as files. It needs the roles that the list needs, and content those for texts; recorded."""
        answer: ExportAnswer = self._json("POST", "/api/v1/exports", {}, body)
        return answer

    def cancel_export(self, id: str) -> ExportAnswer:
        """Let an export go no further, and be had no more; recorded. Asking twice changes nothing."""
        answer: ExportAnswer = self._json("DELETE", f"/api/v1/exports/{part_of_path(id)}", {})
        return answer

    def read_export(self, id: str) -> ExportAnswer:
        """Return one of the caller's own exports, and how far it is."""
        answer: ExportAnswer = self._json("GET", f"/api/v1/exports/{part_of_path(id)}", {})
        return answer

    def read_manifest(self, id: str, *, purpose: str | None = None) -> Manifest:
        """Return what a finished export consists of: its question, counts, and the SHA-256 of each part."""
        answer: Manifest = self._json("GET", f"/api/v1/exports/{part_of_path(id)}/manifest", {"purpose": purpose})
        return answer

    def read_export_part(self, id: str, n: int, *, purpose: str | None = None) -> bytes:
        """Return a part. The roles are looked at anew, and the reading is recorded. A part never changes."""
        return self._bytes(
            "GET",
            f"/api/v1/exports/{part_of_path(id)}/parts/{part_of_path(n)}",
            {"purpose": purpose},
            "application/octet-stream",
        )

    def list_grants(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfGrantAnswer:
        """List grants, the newest first: those that wait to be given, those that count, those that have ended."""
        answer: PageOfGrantAnswer = self._json("GET", "/api/v1/grants", {"limit": limit, "cursor": cursor})
        return answer

    def iter_grants(self, *, limit: int | None = None) -> Iterator[GrantAnswer]:
        """List grants, the newest first: those that wait to be given, those that count, those that have ended. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_grants(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def want_grant(self, body: GrantToGet) -> GrantAnswer:
        """Ask to read texts for a case. Nothing comes of it until an administrator other than the caller gives it."""
        answer: GrantAnswer = self._json("POST", "/api/v1/grants", {}, body)
        return answer

    def end_grant(self, id: str) -> GrantAnswer:
        """Let a grant count no longer, or never. Recorded. Asking twice changes nothing."""
        answer: GrantAnswer = self._json("POST", f"/api/v1/grants/{part_of_path(id)}/end", {})
        return answer

    def give_grant(self, id: str) -> GrantAnswer:
        """Give a grant to who asked for it, who must be somebody else. Recorded. Asking twice changes nothing."""
        answer: GrantAnswer = self._json("POST", f"/api/v1/grants/{part_of_path(id)}/give", {})
        return answer

    def list_interactions_as_csv(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        purpose: str | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        http_status: int | None = None,
        state: State | None = None,
        streamed: bool | None = None,
        filtered: bool | None = None,
        filter_category: Literal[
            "hate",
            "sexual",
            "violence",
            "self_harm",
            "profanity",
            "blocklist",
            "jailbreak",
            "indirect_attack",
            "protected_material_text",
            "protected_material_code",
        ]
        | None = None,
        filter_severity: Literal["low", "medium", "high"] | None = None,
        filter_side: Literal["prompt", "completion"] | None = None,
        min_total_tokens: int | None = None,
        source: Literal[
            "ai-hub-gateway",
            "apim-docs",
            "azure-monitor",
            "azure-openai",
            "enterprise-azureai",
            "enterprise-logging",
            "native",
            "raw-http",
            "toolkit",
        ]
        | None = None,
        bypass: bool | None = None,
        error: bool | None = None,
        cached: bool | None = None,
        requested_model: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
        truncated: bool | None = None,
        unreadable: bool | None = None,
        filter_failed: bool | None = None,
        possible_refusal: bool | None = None,
        callers_differ: bool | None = None,
        session_id: str | None = None,
        end_user_id: str | None = None,
        api_id: str | None = None,
        backend_id: str | None = None,
        gateway_region: str | None = None,
        error_code: str | None = None,
        finish_reason: str | None = None,
        min_latency_ms: int | None = None,
        min_amount: Decimal | None = None,
        has_tool_calls: bool | None = None,
        estimated: bool | None = None,
        q: str | None = None,
        total: bool | None = None,
    ) -> TextAnswer:
        """List interactions, newest first. Previews, and `q`, need Content.Read; each such reading is recorded."""
        return self._text(
            "GET",
            "/api/v1/interactions",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "purpose": purpose,
                "model": model,
                "callerIp": caller_ip,
                "operation": operation,
                "deployment": deployment,
                "subscriptionId": subscription_id,
                "productId": product_id,
                "userId": user_id,
                "appId": app_id,
                "team": team,
                "costCentre": cost_centre,
                "httpStatus": http_status,
                "state": state,
                "streamed": streamed,
                "filtered": filtered,
                "filterCategory": filter_category,
                "filterSeverity": filter_severity,
                "filterSide": filter_side,
                "minTotalTokens": min_total_tokens,
                "source": source,
                "bypass": bypass,
                "error": error,
                "cached": cached,
                "requestedModel": requested_model,
                "vendor": vendor,
                "truncated": truncated,
                "unreadable": unreadable,
                "filterFailed": filter_failed,
                "possibleRefusal": possible_refusal,
                "callersDiffer": callers_differ,
                "sessionId": session_id,
                "endUserId": end_user_id,
                "apiId": api_id,
                "backendId": backend_id,
                "gatewayRegion": gateway_region,
                "errorCode": error_code,
                "finishReason": finish_reason,
                "minLatencyMs": min_latency_ms,
                "minAmount": min_amount,
                "hasToolCalls": has_tool_calls,
                "estimated": estimated,
                "q": q,
                "total": total,
            },
            "text/csv",
        )

    def list_interactions(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        purpose: str | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        http_status: int | None = None,
        state: State | None = None,
        streamed: bool | None = None,
        filtered: bool | None = None,
        filter_category: Literal[
            "hate",
            "sexual",
            "violence",
            "self_harm",
            "profanity",
            "blocklist",
            "jailbreak",
            "indirect_attack",
            "protected_material_text",
            "protected_material_code",
        ]
        | None = None,
        filter_severity: Literal["low", "medium", "high"] | None = None,
        filter_side: Literal["prompt", "completion"] | None = None,
        min_total_tokens: int | None = None,
        source: Literal[
            "ai-hub-gateway",
            "apim-docs",
            "azure-monitor",
            "azure-openai",
            "enterprise-azureai",
            "enterprise-logging",
            "native",
            "raw-http",
            "toolkit",
        ]
        | None = None,
        bypass: bool | None = None,
        error: bool | None = None,
        cached: bool | None = None,
        requested_model: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
        truncated: bool | None = None,
        unreadable: bool | None = None,
        filter_failed: bool | None = None,
        possible_refusal: bool | None = None,
        callers_differ: bool | None = None,
        session_id: str | None = None,
        end_user_id: str | None = None,
        api_id: str | None = None,
        backend_id: str | None = None,
        gateway_region: str | None = None,
        error_code: str | None = None,
        finish_reason: str | None = None,
        min_latency_ms: int | None = None,
        min_amount: Decimal | None = None,
        has_tool_calls: bool | None = None,
        estimated: bool | None = None,
        q: str | None = None,
        total: bool | None = None,
    ) -> InteractionPage:
        """List interactions, newest first. Previews, and `q`, need Content.Read; each such reading is recorded."""
        answer: InteractionPage = self._json(
            "GET",
            "/api/v1/interactions",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "purpose": purpose,
                "model": model,
                "callerIp": caller_ip,
                "operation": operation,
                "deployment": deployment,
                "subscriptionId": subscription_id,
                "productId": product_id,
                "userId": user_id,
                "appId": app_id,
                "team": team,
                "costCentre": cost_centre,
                "httpStatus": http_status,
                "state": state,
                "streamed": streamed,
                "filtered": filtered,
                "filterCategory": filter_category,
                "filterSeverity": filter_severity,
                "filterSide": filter_side,
                "minTotalTokens": min_total_tokens,
                "source": source,
                "bypass": bypass,
                "error": error,
                "cached": cached,
                "requestedModel": requested_model,
                "vendor": vendor,
                "truncated": truncated,
                "unreadable": unreadable,
                "filterFailed": filter_failed,
                "possibleRefusal": possible_refusal,
                "callersDiffer": callers_differ,
                "sessionId": session_id,
                "endUserId": end_user_id,
                "apiId": api_id,
                "backendId": backend_id,
                "gatewayRegion": gateway_region,
                "errorCode": error_code,
                "finishReason": finish_reason,
                "minLatencyMs": min_latency_ms,
                "minAmount": min_amount,
                "hasToolCalls": has_tool_calls,
                "estimated": estimated,
                "q": q,
                "total": total,
            },
        )
        return answer

    def iter_interactions(
        self,
        *,
        limit: int | None = None,
        from_: str | None = None,
        to: str | None = None,
        purpose: str | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        http_status: int | None = None,
        state: State | None = None,
        streamed: bool | None = None,
        filtered: bool | None = None,
        filter_category: Literal[
            "hate",
            "sexual",
            "violence",
            "self_harm",
            "profanity",
            "blocklist",
            "jailbreak",
            "indirect_attack",
            "protected_material_text",
            "protected_material_code",
        ]
        | None = None,
        filter_severity: Literal["low", "medium", "high"] | None = None,
        filter_side: Literal["prompt", "completion"] | None = None,
        min_total_tokens: int | None = None,
        source: Literal[
            "ai-hub-gateway",
            "apim-docs",
            "azure-monitor",
            "azure-openai",
            "enterprise-azureai",
            "enterprise-logging",
            "native",
            "raw-http",
            "toolkit",
        ]
        | None = None,
        bypass: bool | None = None,
        error: bool | None = None,
        cached: bool | None = None,
        requested_model: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
        truncated: bool | None = None,
        unreadable: bool | None = None,
        filter_failed: bool | None = None,
        possible_refusal: bool | None = None,
        callers_differ: bool | None = None,
        session_id: str | None = None,
        end_user_id: str | None = None,
        api_id: str | None = None,
        backend_id: str | None = None,
        gateway_region: str | None = None,
        error_code: str | None = None,
        finish_reason: str | None = None,
        min_latency_ms: int | None = None,
        min_amount: Decimal | None = None,
        has_tool_calls: bool | None = None,
        estimated: bool | None = None,
        q: str | None = None,
        total: bool | None = None,
    ) -> Iterator[Interaction]:
        """List interactions, newest first. Previews, and `q`, need Content.Read; each such reading is recorded. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_interactions(
                limit=limit,
                cursor=cursor,
                from_=from_,
                to=to,
                purpose=purpose,
                model=model,
                caller_ip=caller_ip,
                operation=operation,
                deployment=deployment,
                subscription_id=subscription_id,
                product_id=product_id,
                user_id=user_id,
                app_id=app_id,
                team=team,
                cost_centre=cost_centre,
                http_status=http_status,
                state=state,
                streamed=streamed,
                filtered=filtered,
                filter_category=filter_category,
                filter_severity=filter_severity,
                filter_side=filter_side,
                min_total_tokens=min_total_tokens,
                source=source,
                bypass=bypass,
                error=error,
                cached=cached,
                requested_model=requested_model,
                vendor=vendor,
                truncated=truncated,
                unreadable=unreadable,
                filter_failed=filter_failed,
                possible_refusal=possible_refusal,
                callers_differ=callers_differ,
                session_id=session_id,
                end_user_id=end_user_id,
                api_id=api_id,
                backend_id=backend_id,
                gateway_region=gateway_region,
                error_code=error_code,
                finish_reason=finish_reason,
                min_latency_ms=min_latency_ms,
                min_amount=min_amount,
                has_tool_calls=has_tool_calls,
                estimated=estimated,
                q=q,
                total=total,
            )

        yield from self._every(ask)

    def search_interactions(self, body: SearchRequest, *, purpose: str | None = None) -> InteractionPage:
        """List the interactions whose texts match `q`, newest first. Needs Content.Read too; the search is recorded."""
        answer: InteractionPage = self._json("POST", "/api/v1/interactions/search", {"purpose": purpose}, body)
        return answer

    def iter_search_interactions(self, body: SearchRequest, *, purpose: str | None = None) -> Iterator[Interaction]:
        """List the interactions whose texts match `q`, newest first. Needs Content.Read too; the search is recorded. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.search_interactions({**body, **({} if cursor is None else {"cursor": cursor})}, purpose=purpose)  # type: ignore[typeddict-item]  # a body and its cursor

        yield from self._every(ask)

    def read_interaction(self, id: str, *, purpose: str | None = None) -> Interaction:
        """Return one interaction. Its previews need Content.Read; their reading is recorded."""
        answer: Interaction = self._json("GET", f"/api/v1/interactions/{id_in_path(id)}", {"purpose": purpose})
        return answer

    def read_content(self, id: str, *, purpose: str | None = None) -> ContentTexts:
        """Return an interaction's texts and bodies. The reading is recorded."""
        answer: ContentTexts = self._json("GET", f"/api/v1/interactions/{id_in_path(id)}/content", {"purpose": purpose})
        return answer

    def read_me(self) -> Me:
        """Return the caller's id, roles, and how far each of them extends. Whoever is signed in may ask."""
        answer: Me = self._json("GET", "/api/v1/me", {})
        return answer

    def list_own_usage(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        group_by: str | None = None,
        interval: Literal["hour", "day", "month"] | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
    ) -> OwnUsage:
        """Add up the caller's own usage, as `/usage` does, and show his own budgets. No role is needed."""
        answer: OwnUsage = self._json(
            "GET",
            "/api/v1/me/usage",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "groupBy": group_by,
                "interval": interval,
                "model": model,
                "callerIp": caller_ip,
                "operation": operation,
                "deployment": deployment,
                "subscriptionId": subscription_id,
                "productId": product_id,
                "appId": app_id,
                "team": team,
                "costCentre": cost_centre,
                "vendor": vendor,
            },
        )
        return answer

    def iter_own_usage(
        self,
        *,
        limit: int | None = None,
        from_: str | None = None,
        to: str | None = None,
        group_by: str | None = None,
        interval: Literal["hour", "day", "month"] | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
    ) -> Iterator[Usage]:
        """Add up the caller's own usage, as `/usage` does, and show his own budgets. No role is needed. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_own_usage(
                limit=limit,
                cursor=cursor,
                from_=from_,
                to=to,
                group_by=group_by,
                interval=interval,
                model=model,
                caller_ip=caller_ip,
                operation=operation,
                deployment=deployment,
                subscription_id=subscription_id,
                product_id=product_id,
                app_id=app_id,
                team=team,
                cost_centre=cost_centre,
                vendor=vendor,
            )

        yield from self._every(ask)

    def list_prices(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        model: str | None = None,
        scope: Scope | None = None,
        tier: Tier | None = None,
        region: str | None = None,
        unit: Unit | None = None,
        own: bool | None = None,
        at: str | None = None,
    ) -> PageOfPrice:
        """List prices by model, unit and where they hold: those that ended too, unless `at` says when they are to hold."""
        answer: PageOfPrice = self._json(
            "GET",
            "/api/v1/prices",
            {
                "limit": limit,
                "cursor": cursor,
                "model": model,
                "scope": scope,
                "tier": tier,
                "region": region,
                "unit": unit,
                "own": own,
                "at": at,
            },
        )
        return answer

    def iter_prices(
        self,
        *,
        limit: int | None = None,
        model: str | None = None,
        scope: Scope | None = None,
        tier: Tier | None = None,
        region: str | None = None,
        unit: Unit | None = None,
        own: bool | None = None,
        at: str | None = None,
    ) -> Iterator[Price]:
        """List prices by model, unit and where they hold: those that ended too, unless `at` says when they are to hold. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_prices(
                limit=limit,
                cursor=cursor,
                model=model,
                scope=scope,
                tier=tier,
                region=region,
                unit=unit,
                own=own,
                at=at,
            )

        yield from self._every(ask)

    def add_prices(self, body: PricesToAdd) -> BookChange:
        """Add prices of the organisation's own, all or none. This is recorded; the hours since are charged anew."""
        answer: BookChange = self._json("POST", "/api/v1/prices", {}, body)
        return answer

    def list_restatements(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfRestatement:
        """List the periods that are charged by another version of the price book, the newest restatement first."""
        answer: PageOfRestatement = self._json("GET", "/api/v1/prices/restatements", {"limit": limit, "cursor": cursor})
        return answer

    def iter_restatements(self, *, limit: int | None = None) -> Iterator[Restatement]:
        """List the periods that are charged by another version of the price book, the newest restatement first. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_restatements(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def restate(self, body: RestatementRequest) -> Restated:
        """Have the calls of some hours charged by a version of the price book, by the next runs of the timer; recorded."""
        answer: Restated = self._json("POST", "/api/v1/prices/restatements", {}, body)
        return answer

    def list_price_versions(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfBookVersion:
        """List the changes of prices and deployments, newest first: when, by whom, of what."""
        answer: PageOfBookVersion = self._json("GET", "/api/v1/prices/versions", {"limit": limit, "cursor": cursor})
        return answer

    def iter_price_versions(self, *, limit: int | None = None) -> Iterator[BookVersion]:
        """List the changes of prices and deployments, newest first: when, by whom, of what. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_price_versions(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def end_price(self, id: str, body: End) -> BookChange:
        """Let a price of the organisation's own hold no longer. This is recorded; the hours since are charged anew."""
        answer: BookChange = self._json("POST", f"/api/v1/prices/{part_of_path(id)}/end", {}, body)
        return answer

    def list_prompts(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        purpose: str | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
    ) -> PageOfPrompt:
        """List calls, newest first. `promptPreview` needs Content.Read as well; such a reading is recorded."""
        answer: PageOfPrompt = self._json(
            "GET",
            "/api/v1/prompts",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "purpose": purpose,
                "model": model,
                "callerIp": caller_ip,
            },
        )
        return answer

    def iter_prompts(
        self,
        *,
        limit: int | None = None,
        from_: str | None = None,
        to: str | None = None,
        purpose: str | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
    ) -> Iterator[Prompt]:
        """List calls, newest first. `promptPreview` needs Content.Read as well; such a reading is recorded. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_prompts(
                limit=limit, cursor=cursor, from_=from_, to=to, purpose=purpose, model=model, caller_ip=caller_ip
            )

        yield from self._every(ask)

    def list_quarantine(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfQuarantinedEvent:
        """List what is in quarantine, newest first, without the bytes. What was discarded is not listed."""
        answer: PageOfQuarantinedEvent = self._json("GET", "/api/v1/quarantine", {"limit": limit, "cursor": cursor})
        return answer

    def iter_quarantine(self, *, limit: int | None = None) -> Iterator[QuarantinedEvent]:
        """List what is in quarantine, newest first, without the bytes. What was discarded is not listed. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_quarantine(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def replay_quarantine(self, body: ReplayRequest) -> ReplayResult:
        """Try events again, by id or by the time they were enqueued, newest first; each try is recorded."""
        answer: ReplayResult = self._json("POST", "/api/v1/quarantine/replay", {}, body)
        return answer

    def read_quarantined_body(self, id: str, *, purpose: str | None = None) -> QuarantinedBody:
        """Return the bytes of one event, as text or in base64. The reading is recorded."""
        answer: QuarantinedBody = self._json("GET", f"/api/v1/quarantine/{part_of_path(id)}/body", {"purpose": purpose})
        return answer

    def discard_quarantined(self, id: str, body: DiscardRequest) -> Discarded:
        """Forget the bytes of one event, for good, and say why; it counts as skipped. This is recorded."""
        answer: Discarded = self._json("POST", f"/api/v1/quarantine/{part_of_path(id)}/discard", {}, body)
        return answer

    def list_reaches(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfReachAnswer:
        """List whose roles are limited to which calls, the newest entries first, those that have ended too."""
        answer: PageOfReachAnswer = self._json("GET", "/api/v1/reaches", {"limit": limit, "cursor": cursor})
        return answer

    def iter_reaches(self, *, limit: int | None = None) -> Iterator[ReachAnswer]:
        """List whose roles are limited to which calls, the newest entries first, those that have ended too. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_reaches(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def add_reach(self, body: ReachToAdd) -> ReachAnswer:
        """Limit a role of somebody, or of a group, to some calls: to those of all its entries that are valid. Recorded."""
        answer: ReachAnswer = self._json("POST", "/api/v1/reaches", {}, body)
        return answer

    def end_reach(self, id: str) -> ReachAnswer:
        """Let an entry be valid no longer. Recorded. Asking twice changes nothing."""
        answer: ReachAnswer = self._json("POST", f"/api/v1/reaches/{part_of_path(id)}/end", {})
        return answer

    def list_reservations(self, *, limit: int | None = None, cursor: str | None = None) -> PageOfReservation:
        """List capacity that is or was paid by the hour, by its deployments."""
        answer: PageOfReservation = self._json("GET", "/api/v1/reservations", {"limit": limit, "cursor": cursor})
        return answer

    def iter_reservations(self, *, limit: int | None = None) -> Iterator[Reservation]:
        """List capacity that is or was paid by the hour, by its deployments. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_reservations(limit=limit, cursor=cursor)

        yield from self._every(ask)

    def add_reservations(self, body: ReservationsToAdd) -> BookChange:
        """Say what capacity is paid for, all entries or none. This is recorded; the hours since are charged anew."""
        answer: BookChange = self._json("POST", "/api/v1/reservations", {}, body)
        return answer

    def list_hours(
        self, *, limit: int | None = None, cursor: str | None = None, from_: str | None = None, to: str | None = None
    ) -> PageOfCapacityHour:
        """List what each hour cost, how much of it its calls bear, and the rest, which nobody does; the earliest first."""
        answer: PageOfCapacityHour = self._json(
            "GET", "/api/v1/reservations/hours", {"limit": limit, "cursor": cursor, "from": from_, "to": to}
        )
        return answer

    def iter_hours(
        self, *, limit: int | None = None, from_: str | None = None, to: str | None = None
    ) -> Iterator[CapacityHour]:
        """List what each hour cost, how much of it its calls bear, and the rest, which nobody does; the earliest first. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_hours(limit=limit, cursor=cursor, from_=from_, to=to)

        yield from self._every(ask)

    def end_reservation(self, id: str, body: End) -> BookChange:
        """Let capacity be paid for no longer. This is recorded; the hours since are charged anew."""
        answer: BookChange = self._json("POST", f"/api/v1/reservations/{part_of_path(id)}/end", {}, body)
        return answer

    def list_statistics(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        group_by: str | None = None,
        interval: Literal["hour", "day", "month"] | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
    ) -> PageOfStatistics:
        """Add up usage as `/usage` does, each group with how long its calls took and how they failed."""
        answer: PageOfStatistics = self._json(
            "GET",
            "/api/v1/statistics",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "groupBy": group_by,
                "interval": interval,
                "model": model,
                "callerIp": caller_ip,
                "operation": operation,
                "deployment": deployment,
                "subscriptionId": subscription_id,
                "productId": product_id,
                "userId": user_id,
                "appId": app_id,
                "team": team,
                "costCentre": cost_centre,
                "vendor": vendor,
            },
        )
        return answer

    def iter_statistics(
        self,
        *,
        limit: int | None = None,
        from_: str | None = None,
        to: str | None = None,
        group_by: str | None = None,
        interval: Literal["hour", "day", "month"] | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
    ) -> Iterator[Statistics]:
        """Add up usage as `/usage` does, each group with how long its calls took and how they failed. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_statistics(
                limit=limit,
                cursor=cursor,
                from_=from_,
                to=to,
                group_by=group_by,
                interval=interval,
                model=model,
                caller_ip=caller_ip,
                operation=operation,
                deployment=deployment,
                subscription_id=subscription_id,
                product_id=product_id,
                user_id=user_id,
                app_id=app_id,
                team=team,
                cost_centre=cost_centre,
                vendor=vendor,
            )

        yield from self._every(ask)

    def list_largest(
        self,
        by: Literal[
            "userId", "team", "model", "appId", "deployment", "subscriptionId", "productId", "callerIp", "costCentre"
        ],
        *,
        limit: int | None = None,
        cursor: None = None,
        from_: str | None = None,
        to: str | None = None,
        measure: Literal["requests", "tokens", "amount", "errors"] | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
    ) -> PageOfUsage:
        """List the users, teams, models or others with the most calls, tokens, money or errors, the largest first."""
        answer: PageOfUsage = self._json(
            "GET",
            "/api/v1/top",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "by": by,
                "measure": measure,
                "model": model,
                "callerIp": caller_ip,
                "operation": operation,
                "deployment": deployment,
                "subscriptionId": subscription_id,
                "productId": product_id,
                "userId": user_id,
                "appId": app_id,
                "team": team,
                "costCentre": cost_centre,
                "vendor": vendor,
            },
        )
        return answer

    def list_usage_as_csv(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        group_by: str | None = None,
        interval: Literal["hour", "day", "month"] | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
    ) -> TextAnswer:
        """Add up usage by group, and by hour, day or month when an interval is given."""
        return self._text(
            "GET",
            "/api/v1/usage",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "groupBy": group_by,
                "interval": interval,
                "model": model,
                "callerIp": caller_ip,
                "operation": operation,
                "deployment": deployment,
                "subscriptionId": subscription_id,
                "productId": product_id,
                "userId": user_id,
                "appId": app_id,
                "team": team,
                "costCentre": cost_centre,
                "vendor": vendor,
            },
            "text/csv",
        )

    def list_usage(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        group_by: str | None = None,
        interval: Literal["hour", "day", "month"] | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
    ) -> PageOfUsage:
        """Add up usage by group, and by hour, day or month when an interval is given."""
        answer: PageOfUsage = self._json(
            "GET",
            "/api/v1/usage",
            {
                "limit": limit,
                "cursor": cursor,
                "from": from_,
                "to": to,
                "groupBy": group_by,
                "interval": interval,
                "model": model,
                "callerIp": caller_ip,
                "operation": operation,
                "deployment": deployment,
                "subscriptionId": subscription_id,
                "productId": product_id,
                "userId": user_id,
                "appId": app_id,
                "team": team,
                "costCentre": cost_centre,
                "vendor": vendor,
            },
        )
        return answer

    def iter_usage(
        self,
        *,
        limit: int | None = None,
        from_: str | None = None,
        to: str | None = None,
        group_by: str | None = None,
        interval: Literal["hour", "day", "month"] | None = None,
        model: str | None = None,
        caller_ip: str | None = None,
        operation: Literal[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "images.edits",
            "images.variations",
            "audio.transcriptions",
            "audio.translations",
            "audio.speech",
            "assistants",
            "threads",
            "threads.messages",
            "threads.runs",
            "threads.runs.steps",
            "files",
            "uploads",
            "vector_stores",
            "fine_tuning.jobs",
            "batches",
            "models",
            "deployments",
            "realtime",
            "containers",
            "evals",
            "conversations",
            "moderations",
            "messages",
            "generateContent",
            "converse",
            "invoke",
            "videos",
            "other",
        ]
        | None = None,
        deployment: str | None = None,
        subscription_id: str | None = None,
        product_id: str | None = None,
        user_id: str | None = None,
        app_id: str | None = None,
        team: str | None = None,
        cost_centre: str | None = None,
        vendor: Literal[
            "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"
        ]
        | None = None,
    ) -> Iterator[Usage]:
        """Add up usage by group, and by hour, day or month when an interval is given. Goes through all pages."""

        def ask(cursor: str | None) -> Any:
            return self.list_usage(
                limit=limit,
                cursor=cursor,
                from_=from_,
                to=to,
                group_by=group_by,
                interval=interval,
                model=model,
                caller_ip=caller_ip,
                operation=operation,
                deployment=deployment,
                subscription_id=subscription_id,
                product_id=product_id,
                user_id=user_id,
                app_id=app_id,
                team=team,
                cost_centre=cost_centre,
                vendor=vendor,
            )

        yield from self._every(ask)
