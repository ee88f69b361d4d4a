"""Source `ai-hub-gateway`: one usage record per call, without any text."""

import orjson

from localhost.traffic.calls import Call, Sent
from localhost.traffic.dice import Dice
from localhost.traffic.times import net_text

__all__ = ["events"]


def events(call: Call, dice: Dice) -> list[Sent]:
    """Return the call's record."""
    usage, team = call.response["usage"], call.caller.team
    ended_at = call.started_at + call.backend_ms
    location = team.region.replace(" ", "")
    record = {
        "id": call.response.get("id") or call.id,
        "timestamp": net_text(ended_at),
        "appId": team.app_id,
        "subscriptionId": team.subscription_id,
        "productName": f"OAI-{team.product_id.title()}",
        "targetService": call.operation.object,
        "model": call.deployment.model,
        "gatewayName": "apim-example",
        "gatewayRegion": team.region,
        "aiGatewayId": "managed",
        "RequestIp": call.caller.ip,
        "operationName": call.operation.display_name,
        "sessionId": "NA",
        "endUserId": "NA",
        "backendId": "openai-backend-0",
        "routeLocation": location.lower(),
        "routeName": location,
        "deploymentName": call.deployment.name,
        "promptTokens": usage["prompt_tokens"],
        "responseTokens": usage.get("completion_tokens", 0),
        "totalTokens": usage["total_tokens"],
    }
    body = orjson.dumps(record, option=orjson.OPT_INDENT_2)
    return [Sent(ended_at + dice.between(3, 60), "gateway", None, None, body)]
