"""Runs ClickHouse's engine: a statement as a JSON text on each line in, its rows or its error out."""

import json
import sys

from chdb import session

engine = session.Session()
for line in sys.stdin:
    try:
        answer = {"rows": engine.query(json.loads(line), "TabSeparated").bytes().decode()}
    except Exception as error:  # whatever it is, the test is to see it
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
