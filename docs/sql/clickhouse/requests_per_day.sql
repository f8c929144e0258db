-- Requests per day, in UTC. A window that straddles midnight gives each day its share by time.
-- Rows: day, requests.
WITH toInt64(86400000000) AS length
SELECT toDate32(number) AS day, sum(toFloat64(requests) * if(finish > begin,
    (least(finish, (number + 1) * length) - greatest(begin, number * length)) / (finish - begin), 1)) AS requests
FROM (
  SELECT usage_requests AS requests,
    toUnixTimestamp64Micro(assumeNotNull(window_start)) AS begin,
    toUnixTimestamp64Micro(assumeNotNull(window_end)) AS finish
  FROM fleet_current
) ARRAY JOIN range(intDiv(least(begin, finish), length), intDiv(finish, length) + 1) AS number
GROUP BY day
ORDER BY day;
