-- Usage by hour, as the audit API answers GET /usage?interval=hour: from the rollups.
-- in:   from, to  the range in UTC, `to` exclusive; whole hours
-- out:  one row per hour in which there were calls. The rollups follow the facts by minutes.
-- KQL:  sql/kql/queries/usage_by_hour.kql
declare @from datetime2(3) = '2000-01-01';
declare @to datetime2(3) = '2100-01-01';

select interval_start           as IntervalStart,
       sum(requests)            as Requests,
       sum(errors)              as Errors,
       sum(input_tokens)        as InputTokens,
       sum(cached_input_tokens) as CachedInputTokens,
       sum(output_tokens)       as OutputTokens,
       sum(reasoning_tokens)    as ReasoningTokens,
       sum(total_tokens)        as TotalTokens,
       sum(unmetered_requests)  as UnmeteredRequests
from dbo.usage_hour
where interval_start >= @from and interval_start < @to
group by interval_start
order by interval_start;
