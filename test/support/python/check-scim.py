"""Runs scim2-tester against a SCIM service and prints its verdicts, one JSON object a line: check_scim.py URL TOKEN."""

import json
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

url, token = sys.argv[1:]
http = Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
for result in check_server(SyncSCIMClient(http)):
    print(
        json.dumps(
            {
                "status": result.status.name,
                "check": result.title,
                "type": result.resource_type,
                "reason": result.reason,
            }
        )
    )
