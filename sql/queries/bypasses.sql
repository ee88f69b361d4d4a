-- Calls that went past the gateway: only Azure OpenAI's own log knows them (docs/events.md, "Joining").
-- in:   from, to  the range in UTC, `to` exclusive
-- out:  one row per call, the newest first. CallerIp is masked at its end, as the service logs it.
-- KQL:  sql/kql/queries/bypasses.kql
declare @from datetime2(3) = '2000-01-01';
declare @to datetime2(3) = '2100-01-01';

select id           as Id,
       occurred_at  as OccurredAt,
       caller_ip    as CallerIp,
       user_id      as UserId,
       backend_id   as BackendId,
       deployment   as Deployment,
       model        as Model,
       operation    as Operation,
       http_status  as HttpStatus,
       total_tokens as TotalTokens
from dbo.interaction
where occurred_at >= @from and occurred_at < @to
  and sources = '["azure-openai"]'
order by occurred_at desc, id desc;
