-- Who stays: of the installations that reported first in a week, how many reported so many weeks later.
-- Rows: first week, weeks since, installations.
SELECT first, (week - first) / 7 AS since, count(*) AS installations
FROM (
  SELECT installation, week, min(week) OVER (PARTITION BY installation) AS first
  FROM (
    SELECT DISTINCT installation, date_trunc('week', window_end AT TIME ZONE 'UTC')::date AS week
    FROM fleet_current
  ) AS active
) AS cohort
GROUP BY first, since
ORDER BY first, since;
