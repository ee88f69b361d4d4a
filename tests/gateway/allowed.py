"""What API Management allows: types and members in policy expressions; attributes and elements of each policy.

Sources: of Microsoft's documentation in 2026, "API Management policy expressions", sections ".NET Framework types
allowed in policy expressions" and "Context variable", and the reference page of each policy; the analyser of allowed
types and the compilers of Microsoft's policy toolkit (Azure/azure-api-management-policy-toolkit, May 2026).
"""

from typing import NamedTuple

__all__ = ["ALLOWED_TYPES", "CONTEXT_MEMBERS", "FULL_NAMES", "REFERENCE", "Reference"]

_CRYPTOGRAPHY = """
    AsymmetricAlgorithm CipherMode HashAlgorithm HashAlgorithmName HMAC HMACMD5 HMACSHA1 HMACSHA256 HMACSHA384
    HMACSHA512
    KeyedHashAlgorithm MD5 Oid PaddingMode RNGCryptoServiceProvider RSA RSAEncryptionPadding RSASignaturePadding SHA1
    SHA1Managed SHA256 SHA256Managed SHA384 SHA384Managed SHA512 SHA512Managed SymmetricAlgorithm
""".split()
_COLLECTIONS = """
    Dictionary HashSet ICollection IDictionary IEnumerable IEnumerator IList IReadOnlyCollection IReadOnlyDictionary
    ISet KeyValuePair List Queue Stack
""".split()
_LINQ_TO_JSON = "Extensions JArray JConstructor JContainer JObject JProperty JRaw JToken JTokenType JValue".split()
_SYSTEM = """
    Array BitConverter Boolean Byte Char Convert DateTimeOffset Decimal Double Exception Guid Int16 Int32 Int64
    IO.StringReader IO.StringWriter Linq.Enumerable Math MidpointRounding Net.WebUtility Nullable Object Random SByte
    Single String StringComparer StringComparison StringSplitOptions Text.Encoding Text.RegularExpressions.RegexOptions
    Text.StringBuilder TimeSpan TimeZone TimeZoneInfo.AdjustmentRule TimeZoneInfo.TransitionTime TimeZoneInfo Tuple
    UInt16 UInt32 UInt64 Uri UriPartial
""".split()

ALLOWED_TYPES: dict[str, frozenset[str] | None] = {
    **dict.fromkeys(f"System.{name}" for name in _SYSTEM),
    **dict.fromkeys(f"System.Collections.Generic.{name}" for name in _COLLECTIONS),
    **dict.fromkeys(f"System.Security.Cryptography.{name}" for name in _CRYPTOGRAPHY),
    **dict.fromkeys(f"Newtonsoft.Json.Linq.{name}" for name in _LINQ_TO_JSON),
    "Newtonsoft.Json.Formatting": None,
    "Newtonsoft.Json.JsonConvert": frozenset({"SerializeObject", "DeserializeObject"}),
    "System.DateTime": frozenset(
        """
        Add AddDays AddHours AddMilliseconds AddMinutes AddMonths AddSeconds AddTicks AddYears Date Day DayOfWeek
        DayOfYear DaysInMonth Hour IsDaylightSavingTime IsLeapYear MaxValue Millisecond Minute MinValue Month Now Parse
        Second Subtract Ticks TimeOfDay Today ToString UtcNow Year
        """.split()
    ),
    "System.DateTimeKind": frozenset({"Utc"}),
    "System.Enum": frozenset({"Parse", "TryParse", "ToString"}),
    "System.Net.IPAddress": frozenset(
        "AddressFamily Equals GetAddressBytes IsLoopback Parse TryParse ToString".split()
    ),
    "System.Text.RegularExpressions.Capture": frozenset({"Index", "Length", "Value"}),
    "System.Text.RegularExpressions.CaptureCollection": frozenset({"Count", "Item"}),
    "System.Text.RegularExpressions.Group": frozenset({"Captures", "Success"}),
    "System.Text.RegularExpressions.GroupCollection": frozenset({"Count", "Item"}),
    "System.Text.RegularExpressions.Match": frozenset({"Empty", "Groups", "Result"}),
    "System.Text.RegularExpressions.Regex": frozenset("IsMatch Match Matches Replace Unescape Split".split()),
}
"""Type -> its members, None when all are allowed. Those of certificates and of XML are left out: we use none."""

CONTEXT_MEMBERS: dict[str, frozenset[str]] = {
    "context": frozenset(
        """
        Api Deployment Elapsed LastError Operation Product Request RequestId Response Subscription Timestamp Tracing
        User Variables Trace
        """.split()
    ),
    "context.Api": frozenset("Id IsCurrentRevision Name Path Revision ServiceUrl Version".split()),
    "context.Deployment": frozenset("GatewayId Region ServiceName Certificates".split()),
    "context.LastError": frozenset("Source Reason Message Scope Section Path PolicyId".split()),
    "context.Operation": frozenset("Id Method Name UrlTemplate".split()),
    "context.Product": frozenset("Apis ApprovalRequired Groups Id Name State SubscriptionLimit".split()),
    "context.Request": frozenset(
        """
        Body Certificate Headers IpAddress MatchedParameters Method OriginalUrl Url PrivateEndpointConnection
        """.split()
    ),
    "context.Response": frozenset("Body Headers StatusCode StatusReason".split()),
    "context.Subscription": frozenset("CreatedDate EndDate Id Key Name PrimaryKey SecondaryKey StartDate".split()),
    "context.User": frozenset("Email FirstName Groups Id Identities LastName Note RegistrationDate".split()),
    "context.Variables": frozenset({"ContainsKey", "GetValueOrDefault"}),
    "IMessageBody": frozenset({"As"}),
    "IUrl": frozenset("Host Path Port Query QueryString Scheme".split()),
    "Jwt": frozenset("Algorithm Audiences Claims ExpirationTime Id Issuer IssuedAt NotBefore Subject Type".split()),
    "System.Collections.Generic.IReadOnlyDictionary": frozenset({"ContainsKey", "GetValueOrDefault"}),
}
"""What `context` and what hangs on it have. Headers, queries, claims and variables have `GetValueOrDefault`."""

FULL_NAMES = {
    "string": "System.String",
    "long": "System.Int64",
    "bool": "System.Boolean",
    "byte": "System.Byte",
    "Convert": "System.Convert",
    "DateTime": "System.DateTime",
    "Encoding": "System.Text.Encoding",
    "JsonConvert": "Newtonsoft.Json.JsonConvert",
    "JArray": "Newtonsoft.Json.Linq.JArray",
    "JObject": "Newtonsoft.Json.Linq.JObject",
    "JProperty": "Newtonsoft.Json.Linq.JProperty",
    "JTokenType": "Newtonsoft.Json.Linq.JTokenType",
    "Math": "System.Math",
    "BitConverter": "System.BitConverter",
    "Regex": "System.Text.RegularExpressions.Regex",
    "StringComparison": "System.StringComparison",
    "Jwt": "Jwt",
    "IResponse": "context.Response",
}
"""How the policies write a type -> its full name; any other is written in full."""


class Reference(NamedTuple):
    """How a policy is written: its attributes, and the elements that it may hold, in their order."""

    required: str
    optional: str = ""
    elements: str = ""


_KEPT = "caching-type"
_LIMIT = "retry-after-header-name retry-after-variable-name"
_TOKENS = f"""
    tokens-per-minute token-quota token-quota-period {_LIMIT} remaining-quota-tokens-header-name
    remaining-quota-tokens-variable-name remaining-tokens-header-name remaining-tokens-variable-name
    tokens-consumed-header-name tokens-consumed-variable-name
"""

REFERENCE: dict[str, Reference] = {
    "authentication-managed-identity": Reference("resource", "client-id output-token-variable-name ignore-error"),
    "azure-openai-token-limit": Reference("counter-key estimate-prompt-tokens", _TOKENS),
    "base": Reference(""),
    "cache-lookup-value": Reference("key variable-name", f"default-value {_KEPT}"),
    "cache-store-value": Reference("key value duration", _KEPT),
    "check-header": Reference("name failed-check-httpcode failed-check-error-message ignore-case", elements="value"),
    "choose": Reference("", elements="when otherwise"),
    "forward-request": Reference(
        "",
        "timeout timeout-ms continue-timeout http-version follow-redirects buffer-request-body buffer-response "
        "fail-on-error-status-code",
    ),
    "include-fragment": Reference("fragment-id"),
    "log-to-eventhub": Reference("logger-id", "partition-id partition-key"),
    "rate-limit-by-key": Reference(
        "calls renewal-period counter-key",
        f"increment-condition increment-count increment-after-response {_LIMIT} remaining-calls-header-name "
        "remaining-calls-variable-name total-calls-header-name",
    ),
    "retry": Reference("condition count interval", "max-interval delta first-fast-retry"),
    "send-request": Reference(
        "response-variable-name",
        "mode timeout ignore-error",
        "set-url set-method set-header set-body authentication-certificate authentication-managed-identity proxy",
    ),
    "set-backend-service": Reference("", "base-url backend-id"),
    "set-header": Reference("name", "exists-action", "value"),
    "set-query-parameter": Reference("name", "exists-action", "value"),
    "set-variable": Reference("name value"),
    "validate-azure-ad-token": Reference(
        "tenant-id",
        "header-name query-parameter-name token-value authentication-endpoint failed-validation-httpcode "
        "failed-validation-error-message output-token-variable-name",
        "backend-application-ids client-application-ids audiences required-claims decryption-keys",
    ),
}
"""Policies that we use -> how they are written. `retry` and the branches of `choose` hold policies."""
