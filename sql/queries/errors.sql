-- What failed or was refused, by status, code and model.
-- in:   from, to  the range in UTC, `to` exclusive
-- out:  one row per kind of failure, the most frequent first. State tells who said no: `refused` is API
--       Management or the content filter. A stream may fail after its 200 was sent, and a caller may leave
--       before there is a status (0). A call that still waits for a part may have failed already.
-- KQL:  sql/kql/queries/errors.kql
declare @from datetime2(3) = '2000-01-01';
declare @to datetime2(3) = '2100-01-01';

select http_status                as HttpStatus,
       error_code                 as ErrorCode,
       state                      as State,
       model                      as Model,
       count_big(*)               as Requests,
       count(distinct caller_ip)  as Callers,
       min(occurred_at)           as FirstAt,
       max(occurred_at)           as LastAt
from dbo.interaction
where occurred_at >= @from and occurred_at < @to
  and (http_status >= 400 or http_status < 100 or error_code is not null or gateway_refused = 1
       or state in ('failed', 'refused'))
group by http_status, error_code, state, model
order by Requests desc, HttpStatus, ErrorCode, State, Model;
