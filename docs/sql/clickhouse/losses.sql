-- How much could not be reported, by reason: windows (`reports_…`), values and metrics that were no
-- part of any, and detail that a report had no room for. What was lost last is not told of before a
-- later report.
-- Rows: reason, how much, how much for each thousand windows that count.
SELECT reason, sum(losses) AS lost,
  lost * 1000 / (SELECT sum(1 + length(merged)) FROM fleet_current) AS per_thousand
FROM fleet_current ARRAY JOIN
  [
    'capped_values', 'dropped_details', 'failed_functions', 'mismatched_metrics', 'refused_values',
    'reports_expired', 'reports_overflowed', 'reports_refused', 'reports_set_aside',
    'reports_unshipped', 'reports_withdrawn', 'undeclared_metrics', 'undeclared_values'
  ] AS reason,
  [
    losses_capped_values, losses_dropped_details, losses_failed_functions, losses_mismatched_metrics,
    losses_refused_values, losses_reports_expired, losses_reports_overflowed,
    losses_reports_refused, losses_reports_set_aside, losses_reports_unshipped,
    losses_reports_withdrawn, losses_undeclared_metrics, losses_undeclared_values
  ] AS losses
GROUP BY reason
HAVING lost > 0
ORDER BY reason;
