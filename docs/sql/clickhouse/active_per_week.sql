-- The same by week; a week is named by its Monday.
-- Rows: week, installations.
SELECT toMonday(toDate32(window_end)) AS week, uniqExact(installation) AS installations
FROM fleet_current
GROUP BY week
ORDER BY week;
