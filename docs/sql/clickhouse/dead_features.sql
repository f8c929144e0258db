-- Features that nobody uses: how many installations never reported one of each, and their share.
-- Rows: feature, installations without it, share.
SELECT feature, countIf(used = 0) AS without, avg(used = 0) AS share
FROM (
  SELECT installation, feature, sum(times) AS used
  FROM fleet_current
  ARRAY JOIN ['exports', 'imports', 'replays'] AS feature,
    [usage_exports, usage_imports, usage_replays] AS times
  GROUP BY installation, feature
)
GROUP BY feature
ORDER BY feature;
