-- Features that nobody uses: how many installations never reported one of each, and their share.
-- Rows: feature, installations without it, share.
SELECT feature, count(*) FILTER (WHERE used = 0) AS without,
  avg(CASE WHEN used = 0 THEN 1.0 ELSE 0 END) AS share
FROM (
  SELECT installation, feature, sum(times) AS used
  FROM fleet_current, LATERAL (VALUES
    ('exports', usage_exports), ('imports', usage_imports), ('replays', usage_replays)
  ) AS f(feature, times)
  GROUP BY installation, feature
) AS use
GROUP BY feature
ORDER BY feature;
