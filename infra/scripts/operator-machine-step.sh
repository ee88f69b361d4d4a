#!/usr/bin/env bash
# One step of a deployment, on the operator machine, in the files that infra/scripts/on-operator-machine sent there.
#
#   operator-machine-step.sh import-certificate | set-secret | prepare-database | deploy
#
# What it is told comes in the environment; secrets among it lie in memory alone while the step runs, and go with it. Signs in
# as the machine's own identity.
set -euo pipefail
umask 077
step=${1:?STEP}

scratch=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$scratch"' EXIT
export AZURE_CONFIG_DIR=$scratch/azure AZURE_CORE_COLLECT_TELEMETRY=false
venv=../venv

sign_in() { az login --identity --client-id "$OPERATOR_CLIENT_ID" --allow-no-subscriptions --output none; }
# A secret of the environment into a file of its own, out of sight of all that is started afterwards.
keep() {
    printf %s "${!1}" | base64 --decode >"$scratch/$1"
    unset "$1"
}

case $step in
import-certificate)
    keep CERTIFICATE
    unlock=()
    if [ -n "${CERTIFICATE_PASSWORD-}" ]; then
        printf %s "$CERTIFICATE_PASSWORD" >"$scratch/password"
        unset CERTIFICATE_PASSWORD
        unlock=(--password "@$scratch/password")
    fi
    sign_in
    secret=$(az keyvault certificate import --vault-name "$KEY_VAULT_NAME" --name clients \
        --file "$scratch/CERTIFICATE" "${unlock[@]}" --query sid --output tsv)
    # Without its version: Application Gateway then takes over each later one.
    echo "The vault has the certificate: ${secret%/*}"
    ;;
set-secret)
    keep SECRET
    sign_in
    az keyvault secret set --vault-name "$KEY_VAULT_NAME" --name "$SECRET_NAME" --file "$scratch/SECRET" \
        --encoding utf-8 --output none
    echo "The vault has the secret $SECRET_NAME."
    ;;
prepare-database)
    .ci/venv "$venv" requirements-local.txt
    AZURE_CLIENT_ID=$OPERATOR_CLIENT_ID VENV=$venv infra/scripts/prepare-database
    ;;
deploy)
    .ci/venv "$venv" requirements-local.txt
    mkdir -p build
    "$venv/bin/python" .ci/package.py build/app.zip
    .ci/functions "$venv" >build/functions.txt
    sign_in
    timeout 2700 .ci/deploy "$AZURE_RESOURCE_GROUP" "$AZURE_FUNCTION_APP_NAME" build/app.zip build/functions.txt
    ;;
*)
    echo "There is no step $step" >&2
    exit 2
    ;;
esac
