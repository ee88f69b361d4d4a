-- Events received of each hub and hour, repeats left out: the same number wherever the hub is read.
-- in:   from, to  the range of the time of enqueueing in UTC, `to` exclusive
-- out:  one row per hub and hour
-- KQL:  sql/kql/queries/deliveries.kql
declare @from datetime2(3) = '2000-01-01';
declare @to datetime2(3) = '2100-01-01';

with received as (
    select hub,
           dateadd(hour, datediff(hour, '2000-01-01', enqueued_at), '2000-01-01') as interval_start
    from dbo.delivery
    where enqueued_at >= @from and enqueued_at < @to
)
select hub            as Hub,
       interval_start as IntervalStart,
       count_big(*)   as Events
from received
group by hub, interval_start
order by hub, interval_start;
