-- Makes the app's identity a user of the ledger, with no more than it needs: rows, not tables. Run once per database by a
-- member of the administrators' group, after the migrations, from inside the network:
--
--   sqlcmd -S "$SQL_HOST_NAME" -d promptledger -G -v app="$APP_IDENTITY_NAME" -i infra/scripts/grant-database.sql
--
-- May be run again at will.
set xact_abort on;
begin transaction;

if not exists (select 1 from sys.database_principals where name = N'$(app)')
    create user [$(app)] from external provider;

if not exists (select 1 from sys.database_principals where name = N'promptledger_app' and type = 'R')
    create role promptledger_app;

grant select, insert, update, delete on schema::dbo to promptledger_app;
alter role promptledger_app add member [$(app)];

commit transaction;
