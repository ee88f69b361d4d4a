#!/bin/sh
# Before and after the files come to the operator machine, in parts that infra/scripts/operator_machine.py makes: has the tools
# installed, then joins the parts and unpacks what they make, if it is what was sent.
#
#   PART=begin | PART=end, DIGEST=the SHA-256 of the tar in it
set -eu
umask 077
folder=/opt/promptledger

missing() {
    for tool in az python3 sqlcmd xz; do command -v "$tool" >/dev/null || echo "$tool"; done
    odbcinst -q -d -n 'ODBC Driver 18 for SQL Server' >/dev/null 2>&1 || echo 'ODBC Driver 18'
}

case $PART in
begin)
    # On its first start the machine installs what it needs, some minutes long.
    cloud-init status --wait >/dev/null || true
    [ -z "$(missing)" ] || install-tools
    [ -z "$(missing)" ] || { echo "The machine lacks:" $(missing) >&2; exit 1; }
    rm -rf "$folder/incoming"
    mkdir -p "$folder/incoming"
    ;;
end)
    cd "$folder"
    cat incoming/??? | xz --decompress >files.tar || true
    echo "$DIGEST  files.tar" | sha256sum --check --status ||
        { echo 'The files arrived damaged: send them again.' >&2; exit 1; }
    rm -rf sent release
    mkdir release
    tar --extract --file files.tar --directory release
    rm -r incoming files.tar
    echo "$DIGEST" >sent
    echo 'The machine has the files of this checkout.'
    ;;
esac
