-- The article's second query: each call, the size of its prompt and how it begins.
-- in:   from, to  the range in UTC, `to` exclusive
-- out:  one row per call, the newest first. PromptPreview holds the first 100 characters. It is
--       content: who runs this reads what people wrote, and no audit API is there to record it.
-- KQL:  sql/kql/queries/prompts.kql
declare @from datetime2(3) = '2000-01-01';
declare @to datetime2(3) = '2100-01-01';

select id             as Id,
       occurred_at    as OccurredAt,
       model          as Model,
       input_tokens   as InputTokens,
       prompt_preview as PromptPreview
from dbo.interaction
where occurred_at >= @from and occurred_at < @to
order by occurred_at desc, id desc;
