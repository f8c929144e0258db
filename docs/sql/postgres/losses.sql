-- How much could not be reported, by reason: windows (`reports_…`), values and metrics that were no
-- part of any, and detail that a report had no room for. What was lost last is not told of before a
-- later report.
-- Rows: reason, how much, how much for each thousand windows that count.
SELECT reason, sum(lost) AS lost,
  sum(lost) * 1000.0 / (SELECT sum(1 + cardinality(merged)) FROM fleet_current) AS per_thousand
FROM fleet_current, LATERAL (VALUES
  ('capped_values', losses_capped_values),
  ('dropped_details', losses_dropped_details),
  ('failed_functions', losses_failed_functions),
  ('mismatched_metrics', losses_mismatched_metrics),
  ('refused_values', losses_refused_values),
  ('reports_expired', losses_reports_expired),
  ('reports_overflowed', losses_reports_overflowed),
  ('reports_refused', losses_reports_refused),
  ('reports_set_aside', losses_reports_set_aside),
  ('reports_unshipped', losses_reports_unshipped),
  ('reports_withdrawn', losses_reports_withdrawn),
  ('undeclared_metrics', losses_undeclared_metrics),
  ('undeclared_values', losses_undeclared_values)
) AS l(reason, lost)
GROUP BY reason
HAVING sum(lost) > 0
ORDER BY reason;
