"""Asks for a job with requests until it is finished, and ends by what it says: JOB_ID [SECONDS between two polls]."""

import os
import sys
import time

import requests

session = requests.Session()
session.auth = (os.environ["EPM_USERNAME"], os.environ["EPM_PASSWORD"])
while True:
    answer = session.get(f"{os.environ['EPM_URL']}/aif/rest/V1/jobs/{sys.argv[1]}", timeout=30)
    answer.raise_for_status()
    status = answer.json()["status"]
    if status != -1:
        sys.exit(0 if status == 0 else 10)
    time.sleep(float(sys.argv[2]))
