#!/usr/bin/env bash
# Makes the Entra application of the audit API with its four roles, or brings an existing one up to date; run it again at will.
# Entra objects are no part of a resource group, so no template makes them. Needs: az, signed in, with the right to register
# applications (Application Developer).
#
#   infra/scripts/audit-app.sh NAME
#
# Prints the client id: give it to the templates as AUDIT_CLIENT_ID.
set -euo pipefail

name=${1:?NAME of the application, such as promptledger-audit-prod}

# Ids are fixed, so that assignments survive; `value` is what the app reads in a token's claim `roles`.
roles=$(cat <<'JSON'
[
  {"id": "5b0c1d0e-4f4c-4a39-9c57-0a0d6f0a1b01", "value": "Usage.Read", "displayName": "Usage reader",
   "description": "Reads usage and how prompts are counted, never a text.", "isEnabled": true, "allowedMemberTypes": ["User", "Application"]},
  {"id": "5b0c1d0e-4f4c-4a39-9c57-0a0d6f0a1b02", "value": "Audit.Read", "displayName": "Auditor",
   "description": "Reads interactions without their texts.", "isEnabled": true, "allowedMemberTypes": ["User", "Application"]},
  {"id": "5b0c1d0e-4f4c-4a39-9c57-0a0d6f0a1b03", "value": "Content.Read", "displayName": "Content reader",
   "description": "Reads prompts and answers; each reading is recorded.", "isEnabled": true, "allowedMemberTypes": ["User", "Application"]},
  {"id": "5b0c1d0e-4f4c-4a39-9c57-0a0d6f0a1b04", "value": "Audit.Admin", "displayName": "Audit administrator",
   "description": "Handles quarantine, holds and erasure.", "isEnabled": true, "allowedMemberTypes": ["User", "Application"]}
]
JSON
)

found=$(az ad app list --display-name "$name" --query '[].appId' --output tsv)
case $(wc -w <<<"$found") in
    0) client=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv) ;;
    1) client=$found ;;
    *) echo "There is more than one application named $name: rename or remove all but one." >&2; exit 1 ;;
esac

az ad app update --id "$client" --identifier-uris "api://$client" --app-roles "$roles"

# People sign in with a scope, and Azure CLI may ask for it in their name: an auditor needs no other tool. The scope must be
# there before a client can be allowed to use it, hence two steps.
graph="https://graph.microsoft.com/v1.0/applications(appId='$client')"
scope=5b0c1d0e-4f4c-4a39-9c57-0a0d6f0a1b10
azure_cli=04b07795-8ddb-461a-bbee-02f9e1bf7b46
patch() { az rest --method patch --url "$graph" --headers Content-Type=application/json --body "$1" --output none; }
patch '{"api": {"requestedAccessTokenVersion": 2, "oauth2PermissionScopes": [{"id": "'"$scope"'", "value": "user_impersonation",
  "type": "User", "isEnabled": true, "adminConsentDisplayName": "Ask the audit API",
  "adminConsentDescription": "Asks the audit API in the name of the person who signed in."}]}}'
patch '{"api": {"preAuthorizedApplications": [{"appId": "'"$azure_cli"'", "delegatedPermissionIds": ["'"$scope"'"]}]}}'

if ! az ad sp show --id "$client" --output none 2>/dev/null; then
    az ad sp create --id "$client" --output none
fi
# Nobody gets a token for this API but those who were given a role.
az ad sp update --id "$client" --set appRoleAssignmentRequired=true
echo "$client"
