-- The same by week; a week is named by its Monday.
-- Rows: week, installations.
SELECT date_trunc('week', window_end AT TIME ZONE 'UTC')::date AS week,
  count(DISTINCT installation) AS installations
FROM fleet_current
GROUP BY week
ORDER BY week;
