-- How many installations are alive: those of which a report's window ended on the day, in UTC.
-- Rows: day, installations.
SELECT (window_end AT TIME ZONE 'UTC')::date AS day, count(DISTINCT installation) AS installations
FROM fleet_current
GROUP BY day
ORDER BY day;
