"""Saves what is at a URL with requests, streamed: URL FILE."""

import os
import sys

import requests

login = (os.environ["EPM_USERNAME"], os.environ["EPM_PASSWORD"])
with requests.get(sys.argv[1], auth=login, stream=True, timeout=30) as answer, open(sys.argv[2], "wb") as file:
    answer.raise_for_status()
    for piece in answer.iter_content(65536):
        file.write(piece)
