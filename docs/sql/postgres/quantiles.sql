-- The fleet's median, p90 and p99 of a summary by version, by nearest rank, from the buckets of all
-- reports; no figure is further off, relative to the sample, than the largest error of those.
-- Rows: version, per cent, value, error.
WITH pairs AS (
  SELECT version, value, sum(n) AS n
  FROM fleet_current, unnest(usage_rows_buckets_value, usage_rows_buckets_count) AS u(value, n)
  GROUP BY version, value
), ranked AS (
  SELECT version, value, sum(n) OVER (PARTITION BY version ORDER BY value) AS upto,
    sum(n) OVER (PARTITION BY version) AS total
  FROM pairs
), errors AS (
  SELECT version, max(usage_rows_buckets_error) AS error FROM fleet_current GROUP BY version
)
SELECT version, percent, min(value) AS value, max(error) AS error
FROM ranked JOIN errors USING (version), (VALUES (50), (90), (99)) AS p(percent)
WHERE upto * 100 >= total * percent
GROUP BY version, percent
ORDER BY version, percent;
