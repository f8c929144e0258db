-- Errors per thousand requests, by kind.
-- Rows: kind, errors per thousand.
SELECT kind, sum(errors) * 1000 / (SELECT sum(usage_requests) FROM fleet_current) AS per_thousand
FROM fleet_current, unnest(usage_errors_kind, usage_errors_value) AS u(kind, errors)
GROUP BY kind
ORDER BY kind;
