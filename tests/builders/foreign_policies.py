"""Policies of gateways that are not ours, as people write them, in the form that API Management gives out (`rawxml`).

They are raw: quotes and `<` stand in expressions as they are.
"""

from typing import Any, NamedTuple

from infra.scripts.gateway_capture.document import read_policy
from infra.scripts.gateway_capture.surroundings import Scope, Surroundings

__all__ = ["ACCEPTED", "REFUSED", "Foreign", "a_policy", "around", "named", "section"]

REST = {"backend": "<base />", "outbound": "<base />", "on-error": "<base />"}


class Foreign(NamedTuple):
    """A policy, what runs around it, and why it is refused."""

    text: str | None
    around: Surroundings = Surroundings()
    reason: str = ""
    after: str = ""
    """How what stands before capture in inbound ends, without blanks around it; empty: capture is first."""
    variable: str = ""
    """The variable that capture is told to read the token from."""
    note: str = ""


def section(name: str, content: str | None) -> str:
    """Return a section; nothing for None."""
    return "" if content is None else f"    <{name}>\n        {content}\n    </{name}>\n"


def a_policy(inbound: str | None = "<base />", **others: str | None) -> str:
    """Return a policy with this inbound section, and others that hold `base` alone."""
    named = {name.replace("_", "-"): content for name, content in others.items()}
    sections = {"inbound": inbound} | REST | named
    return "<policies>\n" + "".join(section(name, content) for name, content in sections.items()) + "</policies>"


def around(
    *,
    service: str = "",
    product: str = "",
    operation: str = "",
    fragments: dict[str, str] | None = None,
    knows_callers: bool = True,
) -> Surroundings:
    """Return what runs around an API: policies of the service, of one product and of one operation, and fragments."""
    parents = [("the policy of all APIs", service), ("the product gold", product)]
    read: dict[str, Any] = {name: read_policy(text, "fragment") for name, text in (fragments or {}).items()}
    return Surroundings(
        [Scope(name, read_policy(text)) for name, text in parents if text],
        [Scope("the operation chat", read_policy(operation))] if operation else [],
        read,
        knows_callers,
    )


ENTRA = """<validate-azure-ad-token tenant-id="{{aad-tenant}}">
            <audiences>
                <audience>api://models</audience>
            </audiences>
        </validate-azure-ad-token>"""
JWT = """<validate-jwt header-name="Authorization"{0}>
            <openid-config url="https://id.example/.well-known/openid-configuration" />
        </validate-jwt>"""
REFUSAL = '<return-response><set-status code="{0}" reason="No" /></return-response>'


def named(variable: str) -> str:
    """Return the attribute that leaves a token in a variable."""
    return f' output-token-variable-name="{variable}"'


CORS = '<cors allow-credentials="false"><allowed-origins><origin>*</origin></allowed-origins></cors>'

ACCEPTED: dict[str, Foreign] = {
    "none at all": Foreign(None),
    "the one that the portal makes": Foreign(a_policy()),
    "subscription and a managed identity": Foreign(
        a_policy(
            '<base />\n        <authentication-managed-identity resource="https://cognitiveservices.azure.com" '
            'output-token-variable-name="msi" />\n        <set-header name="Authorization" exists-action="override">\n'
            '            <value>@("Bearer " + (string)context.Variables["msi"])</value>\n        </set-header>'
        )
    ),
    "an Entra token in no variable": Foreign(
        a_policy(f'<base />\n        {ENTRA}\n        <rate-limit calls="5" renewal-period="60" />'),
        after="</validate-azure-ad-token>",
        variable="promptledger-token",
    ),
    "a JWT in a variable of its own": Foreign(
        a_policy(JWT.format(named("jwt")) + "\n        <base />"),
        after="</validate-jwt>",
        variable="jwt",
    ),
    "a token in our variable": Foreign(
        a_policy(JWT.format(named("caller-token")) + "<base />"), after="</validate-jwt>"
    ),
    "tokens of two issuers, by branch": Foreign(
        a_policy(
            "<choose>\n            "
            '<when condition="@(context.Request.Headers.GetValueOrDefault("X-Tenant","") == "a")">\n'
            f"                {JWT.format('')}\n            </when>\n            <otherwise>\n                "
            f"{ENTRA}\n            </otherwise>\n        </choose>\n        <base />"
        ),
        after="</choose>",
        variable="promptledger-token",
    ),
    "one token named, one not": Foreign(
        a_policy(JWT.format(named("jwt")) + JWT.format("")),
        after="</validate-jwt>",
        variable="jwt",
        note="leaves its token in no variable",
    ),
    "quotes and < in attributes": Foreign(
        a_policy(
            "<base />\n        "
            '<set-variable name="small" value="@(context.Request.Headers.GetValueOrDefault("n","<9>").Length < 3 '
            '&& true ? "a\\"<b" : "c")" />\n        <set-variable name=\'one\' value=\'@("it is >" + "so")\' />'
        )
    ),
    "code in braces with every kind of string": Foreign(
        a_policy(
            '<base />\n        <set-variable name="odd" value="@{\n'
            '            // a ) that closes nothing, "and an open quote\n'
            "            /* } */ var c = '\"'; var d = ')'; var e = '\\u0028';\n"
            '            var f = @"a "" ) \\"; var g = $"{c}{(c == \'x\' ? "{" : ")")} {{ }}"; var h = $@"\\ {g}""";\n'
            '            return f + g + h;\n        }" />'
        )
    ),
    "a body in CDATA and a comment with code": Foreign(
        a_policy(
            "<base />",
            outbound="<base />\n        <!-- <inbound> context.Response.Body.As<string>() ]]> -->\n"
            "        <set-body><![CDATA[<policies><inbound></outbound> @( ]]></set-body>",
        )
    ),
    "a transformed answer": Foreign(
        a_policy(
            "<base />",
            outbound="<base />\n        <set-body>@{ var b = context.Response.Body.As<JObject>(); "
            'b["x"] = 1 < 2; return b.ToString(); }</set-body>',
        )
    ),
    "a question that is looked into": Foreign(
        a_policy(
            '<set-variable name="model" '
            'value="@((string)context.Request.Body?.As<JObject>(preserveContent: true)["model"])" />\n'
            '        <set-backend-service backend-id="pool" />\n        <base />'
        )
    ),
    "a question that is written anew, after it was captured": Foreign(
        a_policy("<base />\n        <set-body>@(context.Request.Body.As<JObject>().ToString())</set-body>")
    ),
    "empty sections that close themselves": Foreign(
        "<policies>\n    <inbound />\n    <backend>\n        <base />\n    </backend>\n    <outbound/>\n"
        "    <on-error></on-error>\n</policies>\n"
    ),
    "without on-error": Foreign(a_policy("<base />", on_error=None)),
    "inbound alone": Foreign("<policies><inbound><base /></inbound></policies>"),
    "all in one line": Foreign(
        '<policies><inbound><base /></inbound><backend><forward-request timeout="60" /></backend>'
        "<outbound><base /></outbound><on-error><base /></on-error></policies>"
    ),
    "tabs, Windows line ends, blank lines": Foreign(
        a_policy('<base />\n\n\n        <rewrite-uri template="/x" />\n').replace("    ", "\t").replace("\n", "\r\n")
        + "\r\n\r\n"
    ),
    "comments around, an instruction, blanks in tags": Foreign(
        '<?xml version="1.0"?>\n<!-- Owner: team-ai -->\n<policies >\n<inbound\n>\n<base\n/>\n</inbound >'
        "\n<backend><base/></backend>"
        "\n<outbound><!-- nothing --></outbound>\n<on-error>\n\n</on-error></policies>\n<!-- end -->"
    ),
    "no base anywhere": Foreign(
        a_policy(
            '<set-backend-service base-url="https://x.example" />', outbound='<set-status code="200" />', on_error=""
        )
    ),
    "preflights answered by all APIs' policy": Foreign(
        a_policy(
            '<set-header name="a" exists-action="delete" />\n        <base />\n'
            '        <rate-limit calls="1" renewal-period="9" />'
        ),
        around(service=a_policy(CORS)),
        after="<base />",
    ),
    "preflights and a filter by address": Foreign(
        a_policy(
            f'{CORS}\n        <ip-filter action="allow"><address>10.0.0.1</address></ip-filter>\n        <base />'
        ),
        after="</ip-filter>",
    ),
    "a token that the product validates": Foreign(
        a_policy('<base />\n        <set-backend-service backend-id="x" />'),
        around(product=a_policy(f"<base />{JWT.format(named('t'))}")),
        after="<base />",
        variable="t",
    ),
    "a token that a fragment of theirs validates": Foreign(
        a_policy('<include-fragment fragment-id="authenticate" />\n        <base />'),
        around(fragments={"authenticate": f"<fragment>{JWT.format(named('claims'))}</fragment>"}),
        after='fragment-id="authenticate" />',
        variable="claims",
    ),
    "a key of their own, checked by hand": Foreign(
        a_policy(
            '<choose><when condition="@(context.Request.Headers.GetValueOrDefault("x-key","") != "{{key}}")">'
            f"{REFUSAL.format(401)}</when></choose>\n        <base />"
        ),
        around(knows_callers=False),
        after="</choose>",
        note="answers itself",
    ),
    "an API without subscription whose token is validated": Foreign(
        a_policy(f"<base />{JWT.format('')}"),
        around(knows_callers=False),
        after="</validate-jwt>",
        variable="promptledger-token",
    ),
    "another vendor's, with retries and a semantic cache behind": Foreign(
        a_policy(
            "<base />\n        "
            '<set-header name="x-api-key" exists-action="override"><value>{{vendor-key}}</value></set-header>'
            '\n        <llm-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="e" />',
            backend='<retry condition="@(context.Response.StatusCode == 429 && context.Response.Body != null)" '
            'count="2" interval="1">'
            '<forward-request buffer-request-body="true" /></retry>',
            outbound='<llm-semantic-cache-store duration="60" />\n        <base />',
        )
    ),
    "a backend that is chosen by hand": Foreign(
        a_policy('<set-variable name="backend-id" value="@("pool-" + context.Deployment.Region)" /><base />')
    ),
    "an operation with a policy of its own": Foreign(
        a_policy(), around(operation=a_policy("<base /><set-body>{}</set-body>")), note=""
    ),
    "an operation without on-error": Foreign(
        a_policy(), around(operation=a_policy(on_error=None)), note="has no on-error"
    ),
    "escapes where they need not be": Foreign(
        a_policy('<base /><set-variable name="a" value="@(&quot;)&quot; + &quot;\\&quot;(&quot;)" />')
    ),
}
"""Name -> a policy that can be attached."""

REFUSED: dict[str, Foreign] = {
    "a question that is read as a stream": Foreign(
        a_policy(f'<set-variable name="b" value="@(context.Request.Body.As<string>())" />{JWT.format("")}<base />'),
        reason="reads the body without preserveContent",
    ),
    "a question that is read by a name of its own": Foreign(
        a_policy(
            '<set-variable name="b" value="@{ var body = context.Request.Body; return body.As<string>(); }" />' + ENTRA
        ),
        reason="reads the body without preserveContent",
    ),
    "a question that a condition reads": Foreign(
        a_policy(
            '<choose><when condition="@(context.Request.Body.As<string>() == "")">'
            f"{REFUSAL.format(401)}</when></choose><base />"
        ),
        reason="the condition of <when> reads the body",
    ),
    "a question that is written anew before the token is validated": Foreign(
        a_policy(f"<set-body>{{}}</set-body>{JWT.format('')}"), reason="<set-body> replaces the body"
    ),
    "a cache before the token is validated": Foreign(
        a_policy(f'<cache-lookup vary-by-developer="false" vary-by-developer-groups="false" />{JWT.format("")}'),
        reason="<cache-lookup> ends inbound",
    ),
    "a cache in what base stands for": Foreign(
        a_policy(f"<base />{ENTRA}"),
        around(product=a_policy('<base /><azure-openai-semantic-cache-lookup score-threshold="1" />')),
        reason="what <base /> stands for: <azure-openai-semantic-cache-lookup>",
    ),
    "an answer that is read as a stream, in backend": Foreign(
        a_policy(
            backend='<retry condition="@(context.Response.Body.As<string>().Contains("x"))" count="1" interval="1">'
            "<forward-request /></retry>"
        ),
        reason="backend: the condition of <retry> reads the body",
    ),
    "an answer that all APIs' backend reads": Foreign(
        a_policy(),
        around(
            service=a_policy(
                backend='<forward-request /><set-variable name="a" value="@(context.Response.Body.As<string>())" />'
            )
        ),
        reason="backend: <set-variable> reads the body",
    ),
    "a fragment of theirs that reads the question": Foreign(
        a_policy(f'<include-fragment fragment-id="look" />{ENTRA}'),
        around(
            fragments={
                "look": '<fragment><set-variable name="m" value="@(context.Request.Body.As<JObject>())" /></fragment>'
            }
        ),
        reason="<set-variable> reads the body without preserveContent",
    ),
    "a fragment that is not there": Foreign(
        a_policy('<include-fragment fragment-id="gone" /><base />'), reason="fragment gone, which is not there"
    ),
    "an operation that leaves base out of inbound": Foreign(
        a_policy(), around(operation=a_policy("")), reason="operation chat leaves <base /> out of inbound"
    ),
    "an operation that leaves base out of outbound": Foreign(
        a_policy(), around(operation=a_policy(outbound="")), reason="operation chat leaves <base /> out of outbound"
    ),
    "an operation that leaves base out of on-error": Foreign(
        a_policy(), around(operation=a_policy(on_error='<set-status code="500" />')), reason="out of on-error"
    ),
    "an operation with base in a branch": Foreign(
        a_policy(),
        around(operation=a_policy('<choose><when condition="@(true)"><base /></when></choose>')),
        reason="operation chat leaves <base /> out of inbound",
    ),
    "an operation without outbound": Foreign(
        a_policy(), around(operation=a_policy(outbound=None)), reason="operation chat has no outbound"
    ),
    "an operation that reads the question first": Foreign(
        a_policy(),
        around(operation=a_policy('<set-variable name="x" value="@(context.Request.Body.As<string>())" /><base />')),
        reason="operation chat, before <base />: <set-variable> reads",
    ),
    "an operation that reads the answer first": Foreign(
        a_policy(),
        around(operation=a_policy(outbound="<set-body>@(context.Response.Body.As<string>())</set-body><base />")),
        reason="operation chat, before <base />: <set-body> reads",
    ),
    "callers whom nobody asks who they are": Foreign(
        a_policy(CORS), around(knows_callers=False), reason="anybody may call this API"
    ),
    "capture in the policy of all APIs": Foreign(
        a_policy(),
        around(service=a_policy('<include-fragment fragment-id="capture-request" />')),
        reason="captures already",
    ),
    "half of capture, by hand": Foreign(
        a_policy('<include-fragment fragment-id="capture-request" />'), reason="includes capture-request by hand"
    ),
    "a variable of our name": Foreign(
        a_policy('<set-variable name="capture-body" value="1" /><base />'), reason="sets the variable capture-body"
    ),
    "a token of another kind in our variable": Foreign(
        a_policy('<authentication-managed-identity resource="r" output-token-variable-name="caller-token" />'),
        reason="sets the variable caller-token",
    ),
    "a backend-id that may be a number": Foreign(
        a_policy('<set-variable name="backend-id" value="@(new Random().Next(3))" /><base />'),
        reason="write \\(string\\) before it",
    ),
    "tokens in several variables": Foreign(
        a_policy(JWT.format(named("a")) + JWT.format(named("b"))),
        reason=r"several variables \(a, b\)",
    ),
    "a missing section, where all APIs have something there": Foreign(
        a_policy(on_error=None),
        around(service=a_policy(on_error='<set-status code="500" />')),
        reason="the policy has no on-error",
    ),
    "two inbounds": Foreign("<policies><inbound /><inbound /></policies>", reason="not understood: inbound"),
    "a section of another name": Foreign(
        "<policies><inbound /><oubound /></policies>", reason="not understood: oubound"
    ),
    "a section with an attribute": Foreign(
        '<policies><inbound x="y" /></policies>', reason="<inbound> holds what is not"
    ),
    "no section": Foreign("<policies></policies>", reason="has no sections"),
    "no policies": Foreign("<fragment><base /></fragment>", reason="<policies> is expected"),
    "an element without an end": Foreign(
        "<policies><inbound><base></inbound></policies>", reason="line 1, column 26: </base> is"
    ),
    "an end of another element": Foreign("<policies><inbound></outbound></policies>", reason="</inbound> is expected"),
    "an expression without an end": Foreign(
        a_policy('<set-variable name="a" value="@(1 + (2)" />'), reason="expression"
    ),
    "a string without an end": Foreign(a_policy('<set-body>@("a)</set-body>'), reason="a string or character"),
    "a comment without an end": Foreign("<policies><!-- <inbound /></policies>", reason="<!-- has no -->"),
    "an attribute twice": Foreign('<policies><inbound><base a="1" a="2" /></inbound></policies>', reason="has a twice"),
    "an attribute without quotes": Foreign(
        "<policies><inbound><base a=1 /></inbound></policies>", reason="an attribute is"
    ),
    "something after the end": Foreign("<policies><inbound /></policies><policies />", reason="something follows"),
    "text in a section": Foreign("<policies><inbound>hello</inbound></policies>", reason="<inbound> holds what is not"),
    "an empty section written over lines": Foreign(
        "<policies><inbound\n/><outbound /><on-error /></policies>", reason="write it as <inbound />"
    ),
    "nothing": Foreign("", reason="<policies> is expected"),
}
"""Name -> a policy that is left as it is, and why."""
