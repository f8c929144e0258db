"""Reads histograms as another implementation of HdrHistogram does, and adds them up.

On each line a JSON object in: `parts`, a list of histograms, `whole`, one, and `percents`. On each line
an object out: of `merged`, the sum of the parts, and of `whole` the samples, the cells and the quantiles.
"""

import json
import sys

from hdrh.histogram import HdrHistogram


def told(histogram, percents):
    cells = [
        [histogram.get_lowest_equivalent_value(cell.value_iterated_to), cell.count_at_value_iterated_to]
        for cell in histogram.get_recorded_iterator()
    ]
    quantiles = [histogram.get_value_at_percentile(percent) for percent in percents]
    return {"samples": histogram.get_total_count(), "cells": cells, "quantiles": quantiles}


for line in sys.stdin:
    asked = json.loads(line)
    merged = HdrHistogram(1, 2**53 - 1, 3)
    for part in asked["parts"]:
        merged.add(HdrHistogram.decode(part))
    whole = HdrHistogram.decode(asked["whole"])
    answer = {"merged": told(merged, asked["percents"]), "whole": told(whole, asked["percents"])}
    print(json.dumps(answer), flush=True)
