#!/bin/sh
# Before `azd down`: takes the app's roles off hubs that were there before, and says what stays.
set -eu
: "${AZURE_RESOURCE_GROUP:?}"

echo "\`azd down\` deletes the resource group $AZURE_RESOURCE_GROUP with all that stands in it: ledger, texts, logs, hubs made here."
if [ -n "${EXISTING_EVENT_HUBS_ID:-}" ] && [ -n "${APP_IDENTITY_NAME:-}" ]; then
    namespace=${EXISTING_EVENT_HUBS_ID##*/}
    if principal=$(az identity show --resource-group "$AZURE_RESOURCE_GROUP" --name "$APP_IDENTITY_NAME" --query principalId --output tsv); then
        for hub in "${EXISTING_GATEWAY_HUB:-gateway}" "${EXISTING_MONITOR_HUB:-monitor}"; do
            az role assignment delete --assignee "$principal" --scope "$EXISTING_EVENT_HUBS_ID/eventhubs/$hub" --output none
        done
        echo "Your namespace $namespace stays with its hubs, groups and events; the app's roles there are gone."
    else
        echo "Your namespace $namespace stays. The app's identity cannot be read: look whether roles of nobody are left on its hubs." >&2
    fi
fi
for kept in "${EXISTING_WORKSPACE_ID:-}" "${EXISTING_VIRTUAL_NETWORK_ID:-}" "${EXISTING_PRIVATE_DNS_ZONES_ID:-}"; do
    [ -z "$kept" ] || echo "${kept##*/} stays as it is: it was there before."
done
if [ -z "${EXISTING_WORKSPACE_ID:-}" ]; then
    echo "The Log Analytics workspace can be brought back for 14 days, at no charge; \`azd down --purge\` deletes it for good."
fi
if [ -n "${AUDIT_CLIENT_ID:-}" ]; then
    echo "The Entra application of the audit API stays, with the roles that people have: az ad app delete --id $AUDIT_CLIENT_ID"
fi
