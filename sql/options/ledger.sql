-- Option `ledger`: the access log becomes an append-only ledger table: no one, no
-- administrator either, can change or remove a row unseen (sys.sp_verify_database_ledger tells).
-- Costs:  a hash for each row; rows can never be deleted, so retention leaves this table alone.
-- Needs:  the right `enable ledger`, and the digests kept where the database's owner cannot write. Run it as an
--         administrator, or sql/roles.sql right after it: the app's right goes with the old table, and the
--         pipeline's role cannot grant it again.
-- Undo:   there is none; that is the point.
-- A table cannot be turned into a ledger table: a new one takes its place, with all rows, in one transaction.
if exists (select 1 from sys.tables where object_id = object_id(N'dbo.content_read') and ledger_type = 0)
begin
    set xact_abort on;
    begin transaction;
    exec sys.sp_rename N'dbo.content_read.pk_content_read', N'pk_content_read_before', N'INDEX';
    exec sys.sp_rename N'dbo.content_read', N'content_read_before';
    exec sys.sp_executesql N'
        create table dbo.content_read (
            id bigint not null identity,
            read_at datetime2(3) not null,
            reader nvarchar(256) not null,
            route nvarchar(64) not null,
            subject nvarchar(1024) not null,
            reader_name nvarchar(256) null,
            app_id nvarchar(64) collate Latin1_General_100_BIN2 null,
            roles nvarchar(128) null,
            purpose nvarchar(256) null,
            row_count bigint null,
            interactions nvarchar(max) null,
            request_id nvarchar(64) collate Latin1_General_100_BIN2 null,
            result nvarchar(16) null,
            constraint pk_content_read primary key (id)
        )
        with (ledger = on (append_only = on));';
    -- Its new name locks the old table for everybody else, until the end.
    exec sys.sp_executesql N'
        insert into dbo.content_read (read_at, reader, route, subject, reader_name, app_id, roles, purpose, row_count,
            interactions, request_id, result)
        select read_at, reader, route, subject, reader_name, app_id, roles, purpose, row_count, interactions,
            request_id, result
        from dbo.content_read_before order by id;
        create index ix_content_read_time on dbo.content_read (read_at, id);
        create index ix_content_read_reader on dbo.content_read (reader, read_at, id);';
    drop table dbo.content_read_before;
    -- Rights went with the old table.
    if database_principal_id(N'promptledger_app') is not null
        grant select, insert on dbo.content_read to promptledger_app;
    commit transaction;
end
