-- Makes the app's identity a user of the ledger with the role promptledger_app: rows, not tables. Run once per database by a
-- member of the administrators' group, after the migrations and the script that makes the roles, from inside the network:
--
--   sqlcmd -b -S "$SQL_HOST_NAME" -d promptledger -G -v app="$APP_IDENTITY_NAME" id="$APP_IDENTITY_CLIENT_ID" \
--       -i infra/scripts/grant-database.sql
--
-- May be run again at will. The user is made from the identity's client id, not looked up by its name: a look-up needs an
-- administrator who may read the directory, which the operator machine may not.
set xact_abort on;
begin transaction;

declare @sid varbinary(16) = convert(varbinary(16), convert(uniqueidentifier, N'$(id)'));
declare @create nvarchar(400) =
    N'create user ' + quotename(N'$(app)') + N' with sid = ' + convert(nvarchar(34), @sid, 1) + N', type = E';

if database_principal_id(N'promptledger_app') is null
    throw 50000, 'The role promptledger_app is not there: run the script that makes the roles first.', 1;

-- An identity that was removed and made anew has another id: its user of before lets nobody in.
if exists (select 1 from sys.database_principals where name = N'$(app)' and sid <> @sid)
    drop user [$(app)];

if database_principal_id(N'$(app)') is null
    exec (@create);

alter role promptledger_app add member [$(app)];

commit transaction;
