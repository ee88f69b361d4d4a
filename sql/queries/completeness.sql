-- Is the record complete? Of each hour, which calls which source knows.
-- in:   from, to  the range in UTC, `to` exclusive
-- out:  one row per hour. Where both the policy and the gateway's log are on, MissedByPolicy and
--       MissedByGatewayLog are 0 once the logs have come, minutes later; Waiting shrinks with them.
-- KQL:  sql/kql/queries/completeness.kql
declare @from datetime2(3) = '2000-01-01';
declare @to datetime2(3) = '2100-01-01';

with told as (
    select dateadd(hour, datediff(hour, '2000-01-01', occurred_at), '2000-01-01') as interval_start,
           case when sources like '%"native"%' then 1 else 0 end                  as by_policy,
           case when sources like '%"azure-monitor"%' then 1 else 0 end           as by_log,
           case when sources = '["azure-openai"]' then 1 else 0 end               as past_gateway,
           case when state in ('pending', 'incomplete') then 1 else 0 end         as waiting
    from dbo.interaction
    where occurred_at >= @from and occurred_at < @to
)
select interval_start                                              as IntervalStart,
       count_big(*)                                                as Calls,
       sum(by_policy)                                              as KnownToPolicy,
       sum(by_log)                                                 as KnownToGatewayLog,
       sum(case when by_log = 1 and by_policy = 0 then 1 else 0 end) as MissedByPolicy,
       sum(case when by_policy = 1 and by_log = 0 then 1 else 0 end) as MissedByGatewayLog,
       sum(past_gateway)                                           as PastTheGateway,
       sum(waiting)                                                as Waiting
from told
group by interval_start
order by interval_start;
