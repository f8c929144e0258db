-- How many installations are alive: those of which a report's window ended on the day, in UTC.
-- Rows: day, installations.
SELECT toDate32(window_end) AS day, uniqExact(installation) AS installations
FROM fleet_current
GROUP BY day
ORDER BY day;
