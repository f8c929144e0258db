-- Which versions are in use: for each week, each installation by the version it reported last.
-- Rows: week, version, installations.
SELECT week, version, count(*) AS installations
FROM (
  SELECT DISTINCT ON (week, installation) week, installation, version
  FROM (
    SELECT *, date_trunc('week', window_end AT TIME ZONE 'UTC')::date AS week FROM fleet_current
  ) AS r
  ORDER BY week, installation, window_end DESC
) AS last
GROUP BY week, version
ORDER BY week, version;
