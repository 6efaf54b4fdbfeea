#!/usr/bin/env bash
# Asks once for a job with curl and jq, as such a loop is mostly written, and ends by what it says.
set -euo pipefail

answer="$(curl --silent --show-error --fail --user "$EPM_USERNAME:$EPM_PASSWORD" "$EPM_URL/aif/rest/V1/jobs/$1")"
case "$(jq --raw-output .status <<<"$answer")" in
  0) exit 0 ;;
  -1) exit 25 ;;
  *) exit 10 ;;
esac
