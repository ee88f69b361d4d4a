-- Option `compression`: row compression of the tables that grow with every call.
-- Costs:  a few per cent of CPU. The index is rebuilt online, once.
-- Undo:   the same with `data_compression = none`.
-- Content and quarantine are left out: their bodies are compressed by the app already. An index that a
-- later migration adds is found the next time.
declare @rebuild nvarchar(max) = (
    select string_agg(
        cast(
            N'alter index ' + quotename(i.name) + N' on dbo.' + quotename(t.name)
            + N' rebuild with (data_compression = row, online = on);'
            as nvarchar(max)
        ),
        nchar(10)
    )
    from sys.tables as t
    join sys.indexes as i on i.object_id = t.object_id
    join sys.partitions as p on p.object_id = i.object_id and p.index_id = i.index_id
    where t.schema_id = schema_id(N'dbo')
        and t.name in (
            N'alias', N'delivery', N'interaction', N'usage_group', N'usage_of_day',
            N'usage_of_hour', N'usage_of_month', N'waiting'
        )
        and i.type in (1, 2)  -- clustered and nonclustered; a columnstore index has a compression of its own
        and p.data_compression = 0
);
if @rebuild is not null
    exec sys.sp_executesql @rebuild;
