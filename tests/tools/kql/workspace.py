"""The tables of Log Analytics that our saved queries read, as Azure Monitor's reference of tables has them."""

__all__ = ["WORKSPACE"]

_STANDARD = "TenantId: string, TimeGenerated: datetime, Type: string, SourceSystem: string, _ResourceId: string"
_APP = "AppRoleInstance: string, AppRoleName: string, ItemCount: int, OperationId: string, Properties: dynamic"
WORKSPACE = {
    "AppExceptions": f"({_STANDARD}, {_APP}, ExceptionType: string, OuterMessage: string, SeverityLevel: int)",
    "AppMetrics": f"({_STANDARD}, {_APP}, Max: real, Min: real, Name: string, Sum: real)",
    "AppTraces": f"({_STANDARD}, {_APP}, Message: string, SeverityLevel: int)",
    "CDBDataPlaneRequests": f"({_STANDARD}, OperationName: string, RequestCharge: real, StatusCode: int)",
    "ApiManagementGatewayLogs": f"""({_STANDARD}, ApiId: string, ApimSubscriptionId: string, ApiRevision: string,
        BackendId: string, BackendMethod: string, BackendProtocol: string, BackendRequestBody: string,
        BackendRequestHeaders: dynamic, BackendResponseBody: string, BackendResponseCode: int,
        BackendResponseHeaders: dynamic, BackendTime: long, BackendUrl: string, Cache: string, CacheTime: long,
        CallerIpAddress: string, Category: string, ClientProtocol: string, ClientTime: long, ClientTlsVersion: string,
        CorrelationId: string, Errors: dynamic, IsMasterTrace: bool, IsRequestSuccess: bool, IsTraceAllowed: bool,
        IsTraceExpired: bool, IsTraceRequested: bool, LastErrorElapsed: long, LastErrorMessage: string,
        LastErrorReason: string, LastErrorScope: string, LastErrorSection: string, LastErrorSource: string,
        Method: string, OperationId: string, OperationName: string, ProductId: string, Region: string,
        RequestBody: string, RequestHeaders: dynamic, RequestSize: int, ResponseBody: string, ResponseCode: int,
        ResponseHeaders: dynamic, ResponseSize: int, TotalTime: long, TraceRecords: dynamic, Url: string,
        UserId: string)""",
    "ApiManagementGatewayLlmLog": f"""({_STANDARD}, ApiVersion: string, CompletionTokens: int, CorrelationId: string,
        DeploymentName: string, IsStreamCompletion: bool, ModelName: string, OperationName: string, PromptTokens: int,
        Region: string, RequestId: string, RequestMessages: dynamic, ResponseMessages: dynamic, SequenceNumber: int,
        TotalTokens: int)""",
    "AzureDiagnostics": f"""({_STANDARD}, CallerIPAddress: string, Category: string, CorrelationId: string,
        DurationMs: long, Level: string, OperationName: string, OperationVersion: string, Resource: string,
        ResourceGroup: string, ResourceId: string, ResourceProvider: string, ResourceType: string,
        ResultDescription: string, ResultSignature: string, ResultType: string, SubscriptionId: string,
        properties_s: string)""",
}
"""Azure Monitor's own tables, by its reference of tables. `properties_s` is what Azure OpenAI's `properties` become."""
