-- Option `fulltext`: full-text indexes on the words of whole prompts and completions, by which the audit API searches,
-- and on how they begin, for analysts.
-- Costs:  the words of each call once more, each once and without their order (index_words takes them in, and reads the
--         content of each call for it), and indexes that follow every change, a few seconds behind.
-- Needs:  nothing on Azure SQL; on a server of your own, the full-text service.
-- Use:    where contains((prompt_preview, completion_preview), N'"word*"')
-- Undo:   drop fulltext index on dbo.interaction; drop fulltext index on dbo.word_entry; drop fulltext catalog
--         promptledger; drop trigger dbo.word_mark_stored, dbo.word_mark_removed, dbo.word_mark_erased; and empty
--         dbo.word_entry, dbo.word_mark and dbo.word_volume.
-- Language 0 is none in particular, and no word is left out: people write in all of them.
if not exists (select 1 from sys.fulltext_catalogs where name = N'promptledger')
    create fulltext catalog promptledger;
GO
if not exists (select 1 from sys.fulltext_indexes where object_id = object_id(N'dbo.interaction'))
    create fulltext index on dbo.interaction (prompt_preview language 0, completion_preview language 0)
        key index pk_interaction on promptledger
        with (change_tracking = auto, stoplist = off);
GO
if not exists (select 1 from sys.fulltext_indexes where object_id = object_id(N'dbo.word_entry'))
    create fulltext index on dbo.word_entry (words language 0)
        key index pk_word_entry on promptledger
        with (change_tracking = auto, stoplist = off);
GO
-- Interactions whose words change are marked: index_words reads the marks.
if not exists (select 1 from sys.triggers where name = N'word_mark_stored')
    exec sys.sp_executesql N'
        create trigger dbo.word_mark_stored on dbo.interaction after insert, update as
        begin
            set nocount on;
            insert into dbo.word_mark (interaction_id, marked_at)
            select now.id, sysutcdatetime()
            from inserted as now
            left join deleted as before on before.id = now.id
            where before.id is null or before.parts <> now.parts or before.occurred_at <> now.occurred_at;
        end';
GO
if not exists (select 1 from sys.triggers where name = N'word_mark_removed')
    exec sys.sp_executesql N'
        create trigger dbo.word_mark_removed on dbo.interaction after delete as
        begin
            set nocount on;
            insert into dbo.word_mark (interaction_id, marked_at)
            select id, sysutcdatetime() from deleted;
        end';
GO
-- A chunk, told by its key, goes when it was joined: what it said stays.
if not exists (select 1 from sys.triggers where name = N'word_mark_erased')
    exec sys.sp_executesql N'
        create trigger dbo.word_mark_erased on dbo.content after delete as
        begin
            set nocount on;
            insert into dbo.word_mark (interaction_id, document, marked_at)
            select interaction_id, document, sysutcdatetime() from deleted where charindex(N''+'', document) = 0;
        end';
