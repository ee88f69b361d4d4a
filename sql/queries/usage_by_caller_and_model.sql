-- The article's first query: what each client address used of each model.
-- in:   from, to  the range in UTC, `to` exclusive
-- out:  one row per caller and model, the most tokens first. Calls whose tokens nobody told are
--       counted as requests and left out of the average. Polls and cancellations repeat the usage of
--       one response or run: its best account in the range counts, once. What a cache answered repeats
--       the usage of the call that filled it, and counts as a request alone. Averages are rounded to
--       hundredths, halves up.
-- KQL:  sql/kql/queries/usage_by_caller_and_model.kql
declare @from datetime2(3) = '2000-01-01';
declare @to datetime2(3) = '2100-01-01';

with ranked as (
    select caller_ip,
           model,
           input_tokens,
           output_tokens,
           total_tokens,
           case when cached = 1 then 0
                when usage_key is null then 1
                else row_number() over (
                    partition by usage_key, case when cached = 1 then 1 else 0 end
                    order by case when usage_provenance = 'estimated' then 1 else 0 end,
                             total_tokens desc, occurred_at, id)
           end as place
    from dbo.interaction
    where occurred_at >= @from and occurred_at < @to
),
summed as (
    select caller_ip,
           model,
           count_big(*)                                        as requests,
           sum(case when place = 1 then input_tokens end)       as input_tokens,
           sum(case when place = 1 then output_tokens end)      as output_tokens,
           sum(case when place = 1 then total_tokens end)       as total_tokens,
           nullif(count_big(case when place = 1 then total_tokens end), 0) as told
    from ranked
    group by caller_ip, model
)
select caller_ip     as CallerIp,
       model         as Model,
       requests      as Requests,
       input_tokens  as PromptTokens,
       output_tokens as CompletionTokens,
       total_tokens  as TotalTokens,
       -- In whole numbers, in which every database comes to the same.
       cast(total_tokens / told * 100 + (200 * (total_tokens % told) + told) / (2 * told) as float) / 100
                     as AverageTotalTokens
from summed
order by TotalTokens desc, CallerIp, Model;
