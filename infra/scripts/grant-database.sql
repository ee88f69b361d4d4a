-- Makes the app's identity a user of the ledger with the role promptledger_app: rows, not tables. Run once per database by a
-- member of the administrators' group, after the migrations and the script that makes the roles, from inside the network:
--
--   sqlcmd -b -S "$SQL_HOST_NAME" -d promptledger -G -v app="$APP_IDENTITY_NAME" -i infra/scripts/grant-database.sql
--
-- May be run again at will.
set xact_abort on;
begin transaction;

if database_principal_id(N'promptledger_app') is null
    throw 50000, 'The role promptledger_app is not there: run the script that makes the roles first.', 1;

if database_principal_id(N'$(app)') is null
    create user [$(app)] from external provider;

alter role promptledger_app add member [$(app)];

commit transaction;
