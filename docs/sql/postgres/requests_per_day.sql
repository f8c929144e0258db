-- Requests per day, in UTC. A window that straddles midnight gives each day its share by time.
-- Rows: day, requests.
SELECT day::date AS day, sum(usage_requests * CASE WHEN finish > begin
    THEN extract(epoch FROM least(finish, day + interval '1 day') - greatest(begin, day))
      / extract(epoch FROM finish - begin)
    ELSE 1 END) AS requests
FROM (
  SELECT usage_requests, window_start AT TIME ZONE 'UTC' AS begin, window_end AT TIME ZONE 'UTC' AS finish
  FROM fleet_current
) AS r, generate_series(date_trunc('day', least(begin, finish)), finish, interval '1 day') AS day
GROUP BY day
ORDER BY day;
