-- Which versions are in use: for each week, each installation by the version it reported last.
-- Rows: week, version, installations.
SELECT week, version, count() AS installations
FROM (
  SELECT toMonday(toDate32(window_end)) AS week, installation, argMax(version, window_end) AS version
  FROM fleet_current
  GROUP BY week, installation
)
GROUP BY week, version
ORDER BY week, version;
