#!/bin/sh
# After provisioning in the open isolation: migrations, roles and the app's grant, then the app, then a sample event through all of
# it. Doors open for this machine's address while they are needed, and close again whatever happens.
#
# Reads the azd environment: outputs of the deployment, AZURE_RESOURCE_GROUP, AUDIT_CLIENT_ID. DEPLOYER_ADDRESS where Azure SQL
# cannot say which address this machine comes from. SMOKE_TEST=skip leaves the sample event out.
set -eu
cd "$(dirname "$0")/../../.."

if [ "${ISOLATION:-}" != open ]; then
    echo "The estate is private: this machine cannot reach it. Go on with docs/deploy.md, The whole estate, private."
    exit 0
fi
: "${AZURE_RESOURCE_GROUP:?}" "${SQL_HOST_NAME:?}" "${AZURE_FUNCTION_APP_NAME:?}" "${EVENT_HUBS_ID:?}" "${EVENT_HUBS_GATEWAY_HUB:?}"
group=$AZURE_RESOURCE_GROUP app=$AZURE_FUNCTION_APP_NAME
server=${SQL_HOST_NAME%%.*}
namespace=${EVENT_HUBS_ID##*/}
hub=$EVENT_HUBS_ID/eventhubs/$EVENT_HUBS_GATEWAY_HUB
# Azure Event Hubs Data Sender.
sender=2b629674-e913-4c01-ae53-ef4638d8f975
rule=promptledger-hook
venv=${VENV:-.venv}
attempts=${ATTEMPTS:-60} pause=${PAUSE:-10}
scratch=$(mktemp -d)
open='' address=''

# door NAME open|close
door() {
    case "$1 $2" in
    "sql open")
        az sql server firewall-rule create --resource-group "$group" --server "$server" --name "$rule" \
            --start-ip-address "$address" --end-ip-address "$address" --output none ;;
    "sql close")
        az sql server firewall-rule delete --resource-group "$group" --server "$server" --name "$rule" --output none ;;
    "app open")
        az functionapp config access-restriction add --resource-group "$group" --name "$app" --rule-name "$rule" \
            --action Allow --ip-address "$address/32" --priority 100 --output none ;;
    "app close")
        az functionapp config access-restriction remove --resource-group "$group" --name "$app" --rule-name "$rule" --output none ;;
    "hubs open")
        az eventhubs namespace network-rule-set ip-rule add --resource-group "$group" --namespace-name "$namespace" \
            --ip-rule ip-address="$address" action=Allow --output none ;;
    "hubs close")
        az eventhubs namespace network-rule-set ip-rule remove --resource-group "$group" --namespace-name "$namespace" \
            --ip-rule ip-address="$address" action=Allow --output none ;;
    "sending open")
        az role assignment create --assignee-object-id "$me" --assignee-principal-type User --role "$sender" --scope "$hub" \
            --output none ;;
    "sending close")
        az role assignment delete --assignee "$me" --role "$sender" --scope "$hub" --output none ;;
    esac
}

open_door() {
    # Noted first: a door that opened although the command failed must be closed as well.
    open="$1 $open"
    door "$1" open
}

close_door() {
    if ! door "$1" close 2>"$scratch/said"; then
        # A door that never opened cannot be closed.
        case $(cat "$scratch/said") in
        *"not found"* | *NotFound* | *"was not found"* | *"No access restriction"* | *"No matched assignments"* | *"does not exist"*) ;;
        *)
            cat "$scratch/said" >&2
            return 1
            ;;
        esac
    fi
}

close_all() {
    code=$?
    trap - EXIT
    trap '' HUP INT TERM
    for one in $open; do
        if ! close_door "$one"; then
            echo "STILL OPEN for $address: $one of $group. Run \`azd hooks run postprovision\` again, or close it in the portal." >&2
            [ "$code" != 0 ] || code=1
        fi
    done
    rm -rf "$scratch"
    exit "$code"
}
trap close_all EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

query() { sqlcmd -b -h -1 -W -S "$SQL_HOST_NAME" -d promptledger -G -Q "set nocount on; $1" 2>&1; }

# Azure SQL says which address it sees: it turns it away, or it knows it as that of the connection.
find_address() {
    address=${DEPLOYER_ADDRESS:-}
    [ -z "$address" ] || return 0
    said=$(query 'select client_net_address from sys.dm_exec_connections where session_id = @@spid') || true
    address=$(printf '%s\n' "$said" | grep -E -o '([0-9]{1,3}\.){3}[0-9]{1,3}' | head -n 1)
    if [ -z "$address" ]; then
        echo "Azure SQL does not say which address this machine comes from: azd env set DEPLOYER_ADDRESS ADDRESS. It said:" >&2
        printf '%s\n' "$said" >&2
        return 1
    fi
}

until_it_answers() {
    left=$attempts
    until said=$(query 'select 1'); do
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            echo "The ledger's server does not let $address in:" >&2
            printf '%s\n' "$said" >&2
            return 1
        fi
        sleep "$pause"
    done
}

# A run that was killed may have left its doors open.
close_door sql
close_door app
find_address

open_door sql
until_it_answers
.ci/venv "$venv" requirements-local.txt
VENV=$venv infra/scripts/prepare-database
close_door sql
open=''

"$venv/bin/python" .ci/package.py build/app.zip
.ci/functions "$venv" >"$scratch/functions"
open_door app
.ci/deploy "$group" "$app" build/app.zip "$scratch/functions"

if [ "${SMOKE_TEST:-}" = skip ]; then
    echo "No sample event was sent: SMOKE_TEST is skip."
    exit 0
fi
# Hubs that were there before keep their firewall and their roles as they are.
if [ "${EVENT_HUBS_MADE:-}" = True ] || [ "${EVENT_HUBS_MADE:-}" = true ]; then
    me=$(az ad signed-in-user show --query id --output tsv)
    held=$(az role assignment list --assignee "$me" --role "$sender" --scope "$hub" --query '[].id' --output tsv)
    open_door hubs
    # Whoever may send already goes on to.
    [ -n "$held" ] || open_door sending
fi
infra/scripts/smoke-test
echo "Done: https://$APP_HOST_NAME/api/docs is the audit API, for the addresses in CALLER_PREFIXES."
