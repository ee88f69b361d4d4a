"""What API Management allows in policy expressions: types by their full name, members where not all are.

Source: "API Management policy expressions", sections ".NET Framework types allowed in policy expressions" and
"Context variable", of Microsoft's documentation.
"""

__all__ = ["ALLOWED_TYPES", "CONTEXT_MEMBERS", "FULL_NAMES"]

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
    IO.StringReader IO.StringWriter Linq.Enumerable Math MidpointRounding Net.IPAddress Net.WebUtility Nullable Random
    SByte Single String StringComparer StringComparison StringSplitOptions Text.Encoding
    Text.RegularExpressions.RegexOptions
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
