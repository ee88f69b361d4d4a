-- The article's first query: what each client address used of each model.
-- in:   from, to  the range in UTC, `to` exclusive
-- out:  one row per caller and model, the most tokens first. Calls whose tokens nobody told are
--       counted as requests and left out of the average. Polls and cancellations repeat the usage of
--       one response or run: its best account in the range counts, once.
-- KQL:  sql/kql/queries/usage_by_caller_and_model.kql
declare @from datetime2(3) = '2000-01-01';
declare @to datetime2(3) = '2100-01-01';

with ranked as (
    select caller_ip,
           model,
           input_tokens,
           output_tokens,
           total_tokens,
           case when usage_key is null then 1
                else row_number() over (
                    partition by usage_key
                    order by case when usage_provenance = 'estimated' then 1 else 0 end,
                             total_tokens desc, occurred_at, id)
           end as place
    from dbo.interaction
    where occurred_at >= @from and occurred_at < @to
)
select caller_ip                                            as CallerIp,
       model                                                as Model,
       count_big(*)                                         as Requests,
       sum(case when place = 1 then input_tokens end)       as PromptTokens,
       sum(case when place = 1 then output_tokens end)      as CompletionTokens,
       sum(case when place = 1 then total_tokens end)       as TotalTokens,
       -- avg of a bigint would be cut
       round(avg(case when place = 1 then cast(total_tokens as float) end), 2) as AverageTotalTokens
from ranked
group by caller_ip, model
order by TotalTokens desc, CallerIp, Model;
