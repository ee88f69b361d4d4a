"""The shapes of requests and answers, as the OpenAPI document has them. Written by generate.py."""

from decimal import Decimal
from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "AccessRecord",
    "AccessResult",
    "Alert",
    "AlertDelivery",
    "Assigned",
    "Assignment",
    "AssignmentChange",
    "AssignmentsToMake",
    "Balance",
    "BalanceCounts",
    "BookChange",
    "BookVersion",
    "Budget",
    "BudgetState",
    "BudgetToAgree",
    "CallCount",
    "CallError",
    "CapacityHour",
    "CapacityKind",
    "CloseRequest",
    "ClosedMonth",
    "Confidence",
    "ContentFilter",
    "ContentTexts",
    "CostStatement",
    "Decision",
    "DeploymentEntry",
    "DeploymentToAdd",
    "DeploymentsToAdd",
    "DiscardRequest",
    "Discarded",
    "Duration",
    "End",
    "ErrorsByCode",
    "ExportAnswer",
    "ExportFormat",
    "ExportKind",
    "ExportRequest",
    "ExportState",
    "FoundAmiss",
    "GrantAnswer",
    "GrantToGet",
    "Interaction",
    "InteractionCharge",
    "InteractionPage",
    "Manifest",
    "ManifestPart",
    "Matched",
    "Me",
    "Measure",
    "MyReach",
    "MyRole",
    "Origin",
    "OwnUsage",
    "PageOfAccessRecord",
    "PageOfAlert",
    "PageOfAssignment",
    "PageOfBookVersion",
    "PageOfBudget",
    "PageOfCapacityHour",
    "PageOfClosedMonth",
    "PageOfDeploymentEntry",
    "PageOfExportAnswer",
    "PageOfFoundAmiss",
    "PageOfGrantAnswer",
    "PageOfPrice",
    "PageOfPrompt",
    "PageOfQuarantinedEvent",
    "PageOfReachAnswer",
    "PageOfReservation",
    "PageOfRestatement",
    "PageOfStatistics",
    "PageOfUsage",
    "PartitionBalance",
    "Per",
    "Period",
    "Price",
    "PriceToAdd",
    "PricesToAdd",
    "Problem",
    "Prompt",
    "Provenance",
    "QuarantinedBody",
    "QuarantinedEvent",
    "ReachAnswer",
    "ReachKind",
    "ReachToAdd",
    "ReadInteractions",
    "ReconcileRequest",
    "Reconciliation",
    "RefusingBudget",
    "Removed",
    "ReplayRequest",
    "ReplayResult",
    "Reservation",
    "ReservationToAdd",
    "ReservationsToAdd",
    "Restated",
    "RestatedAmount",
    "Restatement",
    "RestatementRequest",
    "Role",
    "Scope",
    "SearchRequest",
    "Snippet",
    "State",
    "StatementLine",
    "StatementTotal",
    "Statistics",
    "Target",
    "Tier",
    "TokenUsage",
    "Unit",
    "Usage",
    "Variance",
    "VerifiedMonth",
]

AccessResult = Literal["done", "refused", "not-found"]

CapacityKind = Literal["provisioned", "hosting"]

Confidence = Literal["exact", "estimated", "no-price", "unmetered", "free"]

ExportFormat = Literal["ndjson", "csv", "parquet"]

ExportKind = Literal["interactions", "content", "usage", "statement", "access-log"]

ExportState = Literal["waiting", "making", "done", "failed", "cancelled", "expired"]

Matched = Literal["tag", "user", "application", "subscription", "product"]

Measure = Literal["money", "tokens"]

Origin = Literal["list", "retail", "own", "deployments", "reservations"]

Per = Literal["hour", "month"]

Period = Literal["day", "week", "month"]

Provenance = Literal["reported", "logged", "estimated", "missing"]

ReachKind = Literal["subscription", "product", "team", "all"]

Role = Literal["Usage.Read", "Audit.Read", "Content.Read", "Audit.Admin"]

Scope = Literal["global", "data-zone", "regional", "provisioned"]

State = Literal["complete", "pending", "incomplete", "refused", "failed"]

Target = Literal["everything", "team", "user", "subscription", "product", "model", "deployment"]

Tier = Literal["standard", "batch", "priority", "flex"]

Unit = Literal[
    "input",
    "cached-input",
    "cache-write",
    "cache-write-1h",
    "output",
    "audio-input",
    "audio-output",
    "image-input",
    "image-output",
    "image",
    "audio-second",
    "video-second",
    "character",
    "search",
    "file-search",
    "code-session",
]


class AccessRecord(TypedDict):
    """Who got what; fields are null in entries of releases that kept less."""

    appId: str | None
    at: str
    id: str
    interactions: "ReadInteractions | None"
    purpose: str | None
    reader: str
    readerName: str | None
    requestId: str | None
    result: "AccessResult | None"
    roles: list[str] | None
    route: str
    rows: int | None
    subject: str


class Alert(TypedDict):
    """Something about a budget that somebody should know."""

    budgetId: str
    deliveries: list["AlertDelivery"]
    detail: Any
    id: str
    kind: Literal["threshold", "forecast", "anomaly"]
    periodStart: str
    raisedAt: str
    threshold: int | None
    used: Decimal


class AlertDelivery(TypedDict):
    """What became of an alert on its way to a webhook."""

    attempts: int
    deliveredAt: str | None
    dueAt: str | None
    result: str | None
    webhook: str


class Assigned(TypedDict):
    """A Assigned."""

    costCentre: NotRequired[str | None]
    kind: "Matched"
    name: NotRequired[str | None]
    team: NotRequired[str | None]
    validFrom: NotRequired[str | None]
    validTo: NotRequired[str | None]
    value: str


class Assignment(TypedDict):
    """Who pays for the calls of one caller, from a day on."""

    costCentre: str | None
    kind: "Matched"
    name: str | None
    team: str | None
    validFrom: str | None
    validTo: str | None
    value: str


class AssignmentChange(TypedDict):
    """What a change came to."""

    changed: int


class AssignmentsToMake(TypedDict):
    """Assignments: all are added, or ended by their `validTo`, or none."""

    entries: list["Assigned"]


class Balance(TypedDict):
    """The balance of every partition; never more than one page."""

    items: list["PartitionBalance"]
    nextCursor: str | None
    total: "BalanceCounts"


class BalanceCounts(TypedDict):
    """Events received, and where each of them is: the five after `received` add up to it."""

    duplicate: int
    pending: int
    quarantined: int
    received: int
    skipped: int
    stored: int


class BookChange(TypedDict):
    """What a change came to."""

    added: int
    ended: int
    priceVersion: str


class BookVersion(TypedDict):
    """A change of the price book."""

    actor: str | None
    loadedAt: str
    origin: "Origin"
    priceVersion: str


class Budget(TypedDict):
    """How much may be used of something in each period, and how that stands."""

    amount: Decimal
    anomalyAlert: bool
    currency: str | None
    enforced: bool
    forecastAlert: bool
    id: str
    measure: "Measure"
    name: str
    period: "Period"
    state: "BudgetState | None"
    target: "Target"
    thresholds: list[int]
    value: str | None


class BudgetState(TypedDict):
    """How a budget stands."""

    exhausted: bool
    forecast: Decimal | None
    forecastMethod: str | None
    measuredAt: str
    otherCurrencies: bool
    percent: Decimal
    periodEnd: str
    periodStart: str
    unpricedRequests: int
    used: Decimal


class BudgetToAgree(TypedDict):
    """A budget; one with its id is changed to it."""

    amount: str
    anomalyAlert: NotRequired[bool]
    currency: NotRequired[str | None]
    enforced: NotRequired[bool]
    forecastAlert: NotRequired[bool]
    id: str
    measure: "Measure"
    name: str
    period: "Period"
    target: "Target"
    thresholds: NotRequired[list[int]]
    value: NotRequired[str | None]


class CallCount(TypedDict):
    """How many interactions a list holds on all its pages, as far as was counted."""

    atLeast: bool
    count: int


class CallError(TypedDict):
    """The error that the caller of the model saw."""

    code: str | None
    message: str | None


class CapacityHour(TypedDict):
    """An hour of capacity: `cost` is the sum of its calls' charges and `amount`, to the last digit."""

    amount: Decimal | None
    basis: Literal["capacity", "hour", "none"]
    calls: int
    capacity: int | None
    cost: Decimal | None
    currency: str
    deployment: str
    host: str | None
    hour: str
    kind: "CapacityKind"
    line: Literal["idle", "rounding", "unmetered", "hosting"]
    priceVersion: str
    units: int
    unmeteredCalls: int
    used: int


class CloseRequest(TypedDict):
    """Which month to close."""

    month: str


class ClosedMonth(TypedDict):
    """A month that was closed."""

    actor: str
    closedAt: str
    digest: str
    lineCount: int
    month: str
    pendingCalls: int
    unmeteredCalls: int
    unpricedCalls: int


class ContentFilter(TypedDict):
    """What the content filter did; null is unknown."""

    categories: Any
    completionFiltered: bool | None
    failed: bool
    promptFiltered: bool | None


class ContentTexts(TypedDict):
    """The texts as plain strings and the bodies as JSON, or as a string where they are none."""

    completion: str | None
    prompt: str | None
    request: Any
    response: Any


class CostStatement(TypedDict):
    """Part of the lines of a month's statement, and the totals of all of them."""

    calls: int
    closed: bool
    items: list["StatementLine"]
    month: str
    nextCursor: str | None
    totals: list["StatementTotal"]
    unpricedCalls: int


class Decision(TypedDict):
    """Whether budgets let a call pass."""

    allowed: bool
    budgets: list["RefusingBudget"]
    message: str | None


class DeploymentEntry(TypedDict):
    """What a deployment is, from a day on."""

    endedVersion: str | None
    host: str | None
    id: str
    model: str | None
    name: str
    priceVersion: str
    region: str | None
    sku: str
    validFrom: str | None
    validTo: str | None
    version: str | None


class DeploymentToAdd(TypedDict):
    """A DeploymentToAdd."""

    host: NotRequired[str | None]
    model: NotRequired[str | None]
    name: str
    region: NotRequired[str | None]
    sku: Literal[
        "GlobalStandard",
        "DataZoneStandard",
        "Standard",
        "DeveloperTier",
        "GlobalBatch",
        "DataZoneBatch",
        "GlobalProvisionedManaged",
        "DataZoneProvisionedManaged",
        "ProvisionedManaged",
    ]
    validFrom: NotRequired[str | None]
    validTo: NotRequired[str | None]
    version: NotRequired[str | None]


class DeploymentsToAdd(TypedDict):
    """What deployments are: all entries are added, or none."""

    entries: list["DeploymentToAdd"]


class DiscardRequest(TypedDict):
    """Why an event is worth nothing."""

    reason: str


class Discarded(TypedDict):
    """An event whose bytes were forgotten."""

    discarded: bool
    id: str


class Duration(TypedDict):
    """How long calls took, in milliseconds, each figure within a twentieth."""

    calls: int
    p50: int
    p95: int
    p99: int


class End(TypedDict):
    """When an entry ends."""

    validTo: str


class ErrorsByCode(TypedDict):
    """Calls that failed alike."""

    code: str | None
    httpStatus: int | None
    requests: int


class ExportAnswer(TypedDict):
    """An export, and how far it is."""

    bytes: int
    expiresAt: str | None
    filters: dict[str, Any]
    finishedAt: str | None
    format: "ExportFormat"
    id: str
    kind: "ExportKind"
    parts: int
    purpose: str | None
    reason: str | None
    rows: int
    state: "ExportState"
    until: str
    wantedAt: str


class ExportRequest(TypedDict):
    """What is wanted as files."""

    filters: NotRequired[dict[str, Any]]
    format: "ExportFormat"
    kind: "ExportKind"
    purpose: NotRequired[str | None]


class FoundAmiss(TypedDict):
    """Something missing in an hour, of one kind."""

    detail: Any
    foundAt: str
    hour: str
    hub: str | None
    kind: str
    number: int
    resolvedAt: str | None


class GrantAnswer(TypedDict):
    """A grant; it counts from `givenAt` until `validTo`, unless it was ended."""

    caseId: str
    endedAt: str | None
    endedBy: str | None
    givenAt: str | None
    givenBy: str | None
    hours: int
    id: str
    reader: str
    reason: str
    validTo: str | None
    wantedAt: str
    wantedBy: str


class GrantToGet(TypedDict):
    """What a reader asks for."""

    caseId: str
    hours: NotRequired[int]
    reason: str


class Interaction(TypedDict):
    """One client call to one Azure OpenAI operation; null is unknown, unknown lists are empty."""

    apiId: str | None
    apiVersion: str | None
    appId: str | None
    attempts: list[Any]
    awaited: list[str]
    backendId: str | None
    backendMs: Decimal | None
    cached: bool | None
    callerIp: str | None
    callersDiffer: bool
    charge: "InteractionCharge | None"
    codeSessions: int | None
    completionPreview: str | None
    contentFilter: "ContentFilter"
    costCentre: str | None
    deployment: str | None
    endUserId: str | None
    error: "CallError | None"
    fileSearches: int | None
    finishReasons: list[Any]
    gatewayRegion: str | None
    httpStatus: int | None
    id: str
    identity: dict[str, Any] | None
    latencyMs: Decimal | None
    method: str | None
    model: str | None
    notCaptured: str | None
    occurredAt: str
    operation: str
    operationId: str | None
    parameters: dict[str, Any] | None
    path: str | None
    possibleRefusal: bool
    productId: str | None
    promptPreview: str | None
    requestBytes: int | None
    requestedModel: str | None
    responseBytes: int | None
    responseId: str | None
    servedDeployment: str | None
    serviceTier: str | None
    sessionId: str | None
    snippet: NotRequired["Snippet | None"]
    sources: list[str]
    spillover: dict[str, Any] | None
    state: "State"
    streamed: bool | None
    subscriptionId: str | None
    tags: dict[str, Any] | None
    team: str | None
    timeReplaced: bool
    timeToFirstByteMs: Decimal | None
    toolCalls: int | None
    truncated: bool
    unknownWords: list[str]
    unreadable: str | None
    usage: "TokenUsage"
    userId: str | None
    vendor: str | None
    webSearches: int | None


class InteractionCharge(TypedDict):
    """What a call costs; `docs/cost.md` says how it comes about."""

    amount: Decimal | None
    confidence: "Confidence"
    currency: str | None
    priceVersion: str | None
    reason: str | None


class InteractionPage(TypedDict):
    """One page of interactions; `degraded` and `waiting` are in answers to `q`, `total` where it was asked for."""

    degraded: NotRequired[bool | None]
    items: list["Interaction"]
    nextCursor: str | None
    total: NotRequired["CallCount | None"]
    waiting: NotRequired[int | None]


class Manifest(TypedDict):
    """What an export that is done consists of."""

    bytes: int
    filters: dict[str, Any]
    format: "ExportFormat"
    id: str
    kind: "ExportKind"
    parts: list["ManifestPart"]
    purpose: str | None
    rows: int
    wantedAt: str
    wantedBy: str


class ManifestPart(TypedDict):
    """A ManifestPart."""

    bytes: int
    file: str
    number: int
    rows: int
    sha256: str


class Me(TypedDict):
    """Who the caller is to this API."""

    appId: str | None
    groupsKnown: bool
    id: str
    name: str | None
    purposeNeeded: bool
    roles: list["MyRole"]


class MyReach(TypedDict):
    """Calls that have one of these; none where all are empty."""

    products: list[str]
    subscriptions: list[str]
    teams: list[str]


class MyRole(TypedDict):
    """A role, and how far it extends."""

    reach: "MyReach | None"
    role: "Role"


class OwnUsage(TypedDict):
    """The caller's own usage, and his own budgets."""

    budgets: list["Budget"]
    items: list["Usage"]
    nextCursor: str | None
    userId: str


class PageOfAccessRecord(TypedDict):
    """A PageOfAccessRecord."""

    items: list["AccessRecord"]
    nextCursor: str | None


class PageOfAlert(TypedDict):
    """A PageOfAlert."""

    items: list["Alert"]
    nextCursor: str | None


class PageOfAssignment(TypedDict):
    """A PageOfAssignment."""

    items: list["Assignment"]
    nextCursor: str | None


class PageOfBookVersion(TypedDict):
    """A PageOfBookVersion."""

    items: list["BookVersion"]
    nextCursor: str | None


class PageOfBudget(TypedDict):
    """A PageOfBudget."""

    items: list["Budget"]
    nextCursor: str | None


class PageOfCapacityHour(TypedDict):
    """A PageOfCapacityHour."""

    items: list["CapacityHour"]
    nextCursor: str | None


class PageOfClosedMonth(TypedDict):
    """A PageOfClosedMonth."""

    items: list["ClosedMonth"]
    nextCursor: str | None


class PageOfDeploymentEntry(TypedDict):
    """A PageOfDeploymentEntry."""

    items: list["DeploymentEntry"]
    nextCursor: str | None


class PageOfExportAnswer(TypedDict):
    """A PageOfExportAnswer."""

    items: list["ExportAnswer"]
    nextCursor: str | None


class PageOfFoundAmiss(TypedDict):
    """A PageOfFoundAmiss."""

    items: list["FoundAmiss"]
    nextCursor: str | None


class PageOfGrantAnswer(TypedDict):
    """A PageOfGrantAnswer."""

    items: list["GrantAnswer"]
    nextCursor: str | None


class PageOfPrice(TypedDict):
    """A PageOfPrice."""

    items: list["Price"]
    nextCursor: str | None


class PageOfPrompt(TypedDict):
    """A PageOfPrompt."""

    items: list["Prompt"]
    nextCursor: str | None


class PageOfQuarantinedEvent(TypedDict):
    """A PageOfQuarantinedEvent."""

    items: list["QuarantinedEvent"]
    nextCursor: str | None


class PageOfReachAnswer(TypedDict):
    """A PageOfReachAnswer."""

    items: list["ReachAnswer"]
    nextCursor: str | None


class PageOfReservation(TypedDict):
    """A PageOfReservation."""

    items: list["Reservation"]
    nextCursor: str | None


class PageOfRestatement(TypedDict):
    """A PageOfRestatement."""

    items: list["Restatement"]
    nextCursor: str | None


class PageOfStatistics(TypedDict):
    """A PageOfStatistics."""

    items: list["Statistics"]
    nextCursor: str | None


class PageOfUsage(TypedDict):
    """A PageOfUsage."""

    items: list["Usage"]
    nextCursor: str | None


class PartitionBalance(TypedDict):
    """The balance of one partition."""

    duplicate: int
    hub: str
    lastEnqueuedAt: str | None
    lastSequence: int | None
    partition: str
    pending: int
    quarantined: int
    received: int
    skipped: int
    stored: int


class Price(TypedDict):
    """One price, from a day on. It never changes: it may be ended, and another one follows."""

    aboveTokens: int
    amount: Decimal
    currency: str
    dated: str
    endedVersion: str | None
    id: str
    model: str
    own: bool
    priceVersion: str
    region: str | None
    scope: "Scope"
    source: str
    tier: "Tier"
    unit: "Unit"
    validFrom: str | None
    validTo: str | None
    variant: str | None
    version: str | None


class PriceToAdd(TypedDict):
    """A PriceToAdd."""

    aboveTokens: NotRequired[int | None]
    amount: str
    currency: str
    dated: str
    model: str
    region: NotRequired[str | None]
    scope: "Scope"
    source: str
    tier: NotRequired["Tier"]
    unit: "Unit"
    validFrom: NotRequired[str | None]
    validTo: NotRequired[str | None]
    variant: NotRequired[str | None]
    version: NotRequired[str | None]


class PricesToAdd(TypedDict):
    """Prices of the organisation's own: all are added, or none."""

    entries: list["PriceToAdd"]


class Problem(TypedDict):
    """A problem document, RFC 9457."""

    detail: str
    errors: NotRequired[list[dict[str, Any]] | None]
    parameter: NotRequired[str | None]
    role: NotRequired[str | None]
    status: int
    title: str
    type: str


class Prompt(TypedDict):
    """A call, its prompt's size and its beginning."""

    id: str
    inputTokens: int | None
    model: str | None
    occurredAt: str
    promptPreview: str | None


class QuarantinedBody(TypedDict):
    """The bytes of an event: as text when they are UTF-8, else in base64; keys and tokens were taken out."""

    body: str | None
    bodyBase64: str | None
    enqueuedAt: str
    hub: str
    id: str
    partition: str
    sequence: int


class QuarantinedEvent(TypedDict):
    """An event that cannot be understood; its bytes are not shown."""

    enqueuedAt: str
    hub: str
    id: str
    parserVersion: str
    partition: str
    reason: str
    sequence: int
    size: int


class ReachAnswer(TypedDict):
    """An entry."""

    addedAt: str
    addedBy: str
    endedAt: str | None
    endedBy: str | None
    holder: str
    id: str
    isGroup: bool
    matched: "ReachKind"
    role: "Role"
    validFrom: str
    validTo: str | None
    value: str


class ReachToAdd(TypedDict):
    """A role of somebody, or of an Entra group, and calls that it extends to."""

    holder: str
    isGroup: NotRequired[bool]
    matched: "ReachKind"
    role: "Role"
    validFrom: NotRequired[str | None]
    validTo: NotRequired[str | None]
    value: NotRequired[str]


class ReadInteractions(TypedDict):
    """Which interactions an answer held: each of them, or of a large answer what proves which they were."""

    count: NotRequired[int | None]
    first: NotRequired[str | None]
    ids: NotRequired[list[str] | None]
    last: NotRequired[str | None]
    sha256: NotRequired[str | None]


class ReconcileRequest(TypedDict):
    """An export of Azure Cost Management."""

    export: str
    tolerance: NotRequired[Decimal | str]


class Reconciliation(TypedDict):
    """All comparisons of an export."""

    items: list["Variance"]
    purchases: Decimal


class RefusingBudget(TypedDict):
    """An enforced budget that is used up."""

    id: str
    name: str
    until: str


class Removed(TypedDict):
    """A budget that was taken away."""

    id: str
    removed: bool


ReplayRequest = TypedDict(
    "ReplayRequest",
    {
        "cursor": NotRequired[str | None],
        "from": NotRequired[str | None],
        "ids": NotRequired[list[str] | None],
        "limit": NotRequired[int],
        "to": NotRequired[str | None],
    },
)
"""Which events of quarantine to try again: by id, or by the time they were enqueued."""


class ReplayResult(TypedDict):
    """What became of the events that were tried again: how many are in which class now."""

    duplicate: int
    nextCursor: str | None
    pending: int
    quarantined: int
    received: int
    skipped: int
    stored: int
    unknown: list[str]


class Reservation(TypedDict):
    """So many units for a deployment, from an hour on. Several for the same hours add up."""

    amount: Decimal
    currency: str
    deployment: str
    endedVersion: str | None
    host: str | None
    id: str
    kind: "CapacityKind"
    model: str | None
    per: "Per"
    priceVersion: str
    source: str
    units: int
    validFrom: str
    validTo: str | None
    version: str | None


class ReservationToAdd(TypedDict):
    """A ReservationToAdd."""

    amount: str
    currency: str
    deployment: str
    host: NotRequired[str | None]
    kind: NotRequired["CapacityKind"]
    model: NotRequired[str | None]
    per: "Per"
    source: str
    units: int
    validFrom: str
    validTo: NotRequired[str | None]
    version: NotRequired[str | None]


class ReservationsToAdd(TypedDict):
    """Capacity that is paid for: all entries are added, or none."""

    entries: list["ReservationToAdd"]


class Restated(TypedDict):
    """A restatement that was asked for."""

    restatement: str


class RestatedAmount(TypedDict):
    """What the calls of a period come to, in one currency."""

    amount: Decimal | None
    currency: str | None
    requests: int
    unpricedRequests: int


Restatement = TypedDict(
    "Restatement",
    {
        "actor": str | None,
        "after": list["RestatedAmount"],
        "before": list["RestatedAmount"],
        "finishedAt": str | None,
        "from": str,
        "priceVersion": str | None,
        "reason": str,
        "restatedAt": str,
        "restatement": str,
        "to": str,
    },
)
"""A period that is charged by another version of the price book."""


RestatementRequest = TypedDict(
    "RestatementRequest", {"from": str, "priceVersion": str | None, "reason": str, "to": str}
)
"""Which hours are to be charged by which version of the price book, and why."""


SearchRequest = TypedDict(
    "SearchRequest",
    {
        "apiId": NotRequired[str | None],
        "appId": NotRequired[str | None],
        "backendId": NotRequired[str | None],
        "bypass": NotRequired[bool | None],
        "cached": NotRequired[bool | None],
        "callerIp": NotRequired[str | None],
        "callersDiffer": NotRequired[bool | None],
        "costCentre": NotRequired[str | None],
        "cursor": NotRequired[str | None],
        "deployment": NotRequired[str | None],
        "endUserId": NotRequired[str | None],
        "error": NotRequired[bool | None],
        "errorCode": NotRequired[str | None],
        "estimated": NotRequired[bool | None],
        "filterCategory": NotRequired[
            Literal[
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
            | None
        ],
        "filterFailed": NotRequired[bool | None],
        "filterSeverity": NotRequired[Literal["low", "medium", "high"] | None],
        "filterSide": NotRequired[Literal["prompt", "completion"] | None],
        "filtered": NotRequired[bool | None],
        "finishReason": NotRequired[str | None],
        "from": NotRequired[str | None],
        "gatewayRegion": NotRequired[str | None],
        "hasToolCalls": NotRequired[bool | None],
        "httpStatus": NotRequired[int | None],
        "limit": NotRequired[int],
        "minAmount": NotRequired[Decimal | None],
        "minLatencyMs": NotRequired[int | None],
        "minTotalTokens": NotRequired[int | None],
        "model": NotRequired[str | None],
        "operation": NotRequired[
            Literal[
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
            | None
        ],
        "possibleRefusal": NotRequired[bool | None],
        "productId": NotRequired[str | None],
        "purpose": NotRequired[str | None],
        "q": str,
        "requestedModel": NotRequired[str | None],
        "sessionId": NotRequired[str | None],
        "source": NotRequired[
            Literal[
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
            | None
        ],
        "state": NotRequired["State | None"],
        "streamed": NotRequired[bool | None],
        "subscriptionId": NotRequired[str | None],
        "team": NotRequired[str | None],
        "to": NotRequired[str | None],
        "truncated": NotRequired[bool | None],
        "unreadable": NotRequired[bool | None],
        "userId": NotRequired[str | None],
        "vendor": NotRequired[
            Literal["anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "openai", "other"]
            | None
        ],
    },
)
"""The same as a body, so that what is sought stands in no log of addresses."""


class Snippet(TypedDict):
    """Where a text matches."""

    part: Literal["prompt", "completion"]
    text: str


class StatementLine(TypedDict):
    """What the calls of one payer through one deployment cost; null is unknown."""

    amount: Decimal | None
    calls: int
    confidence: str | None
    costCentre: str | None
    currency: str | None
    deployment: str | None
    kind: Literal["charge", "idle", "adjustment", "unpriced"]
    model: str | None
    month: str
    productId: str | None
    subscriptionId: str | None
    team: str | None


class StatementTotal(TypedDict):
    """What all lines in one currency add up to, on whatever page they stand."""

    adjustments: Decimal
    amount: Decimal
    charges: Decimal
    currency: str
    idle: Decimal


class Statistics(TypedDict):
    """One group: what `/usage` says of it, how long its calls took, and how they failed."""

    amount: Decimal | None
    appId: NotRequired[str | None]
    averageTotalTokens: Decimal | None
    blocklisted: int
    cachedInputTokens: int
    cachedRequests: int
    callerIp: NotRequired[str | None]
    completionFiltered: int
    costCentre: NotRequired[str | None]
    currency: str | None
    deployment: NotRequired[str | None]
    errors: int
    errorsByCode: list["ErrorsByCode"]
    filterFailures: int
    filteredRequests: int
    indirectAttacks: int
    inputTokens: int
    intervalStart: str | None
    jailbreaks: int
    latencyMs: "Duration | None"
    model: NotRequired[str | None]
    operation: NotRequired[str | None]
    outputTokens: int
    productId: NotRequired[str | None]
    promptFiltered: int
    protectedMaterial: int
    reasoningTokens: int
    requests: int
    subscriptionId: NotRequired[str | None]
    team: NotRequired[str | None]
    throttledRequests: int
    timeToFirstByteMs: "Duration | None"
    totalTokens: int
    unmeteredRequests: int
    unpricedRequests: int
    userId: NotRequired[str | None]
    vendor: NotRequired[str | None]


class TokenUsage(TypedDict):
    """What a call used; null is unknown, never 0."""

    audioInputTokens: int | None
    audioOutputTokens: int | None
    cacheWrite1hTokens: int | None
    cacheWriteTokens: int | None
    cachedInputTokens: int | None
    characters: int | None
    imageInputTokens: int | None
    imageOutputTokens: int | None
    images: int | None
    inputTokens: int | None
    outputTokens: int | None
    provenance: "Provenance"
    reasoningTokens: int | None
    seconds: Decimal | None
    totalTokens: int | None


class Usage(TypedDict):
    """One group's usage. Dimensions that were not asked for are left out."""

    amount: Decimal | None
    appId: NotRequired[str | None]
    averageTotalTokens: Decimal | None
    blocklisted: int
    cachedInputTokens: int
    cachedRequests: int
    callerIp: NotRequired[str | None]
    completionFiltered: int
    costCentre: NotRequired[str | None]
    currency: str | None
    deployment: NotRequired[str | None]
    errors: int
    filterFailures: int
    filteredRequests: int
    indirectAttacks: int
    inputTokens: int
    intervalStart: str | None
    jailbreaks: int
    model: NotRequired[str | None]
    operation: NotRequired[str | None]
    outputTokens: int
    productId: NotRequired[str | None]
    promptFiltered: int
    protectedMaterial: int
    reasoningTokens: int
    requests: int
    subscriptionId: NotRequired[str | None]
    team: NotRequired[str | None]
    throttledRequests: int
    totalTokens: int
    unmeteredRequests: int
    unpricedRequests: int
    userId: NotRequired[str | None]
    vendor: NotRequired[str | None]


class Variance(TypedDict):
    """What was billed beside what was charged."""

    account: str | None
    billedAmount: Decimal
    billedQuantity: Decimal
    bypassCalls: int
    cause: (
        Literal["rounding", "price", "not-metered", "bypass", "missing", "not-billed", "more-charged", "currency"]
        | None
    )
    chargedAmount: Decimal
    chargedQuantity: Decimal
    currency: str | None
    day: str
    deployments: Any
    kind: str
    meters: Any
    model: str
    variance: Decimal
    withinTolerance: bool


class VerifiedMonth(TypedDict):
    """A closed month, and whether its lines are still those that were closed."""

    actor: str
    closedAt: str
    digest: str
    intact: bool
    lineCount: int
    month: str
    pendingCalls: int
    unmeteredCalls: int
    unpricedCalls: int
