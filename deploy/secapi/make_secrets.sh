#!/bin/sh
# Make the secrets of an installation, each in a file of its own: ./make_secrets.sh [FOLDER] (default: secrets)
set -eu
folder=${1:-secrets}
if [ -e "$folder" ]; then
    echo "$folder is there already; its databases know these passwords. Name another folder, or remove it." >&2
    exit 2
fi
umask 077
mkdir "$folder"
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
write() { printf '%s' "$2" > "$folder/$1"; }

superuser=$(random)
owner=$(random)
application=$(random)
write postgres_password "$superuser"
write superuser_url "postgresql://postgres:$superuser@postgresql/postgres"
write database_owner_url "postgresql+psycopg://secapi_owner:$owner@postgresql/secapi"
write database_url "postgresql+psycopg://secapi_app:$application@postgresql/secapi"
write accounts_signing_key "$(random)"
write webhook_signing_key "$(random)"
# Of the mail server; empty: it asks for none.
write mail_password "${MAIL_PASSWORD:-}"
# Processes in containers run as another user; the folder keeps everybody else on this machine out.
chmod 0444 "$folder"/*
echo "Made $folder; keep a copy of it with the backups, and nowhere else."
