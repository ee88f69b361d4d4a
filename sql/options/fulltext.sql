-- Option `fulltext`: a full-text index on the texts that are kept in SQL, the beginnings of prompts and completions.
-- Costs:  an index that follows every change, a few seconds behind.
-- Needs:  nothing on Azure SQL; on a server of your own, the full-text service.
-- Use:    where contains((prompt_preview, completion_preview), N'"word*"')
-- Undo:   drop fulltext index on dbo.interaction; drop fulltext catalog promptledger;
-- Language 0 is none in particular, and no word is left out: people write in all of them.
if not exists (select 1 from sys.fulltext_catalogs where name = N'promptledger')
    create fulltext catalog promptledger;
GO
if not exists (select 1 from sys.fulltext_indexes where object_id = object_id(N'dbo.interaction'))
    create fulltext index on dbo.interaction (prompt_preview language 0, completion_preview language 0)
        key index pk_interaction on promptledger
        with (change_tracking = auto, stoplist = off);
