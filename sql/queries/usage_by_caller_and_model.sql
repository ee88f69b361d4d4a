-- The article's first query: what each client address used of each model.
-- in:   from, to  the range in UTC, `to` exclusive
-- out:  one row per caller and model, the most tokens first. Calls whose tokens nobody told are
--       counted as requests and left out of the average.
declare @from datetime2(3) = '2000-01-01';
declare @to datetime2(3) = '2100-01-01';

select caller_ip                               as CallerIp,
       model                                   as Model,
       count_big(*)                            as Requests,
       sum(input_tokens)                       as PromptTokens,
       sum(output_tokens)                      as CompletionTokens,
       sum(total_tokens)                       as TotalTokens,
       round(avg(cast(total_tokens as float)), 2) as AverageTotalTokens  -- avg of a bigint would be cut
from dbo.interaction
where occurred_at >= @from and occurred_at < @to
group by caller_ip, model
order by TotalTokens desc, CallerIp, Model;
